#include "replay/past_releases.h"

#include <algorithm>
#include <deque>
#include <map>
#include <optional>

namespace weir {
namespace {

constexpr seconds kShortSilence{30};
// Of the requests of two revisions: a fifth of the smallest weight. A stream is counted when it ends, long after the weight has moved.
constexpr double kNextToNothing = 0.002;
// A revision that has got fewer lately is none that is being released.
constexpr double kFewest = 5;

using Requests = std::map<std::string, double>;  // by revision

double requests_of(const Requests& requests, const std::string& revision) {
  const auto found = requests.find(revision);
  return found == requests.end() ? 0 : found->second;
}

// Walks through the recording point by point.
class Finder {
 public:
  explicit Finder(std::string stable) : stable_(std::move(stable)) {}

  void add(WallTime at, const Requests& requests) {
    if (!recent_.empty() && at - recent_.back().at > kLookback) end_quiet();
    recent_.push_back({at, requests});
    while (recent_.size() > 2 && at - recent_[1].at > kLookback) recent_.pop_front();
    if (release_) follow();
    if (!release_) look_for_new();
    if (!release_ && !quiet_from_) quiet_from_ = at;
    if (!release_) quiet_to_ = at;
  }

  PastReleases finish() {
    if (release_) settle(kShortSilence);
    if (release_) end(recent_.back().at, PastEnding::Unfinished);
    end_quiet();
    return std::move(found_);
  }

 private:
  struct Point {
    WallTime at{};
    Requests requests;  // since the point before
  };

  bool takes_part(const std::string& revision) const {
    return revision == stable_ || (release_ && revision == release_->canary);
  }

  // The one that has served most lately of those that take no part yet; "" = none.
  std::string newcomer() const {
    Requests sums;
    for (const auto& point : recent_) {
      for (const auto& [revision, count] : point.requests) {
        const auto settled = settled_.find(revision);
        const bool is_over = settled != settled_.end() && point.at <= settled->second;
        if (!takes_part(revision) && !is_over) sums[revision] += count;
      }
    }
    const auto most = std::max_element(
        sums.begin(), sums.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
    return most == sums.end() || most->second < kFewest ? "" : most->first;
  }

  // The newest point at which it still had its share of what both of them got.
  WallTime served_until(const std::string& revision, const std::string& other) const {
    double own = 0;
    double both = 0;
    for (auto point = recent_.rbegin(); point != recent_.rend(); ++point) {
      own += requests_of(point->requests, revision);
      both += requests_of(point->requests, revision) + requests_of(point->requests, other);
      if (own > both * kNextToNothing) return point->at;
    }
    return recent_.front().at;
  }

  void look_for_new() {
    const auto name = newcomer();
    if (name.empty()) return;
    const auto first = std::find_if(recent_.begin(), recent_.end(), [&](const Point& point) {
      const auto settled = settled_.find(name);
      const bool is_over = settled != settled_.end() && point.at <= settled->second;
      return requests_of(point.requests, name) > 0 && !is_over;
    });
    const auto from = first == recent_.begin() ? first->at : (first - 1)->at;
    quiet_to_ = std::min(quiet_to_, from);
    end_quiet();
    release_ = PastRelease{name, stable_, from, recent_.back().at};
  }

  void follow() {
    // When a third one begins it is soon said who has won: the next release may follow at once.
    const bool third = !newcomer().empty();
    settle(third ? kShortSilence : kLookback);
    if (!release_ || !third) return;
    settled_[release_->canary] = recent_.back().at;
    end(served_until(release_->canary, stable_), PastEnding::Superseded);
  }

  // Ends the release if one of the two has been silent for longer than `span`.
  void settle(seconds span) {
    const auto canary = release_->canary;
    const auto now = recent_.back().at;
    const auto stable_until = served_until(stable_, canary);
    const auto canary_until = served_until(canary, stable_);
    const bool stable_silent = now - stable_until > span;
    const bool canary_silent = now - canary_until > span;
    if (stable_silent == canary_silent) return;
    settled_[stable_silent ? stable_ : canary] = now;
    end(std::max(stable_silent ? stable_until : canary_until, release_->from),
        stable_silent ? PastEnding::Promoted : PastEnding::TakenBack);
    if (stable_silent) stable_ = canary;
  }

  void end(WallTime until, PastEnding ending) {
    release_->until = until;
    release_->ending = ending;
    found_.releases.push_back(*release_);
    release_.reset();
  }

  void end_quiet() {
    if (quiet_from_ && quiet_to_ > *quiet_from_)
      found_.quiet.push_back({stable_, *quiet_from_, quiet_to_});
    quiet_from_.reset();
  }

  std::string stable_;
  std::deque<Point> recent_;                   // a little more than kLookback
  std::map<std::string, WallTime> settled_{};  // what it got until then belongs to a release before
  std::optional<WallTime> quiet_from_;
  WallTime quiet_to_{};
  std::optional<PastRelease> release_;
  PastReleases found_;
};

std::string first_stable(const std::vector<Served>& served) {
  const auto first = std::find_if(served.begin(), served.end(),
                                  [](const Served& one) { return one.requests > 0; });
  Requests sums;
  for (auto one = first; one != served.end() && one->at - first->at <= kShortSilence; ++one)
    sums[one->revision] += one->requests;
  const auto most = std::max_element(
      sums.begin(), sums.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  return most == sums.end() ? "" : most->first;
}

}  // namespace

std::string_view to_string(PastEnding ending) {
  switch (ending) {
    case PastEnding::Promoted: return "Promoted";
    case PastEnding::TakenBack: return "TakenBack";
    case PastEnding::Superseded: return "Superseded";
    case PastEnding::Unfinished: return "Unfinished";
  }
  return "Unfinished";
}

std::vector<Served> served(const std::vector<RecordedSeries>& series, WallTime first) {
  std::vector<Served> all;
  for (const auto& one : series) {
    for (std::size_t i = 0; i < one.points.size(); ++i) {
      const auto& point = one.points[i];
      const bool is_new = i == 0 && point.at > first;
      const double grown = i > 0    ? increment(one.points[i - 1].value, point.value)
                           : is_new ? point.value
                                    : 0;
      all.push_back({point.at, one.revision, grown});
    }
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const Served& a, const Served& b) { return a.at < b.at; });
  return all;
}

PastReleases find_releases(const std::vector<Served>& served) {
  Finder finder(first_stable(served));
  Requests requests;
  for (std::size_t i = 0; i < served.size(); ++i) {
    requests[served[i].revision] += served[i].requests;
    if (i + 1 < served.size() && served[i + 1].at == served[i].at) continue;
    finder.add(served[i].at, requests);
    requests.clear();
  }
  return finder.finish();
}

}  // namespace weir
