#include "sim/world/prometheus.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <vector>

namespace weir::sim {
namespace {

// Characters of a form's body that matter here: our own provider encodes all but letters, digits and "-._~".
std::string form_decoded(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      result += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
      i += 2;
    } else {
      result += text[i] == '+' ? ' ' : text[i];
    }
  }
  return result;
}

std::string between(const std::string& text, std::string_view before, std::string_view after) {
  const auto begin = text.find(before);
  if (begin == std::string::npos) return "";
  const auto from = begin + before.size();
  return text.substr(from, text.find(after, from) - from);
}

// One expression of our provider's query: label_replace(bad{service="shop-1"}, "weir_role", "stable bad", "", "").
struct Asked {
  std::string metric;
  std::string service;
  std::string role;
};

double value_of(const std::string& metric, const Counters& counters) {
  if (metric == "lag") return counters.total > 0 ? counters.bad / counters.total * 100 : 0;
  return std::floor(metric == "total" ? counters.total : counters.bad);
}

std::vector<Asked> asked_in(const std::string& query) {
  static constexpr std::string_view kBegin = "label_replace(";
  std::vector<Asked> asked;
  for (auto at = query.find(kBegin); at != std::string::npos; at = query.find(kBegin, at + 1)) {
    const auto part = query.substr(at + kBegin.size());
    const auto brace = part.find('{');
    const auto before = part.substr(0, brace);
    const auto name = before.find_last_of("( ") + 1;
    asked.push_back({before.substr(name), between(part, "service=\"", "\""),
                     between(part, "\"weir_role\", \"", "\"")});
  }
  return asked;
}

// Of a counter of errors all series but the one that says so would say nothing.
std::string_view code_of(const std::string& metric) {
  return metric == "bad" ? "500" : metric == "total" ? "all" : "";
}

}  // namespace

Result<HttpResponse> Prometheus::send(const HttpRequest& request, const Deadline& /*deadline*/) {
  if (scene_.draws(scene_.faults.source_slow)) return Error{ErrorKind::Timeout, "simulated"};
  if (away_) return Error{ErrorKind::Unavailable, "simulated: connection refused"};
  HttpResponse response;
  if (scene_.draws(scene_.faults.source_error)) {
    response.status = 503;
    return response;
  }
  response.status = 200;
  if (request.target == "/api/v1/query_range") {
    response.body =
        fmt::format(R"({{"status":"success","data":{{"resultType":"matrix","result":[{}]}}}})",
                    answer_range(form_decoded(request.body)));
    return response;
  }
  response.body =
      fmt::format(R"({{"status":"success","data":{{"resultType":"vector","result":[{}]}}}})",
                  answer(form_decoded(request.body)));
  return response;
}

std::string Prometheus::answer(const std::string& query) {
  const auto& scrape =
      scene_.draws(scene_.faults.source_repeats) ? callers_.scraped_before() : callers_.scraped();
  const bool nan = scene_.draws(scene_.faults.source_nan);
  std::map<std::string, bool> is_empty;  // by Service
  const double scraped = std::chrono::duration<double>(
                             (scene_.clock.now() - scene_.now() + scrape.at).time_since_epoch())
                             .count();
  const double evaluated =
      std::chrono::duration<double>(scene_.clock.now().time_since_epoch()).count();
  std::string result;
  for (const auto& asked : asked_in(query)) {
    const auto found = scrape.counters.find(asked.service);
    if (found == scrape.counters.end()) continue;
    const auto [drawn, fresh] = is_empty.try_emplace(asked.service, false);
    if (fresh) drawn->second = scene_.draws(scene_.faults.source_empty);
    if (drawn->second) continue;
    const auto value = value_of(asked.metric, found->second);
    // A counter of errors does not exist before the first one.
    if (asked.metric == "bad" && value <= 0) continue;
    const bool is_time = asked.role.starts_with("time of ");
    if (asked.metric == "total" && !is_time && !nan)
      told_[asked.service] = std::max(told_[asked.service], scrape.at);
    const auto number = is_time ? fmt::format("{:.3f}", scraped)
                        : nan   ? "NaN"
                                : fmt::format("{}", value);
    result += fmt::format(
        R"({}{{"metric":{{"code":"{}","weir_role":"{}"}},"value":[{:.3f},"{}"]}})",
        result.empty() ? "" : ",", code_of(asked.metric), asked.role, evaluated, number);
  }
  return result;
}

std::string Prometheus::answer_range(const std::string& form) {
  // Of the last day, all series together: the world has only just begun.
  if (form.find("sum(") != std::string::npos) return "";
  const auto number = [&](std::string_view name) {
    return std::strtod(between(form, name, "&").c_str(), nullptr);
  };
  const double begun =
      std::chrono::duration<double>((scene_.clock.now() - scene_.now()).time_since_epoch()).count();
  const double step = number("&step=");
  std::string result;
  for (const auto& asked : asked_in(form)) {
    std::string points;
    for (double at = number("&start="); step > 0 && at <= number("&end="); at += step) {
      const auto elapsed = std::chrono::duration<double>(at - begun);
      const auto& scrape = callers_.scraped_at(std::chrono::duration_cast<SimTime>(elapsed));
      const auto found = scrape.counters.find(asked.service);
      if (found == scrape.counters.end()) continue;
      const auto value = value_of(asked.metric, found->second);
      if (asked.metric == "bad" && value <= 0) continue;
      const bool is_time = asked.role.starts_with("time of ");
      if (asked.metric == "total") told_[asked.service] = std::max(told_[asked.service], scrape.at);
      points +=
          fmt::format(R"({}[{:.3f},"{}"])", points.empty() ? "" : ",", at,
                      is_time ? begun + std::chrono::duration<double>(scrape.at).count() : value);
    }
    if (points.empty()) continue;
    result += fmt::format(R"({}{{"metric":{{"code":"{}","weir_role":"{}"}},"values":[{}]}})",
                          result.empty() ? "" : ",", code_of(asked.metric), asked.role, points);
  }
  return result;
}

Result<HttpResponse> Prometheus::stream(const HttpRequest& /*request*/, const OnBytes& /*on_bytes*/,
                                        milliseconds /*idle_limit*/,
                                        const std::stop_token& /*stop*/) {
  return Error{ErrorKind::Invalid, "the simulated Prometheus streams nothing"};
}

}  // namespace weir::sim
