#include <gtest/gtest.h>

#include "delivery/evidence.h"
#include "delivery/judge.h"
#include "delivery_scene.h"

namespace weir::test {
namespace {

Objective ratio_objective() { return usual_policy().objectives[0]; }

Objective value_objective() {
  Objective objective;
  objective.name = "lag";
  objective.source = "prometheus";
  objective.value = ValueObjective{"lag", 100, seconds(15), 3};
  return objective;
}

using Answer = std::vector<MetricSample>;

Answer counters(double bad, double total, double second) {
  return {{"bad", "a", bad, at_second(second)}, {"total", "a", total, at_second(second)}};
}

ObjectiveEvidence judged_from(double second) {
  ObjectiveEvidence evidence;
  evidence.judged_from = at_second(second);
  return evidence;
}

TEST(RatioEvidence, TheFirstAnswerIsOnlyABaseline) {
  const auto evidence = fold_answer(judged_from(0), ratio_objective(), counters(7, 100, 1));
  EXPECT_EQ(evidence.total, 0);
  EXPECT_EQ(evidence.bad, 0);
}

TEST(RatioEvidence, LaterAnswersCountWhatTheCountersGrewBy) {
  auto evidence = fold_answer(judged_from(0), ratio_objective(), counters(7, 100, 1));
  evidence = fold_answer(evidence, ratio_objective(), counters(9, 150, 2));
  EXPECT_EQ(evidence.bad, 2);
  EXPECT_EQ(evidence.total, 50);
  EXPECT_EQ(evidence.bad_since, at_second(2));
}

TEST(RatioEvidence, ASeriesThatAppearsLaterBeganAtZero) {
  auto evidence =
      fold_answer(judged_from(0), ratio_objective(), Answer{{"total", "200", 100, at_second(1)}});
  evidence = fold_answer(evidence, ratio_objective(),
                         Answer{{"total", "200", 120, at_second(2)},
                                {"total", "500", 3, at_second(2)},
                                {"bad", "500", 3, at_second(2)}});
  EXPECT_EQ(evidence.bad, 3);
  EXPECT_EQ(evidence.total, 23);
}

Objective good_objective() {
  Objective objective = ratio_objective();
  objective.ratio->queries = {"", "good", "total"};
  return objective;
}

Answer good_counters(double good, double total, double second) {
  return {{"good", "a", good, at_second(second)}, {"total", "a", total, at_second(second)}};
}

TEST(RatioEvidence, WhatIsNotGoodIsBad) {
  auto evidence = fold_answer(judged_from(0), good_objective(), good_counters(90, 100, 1));
  evidence = fold_answer(evidence, good_objective(), good_counters(130, 150, 2));
  EXPECT_EQ(evidence.bad, 10);
  EXPECT_EQ(evidence.total, 50);
  EXPECT_EQ(evidence.bad_since, at_second(2));
}

TEST(RatioEvidence, MoreGoodRequestsThanRequestsAreNotLessThanNoBadOnes) {
  auto evidence = fold_answer(judged_from(0), good_objective(), good_counters(90, 100, 1));
  evidence = fold_answer(evidence, good_objective(), good_counters(150, 150, 2));
  EXPECT_EQ(evidence.bad, 0);
  EXPECT_EQ(evidence.total, 50);
}

TEST(RatioEvidence, ACounterOfGoodRequestsThatIsMissingIsNoDataAndNoBreach) {
  auto evidence = fold_answer(judged_from(0), good_objective(), good_counters(90, 100, 1));
  evidence = fold_answer(evidence, good_objective(), Answer{{"total", "a", 1000, at_second(2)}});
  EXPECT_EQ(evidence.total, 0);
  EXPECT_TRUE(evidence.good_is_missing);
  evidence = fold_answer(evidence, good_objective(), good_counters(985, 1000, 3));
  EXPECT_FALSE(evidence.good_is_missing);
  EXPECT_EQ(evidence.bad, 5);
  EXPECT_EQ(evidence.total, 900);
}

TEST(RatioEvidence, AMissingCounterOfGoodRequestsIsSaidAsNoData) {
  CanaryPolicySpec policy = usual_policy();
  policy.objectives = {good_objective()};
  Evidence evidence;
  evidence["errors"] =
      fold_answer(judged_from(0), good_objective(), Answer{{"total", "a", 1000, at_second(2)}});
  const auto ruling = judge(policy, evidence, std::nullopt, at_second(3), true);
  EXPECT_EQ(ruling.judgements.at(0).verdict, Verdict::NoData);
  EXPECT_EQ(ruling.judgements.at(0).message,
            "requests are counted, good ones are not: is the threshold a bound of the histogram's "
            "buckets?");
  EXPECT_FALSE(ruling.breach);
}

TEST(RatioEvidence, NoSeriesAtAllIsABaselineTooSoAFreshRevisionLosesNothing) {
  auto evidence = fold_answer(judged_from(0), ratio_objective(), Answer{});
  evidence = fold_answer(evidence, ratio_objective(), counters(4, 40, 2));
  EXPECT_EQ(evidence.bad, 4);
  EXPECT_EQ(evidence.total, 40);
}

TEST(RatioEvidence, AResetCounterCountsFromZeroAgain) {
  auto evidence = fold_answer(judged_from(0), ratio_objective(), counters(7, 100, 1));
  evidence = fold_answer(evidence, ratio_objective(), counters(1, 10, 2));
  EXPECT_EQ(evidence.bad, 1);
  EXPECT_EQ(evidence.total, 10);
}

TEST(RatioEvidence, AnEvaluationWithoutANewScrapeIsNoSample) {
  auto evidence = fold_answer(judged_from(0), ratio_objective(), counters(0, 100, 1));
  evidence = fold_answer(evidence, ratio_objective(), counters(5, 130, 1));
  EXPECT_EQ(evidence.total, 0);
  EXPECT_EQ(evidence.sampled, at_second(1));
}

TEST(RatioEvidence, BadIsNeverMoreThanTotal) {
  auto evidence = fold_answer(judged_from(0), ratio_objective(), counters(0, 0, 1));
  evidence = fold_answer(evidence, ratio_objective(), counters(50, 10, 2));
  EXPECT_EQ(evidence.bad, 10);
}

TEST(RatioEvidence, TheWarmUpIsCountedButNotJudged) {
  auto evidence = fold_answer(judged_from(10), ratio_objective(), Answer{});
  evidence = fold_answer(evidence, ratio_objective(), counters(5, 10, 9));
  evidence = fold_answer(evidence, ratio_objective(), counters(6, 30, 10));
  EXPECT_EQ(evidence.total, 30);
  EXPECT_EQ(evidence.judged_total, 20);
  EXPECT_EQ(evidence.judged_bad, 1);
}

TEST(RatioEvidence, AFailedQuestionChangesNoCount) {
  auto evidence = fold_answer(judged_from(0), ratio_objective(), counters(0, 100, 1));
  evidence = fold_answer(evidence, ratio_objective(), Error{ErrorKind::Timeout, "too slow"});
  EXPECT_EQ(evidence.source_error->kind, ErrorKind::Timeout);
  evidence = fold_answer(evidence, ratio_objective(), counters(0, 110, 2));
  EXPECT_FALSE(evidence.source_error);
  EXPECT_EQ(evidence.total, 10);
}

TEST(ValueEvidence, OnlyDistinctSamplesInARowFail) {
  auto evidence = judged_from(0);
  const auto read = [&](double value, double second) {
    evidence =
        fold_answer(evidence, value_objective(), Answer{{"value", "", value, at_second(second)}});
  };
  read(200, 1);
  read(200, 1);
  read(200, 2);
  EXPECT_EQ(evidence.failing, 2);
  read(50, 3);
  EXPECT_EQ(evidence.failing, 0);
}

TEST(ValueEvidence, MoreThanOneSeriesIsRefusedWithAReason) {
  const auto evidence =
      fold_answer(judged_from(0), value_objective(),
                  Answer{{"value", "a", 1, at_second(1)}, {"value", "b", 2, at_second(1)}});
  EXPECT_NE(evidence.source_error->message.find("aggregate"), std::string::npos);
}

TEST(EvidenceBook, GoesOnFromTheCheckpointAfterARestart) {
  EvidenceBook book;
  JudgementStatus checkpoint;
  checkpoint.objective = "errors";
  checkpoint.judged_bad = checkpoint.bad = 3;
  checkpoint.judged_total = checkpoint.total = 500;
  EXPECT_TRUE(book.begin({"uid", "v2"}, "errors", at_second(1), at_second(0), checkpoint));
  book.fold({"uid", "v2"}, ratio_objective(), counters(7, 100, 1));
  EXPECT_TRUE(book.begin({"uid", "v2"}, "errors", at_second(2), at_second(0), checkpoint));
  book.fold({"uid", "v2"}, ratio_objective(), counters(8, 120, 2));
  const auto evidence = book.read({"uid", "v2"}).at("errors");
  EXPECT_EQ(evidence.judged_bad, 4);
  EXPECT_EQ(evidence.judged_total, 520);
}

TEST(EvidenceBook, AsksOneQuestionAtATimeAndForgetsOtherRevisions) {
  EvidenceBook book;
  EXPECT_TRUE(book.begin({"uid", "v1"}, "errors", at_second(1), {}, {}));
  EXPECT_FALSE(book.begin({"uid", "v1"}, "errors", at_second(1), {}, {}));
  EXPECT_TRUE(book.begin({"uid", "v2"}, "errors", at_second(1), {}, {}));
  EXPECT_TRUE(book.read({"uid", "v1"}).empty());
}

TEST(EvidenceBook, ANewWeightStartsItsOwnCount) {
  EvidenceBook book;
  const EvidenceKey key{"uid", "v2"};
  book.begin(key, "errors", at_second(1), at_second(0), {});
  book.fold(key, ratio_objective(), Answer{});
  book.begin(key, "errors", at_second(2), at_second(0), {});
  book.fold(key, ratio_objective(), counters(0, 50, 2));
  EXPECT_EQ(book.read(key).at("errors").judged_here, 50);
  book.begin(key, "errors", at_second(3), at_second(3), {});
  EXPECT_EQ(book.read(key).at("errors").judged_here, 0);
  EXPECT_EQ(book.read(key).at("errors").judged_total, 50);
}

// ---- verdicts ----

Ruling ruled(double bad, double total) {
  Evidence evidence;
  auto& errors = evidence["errors"];
  errors.judged_bad = errors.bad = bad;
  errors.judged_total = errors.total = errors.judged_here = total;
  errors.sampled = at_second(99);
  return judge(usual_policy(), evidence, std::nullopt, at_second(100), true);
}

TEST(Judge, TellsPassUnsureAndBreachByTheStrengthOfTheEvidence) {
  EXPECT_EQ(ruled(1, 1000).judgements[0].verdict, Verdict::Pass);
  EXPECT_EQ(ruled(50, 1000).judgements[0].verdict, Verdict::Unsure);
  EXPECT_EQ(ruled(150, 1000).judgements[0].verdict, Verdict::Breach);
  EXPECT_EQ(ruled(1, 3).judgements[0].verdict, Verdict::Unsure);
}

TEST(Judge, AWarningNeverRollsBack) {
  auto policy = usual_policy();
  policy.objectives[0].severity = Severity::Warning;
  Evidence evidence;
  evidence["errors"].judged_bad = evidence["errors"].judged_total = evidence["errors"].judged_here =
      500;
  evidence["errors"].sampled = at_second(99);
  const auto ruling = judge(policy, evidence, std::nullopt, at_second(100), true);
  EXPECT_EQ(ruling.judgements[0].verdict, Verdict::Warning);
  EXPECT_FALSE(ruling.breach);
  EXPECT_TRUE(ruling.may_advance);
}

TEST(Judge, OldSamplesAreNoData) {
  Evidence evidence;
  evidence["errors"].judged_here = evidence["errors"].judged_total = 1000;
  evidence["errors"].sampled = at_second(0);
  const auto ruling = judge(usual_policy(), evidence, std::nullopt, at_second(100), true);
  EXPECT_EQ(ruling.judgements[0].verdict, Verdict::NoData);
  EXPECT_FALSE(ruling.may_advance);
}

// Found by the footprint bench: with a hold shorter than the interval a step passed on samples of the step before.
TEST(Judge, WhatWasCountedForAnotherWeightLetsNothingGoOn) {
  Evidence evidence;
  auto& errors = evidence["errors"];
  errors.judged_here = errors.judged_total = 1000;
  errors.sampled = at_second(99);
  errors.judged_from = at_second(90);
  EXPECT_TRUE(judge(usual_policy(), evidence, at_second(90), at_second(100), true).may_advance);
  const auto ruling = judge(usual_policy(), evidence, at_second(99.5), at_second(100), true);
  EXPECT_EQ(ruling.judgements[0].verdict, Verdict::NoData);
  EXPECT_FALSE(ruling.may_advance);
  errors.judged_bad = 500;
  EXPECT_TRUE(judge(usual_policy(), evidence, at_second(99.5), at_second(100), false).breach);
}

TEST(Judge, ABreachStaysABreachWhenItsSourceGoesAway) {
  Evidence evidence;
  auto& errors = evidence["errors"];
  errors.judged_bad = errors.judged_total = errors.judged_here = 500;
  errors.source_error = Error{ErrorKind::Unavailable, "gone"};
  EXPECT_TRUE(judge(usual_policy(), evidence, std::nullopt, at_second(100), false).breach);
}

TEST(Judge, UnsureHoldsOnlyWhereTheUserSaidSo) {
  EXPECT_TRUE(ruled(1, 3).may_advance);
  auto policy = usual_policy();
  policy.objectives[0].on_unsure = WhenUnsure::Hold;
  Evidence evidence;
  evidence["errors"].judged_here = evidence["errors"].judged_total = 3;
  evidence["errors"].sampled = at_second(99);
  EXPECT_FALSE(judge(policy, evidence, std::nullopt, at_second(100), true).may_advance);
}

}  // namespace
}  // namespace weir::test
