#include <gtest/gtest.h>

#include "pipeline/concurrency.h"
#include "pipeline/retention.h"

namespace weir {
namespace {

using std::chrono::hours;

const WallTime kNoon{seconds(1'700'000'000)};

std::shared_ptr<PipelineRun> run(int number, RunPhase phase, bool begun) {
  auto run = std::make_shared<PipelineRun>();
  run->meta.key = {"ci", "r" + std::to_string(number)};
  run->meta.uid = run->meta.key.name;
  run->meta.created = kNoon + seconds(number);
  run->status.phase = phase;
  run->status.group = "main";
  if (begun) run->status.started = kNoon;
  return run;
}

std::shared_ptr<PipelineRun> queued(int number) { return run(number, RunPhase::Queued, false); }
std::shared_ptr<PipelineRun> running(int number) { return run(number, RunPhase::Running, true); }

Place place(const std::shared_ptr<PipelineRun>& of, ConcurrencyPolicy policy, int max,
            const std::vector<std::shared_ptr<const PipelineRun>>& others) {
  return place_of(*of, {"", policy, max}, "main", others).place;
}

TEST(ConcurrencyOfRuns, OneAfterTheOtherInTheirOrder) {
  const auto kQueue = ConcurrencyPolicy::Queue;
  EXPECT_EQ(place(queued(1), kQueue, 1, {}), Place::Free);
  EXPECT_EQ(place(queued(2), kQueue, 1, {running(1)}), Place::Queued);
  EXPECT_EQ(place(queued(2), kQueue, 1, {queued(1)}), Place::Queued);
  EXPECT_EQ(place(queued(1), kQueue, 1, {queued(2)}), Place::Free);
  EXPECT_EQ(place(queued(2), kQueue, 2, {running(1)}), Place::Free);
  EXPECT_EQ(place(queued(3), kQueue, 2, {running(1), queued(2)}), Place::Queued);
}

TEST(ConcurrencyOfRuns, WhoHasBegunCountsWhateverItsAge) {
  EXPECT_EQ(place(queued(1), ConcurrencyPolicy::Queue, 1, {running(2)}), Place::Queued);
}

TEST(ConcurrencyOfRuns, OtherGroupsAndEndedRunsDoNotCount) {
  auto other = running(1);
  other->status.group = "feature";
  EXPECT_EQ(place(queued(2), ConcurrencyPolicy::Queue, 1,
                  {other, run(0, RunPhase::Failed, true), queued(2)}),
            Place::Free);
}

TEST(ConcurrencyOfRuns, ANewerOneTakesThePlaceOfTheOldest) {
  const auto kCancel = ConcurrencyPolicy::CancelOld;
  EXPECT_EQ(place(running(1), kCancel, 1, {queued(2)}), Place::Superseded);
  EXPECT_EQ(place(queued(2), kCancel, 1, {running(1)}), Place::Queued);
  EXPECT_EQ(place(queued(2), kCancel, 1, {running(1), queued(3)}), Place::Superseded);
  EXPECT_EQ(place(running(1), kCancel, 2, {queued(2)}), Place::Free);
  EXPECT_EQ(place(running(1), kCancel, 2, {running(2), queued(3)}), Place::Superseded);
  EXPECT_EQ(place(running(2), kCancel, 2, {running(1), queued(3)}), Place::Free);
}

TEST(ConcurrencyOfRuns, RejectedSaysByWhom) {
  const auto ruling =
      place_of(*queued(2), {"", ConcurrencyPolicy::Reject, 1}, "main", {running(1)});
  EXPECT_EQ(ruling.place, Place::Rejected);
  EXPECT_EQ(ruling.by, "r1");
}

std::string names_of(const std::vector<std::shared_ptr<const PipelineRun>>& runs) {
  std::string all;
  for (const auto& run : runs) all += run->meta.key.name + " ";
  return all;
}

std::shared_ptr<PipelineRun> ended(int number, RunPhase phase, WallTime at) {
  auto result = run(number, phase, true);
  result->status.ended = at;
  return result;
}

TEST(RetentionOfRuns, GoodAndFailedOnesAreCountedApart) {
  std::vector<std::shared_ptr<const PipelineRun>> runs;
  for (int i = 1; i <= 4; ++i) runs.push_back(ended(i, RunPhase::Succeeded, kNoon + seconds(i)));
  runs.push_back(ended(0, RunPhase::Failed, kNoon));
  runs.push_back(running(9));
  EXPECT_EQ(names_of(expired_runs({2, 1, hours(1)}, runs, kNoon)), "r1 r2 ");
  EXPECT_EQ(names_of(expired_runs({20, 20, hours(1)}, runs, kNoon)), "");
  EXPECT_EQ(names_of(expired_runs({20, 20, hours(1)}, runs, kNoon + hours(1) + seconds(3))),
            "r0 r1 r2 ");
}

TEST(RetentionOfRuns, WhatIsTakenOverFromStays) {
  auto rerun = running(9);
  rerun->spec->rerun_of = "r1";
  const std::vector<std::shared_ptr<const PipelineRun>> runs{
      rerun, ended(1, RunPhase::Failed, kNoon), ended(2, RunPhase::Failed, kNoon + seconds(1)),
      ended(3, RunPhase::Failed, kNoon + seconds(2))};
  EXPECT_EQ(names_of(expired_runs({1, 1, hours(1)}, runs, kNoon)), "r2 ");
}

}  // namespace
}  // namespace weir
