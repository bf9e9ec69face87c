#include <gtest/gtest.h>

#include "replay/poisson_requests.h"
#include "replay/staged_release.h"
#include "unit/replay_test_support.h"

namespace weir::replay_test {
namespace {

// A source that does not work, or says nothing.
class Silent final : public StagedMetrics {
 public:
  explicit Silent(std::optional<Error> error = std::nullopt) : error_(std::move(error)) {}
  Result<std::vector<MetricSample>> answer(const ReleaseQuestion& /*question*/) override {
    ++asked;
    if (error_) return *error_;
    return std::vector<MetricSample>();
  }
  int asked = 0;

 private:
  std::optional<Error> error_;
};

PoissonRequests requests(double per_second = 100, double bad = 0.01) {
  return PoissonRequests(per_second, bad, Rng(1, 2));
}

void finish(StagedRelease& release, StagedMetrics& metrics) {
  for (int looks = 0; looks < 10'000 && release.ending() == Ending::UnderWay; ++looks)
    release.go_on(metrics);
}

TEST(StagedRelease, ClimbsStepByStepAndIsWatched) {
  StagedRelease release(usual_policy(), at_second(0));
  auto good = requests();
  finish(release, good);
  EXPECT_EQ(release.ending(), Ending::Promoted);
  ASSERT_EQ(release.stays().size(), 4U);
  for (std::size_t i = 0; i < 4; ++i)
    EXPECT_EQ(release.stays()[i].since, at_second(60.0 * static_cast<double>(i)));
  EXPECT_EQ(release.promoted(), at_second(240));
  EXPECT_EQ(release.now(), at_second(360));
}

TEST(StagedRelease, ABadCanaryIsTakenBackByTheOperatorsOwnWords) {
  StagedRelease release(usual_policy(), at_second(0));
  auto bad = requests();
  bad.set_factor(20);
  finish(release, bad);
  ASSERT_EQ(release.ending(), Ending::RolledBack);
  EXPECT_EQ(release.stays().back().weight, 5);
  EXPECT_EQ(release.rollback()->reason, "errors");
  EXPECT_NE(release.rollback()->message.find("chance of seeing this when healthy below"),
            std::string::npos);
  EXPECT_GT(bad.hurt(), 1);
  EXPECT_LT(release.now(), at_second(60));
}

TEST(StagedRelease, IsAlsoTakenBackFromTheWatch) {
  StagedRelease release(usual_policy(), at_second(0));
  auto traffic = requests();
  while (!release.promoted()) release.go_on(traffic);
  traffic.set_factor(20);
  finish(release, traffic);
  EXPECT_EQ(release.ending(), Ending::RolledBack);
  EXPECT_GT(release.now(), at_second(240));
}

TEST(StagedRelease, WithoutDataItWaitsAndThenForAPerson) {
  StagedRelease release(usual_policy(), at_second(0));
  Silent silent;
  finish(release, silent);
  EXPECT_EQ(release.ending(), Ending::AwaitsPerson);
  EXPECT_EQ(release.now(), at_second(660));
  EXPECT_EQ(release.stays().back().weight, 5);
  EXPECT_EQ(silent.asked, 660 / 5);
}

TEST(StagedRelease, ASourceThatFailsHoldsAndNeverBreaks) {
  StagedRelease release(usual_policy(), at_second(0));
  Silent broken(Error{ErrorKind::Unavailable, "connection refused"});
  finish(release, broken);
  EXPECT_EQ(release.ending(), Ending::AwaitsPerson);
  ASSERT_EQ(release.judgements().size(), 1U);
  EXPECT_EQ(release.judgements()[0].verdict, Verdict::SourceError);
}

TEST(StagedRelease, ACopyGoesOnByItself) {
  StagedRelease release(usual_policy(), at_second(0));
  auto good = requests();
  while (release.stays().size() < 2) release.go_on(good);
  auto other = release;
  auto bad = good;
  bad.set_factor(20);
  finish(other, bad);
  finish(release, good);
  EXPECT_EQ(other.ending(), Ending::RolledBack);
  EXPECT_EQ(other.stays().back().weight, 25);
  EXPECT_EQ(release.ending(), Ending::Promoted);
}

}  // namespace
}  // namespace weir::replay_test
