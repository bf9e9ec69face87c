#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "api/codec.h"
#include "cli/explanation.h"
#include "unit/cli_test_support.h"

namespace weir::cli_test {
namespace {

#define EXPECT_PART(text, part) EXPECT_NE((text).find(part), std::string::npos) << (text)

std::string explain(const Json& release, const Json& policy = standard_policy()) {
  return explain_release(*decode_release(release), decode_policy(policy), story_time());
}

TEST(Explain, TellsWhatItWaitsForWhatWasMeasuredAndWhatComesNext) {
  EXPECT_EQ(
      explain(progressing_release()),
      "shop/shop is Progressing: holding 25 % until 2026-11-21T14:43:06Z. 9j5 is at step 2 of 4 "
      "with 25 % of the traffic, accepted 9s ago, 1 of 1 pods ready. fbn has 75 % with 4 of 4 pods "
      "ready. Next: the hold ends at 2026-11-21T14:43:06Z (in 21s); then 50 %, as soon as there "
      "are ready pods for it. After 2026-11-21T15:43:06Z without a decision a person is asked. A "
      "breach sets the weight to 0 at once.\n"
      "policy standard, generation 3: asked every 5s, not judged in the first 10s of a weight; "
      "false rollbacks at most 1%; judgement of 5s ago\n"
      "objective errors (Critical): Unsure, lets the step go on after its hold\n"
      "  found    3 of 310 requests bad, allowed 5%\n"
      "  allowed  at most 5%\n"
      "  seen     4 of 420 bad, 3 of 310 judged (after warm-up), stable 9 of 940 meanwhile, "
      "0.9524%; newest sample 3s ago\n"
      "  truth    0.2% to 3.1% (95 % sure, if errors come no burstier than stable's)\n"
      "  evidence 1.04 against it; 100 is a breach\n"
      "  decides  after the warm-up, from 2026-11-21T14:42:46Z (in 1s) on\n"
      "  bad      bad{s=\"shop-9j5\"}\n"
      "  total    all{s=\"shop-9j5\"}\n"
      "objective lag (Warning): not judged now\n"
      "  query    max(lag{r=\"9j5\"})\n"
      "  every    15s, broken after 3 in a row\n"
      "last rollback: 2sn at 2026-11-21T12:00:04Z (2h ago): errors: 35 of 348 requests bad, "
      "allowed 5%; 3.5 s from the first bad sample to weight 0\n");
}

TEST(Explain, TellsWhatHoldsAStepWhoseHoldIsOver) {
  auto release = progressing_release();
  release["status"]["canary"]["since"] = "2026-11-21T14:42:00Z";
  EXPECT_PART(explain(release),
              "Next: the hold is over since 2026-11-21T14:42:30Z; when no objective holds it any "
              "more, 50 %");
  release["status"]["canary"].erase("since");
  EXPECT_PART(explain(release), "Next: the hold begins when the gateway has accepted the weight");
  release["status"]["canary"]["step"] = 4;
  EXPECT_PART(explain(release), "then promotion.");
}

TEST(Explain, TellsWhenTheNextSampleIsDue) {
  auto release = progressing_release();
  release["status"]["canary"]["accepted"] = "2026-11-21T14:42:00Z";
  EXPECT_PART(explain(release),
              "  decides  with every sample; the next is due at 2026-11-21T14:42:47Z (in 2s)\n");
  release["status"]["judgement"][0]["sampled"] = "2026-11-21T14:42:32Z";
  EXPECT_PART(explain(release), "the next is due at 2026-11-21T14:42:47Z (in 2s)\n");
}

TEST(Explain, TellsWhatEachVerdictMeans) {
  auto policy = standard_policy();
  const auto meaning = [&](const std::string& verdict) {
    auto release = progressing_release();
    release["status"]["judgement"][0]["verdict"] = verdict;
    const auto text = explain(release, policy);
    const auto begin = text.find(verdict + ", ") + verdict.size() + 2;
    return text.substr(begin, text.find('\n', begin) - begin);
  };
  EXPECT_EQ(meaning("Pass"), "lets the step go on");
  EXPECT_EQ(meaning("NoData"), "holds the step");
  EXPECT_EQ(meaning("SourceError"), "holds the step");
  EXPECT_EQ(meaning("Warning"), "broken, but only a warning: the step goes on");
  EXPECT_EQ(meaning("Breach"), "broken: rolled back");
  EXPECT_EQ(meaning("BothBreach"), "stable breaks it as well: holds the step");
  policy["spec"]["objectives"][0]["onNoData"] = "Rollback";
  policy["spec"]["objectives"][0]["onUnsure"] = "Hold";
  policy["spec"]["judge"]["onSourceError"] = "Advance";
  EXPECT_EQ(meaning("Unsure"), "holds the step");
  EXPECT_EQ(meaning("NoData"), "rolls back after the hold");
  EXPECT_EQ(meaning("SourceError"), "lets the step go on after its hold");
}

TEST(Explain, TellsWhatComesAfterAllIsDone) {
  auto release = with_phase(progressing_release(), "RolledBack", "2sn was taken back");
  release["status"].erase("canary");
  EXPECT_PART(explain(release),
              "Next: nothing, until the spec asks for another revision than 2sn.");
  release["status"]["phase"] = "Healthy";
  EXPECT_PART(explain(release), "Next: nothing, until the spec changes.");
  release["status"]["promotion"] = Json::parse(
      R"({"revision": "9j5", "previous": "fbn", "watchUntil": "2026-11-21T14:43:00Z"})");
  EXPECT_PART(explain(release),
              "Next: watched until 2026-11-21T14:43:00Z (in 15s); a breach before "
              "then gives everything back to fbn.");
}

TEST(Explain, DoesWithoutAPolicy) {
  const auto release = *decode_release(progressing_release());
  const auto text =
      explain_release(release, Error{ErrorKind::Forbidden, "no right to"}, story_time());
  EXPECT_PART(text, "\npolicy: no right to\nobjective errors: Unsure\n  found    3 of 310");
  auto bad = standard_policy();
  bad["spec"]["steps"] = Json::array();
  EXPECT_PART(explain(progressing_release(), bad), "\npolicy: spec.steps: found []");
}

TEST(Explain, TellsWhenPolicyOrSpecHaveMovedOn) {
  auto policy = standard_policy();
  policy["metadata"]["generation"] = 4;
  EXPECT_PART(explain(progressing_release(), policy),
              "what runs was started with standard, generation 3: an edit applies to the next");
  auto release = progressing_release();
  release["metadata"]["generation"] = 5;
  EXPECT_PART(explain(release), "has not seen the latest spec yet (generation 2 of 5)");
  release["status"] = Json::object();
  release["spec"]["replicas"] = -1;
  EXPECT_PART(explain(release), "shop/shop is Pending: not seen by the operator yet.");
  EXPECT_PART(explain(release), "\nspec: spec.replicas: found -1");
}

TEST(Explain, AsksTheClusterForBoth) {
  FakeCluster cluster;
  cluster.set_releases({progressing_release()});
  EXPECT_PART(cluster.run({"explain", "release/shop"}).out, "\npolicy: not found\n");
  cluster.set_policy(standard_policy());
  const auto ran = cluster.run({"explain", "shop"});
  EXPECT_EQ(ran.code, exit_code::kOk) << ran.err;
  EXPECT_PART(ran.out, "\nobjective errors (Critical): Unsure");
}

}  // namespace
}  // namespace weir::cli_test
