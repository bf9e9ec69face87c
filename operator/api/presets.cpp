#include "api/presets.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/time_format.h"

namespace weir {
namespace {

// Traefik calls a backend <namespace>-<service>-<port's name or http>-<port>@kubernetesgateway.
constexpr std::string_view kTraefik =
    R"(service=~"$(namespace)-$(service)-[^-]+-[0-9]+@kubernetesgateway")";
constexpr std::string_view kPods = R"x(namespace="$(namespace)",pod=~"$(service)-.+")x";

// https://doc.traefik.io/traefik/observability/metrics/prometheus/#buckets
constexpr std::array<milliseconds, 4> kTraefikBuckets{milliseconds(100), milliseconds(300),
                                                      milliseconds(1200), milliseconds(5000)};

// A bucket's bound in seconds as a regular expression: clients write 1 as "1" or as "1.0".
std::string bound(milliseconds threshold) {
  const auto whole = threshold.count() / 1000;
  auto fraction = fmt::format("{:03}", threshold.count() % 1000);
  fraction.erase(fraction.find_last_not_of('0') + 1);
  if (fraction.empty()) return fmt::format("{}([.]0)?", whole);
  return fmt::format("{}[.]{}", whole, fraction);
}

// A bucket counts what was fast enough.
RatioQueries latency(std::string_view histogram, std::string_view labels, milliseconds threshold) {
  return {"", fmt::format(R"({}_bucket{{{},le=~"{}"}})", histogram, labels, bound(threshold)),
          fmt::format("{}_count{{{}}}", histogram, labels)};
}

RatioQueries traefik(const Preset& preset) {
  if (preset.name == PresetName::Latency)
    return latency("traefik_service_request_duration_seconds", kTraefik, preset.threshold);
  return {fmt::format(R"(traefik_service_requests_total{{{},code=~"5.."}})", kTraefik), "",
          fmt::format("traefik_service_requests_total{{{}}}", kTraefik)};
}

// Libraries disagree on the label: code (Go), status (Python, Ruby), status_code (Node.js).
RatioQueries http(const Preset& preset) {
  if (preset.name == PresetName::Latency)
    return latency("http_request_duration_seconds", kPods, preset.threshold);
  std::string bad;
  for (const auto* label : {"code", "status", "status_code"})
    bad += fmt::format(R"({}http_requests_total{{{},{}=~"5.."}})", bad.empty() ? "" : " or ", kPods,
                       label);
  return {bad, "", fmt::format("http_requests_total{{{}}}", kPods)};
}

}  // namespace

std::optional<RatioQueries> queries_of(const Preset& preset) {
  switch (preset.dialect) {
    case Dialect::Traefik: return traefik(preset);
    case Dialect::EnvoyGateway: return std::nullopt;
    case Dialect::Http: return http(preset);
  }
  return std::nullopt;
}

std::string why_not_offered(const Preset&) {
  return "a dialect that counts each revision by itself (Envoy Gateway counts stable and canary "
         "as one cluster): use Http, the application's own metrics";
}

std::string bucket_advice(const Preset& preset) {
  if (preset.name != PresetName::Latency || preset.dialect != Dialect::Traefik) return "";
  if (std::find(kTraefikBuckets.begin(), kTraefikBuckets.end(), preset.threshold) !=
      kTraefikBuckets.end())
    return "";
  return fmt::format(
      "{} is no bound of Traefik's default buckets (100ms, 300ms, 1.2s, 5s): without "
      "--metrics.prometheus.buckets that has {:g} the objective has no data",
      format_duration(preset.threshold), static_cast<double>(preset.threshold.count()) / 1000);
}

}  // namespace weir
