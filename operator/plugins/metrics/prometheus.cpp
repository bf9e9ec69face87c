// Prometheus' HTTP API (https://prometheus.io/docs/prometheus/latest/querying/api/): instant and range queries.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "net/url.h"
#include "plugins/factories.h"
#include "plugins/metrics/prometheus_api.h"

namespace weir {
namespace {

constexpr std::string_view kRole = "weir_role";
constexpr std::string_view kTimeOf = "time of ";

// Several expressions in one query, so that all are evaluated at one instant: each gets its role as a label, and beside each the time
// stamps of its own samples. `timestamp` of a plain selector is the scrape's time, of anything else the evaluation's. The line break
// before the bracket keeps a comment at the end of the user's expression from swallowing it.
std::string combined(const std::vector<MetricExpression>& expressions) {
  std::string query;
  const auto add = [&](const std::string& text, const std::string& role) {
    if (!query.empty()) query += " or ";
    query += fmt::format(R"(label_replace({}, "{}", "{}", "", ""))", text, kRole, role);
  };
  for (const auto& expression : expressions) {
    add(fmt::format("({}\n)", expression.text), expression.role);
    add(fmt::format("timestamp({}\n)", expression.text), std::string(kTimeOf) + expression.role);
  }
  return query;
}

// Cumulative counters of everybody together, by role.
std::string sums(const std::vector<MetricExpression>& expressions) {
  std::string query;
  for (const auto& [role, text] : expressions)
    query += fmt::format("{}label_replace(sum({}\n), \"{}\", \"{}\", \"\", \"\")",
                         query.empty() ? "" : " or ", text, kRole, role);
  return query;
}

struct Sample {
  std::string role;
  std::string series;
  double value = 0;
  double evaluated = 0;  // seconds since 1970
};

WallTime wall_time(double seconds_since_1970) {
  return WallTime(std::chrono::microseconds(std::llround(seconds_since_1970 * 1e6)));
}

double number(const std::string& text) {
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  return end == text.c_str() + text.size() && !text.empty() ? value : NAN;
}

// [seconds, "number"]
bool is_point(const Json& value) {
  return value.is_array() && value.size() == 2 && value[0].is_number() && value[1].is_string();
}

// Role and series of one item of an answer.
Sample series_of(const Json& item) {
  Sample sample;
  Json labels = json_at(item, {"metric"});
  sample.role = json_text(labels, {kRole});
  if (labels.is_object()) {
    labels.erase(std::string(kRole));
    // timestamp() drops it; two selectors that differ only in it are told apart by their role.
    labels.erase("__name__");
  }
  sample.series = dump_json(labels);
  return sample;
}

Sample at_point(Sample series, const Json& point) {
  const bool well_formed = is_point(point);
  series.value = well_formed ? number(point[1].get<std::string>()) : NAN;
  series.evaluated = well_formed ? point[0].get<double>() : 0;
  return series;
}

// All of one instant: each value with its own time.
std::vector<MetricSample> with_own_times(const std::vector<Sample>& samples) {
  std::map<std::pair<std::string, std::string>, double> own_time;  // role and series
  for (const auto& sample : samples) {
    if (sample.role.rfind(kTimeOf, 0) == 0)
      own_time[{sample.role.substr(kTimeOf.size()), sample.series}] = sample.value;
  }
  std::vector<MetricSample> values;
  for (const auto& sample : samples) {
    if (sample.role.rfind(kTimeOf, 0) == 0 || !std::isfinite(sample.value)) continue;
    const auto own = own_time.find({sample.role, sample.series});
    const double at =
        own == own_time.end() || !std::isfinite(own->second) ? sample.evaluated : own->second;
    values.push_back({sample.role, sample.series, sample.value, wall_time(at)});
  }
  return values;
}

// The list of series in an answer, which has two for each that was asked for: its values, and its times.
Result<const Json*> series_in(const Json& answer, std::size_t most) {
  const Json& result = json_at(answer, {"data", "result"});
  if (json_text(answer, {"status"}) != "success" || !result.is_array())
    return Error{ErrorKind::Parse, "the answer is not one of Prometheus' query API"};
  if (result.size() > 2 * most) return too_many_series();
  return &result;
}

Result<std::vector<MetricSample>> read_answer(const Json& answer, std::size_t most) {
  ASSIGN_OR_RETURN(const Json* result, series_in(answer, most));
  std::vector<Sample> samples;
  samples.reserve(result->size());
  for (const auto& item : *result)
    samples.push_back(at_point(series_of(item), json_at(item, {"value"})));
  return with_own_times(samples);
}

Result<std::vector<std::vector<MetricSample>>> read_span(const Json& answer, std::size_t most) {
  ASSIGN_OR_RETURN(const Json* result, series_in(answer, most));
  std::map<double, std::vector<Sample>> instants;  // by the time of the evaluation
  for (const auto& item : *result) {
    const auto series = series_of(item);
    const Json& points = json_at(item, {"values"});
    if (!points.is_array()) continue;
    for (const auto& point : points) {
      const auto sample = at_point(series, point);
      instants[sample.evaluated].push_back(sample);
    }
  }
  std::vector<std::vector<MetricSample>> answers;
  answers.reserve(instants.size());
  for (const auto& [at, samples] : instants) answers.push_back(with_own_times(samples));
  return answers;
}

Result<std::vector<MetricSample>> read_history(const Json& answer) {
  const Json& result = json_at(answer, {"data", "result"});
  if (json_text(answer, {"status"}) != "success" || !result.is_array())
    return Error{ErrorKind::Parse, "the answer is not one of Prometheus' query_range API"};
  std::vector<MetricSample> points;
  for (const auto& item : result) {
    const auto role = json_text(item, {"metric", kRole});
    const Json& values = json_at(item, {"values"});
    if (!values.is_array()) continue;
    for (const auto& point : values) {
      if (!is_point(point)) continue;
      const double value = number(point[1].get<std::string>());
      if (std::isfinite(value))
        points.push_back({role, "", value, wall_time(point[0].get<double>())});
    }
  }
  return points;
}

Result<Json> ask_range(const std::string& query, const HistorySpan& span, milliseconds step,
                       HttpClient& http, const Deadline& deadline) {
  const auto in_seconds = [](auto since) {
    return static_cast<double>(std::chrono::duration_cast<milliseconds>(since).count()) / 1000;
  };
  const auto form = fmt::format("query={}&start={}&end={}&step={}", percent_encode(query),
                                in_seconds(span.from.time_since_epoch()),
                                in_seconds(span.to.time_since_epoch()), in_seconds(step));
  return ask_prometheus("/api/v1/query_range", form, http, deadline);
}

class PrometheusProvider final : public MetricProvider {
 public:
  std::string_view name() const override { return "prometheus"; }
  bool serves(const MetricSource& source) const override { return source.prometheus.has_value(); }
  std::string url(const MetricSource& source) const override { return source.prometheus->url; }
  milliseconds timeout(const MetricSource& source) const override {
    return source.prometheus->timeout;
  }
  std::string secret(const MetricSource& source) const override {
    return source.prometheus->secret;
  }

  Result<std::vector<MetricSample>> measure(const std::vector<MetricExpression>& expressions,
                                            HttpClient& http,
                                            const Deadline& deadline) const override {
    ASSIGN_OR_RETURN(
        const Json answer,
        ask_prometheus("/api/v1/query", "query=" + percent_encode(combined(expressions)), http,
                       deadline));
    return read_answer(answer, most_series(expressions));
  }

  Result<std::vector<std::vector<MetricSample>>> measure_span(
      const std::vector<MetricExpression>& expressions, const HistorySpan& span, milliseconds step,
      HttpClient& http, const Deadline& deadline) const override {
    ASSIGN_OR_RETURN(const Json answer,
                     ask_range(combined(expressions), span, step, http, deadline));
    return read_span(answer, most_series(expressions));
  }

  Result<std::vector<MetricSample>> history(const std::vector<MetricExpression>& expressions,
                                            const HistorySpan& span, HttpClient& http,
                                            const Deadline& deadline) const override {
    ASSIGN_OR_RETURN(const Json answer,
                     ask_range(sums(expressions), span, std::chrono::minutes(1), http, deadline));
    return read_history(answer);
  }
};

}  // namespace

const MetricProvider& prometheus_provider() {
  static const PrometheusProvider kProvider;
  return kProvider;
}

}  // namespace weir
