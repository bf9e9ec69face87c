#include "replay/past_releases.h"

#include <algorithm>
#include <map>
#include <optional>

namespace weir {
namespace {

constexpr seconds kShortSilence{30};

using Requests = std::map<std::string, double>;  // by revision

// Walks through the recording point by point.
class Finder {
 public:
  explicit Finder(std::string stable) : stable_(std::move(stable)) {}

  void add(WallTime at, const Requests& requests) {
    for (const auto& [revision, count] : requests)
      if (count > 0) last_[revision] = at;
    const bool gap = before_ && at - *before_ > kLookback;
    if (gap) end_quiet();
    if (release_) follow(at, requests);
    if (!release_) look_for_new(at, requests);
    if (!release_ && !quiet_from_) quiet_from_ = at;
    before_ = at;
  }

  PastReleases finish() {
    if (release_ && before_) end(*before_, PastEnding::Unfinished);
    end_quiet();
    return std::move(found_);
  }

 private:
  // The one that serves most of those that take no part yet; "" = none.
  std::string newcomer(const Requests& requests) const {
    std::string name;
    double most = 0;
    for (const auto& [revision, count] : requests) {
      const bool known = revision == stable_ || (release_ && revision == release_->canary);
      if (known || count <= most) continue;
      name = revision;
      most = count;
    }
    return name;
  }

  bool is_silent(const std::string& revision, WallTime at, seconds span) const {
    const auto last = last_.find(revision);
    return last == last_.end() || at - last->second > span;
  }

  void look_for_new(WallTime at, const Requests& requests) {
    const auto name = newcomer(requests);
    if (name.empty()) return;
    end_quiet();
    release_ = PastRelease{name, stable_, before_.value_or(at), at};
  }

  void follow(WallTime at, const Requests& requests) {
    const auto canary = release_->canary;
    // When a third one begins it is soon said who has won: the next release may follow at once.
    const bool third = !newcomer(requests).empty();
    const seconds span = third ? kShortSilence : kLookback;
    const bool stable_silent = is_silent(stable_, at, span);
    const bool canary_silent = is_silent(canary, at, span);
    if (stable_silent && !canary_silent) {
      end(std::max(last_[stable_], release_->from), PastEnding::Promoted);
      stable_ = canary;
    } else if (canary_silent && !stable_silent) {
      end(last_[canary], PastEnding::TakenBack);
    } else if (third) {
      end(*before_, PastEnding::Superseded);
    }
  }

  void end(WallTime until, PastEnding ending) {
    release_->until = until;
    release_->ending = ending;
    found_.releases.push_back(*release_);
    release_.reset();
  }

  void end_quiet() {
    if (quiet_from_ && before_ && *before_ > *quiet_from_)
      found_.quiet.push_back({stable_, *quiet_from_, *before_});
    quiet_from_.reset();
  }

  std::string stable_;
  std::map<std::string, WallTime> last_;  // request of each revision
  std::optional<WallTime> before_;
  std::optional<WallTime> quiet_from_;
  std::optional<PastRelease> release_;
  PastReleases found_;
};

std::string first_stable(const std::vector<Served>& served) {
  Requests sums;
  for (const auto& one : served) {
    if (one.at - served.front().at > kLookback) break;
    sums[one.revision] += one.requests;
  }
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
