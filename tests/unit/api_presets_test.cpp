#include <gtest/gtest.h>

#include "api/presets.h"

namespace weir::test {
namespace {

RatioQueries queries(PresetName name, Dialect dialect, milliseconds threshold = milliseconds(0)) {
  return queries_of({name, dialect, threshold}).value_or(RatioQueries{});
}

TEST(Presets, TraefikCountsRequestsOfTheServiceOfTheRevision) {
  const auto errors = queries(PresetName::Errors, Dialect::Traefik);
  const std::string service =
      R"(service=~"$(namespace)-$(service)-[^-]+-[0-9]+@kubernetesgateway")";
  EXPECT_EQ(errors.bad, "traefik_service_requests_total{" + service + R"(,code=~"5.."})");
  EXPECT_EQ(errors.good, "");
  EXPECT_EQ(errors.total, "traefik_service_requests_total{" + service + "}");
}

TEST(Presets, LatencyCountsWhatABucketSaysIsFastEnough) {
  const auto slow = queries(PresetName::Latency, Dialect::Http, milliseconds(250));
  EXPECT_EQ(slow.bad, "");
  const std::string pods = R"x(namespace="$(namespace)",pod=~"$(service)-.+")x";
  EXPECT_EQ(slow.good, "http_request_duration_seconds_bucket{" + pods + R"(,le=~"0[.]25"})");
  EXPECT_EQ(slow.total, "http_request_duration_seconds_count{" + pods + "}");
}

TEST(Presets, ABoundOfWholeSecondsMayBeWrittenWithAPoint) {
  for (const auto& [threshold, le] : {std::pair(milliseconds(2000), R"(le=~"2([.]0)?")"),
                                      std::pair(milliseconds(60'000), R"(le=~"60([.]0)?")"),
                                      std::pair(milliseconds(2500), R"(le=~"2[.]5")"),
                                      std::pair(milliseconds(5), R"(le=~"0[.]005")")})
    EXPECT_NE(queries(PresetName::Latency, Dialect::Http, threshold).good.find(le),
              std::string::npos)
        << le;
}

TEST(Presets, IstioCountsWhatACallerGotOfTheServiceOfTheRevision) {
  const std::string service = R"x(reporter="source",destination_service_namespace="$(namespace)",)x"
                              R"x(destination_service_name="$(service)")x";
  const auto errors = queries(PresetName::Errors, Dialect::Istio);
  EXPECT_EQ(errors.bad, "istio_requests_total{" + service + R"(,response_code=~"5.."})");
  EXPECT_EQ(errors.total, "istio_requests_total{" + service + "}");
  const auto slow = queries(PresetName::Latency, Dialect::Istio, milliseconds(2500));
  EXPECT_EQ(slow.good,
            "istio_request_duration_milliseconds_bucket{" + service + R"(,le=~"2500([.]0)?"})");
  EXPECT_EQ(slow.total, "istio_request_duration_milliseconds_count{" + service + "}");
}

TEST(Presets, LinkerdCountsWhatThePodsProxiesHaveAnswered) {
  const std::string pods = R"x(direction="inbound",namespace="$(namespace)",pod=~"$(service)-.+",)x"
                           R"x(route_name!="probe",srv_port!="4191")x";
  const auto errors = queries(PresetName::Errors, Dialect::Linkerd);
  EXPECT_EQ(errors.bad, "response_total{" + pods + R"(,classification="failure"})");
  EXPECT_EQ(errors.total, "response_total{" + pods + "}");
  const auto slow = queries(PresetName::Latency, Dialect::Linkerd, milliseconds(300));
  EXPECT_EQ(slow.good, "response_latency_ms_bucket{" + pods + R"(,le=~"300([.]0)?"})");
  EXPECT_EQ(slow.total, "response_latency_ms_count{" + pods + "}");
}

TEST(Presets, WhereStableAndCanaryAreCountedAsOneThereIsNone) {
  for (const auto dialect : {Dialect::EnvoyGateway, Dialect::IngressNginx}) {
    const Preset preset{PresetName::Errors, dialect};
    EXPECT_FALSE(queries_of(preset));
    EXPECT_NE(why_not_offered(preset).find("use Http"), std::string::npos);
  }
}

TEST(Presets, AThresholdThatIsNoDefaultBucketIsAdvisedAgainst) {
  const auto advice = [](PresetName name, Dialect dialect, int threshold) {
    return bucket_advice({name, dialect, milliseconds(threshold)});
  };
  EXPECT_EQ(advice(PresetName::Latency, Dialect::Traefik, 300), "");
  EXPECT_EQ(advice(PresetName::Latency, Dialect::Http, 250), "");
  EXPECT_EQ(advice(PresetName::Errors, Dialect::Traefik, 0), "");
  EXPECT_EQ(advice(PresetName::Latency, Dialect::Traefik, 250),
            "250ms is no bound of Traefik's default buckets (100ms, 300ms, 1.2s, 5s): without "
            "--metrics.prometheus.buckets that has 0.25 the objective has no data");
  EXPECT_EQ(advice(PresetName::Latency, Dialect::Istio, 250), "");
  EXPECT_NE(
      advice(PresetName::Latency, Dialect::Istio, 300).find("statsHistogramBuckets that has 300"),
      std::string::npos);
  EXPECT_EQ(advice(PresetName::Latency, Dialect::Linkerd, 300), "");
  EXPECT_NE(
      advice(PresetName::Latency, Dialect::Linkerd, 250).find("another threshold than 250 ms"),
      std::string::npos);
}

}  // namespace
}  // namespace weir::test
