// The statistics against values that tests/reference/judge.py computed by other formulas, to 1e-9.
#include <gtest/gtest.h>

#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

#include "stats/at_most.h"
#include "stats/dispersion.h"
#include "stats/intervals.h"
#include "stats/versus_stable.h"

namespace weir {
namespace {

using nlohmann::json;

json reference(const char* test) {
  std::ifstream file(WEIR_SOURCE_DIR "/tests/reference/judge.json");
  return json::parse(file).at(test);
}

double at(const json& list, std::size_t i) { return list.at(i).get<double>(); }

void expect_near(double seen, double wanted) {
  EXPECT_NEAR(seen, wanted, 1e-9 * std::max(1e-12, std::abs(wanted)));
}

TEST(Reference, VersusStable) {
  const auto cases = reference("versusStable");
  ASSERT_FALSE(cases.empty());
  for (const auto& one : cases) {
    const Margin margin{one.at("times").get<double>(), one.at("plus").get<double>()};
    const auto claim = one.at("claim").get<int>() > 0 ? Claim::Worse : Claim::NotWorse;
    auto test = VersusStable::create(margin, claim).value();
    std::size_t i = 0;
    for (const auto& sample : one.at("samples")) {
      if (sample.is_string())
        test.begin_step();
      else
        ASSERT_TRUE(test.add({at(sample, 0), at(sample, 1)}, {at(sample, 2), at(sample, 3)},
                             at(sample, 4)));
      expect_near(test.evidence(), at(one.at("evidence"), i++));
    }
  }
}

TEST(Reference, AtMost) {
  const auto cases = reference("atMost");
  ASSERT_FALSE(cases.empty());
  for (const auto& one : cases) {
    const bool above = one.at("claim").get<int>() > 0;
    auto test = AtMost::create(one.at("bound").get<double>(),
                               above ? AtMost::Claim::Above : AtMost::Claim::Below)
                    .value();
    std::size_t i = 0;
    for (const auto& sample : one.at("samples")) {
      if (sample.is_string())
        test.begin_step();
      else
        ASSERT_TRUE(test.add({at(sample, 0), at(sample, 1)}, at(sample, 2)));
      expect_near(test.evidence(), at(one.at("evidence"), i++));
    }
  }
}

TEST(Reference, RateInterval) {
  const auto cases = reference("rateInterval");
  ASSERT_FALSE(cases.empty());
  for (const auto& one : cases) {
    const Counts sum{one.at("bad").get<double>(), one.at("total").get<double>()};
    const auto interval =
        rate_interval(sum, one.at("alpha").get<double>(), one.at("dispersion").get<double>())
            .value();
    expect_near(interval.low, at(one.at("interval"), 0));
    expect_near(interval.high, at(one.at("interval"), 1));
  }
}

TEST(Reference, RatioInterval) {
  const auto cases = reference("ratioInterval");
  ASSERT_FALSE(cases.empty());
  for (const auto& one : cases) {
    RatioInterval ratio;
    for (const auto& s : one.at("samples"))
      ASSERT_TRUE(ratio.add({at(s, 0), at(s, 1)}, {at(s, 2), at(s, 3)}, at(s, 4)));
    const auto interval = ratio.interval(one.at("alpha").get<double>()).value();
    expect_near(interval.low, at(one.at("interval"), 0));
    const auto& high = one.at("interval").at(1);
    if (high.is_string())
      EXPECT_EQ(interval.high, std::numeric_limits<double>::infinity());
    else
      expect_near(interval.high, high.get<double>());
  }
}

TEST(Reference, Dispersion) {
  const auto cases = reference("dispersion");
  ASSERT_FALSE(cases.empty());
  for (const auto& one : cases) {
    Dispersion dispersion;
    for (const auto& block : one.at("blocks"))
      ASSERT_TRUE(dispersion.add({at(block, 0), at(block, 1)}, 60));
    expect_near(dispersion.value(), one.at("value").get<double>());
  }
}

}  // namespace
}  // namespace weir
