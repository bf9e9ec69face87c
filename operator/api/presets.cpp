#include "api/presets.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "base/time_format.h"

namespace weir {
namespace {

// Traefik calls a backend <namespace>-<service>-<port's name or http>-<port>@kubernetesgateway.
constexpr std::string_view kTraefik =
    R"(service=~"$(namespace)-$(service)-[^-]+-[0-9]+@kubernetesgateway")";
constexpr std::string_view kPods = R"x(namespace="$(namespace)",pod=~"$(service)-.+")x";

// A backendRef is a Service, whatever its pods. The proxy of the pod reports the same requests again.
constexpr std::string_view kIstio =
    R"x(reporter="source",destination_service_namespace="$(namespace)",)x"
    R"x(destination_service_name="$(service)")x";
// Without the kubelet's probes and what is asked of the proxy itself.
constexpr std::string_view kLinkerd =
    R"x(direction="inbound",namespace="$(namespace)",pod=~"$(service)-.+",)x"
    R"x(route_name!="probe",srv_port!="4191")x";

// The bounds in milliseconds that a gateway's histogram has unless it is told otherwise.
struct DefaultBuckets {
  Dialect dialect;
  std::string_view whose;
  std::span<const int> bounds;
  std::string_view setting;  // that changes them; the bound in its unit is put into {}
  double unit = 1;           // milliseconds
};

// https://doc.traefik.io/traefik/observability/metrics/prometheus/#buckets
constexpr int kTraefikBounds[] = {100, 300, 1200, 5000};
// https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/metrics/v3/stats.proto: histogram_bucket_settings
constexpr int kIstioBounds[] = {1,    5,    10,    25,    50,    100,    250,    500,     1000,
                                2500, 5000, 10000, 30000, 60000, 300000, 600000, 1800000, 3600000};
// linkerd2-proxy, linkerd/app/core/src/metrics, latency::BOUNDS
constexpr int kLinkerdBounds[] = {1,    2,    3,     4,     5,     10,    20,   30,   40,
                                  50,   100,  200,   300,   400,   500,   1000, 2000, 3000,
                                  4000, 5000, 10000, 20000, 30000, 40000, 50000};

const DefaultBuckets kDefaultBuckets[] = {
    {Dialect::Traefik, "Traefik", kTraefikBounds, "--metrics.prometheus.buckets that has {:g}",
     1000},
    {Dialect::Istio, "Istio", kIstioBounds,
     "the annotation sidecar.istio.io/statsHistogramBuckets that has {:g}"},
    {Dialect::Linkerd, "Linkerd", kLinkerdBounds, "another threshold than {:g} ms"}};

// "300ms", "2.5s"
std::string bound_text(int bound) {
  return bound < 1000 ? fmt::format("{}ms", bound) : fmt::format("{:g}s", bound / 1000.0);
}

// A bucket's bound as a regular expression: clients write 1 as "1" or as "1.0".
std::string bound(std::int64_t thousandths) {
  const auto whole = thousandths / 1000;
  auto fraction = fmt::format("{:03}", thousandths % 1000);
  fraction.erase(fraction.find_last_not_of('0') + 1);
  if (fraction.empty()) return fmt::format("{}([.]0)?", whole);
  return fmt::format("{}[.]{}", whole, fraction);
}

// A bucket counts what was fast enough. `unit` of its bounds.
RatioQueries latency(std::string_view histogram, std::string_view labels, milliseconds threshold,
                     milliseconds unit = milliseconds(1000)) {
  const auto le = bound(threshold.count() * 1000 / unit.count());
  return {"", fmt::format(R"({}_bucket{{{},le=~"{}"}})", histogram, labels, le),
          fmt::format("{}_count{{{}}}", histogram, labels)};
}

RatioQueries traefik(const Preset& preset) {
  if (preset.name == PresetName::Latency)
    return latency("traefik_service_request_duration_seconds", kTraefik, preset.threshold);
  return {fmt::format(R"(traefik_service_requests_total{{{},code=~"5.."}})", kTraefik), "",
          fmt::format("traefik_service_requests_total{{{}}}", kTraefik)};
}

RatioQueries istio(const Preset& preset) {
  if (preset.name == PresetName::Latency)
    return latency("istio_request_duration_milliseconds", kIstio, preset.threshold,
                   milliseconds(1));
  // 0: the caller has gone before there was an answer.
  return {fmt::format(R"(istio_requests_total{{{},response_code=~"5.."}})", kIstio), "",
          fmt::format("istio_requests_total{{{}}}", kIstio)};
}

// A failure is a 5xx, or a gRPC status that means one.
RatioQueries linkerd(const Preset& preset) {
  if (preset.name == PresetName::Latency)
    return latency("response_latency_ms", kLinkerd, preset.threshold, milliseconds(1));
  return {fmt::format(R"(response_total{{{},classification="failure"}})", kLinkerd), "",
          fmt::format("response_total{{{}}}", kLinkerd)};
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
    case Dialect::EnvoyGateway:
    case Dialect::IngressNginx: return std::nullopt;
    case Dialect::Istio: return istio(preset);
    case Dialect::Linkerd: return linkerd(preset);
    case Dialect::Http: return http(preset);
  }
  return std::nullopt;
}

std::string why_not_offered(const Preset& preset) {
  const auto why = preset.dialect == Dialect::IngressNginx
                       ? "ingress-nginx sends traffic by Ingress, which tells no revisions apart"
                       : "Envoy Gateway counts stable and canary as one cluster";
  return fmt::format(
      "a dialect that counts each revision by itself ({}): use Http, the application's own metrics",
      why);
}

std::string bucket_advice(const Preset& preset) {
  const auto* known = std::find_if(
      std::begin(kDefaultBuckets), std::end(kDefaultBuckets),
      [&](const DefaultBuckets& buckets) { return buckets.dialect == preset.dialect; });
  if (preset.name != PresetName::Latency || known == std::end(kDefaultBuckets)) return "";
  std::string bounds;
  for (const int each : known->bounds) {
    if (each == preset.threshold.count()) return "";
    bounds += (bounds.empty() ? "" : ", ") + bound_text(each);
  }
  const auto threshold = static_cast<double>(preset.threshold.count()) / known->unit;
  return fmt::format(
      "{} is no bound of {}'s default buckets ({}): without {} the objective has no data",
      format_duration(preset.threshold), known->whose, bounds,
      fmt::format(fmt::runtime(known->setting), threshold));
}

}  // namespace weir
