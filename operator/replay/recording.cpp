#include "replay/recording.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <set>

#include "base/json.h"
#include "base/time_format.h"
#include "stats/counts.h"

namespace weir {
namespace {

constexpr std::string_view kDefaultLabel = "revision";
constexpr std::array<std::string_view, 4> kRoles{"bad", "good", "total", "value"};
constexpr std::array<const char*, 2> kInstanceLabels{"pod", "instance"};
constexpr double kLatestSeconds = 4e9;  // the year 2096
// A counter falls when a process restarts; what falls more often is none.
constexpr std::size_t kMostResets = 3;
constexpr double kMostResetShare = 0.1;
constexpr double kFewRequests = 100;
constexpr double kAgrees = 1.1;

Error wrong(std::string message) { return {ErrorKind::Invalid, std::move(message)}; }

// Of one role: reads its answers into series.
class SeriesReader {
 public:
  // `points`: of all roles together.
  SeriesReader(std::string place, std::string role, const std::string& label, std::size_t& points)
      : place_(std::move(place)), role_(std::move(role)), label_(label), points_(points) {}

  Result<void> read(const Json& given) {
    if (!given.is_array()) return read_answer(given, place_);
    for (std::size_t i = 0; i < given.size(); ++i)
      if (auto done = read_answer(given[i], fmt::format("{}[{}]", place_, i)); !done) return done;
    return {};
  }

  Result<std::vector<RecordedSeries>> finish() {
    std::vector<RecordedSeries> all;
    for (auto& [labels, series] : series_) {
      if (role_ != "value")
        if (auto checked = check_counter(series); !checked) return checked.error();
      if (!series.points.empty()) all.push_back(std::move(series));
    }
    // Nothing bad in all that time is fine.
    if (all.empty() && role_ != "bad")
      return wrong(place_ + ": no series: did the query find anything?");
    return all;
  }

  std::size_t left_out() const { return left_out_; }

 private:
  Result<void> read_answer(const Json& answer, const std::string& place) {
    if (const auto error = json_text(answer, {"error"}); !error.empty())
      return wrong(fmt::format("{}: Prometheus refused the query: {}", place, error));
    const Json& data = json_at(answer, {"data"});
    const auto type = json_text(data, {"resultType"});
    const Json& result = json_at(data, {"result"});
    if (json_text(answer, {"status"}) != "success" || type != "matrix" || !result.is_array())
      return wrong(
          fmt::format("{}: must be an answer of /api/v1/query_range (resultType matrix), "
                      "found {}",
                      place, type.empty() ? "none" : "resultType " + type));
    for (std::size_t i = 0; i < result.size(); ++i) {
      auto done = read_series(result[i], fmt::format("{}.result[{}]", place, i));
      if (!done) return done;
    }
    return {};
  }

  Result<void> read_series(const Json& item, const std::string& place) {
    Json labels = json_at(item, {"metric"});
    if (!labels.is_object()) return wrong(place + ".metric: must be an object of labels");
    labels.erase("__name__");
    const auto key = dump_json(labels);
    if (series_.size() >= kMaxRecordedSeries && series_.count(key) == 0)
      return wrong(fmt::format("{}: more than {} series", place_, kMaxRecordedSeries));
    auto& series = series_[key];
    series.labels = key;
    series.revision = json_text(labels, {label_});
    if (series.revision.empty() && role_ != "value")
      return wrong(
          fmt::format("{}.metric: found no label {}, must tell the revision: name another "
                      "label in revisionLabel, or make it with label_replace()",
                      place, label_));
    for (const auto* name : kInstanceLabels)
      if (series.instance.empty()) series.instance = json_text(labels, {name});
    const Json& values = json_at(item, {"values"});
    if (!values.is_array()) return wrong(place + ".values: must be a list of [seconds, \"value\"]");
    for (const auto& value : values)
      if (auto done = read_point(value, series, place); !done) return done;
    return {};
  }

  Result<void> read_point(const Json& value, RecordedSeries& series, const std::string& place) {
    const bool is_point =
        value.is_array() && value.size() == 2 && value[0].is_number() && value[1].is_string();
    if (!is_point) return wrong(place + ".values: must be a list of [seconds, \"value\"]");
    const double time = value[0].get<double>();
    if (!(time >= 0 && time <= kLatestSeconds))
      return wrong(
          fmt::format("{}.values: found the time {:g}, must be seconds since 1970", place, time));
    const WallTime at{std::chrono::microseconds(std::llround(time * 1e6))};
    const auto& text = value[1].get_ref<const std::string&>();
    char* end = nullptr;
    const double number = std::strtod(text.c_str(), &end);
    if (text.empty() || end != text.c_str() + text.size())
      return wrong(fmt::format("{}.values at {}: found \"{}\", must be a number", place,
                               format_time(at), text.substr(0, 40)));
    // The operator leaves them out as well.
    if (!std::isfinite(number)) {
      ++left_out_;
      return {};
    }
    if (number < 0 && role_ != "value")
      return wrong(fmt::format("{}.values at {}: found {}, a counter is never negative", place,
                               format_time(at), text));
    if (!series.points.empty() && at <= series.points.back().at) {
      // Where two answers meet, both have the point.
      if (at == series.points.back().at && number == series.points.back().value) return {};
      return wrong(fmt::format("{}.values: time goes back from {} to {}", place,
                               format_time(series.points.back().at), format_time(at)));
    }
    if (++points_ > kMaxRecordedPoints)
      return wrong(
          fmt::format("more than {} points: record a shorter time, fewer series, or a "
                      "wider step",
                      kMaxRecordedPoints));
    series.points.push_back({at, number});
    return {};
  }

  Result<void> check_counter(const RecordedSeries& series) const {
    std::size_t falls = 0;
    for (std::size_t i = 1; i < series.points.size(); ++i)
      falls += series.points[i].value < series.points[i - 1].value ? 1 : 0;
    const double share = static_cast<double>(falls) / static_cast<double>(series.points.size());
    if (falls > kMostResets && share > kMostResetShare)
      return wrong(
          fmt::format("{}: {} falls {} times in {} points, so it is no cumulative "
                      "counter: record it without rate(), increase() or a division",
                      place_, series.labels, falls, series.points.size()));
    for (const auto& point : series.points)
      if (auto checked = check_counts(place_, {0, point.value}); !checked) return checked;
    return {};
  }

  std::string place_;
  std::string role_;
  const std::string& label_;
  std::size_t& points_;
  std::map<std::string, RecordedSeries> series_;
  std::size_t left_out_ = 0;
};

// All that each revision has counted from the first point to the last; the first point itself is not known to be new.
std::map<std::string, double> sums(const std::vector<RecordedSeries>& all) {
  std::map<std::string, double> result;
  for (const auto& series : all) {
    double sum = 0;
    for (std::size_t i = 1; i < series.points.size(); ++i)
      sum += increment(series.points[i - 1].value, series.points[i].value);
    result[series.revision] += sum;
  }
  return result;
}

Result<void> check_roles(const std::string& place, const RecordedObjective& objective) {
  const bool has_value = objective.count("value") != 0;
  const bool by_good = objective.count("good") != 0;
  const bool has_ratio = objective.count("total") != 0 && objective.size() == 2;
  if (has_value ? objective.size() != 1 : !has_ratio)
    return wrong(place + ": must have \"bad\" and \"total\", \"good\" and \"total\", or \"value\"");
  if (has_value) return {};
  const auto part = sums(objective.find(by_good ? "good" : "bad")->second);
  const auto total = sums(objective.find("total")->second);
  for (const auto& [revision, sum] : part) {
    const auto found = total.find(revision);
    const double all = found == total.end() ? 0 : found->second;
    // Counters of one scrape agree; two rules of the user's may differ by a scrape.
    if (sum > kFewRequests + all * kAgrees)
      return wrong(
          fmt::format("{}: {} has counted {:.0f} {} requests of {:.0f} in all: are the "
                      "queries swapped?",
                      place, revision, sum, by_good ? "good" : "bad", all));
  }
  return {};
}

// The distance that most neighbours have.
milliseconds usual_step(const RecordedObjective& objective) {
  std::map<milliseconds, std::size_t> seen;
  for (const auto& [role, all] : objective)
    for (const auto& series : all)
      for (std::size_t i = 1; i < series.points.size(); ++i)
        ++seen[std::chrono::round<milliseconds>(series.points[i].at - series.points[i - 1].at)];
  const auto most = std::max_element(
      seen.begin(), seen.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  return most == seen.end() ? milliseconds(0) : most->first;
}

// Its span, and what it holds.
Result<void> sum_up(Recording& recording) {
  bool first = true;
  std::set<std::string> revisions;
  for (const auto& [name, objective] : recording.objectives) {
    for (const auto& [role, all] : objective) {
      for (const auto& series : all) {
        revisions.insert(series.revision);
        const auto from = series.points.front().at;
        const auto to = series.points.back().at;
        recording.from = first ? from : std::min(recording.from, from);
        recording.to = first ? to : std::max(recording.to, to);
        first = false;
      }
    }
    recording.step = std::max(recording.step, usual_step(objective));
  }
  if (revisions.size() > kMaxRecordedRevisions)
    return wrong(
        fmt::format("{} revisions, at most {} in one recording: is revisionLabel a label "
                    "of pods?",
                    revisions.size(), kMaxRecordedRevisions));
  return {};
}

}  // namespace

double increment(double before, double after) { return after < before ? after : after - before; }

const RecordedPoint* RecordedSeries::at(WallTime time) const {
  const auto later = std::upper_bound(
      points.begin(), points.end(), time,
      [](WallTime wanted, const RecordedPoint& point) { return wanted < point.at; });
  if (later == points.begin()) return nullptr;
  const auto& newest = *(later - 1);
  return time - newest.at <= kLookback ? &newest : nullptr;
}

struct RecordingReader::Roles {
  std::map<std::string, SeriesReader, std::less<>> readers;
};

RecordingReader::RecordingReader(std::string revision_label) : label_(std::move(revision_label)) {}
RecordingReader::~RecordingReader() = default;

Result<void> RecordingReader::add(const std::string& objective, const std::string& role,
                                  const Json& answers) {
  const auto place = "objectives." + objective;
  if (std::find(kRoles.begin(), kRoles.end(), role) == kRoles.end())
    return wrong(
        fmt::format("{}: found \"{}\", must be one of bad, good, total, value", place, role));
  auto& roles = objectives_[objective];
  if (!roles) roles = std::make_unique<Roles>();
  const auto reader = roles->readers.try_emplace(role, place + "." + role, role, label_, points_);
  return reader.first->second.read(answers);
}

Result<Recording> RecordingReader::finish() {
  Recording recording;
  std::size_t left_out = 0;
  for (auto& [name, roles] : objectives_) {
    auto& objective = recording.objectives[name];
    for (auto& [role, reader] : roles->readers) {
      ASSIGN_OR_RETURN(objective[role], reader.finish());
      left_out += reader.left_out();
    }
    if (auto checked = check_roles("objectives." + name, objective); !checked)
      return checked.error();
  }
  if (auto done = sum_up(recording); !done) return done.error();
  if (left_out > 0)
    recording.warnings.push_back(
        fmt::format("{} points are NaN or infinite and were left out", left_out));
  return recording;
}

Result<Recording> parse_recording(std::string_view text) {
  if (text.size() > kMaxRecordingBytes)
    return wrong(
        fmt::format("the recording is larger than {} MiB: record a shorter time, fewer "
                    "series, or a wider step",
                    kMaxRecordingBytes >> 20U));
  const auto json = parse_json(text);
  if (!json) return Error{ErrorKind::Parse, "the recording: " + json.error().message};
  const Json& objectives = json_at(*json, {"objectives"});
  if (!objectives.is_object() || objectives.empty())
    return wrong("objectives: must be an object that has answers of query_range by objective");
  RecordingReader reader(json_text(*json, {"revisionLabel"}, kDefaultLabel));
  for (const auto& [name, given] : objectives.items()) {
    if (!given.is_object() || given.empty())
      return wrong(fmt::format("objectives.{}: must be an object of answers", name));
    for (const auto& [role, answers] : given.items())
      if (auto done = reader.add(name, role, answers); !done) return done.error();
  }
  return reader.finish();
}

Result<std::vector<std::string>> recorded_objectives(const Recording& recording,
                                                     const CanaryPolicySpec& policy) {
  std::vector<std::string> names;
  bool has_ratio = false;
  for (const auto& objective : policy.objectives) {
    const auto found = recording.objectives.find(objective.name);
    if (found == recording.objectives.end()) continue;
    const bool by_good = objective.ratio && !objective.ratio->queries.good.empty();
    const auto* role = objective.value ? "value" : by_good ? "good" : "bad";
    if (found->second.count(role) == 0)
      return wrong(
          fmt::format("objectives.{}: the policy's objective has \"{}\", the recording "
                      "does not",
                      objective.name, role));
    names.push_back(objective.name);
    has_ratio = has_ratio || objective.ratio;
  }
  if (!has_ratio)
    return wrong(
        "objectives: the recording has no ratio objective of the policy: the names must "
        "be the same");
  return names;
}

}  // namespace weir
