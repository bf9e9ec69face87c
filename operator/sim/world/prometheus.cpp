#include "sim/world/prometheus.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

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

struct Metric {
  std::string_view name;
  std::string_view role;
  std::string_view code;
};

constexpr std::array<Metric, 3> kMetrics{
    {{"bad", "bad", "500"}, {"total", "total", "all"}, {"lag", "value", ""}}};

}  // namespace

Result<HttpResponse> Prometheus::send(const HttpRequest& request, const Deadline& /*deadline*/) {
  if (scene_.draws(scene_.faults.source_slow)) return Error{ErrorKind::Timeout, "simulated"};
  if (away_) return Error{ErrorKind::Unavailable, "simulated: connection refused"};
  HttpResponse response;
  if (scene_.draws(scene_.faults.source_error)) {
    response.status = 503;
    return response;
  }
  const auto query = form_decoded(request.body);
  response.status = 200;
  response.body =
      fmt::format(R"({{"status":"success","data":{{"resultType":"vector","result":[{}]}}}})",
                  answer(query, between(query, "service=\"", "\"")));
  return response;
}

std::string Prometheus::answer(const std::string& query, const std::string& service) {
  const auto& scrape =
      scene_.draws(scene_.faults.source_repeats) ? callers_.scraped_before() : callers_.scraped();
  const auto found = scrape.counters.find(service);
  if (found == scrape.counters.end() || scene_.draws(scene_.faults.source_empty)) return "";
  const bool nan = scene_.draws(scene_.faults.source_nan);
  const auto& counters = found->second;
  const double scraped = std::chrono::duration<double>(
                             (scene_.clock.now() - scene_.now() + scrape.at).time_since_epoch())
                             .count();
  const double evaluated =
      std::chrono::duration<double>(scene_.clock.now().time_since_epoch()).count();
  std::string result;
  for (const auto& metric : kMetrics) {
    if (query.find(fmt::format("{}{{", metric.name)) == std::string::npos) continue;
    double value = std::floor(metric.name == "total" ? counters.total : counters.bad);
    if (metric.name == "total" && !nan) told_[service] = std::max(told_[service], scrape.at);
    if (metric.name == "lag") value = counters.total > 0 ? counters.bad / counters.total * 100 : 0;
    // A counter of errors does not exist before the first one.
    if (metric.name == "bad" && value <= 0) continue;
    const auto sample = [&](std::string_view role, const std::string& number) {
      result +=
          fmt::format(R"({}{{"metric":{{"code":"{}","weir_role":"{}"}},"value":[{:.3f},"{}"]}})",
                      result.empty() ? "" : ",", metric.code, role, evaluated, number);
    };
    sample(metric.role, nan ? "NaN" : fmt::format("{}", value));
    sample(fmt::format("time of {}", metric.role), fmt::format("{:.3f}", scraped));
  }
  return result;
}

Result<HttpResponse> Prometheus::stream(const HttpRequest& /*request*/, const OnBytes& /*on_bytes*/,
                                        milliseconds /*idle_limit*/,
                                        const std::stop_token& /*stop*/) {
  return Error{ErrorKind::Invalid, "the simulated Prometheus streams nothing"};
}

}  // namespace weir::sim
