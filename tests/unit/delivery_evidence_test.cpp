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
  const auto ruling = judge(policy, evidence, {at_second(3), std::nullopt, true});
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

// ---- bad above total ----

// Folded in one after another from a baseline of nothing.
ObjectiveEvidence folded(const Objective& objective, const std::vector<Answer>& answers) {
  auto evidence = fold_answer(judged_from(0), objective, Answer{});
  for (const auto& answer : answers) evidence = fold_answer(std::move(evidence), objective, answer);
  return evidence;
}

TEST(RatioEvidence, BadThatIsAMomentAheadOfTotalWaitsForTheNextSample) {
  auto evidence = folded(ratio_objective(), {counters(15, 10, 1)});
  EXPECT_EQ(evidence.judged_total, 0);
  EXPECT_FALSE(evidence.source_error);
  evidence = fold_answer(evidence, ratio_objective(), counters(20, 40, 2));
  EXPECT_EQ(evidence.judged_total, 40);
  EXPECT_EQ(evidence.judged_bad, 20);
  EXPECT_FALSE(evidence.source_error);
}

TEST(RatioEvidence, WhatWaitsIsNoNewReadingWithoutANewScrape) {
  const auto evidence =
      folded(ratio_objective(), {counters(15, 10, 1), counters(15, 10, 1), counters(15, 10, 1)});
  EXPECT_FALSE(evidence.source_error);
  EXPECT_EQ(evidence.judged_total, 0);
}

TEST(RatioEvidence, BadThatStaysAboveTotalIsAnErrorOfTheSourceAndNeverABreach) {
  Evidence evidence;
  auto& errors = evidence["errors"] = folded(ratio_objective(), {});
  for (int second = 1; second <= 50; ++second) {
    const double total = 1000.0 * second;
    errors = fold_answer(errors, ratio_objective(), counters(2 * total, total, second));
    const auto ruling = judge(usual_policy(), evidence, {at_second(second), std::nullopt, true});
    EXPECT_FALSE(ruling.breach) << second;
    if (second == 1) continue;
    EXPECT_EQ(ruling.judgements.at(0).verdict, Verdict::SourceError) << second;
    EXPECT_FALSE(ruling.may_advance) << second;
  }
  EXPECT_EQ(errors.source_error->message,
            "bad (4000) is above total (2000): the two queries do not count the same requests");
  EXPECT_EQ(errors.judged_total, 0);
  errors = fold_answer(errors, ratio_objective(), counters(100'001, 51'000, 51));
  EXPECT_FALSE(errors.source_error);
  EXPECT_EQ(errors.judged_bad, 1);
  EXPECT_EQ(errors.judged_total, 1000);
}

TEST(RatioEvidence, ACounterThatIsAlwaysAMomentAheadHidesNoBadCanary) {
  Evidence evidence;
  auto& errors = evidence["errors"] =
      folded(ratio_objective(), {counters(15, 10, 1), counters(25, 20, 2), counters(35, 30, 3)});
  EXPECT_FALSE(errors.source_error);
  EXPECT_EQ(errors.judged_bad, 10);
  EXPECT_EQ(errors.judged_total, 10);
  EXPECT_TRUE(judge(usual_policy(), evidence, {at_second(3), std::nullopt, true}).breach);
}

TEST(RatioEvidence, GoodThatIsAMomentAheadOfTotalIsNotForgotten) {
  auto evidence = folded(good_objective(), {good_counters(15, 10, 1)});
  EXPECT_EQ(evidence.judged_total, 0);
  evidence = fold_answer(evidence, good_objective(), good_counters(38, 40, 2));
  EXPECT_EQ(evidence.judged_bad, 2);
  EXPECT_EQ(evidence.judged_total, 40);
  evidence = fold_answer(evidence, good_objective(), good_counters(70, 50, 3));
  evidence = fold_answer(evidence, good_objective(), good_counters(90, 60, 4));
  ASSERT_TRUE(evidence.source_error);
  EXPECT_EQ(evidence.source_error->message,
            "good (52) is above total (20): the two queries do not count the same requests");
}

TEST(RatioEvidence, AnUnansweredQuestionBetweenKeepsTheErrorOfItsOwn) {
  auto evidence = folded(ratio_objective(), {counters(15, 10, 1), counters(30, 20, 2)});
  evidence = fold_answer(evidence, ratio_objective(), Error{ErrorKind::Timeout, "too slow"});
  EXPECT_EQ(evidence.source_error->kind, ErrorKind::Timeout);
  evidence = fold_answer(evidence, ratio_objective(), counters(30, 20, 2));
  EXPECT_EQ(evidence.source_error->kind, ErrorKind::Invalid);
}

// ---- of both versions ----

Objective compared_objective() {
  Objective objective = ratio_objective();
  objective.ratio->queries = {"bad{s='$(service)'}", "", "total{s='$(service)'}"};
  objective.ratio->versus_stable = StableMargin{};
  return objective;
}

struct Side {
  double bad;
  double total;
  double second;
};

Answer both(const Side& canary, const Side& stable) {
  auto answer = counters(canary.bad, canary.total, canary.second);
  answer.push_back({"stable bad", "a", stable.bad, at_second(stable.second)});
  answer.push_back({"stable total", "a", stable.total, at_second(stable.second)});
  return answer;
}

class ComparedEvidence : public ::testing::Test {
 protected:
  void ask(double judged_from, const std::string& with) {
    evidence_.waiting = false;
    begin_question(evidence_, {at_second(0), at_second(judged_from), {}, with});
  }
  void fold(const Answer& answer) {
    evidence_ = fold_answer(std::move(evidence_), compared_objective(), answer);
  }

  ObjectiveEvidence evidence_;
};

TEST_F(ComparedEvidence, ASampleIsWhatBothHaveServed) {
  ask(0, "v1");
  fold(both({0, 10, 1}, {50, 9000, 1}));
  fold(both({2, 30, 2}, {51, 9100, 2}));
  EXPECT_EQ(evidence_.judged_bad, 2);
  EXPECT_EQ(evidence_.judged_total, 20);
  EXPECT_EQ(evidence_.stable_bad, 1);
  EXPECT_EQ(evidence_.stable_total, 100);
}

TEST_F(ComparedEvidence, WhoIsScrapedFirstWaitsForTheOther) {
  ask(0, "v1");
  fold(both({0, 10, 1}, {50, 9000, 1}));
  fold(both({8, 30, 2}, {50, 9000, 1}));
  EXPECT_EQ(evidence_.total, 20);
  EXPECT_EQ(evidence_.judged_total, 0);
  fold(both({8, 30, 2}, {90, 9100, 3}));
  EXPECT_EQ(evidence_.judged_bad, 8);
  EXPECT_EQ(evidence_.judged_total, 20);
  EXPECT_EQ(evidence_.stable_bad, 40);
}

TEST_F(ComparedEvidence, StableIsNotWaitedForWhenItHasNoSeries) {
  ask(0, "v1");
  fold(counters(0, 10, 1));
  fold(counters(2, 30, 2));
  EXPECT_EQ(evidence_.judged_total, 20);
  EXPECT_EQ(evidence_.stable_total, 0);
}

TEST_F(ComparedEvidence, StableIsNotWaitedForWhenItsCountersStandStill) {
  ask(0, "v1");
  fold(both({0, 10, 1}, {50, 9000, 1}));
  fold(both({2, 30, 122}, {50, 9000, 1}));
  EXPECT_EQ(evidence_.judged_total, 20);
}

TEST_F(ComparedEvidence, WhatStableServedBeforeItsFirstAnswerIsNotOfTheSameTime) {
  ask(0, "v1");
  fold(counters(0, 10, 1));
  fold(both({0, 30, 2}, {50, 9000, 2}));
  EXPECT_EQ(evidence_.stable_total, 0);
  fold(both({0, 50, 3}, {50, 9100, 3}));
  EXPECT_EQ(evidence_.stable_total, 100);
  fold(both({0, 70, 200}, {50, 99100, 200}));
  EXPECT_EQ(evidence_.stable_total, 100);
}

TEST_F(ComparedEvidence, WhoIsAskedRarelyIsComparedToo) {
  for (const double minute : {0, 10, 20}) {
    evidence_.waiting = false;
    begin_question(evidence_, {at_second(60 * minute), at_second(0), {}, "v1"});
    fold(both({0, 10 + minute, 60 * minute}, {50, 9000 + minute, 60 * minute}));
  }
  EXPECT_EQ(evidence_.judged_total, 20);
  EXPECT_EQ(evidence_.stable_total, 20);
}

TEST_F(ComparedEvidence, AnotherStableBeginsAnew) {
  ask(0, "v1");
  fold(both({0, 10, 1}, {50, 9000, 1}));
  ask(0, "v0");
  fold(both({0, 20, 2}, {900, 90000, 2}));
  EXPECT_EQ(evidence_.stable_total, 0);
}

TEST_F(ComparedEvidence, ANewWeightForgetsWhatIsNotASampleYet) {
  ask(0, "v1");
  fold(both({0, 10, 1}, {50, 9000, 1}));
  fold(both({8, 30, 2}, {50, 9000, 1}));
  ask(3, "v1");
  fold(both({8, 40, 4}, {50, 9100, 4}));
  EXPECT_EQ(evidence_.judged_bad, 0);
  EXPECT_EQ(evidence_.judged_total, 10);
  fold(both({38, 50, 5}, {50, 9200, 5}));
  ask(6, "v1");
  fold(both({38, 90, 7}, {50, 9300, 7}));
  EXPECT_EQ(evidence_.judged_bad, 0);
  EXPECT_EQ(evidence_.judged_total, 50);
}

TEST_F(ComparedEvidence, TheCanarysRequestsWaitWithStables) {
  ask(0, "v1");
  fold(both({0, 10, 1}, {50, 9000, 1}));
  fold(both({1, 30, 2}, {70, 9010, 2}));
  EXPECT_EQ(evidence_.judged_total, 0);
  fold(both({2, 50, 3}, {80, 9100, 3}));
  EXPECT_EQ(evidence_.judged_bad, 2);
  EXPECT_EQ(evidence_.judged_total, 40);
  EXPECT_EQ(evidence_.stable_bad, 30);
  EXPECT_EQ(evidence_.stable_total, 100);
}

TEST_F(ComparedEvidence, BadOfStableAboveItsTotalIsToldAsStables) {
  ask(0, "v1");
  fold(both({0, 10, 1}, {50, 9000, 1}));
  fold(both({1, 30, 2}, {70, 9010, 2}));
  fold(both({2, 50, 3}, {90, 9020, 3}));
  ASSERT_TRUE(evidence_.source_error);
  EXPECT_EQ(
      evidence_.source_error->message,
      "stable's bad (40) is above total (20): the two queries do not count the same requests");
  EXPECT_EQ(evidence_.judged_total, 0);
  fold(both({3, 70, 4}, {91, 9120, 4}));
  EXPECT_FALSE(evidence_.source_error);
  EXPECT_EQ(evidence_.judged_bad, 1);
  EXPECT_EQ(evidence_.judged_total, 20);
  EXPECT_EQ(evidence_.stable_total, 100);
}

TEST_F(ComparedEvidence, WhatWaitedWithoutStableIsNotComparedWithIt) {
  ask(0, "v1");
  fold(counters(0, 10, 1));
  fold(counters(9, 15, 2));
  EXPECT_EQ(evidence_.judged_total, 0);
  fold(both({9, 20, 3}, {50, 9000, 3}));
  fold(both({9, 30, 4}, {51, 9100, 4}));
  EXPECT_EQ(evidence_.judged_total, evidence_.judged_here);
  EXPECT_EQ(evidence_.stable_total, 100);
}

Answer minutes(const std::vector<std::pair<double, double>>& counters) {
  Answer history;
  double minute = 0;
  for (const auto& [bad, total] : counters) {
    history.push_back({"stable total", "", total, at_second(60 * minute)});
    if (bad > 0) history.push_back({"stable bad", "", bad, at_second(60 * minute)});
    ++minute;
  }
  return history;
}

// Of ten minutes one has all the errors.
TEST_F(ComparedEvidence, BurstsOfThePastMakeTheJudgeSlower) {
  std::vector<std::pair<double, double>> bursts;
  std::vector<std::pair<double, double>> even;
  for (int i = 0; i < 600; ++i) {
    bursts.emplace_back(100 * (i / 10), 1000 * i);
    even.emplace_back(10 * i, 1000 * i);
  }
  const Objective objective = compared_objective();
  ObjectiveEvidence calm;
  learn(evidence_, objective, minutes(bursts));
  learn(calm, objective, minutes(even));
  for (auto* evidence : {&evidence_, &calm}) {
    for (int i = 0; i < 60; ++i)
      EXPECT_TRUE(count(*evidence, *objective.ratio, {{4, 100}, Counts{5, 1000}, 1}));
  }
  EXPECT_GT(calm.tests->worse(), 1000);
  EXPECT_LT(evidence_.tests->worse(), 10);
  EXPECT_NE(evidence_.tests->interval({240, 6000}).find("errors come"), std::string::npos);
}

TEST_F(ComparedEvidence, APastOfNonsenseTeachesNothing) {
  learn(evidence_, compared_objective(), {});
  EXPECT_FALSE(evidence_.tests);
  learn(evidence_, compared_objective(),
        minutes({{5, 100}, {3, 50}, {1e18, 2e18}, {9, 9}, {90, 10}}));
  EXPECT_EQ(evidence_.tests->checkpoint(), RatioTests(*compared_objective().ratio).checkpoint());
}

TEST_F(ComparedEvidence, CountersOfNonsenseAreAnErrorOfTheSource) {
  ask(0, "v1");
  fold(both({0, 10, 1}, {50, 9000, 1}));
  fold(both({1e200, 1e300, 2}, {50, 9100, 2}));
  EXPECT_EQ(evidence_.total, 0);
  ASSERT_TRUE(evidence_.source_error);
  EXPECT_EQ(evidence_.source_error->kind, ErrorKind::Invalid);
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
  EXPECT_TRUE(
      book.begin({"uid", "v2"}, ratio_objective(), {at_second(1), at_second(0), checkpoint}));
  book.fold({"uid", "v2"}, ratio_objective(), counters(7, 100, 1));
  EXPECT_TRUE(
      book.begin({"uid", "v2"}, ratio_objective(), {at_second(2), at_second(0), checkpoint}));
  book.fold({"uid", "v2"}, ratio_objective(), counters(8, 120, 2));
  const auto evidence = book.read({"uid", "v2"}).at("errors");
  EXPECT_EQ(evidence.judged_bad, 4);
  EXPECT_EQ(evidence.judged_total, 520);
}

TEST(EvidenceBook, WhatNobodyReadWhileItWasAwayIsCountedAfterARestart) {
  EvidenceBook book;
  const EvidenceKey key{"uid", "v2"};
  JudgementStatus checkpoint;
  checkpoint.objective = "errors";
  checkpoint.judged_total = checkpoint.total = 500;
  checkpoint.sampled = at_second(10);
  book.begin(key, ratio_objective(), {at_second(60), at_second(0), checkpoint});
  EXPECT_EQ(book.read(key).at("errors").unread_since, at_second(11));
  const PastCounts past{
      {}, {counters(0, 1000, 10), counters(1, 1100, 30), counters(0, 20, 45)}, seconds(20)};
  book.fold(key, ratio_objective(), counters(2, 50, 60), past);
  const auto evidence = book.read(key).at("errors");
  EXPECT_EQ(evidence.total, 500 + 100 + 20 + 30);
  EXPECT_EQ(evidence.judged_bad, 1 + 2);
  EXPECT_FALSE(evidence.unread_since);
  EXPECT_TRUE(evidence.tests);
}

TEST(EvidenceBook, WhatWasMissedIsAskedAgainUntilThereIsAnAnswer) {
  EvidenceBook book;
  const EvidenceKey key{"uid", "v2"};
  JudgementStatus checkpoint;
  checkpoint.objective = "errors";
  checkpoint.total = 500;
  checkpoint.sampled = at_second(10);
  book.begin(key, ratio_objective(), {at_second(60), at_second(0), checkpoint});
  book.fold(key, ratio_objective(), Error{ErrorKind::Unavailable, "down"});
  EXPECT_EQ(book.read(key).at("errors").unread_since, at_second(11));
}

TEST(EvidenceBook, AnEmptyAnswerAfterARestartDoesNotCountEverythingAgain) {
  EvidenceBook book;
  JudgementStatus checkpoint;
  checkpoint.objective = "errors";
  checkpoint.total = checkpoint.judged_total = 500;
  book.begin({"uid", "v2"}, ratio_objective(), {at_second(1), at_second(0), checkpoint});
  book.fold({"uid", "v2"}, ratio_objective(), Answer{});
  book.begin({"uid", "v2"}, ratio_objective(), {at_second(2), at_second(0), checkpoint});
  book.fold({"uid", "v2"}, ratio_objective(), counters(0, 500, 2));
  EXPECT_EQ(book.read({"uid", "v2"}).at("errors").total, 500);
}

TEST(EvidenceBook, EvidenceThatWasEnoughIsStillEnoughAfterARestart) {
  auto policy = usual_policy();
  const auto before = counted_at_once(50, 100);
  JudgementStatus checkpoint;
  checkpoint.objective = "errors";
  checkpoint.checkpoint = before.tests->checkpoint();
  checkpoint.judged_bad = checkpoint.bad = 50;
  checkpoint.judged_total = checkpoint.total = 100;
  for (const bool only_sums : {false, true}) {
    if (only_sums) checkpoint.checkpoint.clear();
    EvidenceBook book;
    book.begin({"uid", "v2"}, ratio_objective(), {at_second(1), at_second(0), checkpoint});
    EXPECT_TRUE(judge(policy, book.read({"uid", "v2"}), {at_second(1), at_second(0)}).breach);
  }
}

TEST(EvidenceBook, AsksOneQuestionAtATimeAndForgetsOtherRevisions) {
  EvidenceBook book;
  EXPECT_TRUE(book.begin({"uid", "v1"}, ratio_objective(), {at_second(1), {}, {}}));
  EXPECT_FALSE(book.begin({"uid", "v1"}, ratio_objective(), {at_second(1), {}, {}}));
  EXPECT_TRUE(book.begin({"uid", "v2"}, ratio_objective(), {at_second(1), {}, {}}));
  EXPECT_TRUE(book.read({"uid", "v1"}).empty());
}

TEST(EvidenceBook, ANewWeightStartsItsOwnCount) {
  EvidenceBook book;
  const EvidenceKey key{"uid", "v2"};
  book.begin(key, ratio_objective(), {at_second(1), at_second(0), {}});
  book.fold(key, ratio_objective(), Answer{});
  book.begin(key, ratio_objective(), {at_second(2), at_second(0), {}});
  book.fold(key, ratio_objective(), counters(0, 50, 2));
  EXPECT_EQ(book.read(key).at("errors").judged_here, 50);
  book.begin(key, ratio_objective(), {at_second(3), at_second(3), {}});
  EXPECT_EQ(book.read(key).at("errors").judged_here, 0);
  EXPECT_EQ(book.read(key).at("errors").judged_total, 50);
}

// ---- verdicts ----

Ruling ruled(double bad, double total) {
  Evidence evidence;
  auto& errors = evidence["errors"] = counted_at_once(bad, total);
  errors.sampled = at_second(99);
  return judge(usual_policy(), evidence, {at_second(100), std::nullopt, true});
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
  evidence["errors"] = counted_at_once(500, 500);
  evidence["errors"].sampled = at_second(99);
  const auto ruling = judge(policy, evidence, {at_second(100), std::nullopt, true});
  EXPECT_EQ(ruling.judgements[0].verdict, Verdict::Warning);
  EXPECT_FALSE(ruling.breach);
  EXPECT_TRUE(ruling.may_advance);
}

TEST(Judge, OldSamplesAreNoData) {
  Evidence evidence;
  evidence["errors"] = counted_at_once(0, 1000);
  evidence["errors"].sampled = at_second(0);
  const auto ruling = judge(usual_policy(), evidence, {at_second(100), std::nullopt, true});
  EXPECT_EQ(ruling.judgements[0].verdict, Verdict::NoData);
  EXPECT_FALSE(ruling.may_advance);
}

// Found by the footprint bench: with a hold shorter than the interval a step passed on samples of the step before.
TEST(Judge, WhatWasCountedForAnotherWeightLetsNothingGoOn) {
  Evidence evidence;
  auto& errors = evidence["errors"] = counted_at_once(0, 1000);
  errors.sampled = at_second(99);
  errors.judged_from = at_second(90);
  EXPECT_TRUE(judge(usual_policy(), evidence, {at_second(100), at_second(90), true}).may_advance);
  const auto ruling = judge(usual_policy(), evidence, {at_second(100), at_second(99.5), true});
  EXPECT_EQ(ruling.judgements[0].verdict, Verdict::NoData);
  EXPECT_FALSE(ruling.may_advance);
  (void)count(errors, *ratio_objective().ratio, {{500, 500}, std::nullopt, 1});
  EXPECT_TRUE(judge(usual_policy(), evidence, {at_second(100), at_second(99.5)}).breach);
}

TEST(Judge, ABreachStaysABreachWhenItsSourceGoesAway) {
  Evidence evidence;
  auto& errors = evidence["errors"] = counted_at_once(500, 500);
  errors.source_error = Error{ErrorKind::Unavailable, "gone"};
  EXPECT_TRUE(judge(usual_policy(), evidence, {at_second(100)}).breach);
}

TEST(Judge, UnsureHoldsOnlyWhereTheUserSaidSo) {
  EXPECT_TRUE(ruled(1, 3).may_advance);
  auto policy = usual_policy();
  policy.objectives[0].on_unsure = WhenUnsure::Hold;
  Evidence evidence;
  evidence["errors"] = counted_at_once(0, 3);
  evidence["errors"].sampled = at_second(99);
  EXPECT_FALSE(judge(policy, evidence, {at_second(100), std::nullopt, true}).may_advance);
}

// ---- canary and stable ----

CanaryPolicySpec comparing(std::optional<double> at_most) {
  auto policy = usual_policy();
  policy.objectives = {compared_objective()};
  policy.objectives[0].ratio->at_most = at_most;
  return policy;
}

// The same sample of both versions, again and again.
Evidence served(const CanaryPolicySpec& policy, const Counts& canary,
                const std::optional<Counts>& stable, int samples = 60) {
  Evidence evidence;
  auto& errors = evidence["errors"];
  for (int i = 0; i < samples; ++i) {
    EXPECT_TRUE(count(errors, *policy.objectives[0].ratio, {canary, stable, 1}));
    errors.bad += canary.bad;
    errors.total += canary.total;
  }
  errors.sampled = at_second(99);
  return evidence;
}

Occasion hold_is_over(bool alone = false) { return {at_second(100), std::nullopt, true, alone}; }

TEST(Judge, ACanaryWorseThanStableIsABreachWithBothCounts) {
  const auto policy = comparing(std::nullopt);
  const auto ruling = judge(policy, served(policy, {4, 100}, Counts{5, 1000}), hold_is_over());
  ASSERT_TRUE(ruling.breach);
  EXPECT_EQ(
      ruling.breach->message,
      "240 of 6000 requests bad (4%), stable 300 of 60000 (0.5%), allowed stable's; chance of "
      "seeing this when healthy below 1%");
  EXPECT_EQ(ruling.breach->bound, "no more than stable's");
  EXPECT_GE(ruling.breach->evidence, ruling.breach->needed);
}

TEST(Judge, ACanaryAsGoodAsStableIsNoBreach) {
  const auto policy = comparing(std::nullopt);
  const auto ruling = judge(policy, served(policy, {1, 100}, Counts{10, 1000}), hold_is_over());
  EXPECT_EQ(ruling.judgements[0].verdict, Verdict::Unsure);
  EXPECT_TRUE(ruling.may_advance);
  EXPECT_NE(ruling.judgements[0].interval.find("times stable's"), std::string::npos);
}

TEST(Judge, WhatStableBreaksAsWellHoldsAndIsNotTakenBack) {
  const auto policy = comparing(0.05);
  const auto ruling = judge(policy, served(policy, {30, 100}, Counts{300, 1000}), hold_is_over());
  EXPECT_EQ(ruling.judgements[0].verdict, Verdict::BothBreach);
  EXPECT_FALSE(ruling.breach);
  EXPECT_FALSE(ruling.may_advance);
  EXPECT_EQ(ruling.holding, "errors is BothBreach: stable breaks it as well");
  EXPECT_EQ(ruling.judgements[0].message,
            "1800 of 6000 requests bad, allowed 5%; stable breaks it as well, with 30% lately: not "
            "its fault");
}

TEST(Judge, ACanaryThatMakesAnOutageWorseIsABreachWhereItIsCompared) {
  const auto policy = comparing(0.05);
  EXPECT_TRUE(judge(policy, served(policy, {60, 100}, Counts{300, 1000}), hold_is_over()).breach);
  auto bounded = policy;
  bounded.objectives[0].ratio->versus_stable.reset();
  const auto ruling = judge(bounded, served(bounded, {60, 100}, Counts{300, 1000}), hold_is_over());
  EXPECT_EQ(ruling.judgements[0].verdict, Verdict::BothBreach);
}

TEST(Judge, AWarningThatStableBreaksAsWellHoldsNothing) {
  auto policy = comparing(0.05);
  policy.objectives[0].severity = Severity::Warning;
  const auto ruling = judge(policy, served(policy, {30, 100}, Counts{300, 1000}), hold_is_over());
  EXPECT_EQ(ruling.judgements[0].verdict, Verdict::BothBreach);
  EXPECT_TRUE(ruling.may_advance);
}

TEST(Judge, AtAllOfTheTrafficOnlyTheBoundIsJudged) {
  const auto policy = comparing(0.05);
  const auto evidence = served(policy, {4, 100}, Counts{5, 1000});
  EXPECT_TRUE(judge(policy, evidence, hold_is_over()).breach);
  EXPECT_FALSE(judge(policy, evidence, hold_is_over(true)).breach);
  const auto only_compared = comparing(std::nullopt);
  const auto ruling = judge(only_compared, evidence, hold_is_over(true));
  EXPECT_TRUE(ruling.judgements.empty());
  EXPECT_TRUE(ruling.may_advance);
}

TEST(Judge, WithoutRequestsOfStableThereIsNothingToCompareWith) {
  const auto policy = comparing(0.05);
  const auto ruling = judge(policy, served(policy, {0, 100}, std::nullopt), hold_is_over());
  EXPECT_EQ(ruling.judgements[0].verdict, Verdict::NoData);
  EXPECT_EQ(ruling.judgements[0].message,
            "no requests of stable are counted at this weight to compare with");
  EXPECT_FALSE(ruling.may_advance);
  auto strict = policy;
  strict.objectives[0].on_no_data = WhenNoData::Rollback;
  EXPECT_FALSE(judge(strict, served(strict, {0, 100}, std::nullopt), hold_is_over()).breach);
}

TEST(Judge, FalseRollbacksAreSharedByAllTestsOfCriticalRatios) {
  auto policy = usual_policy();
  EXPECT_DOUBLE_EQ(needed_evidence(policy), 100);
  policy.objectives.push_back(compared_objective());
  EXPECT_DOUBLE_EQ(needed_evidence(policy), 300);
  policy.objectives[1].severity = Severity::Warning;
  EXPECT_DOUBLE_EQ(needed_evidence(policy), 100);
  policy.objectives = {value_objective()};
  EXPECT_DOUBLE_EQ(needed_evidence(policy), 100);
}

TEST(Judge, TellsWhatIsAllowed) {
  RatioObjective ratio{{}, std::nullopt, 0.05, StableMargin{1.5, 0.001}};
  EXPECT_EQ(bound_text(ratio), "at most 5%; no more than 1.5 times stable's or stable's plus 0.1%");
  ratio.versus_stable = StableMargin{1, 0.001};
  EXPECT_EQ(bound_text(ratio), "at most 5%; no more than stable's plus 0.1%");
  ratio.at_most.reset();
  ratio.versus_stable = StableMargin{2, 0};
  EXPECT_EQ(bound_text(ratio), "no more than 2 times stable's");
}

}  // namespace
}  // namespace weir::test
