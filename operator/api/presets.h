// Presets of ratio objectives: what the common gateways count of one revision's requests, as queries. Pure.
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"

namespace weir {

enum class PresetName {
  Errors,   // requests answered with a 5xx
  Latency,  // requests slower than a threshold
};

// Whose metrics they are.
enum class Dialect {
  // https://doc.traefik.io/traefik/observability/metrics/overview/, with addServicesLabels
  Traefik,
  // Has none per revision, or takes no weights from us; known so that the refusal can say why.
  EnvoyGateway,
  IngressNginx,
  // https://istio.io/latest/docs/reference/config/metrics/, as the client's side reports them: a gateway, or a caller's proxy
  Istio,
  // https://linkerd.io/2/reference/proxy-metrics/, as the proxy of the revision's pods reports them, with the labels namespace and
  // pod of the scrape
  Linkerd,
  // The application's own http_requests_total and http_request_duration_seconds, with the labels
  // namespace and pod of the scrape.
  Http,
};

struct Preset {
  PresetName name = PresetName::Errors;
  Dialect dialect = Dialect::Traefik;
  milliseconds threshold{0};  // of Latency
};

// Two cumulative counters, with placeholders; exactly one of bad and good.
struct RatioQueries {
  std::string bad;
  std::string good;
  std::string total;
};

// Nothing: no gateway of this dialect counts it per revision; `why_not_offered` says what else there is.
std::optional<RatioQueries> queries_of(const Preset& preset);
std::string why_not_offered(const Preset& preset);

// The sentence for a threshold that is none of the gateway's buckets unless they were set; "" when it is one, or nobody knows.
std::string bucket_advice(const Preset& preset);

}  // namespace weir
