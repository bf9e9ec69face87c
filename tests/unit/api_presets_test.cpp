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

TEST(Presets, WhereStableAndCanaryAreCountedAsOneThereIsNone) {
  const Preset preset{PresetName::Errors, Dialect::EnvoyGateway};
  EXPECT_FALSE(queries_of(preset));
  EXPECT_NE(why_not_offered(preset).find("use Http"), std::string::npos);
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
}

}  // namespace
}  // namespace weir::test
