#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cli/outcome.h"
#include "cli/output.h"
#include "kube/yaml_json.h"
#include "unit/cli_test_support.h"

namespace weir::cli_test {
namespace {

#define EXPECT_PART(text, part) EXPECT_NE((text).find(part), std::string::npos) << (text)

constexpr const char* kForbidden =
    R"({"kind":"Status","reason":"Forbidden","message":"releases is forbidden","code":403})";

Json named(Json release, const std::string& name) {
  release["metadata"]["name"] = name;
  return release;
}

Json healthy() {
  auto release = with_phase(progressing_release(), "Healthy", "9j5 serves everything");
  release["status"].erase("canary");
  release["status"]["weights"] = Json::parse(R"([{"revision": "9j5", "weight": 100}])");
  return release;
}

Json stalled() {
  auto release = with_phase(progressing_release(), "Degraded", "spec.traffic.type: no such router");
  release["status"]["conditions"] = Json::parse(R"([{"type": "Stalled", "status": "True"}])");
  return release;
}

class ReleaseCommands : public testing::Test {
 protected:
  FakeCluster cluster;
};

TEST_F(ReleaseCommands, ListShowsPhaseWeightsAndImages) {
  cluster.set_releases({progressing_release(), named(healthy(), "till")});
  const auto ran = cluster.run({"list"});
  EXPECT_EQ(ran.code, exit_code::kOk) << ran.err;
  EXPECT_EQ(ran.out.substr(0, ran.out.find('\n')),
            "NAME   PHASE         STEP   WEIGHTS         IMAGES                AGE");
  EXPECT_PART(ran.out, "\nshop   Progressing   2/4    fbn=75,9j5=25   shop:3,log@sha256:1   ");
  EXPECT_PART(ran.out, "\ntill   Healthy       -      9j5=100         shop:3,log@sha256:1   ");
}

TEST_F(ReleaseCommands, ListHasMoreColumnsWhenAsked) {
  cluster.set_releases({progressing_release()});
  const auto ran = cluster.run({"list", "-A", "-o", "wide"});
  EXPECT_EQ(ran.out.substr(0, 17), "NAMESPACE   NAME ");
  EXPECT_PART(ran.out, "standard   holding 25 % until 2026-11-21T14:43:06Z\n");
}

TEST_F(ReleaseCommands, ObjectsComeAsTheServerHasThem) {
  cluster.set_releases({progressing_release()});
  EXPECT_EQ(cluster.run({"list", "-o", "name"}).out, "release.weir.dev/shop\n");
  EXPECT_EQ(Json::parse(cluster.run({"get", "shop", "-o", "json"}).out), progressing_release());
  EXPECT_EQ(parse_yaml(cluster.run({"get", "shop", "-o", "yaml"}).out)->front().json,
            progressing_release());
  const auto list = Json::parse(cluster.run({"list", "-o", "json"}).out);
  EXPECT_EQ(list.at("kind"), "List");
  EXPECT_EQ(list.at("items"), Json::array({progressing_release()}));
}

TEST_F(ReleaseCommands, AnEmptyNamespaceIsNoFailure) {
  for (const auto* command : {"list", "get"}) {
    const auto ran = cluster.run({command});
    EXPECT_EQ(ran.code, exit_code::kOk);
    EXPECT_EQ(ran.out + ran.err, "no releases found\n");
  }
  EXPECT_EQ(cluster.run({"list", "-o", "json"}).code, exit_code::kOk);
}

TEST_F(ReleaseCommands, GetDrawsATree) {
  cluster.set_releases({progressing_release()});
  const auto ran = cluster.run({"get", "release/shop", "-o", "wide"});
  EXPECT_EQ(ran.out,
            "shop  Progressing  step 2/4\n"
            "├─ stable    fbn  ███████████████░░░░░  75 %  4/4 pods ready\n"
            "├─ canary    9j5  █████░░░░░░░░░░░░░░░  25 %  1/1 pods ready\n"
            "├─ judge     errors: Unsure: 3 of 310 requests bad, allowed 5%\n"
            "├─ policy    standard\n"
            "├─ image     shop:3\n"
            "├─ image     log@sha256:1\n"
            "└─ holding 25 % until 2026-11-21T14:43:06Z\n");
  EXPECT_EQ(cluster.run({"get"}, {100, true}).out.substr(0, 37),
            "shop  \x1b[33mProgressing\x1b[0m  step 2/4\n");
}

TEST_F(ReleaseCommands, ErrorsHaveCodesOfTheirOwn) {
  for (const auto& words :
       {std::vector<std::string>{"get", "nobody"}, {"explain", "nobody"}, {"watch", "nobody"}}) {
    const auto ran = cluster.run(words);
    EXPECT_EQ(ran.code, exit_code::kNotFound) << words[0];
    EXPECT_EQ(ran.err, "weir " + words[0] + ": no release \"nobody\" in namespace shop\n");
    EXPECT_EQ(ran.out, "");
  }
  cluster.refuse_all(403, kForbidden);
  for (const auto& words :
       {std::vector<std::string>{"list"}, {"get"}, {"explain", "shop"}, {"watch", "shop"}})
    EXPECT_EQ(cluster.run(words).code, exit_code::kForbidden) << words[0];
  cluster.refuse_all(404, R"({"kind":"Status","reason":"NotFound","code":404})");
  EXPECT_PART(cluster.run({"list"}).err, "is Weir installed?");
  cluster.refuse_all(418, "{}");
  EXPECT_EQ(cluster.run({"list"}).code, exit_code::kFailed);
}

TEST_F(ReleaseCommands, WatchPrintsEachChangeOnceAndEndsWithTheRelease) {
  const auto halfway = with_phase(progressing_release(), "Progressing", "9j5 gets 50 %");
  cluster.set_releases({progressing_release(), named(healthy(), "other")});
  cluster.will_say({event("MODIFIED", progressing_release()), event("MODIFIED", halfway),
                    event("MODIFIED", named(halfway, "other")), event("MODIFIED", healthy())});
  const auto ran = cluster.run({"watch", "shop"});
  EXPECT_EQ(ran.code, exit_code::kOk) << ran.err;
  std::vector<std::string> lines;
  std::istringstream out(ran.out);
  for (std::string line; std::getline(out, line);) lines.push_back(line.substr(9));
  EXPECT_EQ(lines,
            (std::vector<std::string>{
                "shop Progressing step 2/4 canary 25 % holding 25 % until 2026-11-21T14:43:06Z",
                "shop Progressing step 2/4 canary 25 % 9j5 gets 50 %",
                "shop Healthy 9j5 serves everything"}));
}

TEST_F(ReleaseCommands, WatchTellsByItsExitCodeHowItEnded) {
  const auto code_after = [&](const Json& last) {
    cluster.set_releases({progressing_release()});
    cluster.will_say({event("MODIFIED", last)});
    return cluster.run({"watch", "shop", "--timeout", "20s"}).code;
  };
  EXPECT_EQ(code_after(healthy()), exit_code::kOk);
  EXPECT_EQ(code_after(with_phase(healthy(), "RolledBack", "taken back")), exit_code::kRolledBack);
  EXPECT_EQ(code_after(with_phase(progressing_release(), "AwaitingApproval", "waits")),
            exit_code::kAwaitingApproval);
  cluster.set_releases({healthy()});
  EXPECT_EQ(cluster.run({"watch", "shop"}).code, exit_code::kOk);
}

TEST_F(ReleaseCommands, WatchTimesOut) {
  cluster.set_releases({progressing_release()});
  const auto ran = cluster.run({"watch", "shop", "--timeout", "300ms"});
  EXPECT_EQ(ran.code, exit_code::kTimedOut);
  EXPECT_EQ(ran.err,
            "weir watch: shop is not done after 300ms: Progressing: holding 25 % until "
            "2026-11-21T14:43:06Z\n");
}

TEST_F(ReleaseCommands, WatchWaitsForTheSpecToBeSeen) {
  auto unseen = healthy();
  unseen["metadata"]["generation"] = 3;
  cluster.set_releases({unseen});
  cluster.will_say({event("MODIFIED", with_phase(unseen, "RolledBack", "old news"))});
  EXPECT_EQ(cluster.run({"watch", "shop", "--timeout", "300ms"}).code, exit_code::kTimedOut);
}

TEST_F(ReleaseCommands, WatchGivesUpOnWhatIsStuck) {
  cluster.set_releases({stalled()});
  const auto ran = cluster.run({"watch", "shop", "--timeout", "60s"});
  EXPECT_EQ(ran.code, exit_code::kFailed);
  EXPECT_EQ(ran.err,
            "weir watch: shop does not go on by itself: Degraded: spec.traffic.type: no "
            "such router\n");
}

TEST_F(ReleaseCommands, WatchGivesWhatIsAppliedTogetherTimeToArrive) {
  cluster.set_releases({stalled()});
  cluster.will_say({event("MODIFIED", progressing_release()), event("MODIFIED", healthy())});
  EXPECT_EQ(cluster.run({"watch", "shop"}).code, exit_code::kOk);
}

TEST_F(ReleaseCommands, WatchEndsWhenTheReleaseIsDeleted) {
  cluster.set_releases({progressing_release()});
  cluster.will_say({event("DELETED", progressing_release())});
  const auto ran = cluster.run({"watch", "shop"});
  EXPECT_EQ(ran.code, exit_code::kNotFound);
}

TEST_F(ReleaseCommands, WatchGoesOnAfterAnErrorInTheStream) {
  cluster.set_releases({progressing_release()});
  cluster.will_say(
      {R"({"type":"ERROR","object":{"kind":"Status","reason":"Expired","code":410}})"});
  cluster.will_say({event("MODIFIED", healthy())});
  const auto ran = cluster.run({"watch", "shop"});
  EXPECT_EQ(ran.code, exit_code::kOk);
  EXPECT_EQ(ran.err, "");
  EXPECT_EQ(cluster.watches(), 2);
}

TEST_F(ReleaseCommands, OnATerminalTheTreeIsRedrawnInPlace) {
  cluster.set_releases({progressing_release()});
  cluster.will_say({event("MODIFIED", healthy())});
  const auto ran = cluster.run({"watch", "shop"}, {30, false});
  EXPECT_EQ(ran.code, exit_code::kOk);
  // Lines longer than the 30 columns take two or more rows: 1 + 2 + 2 + 3 + 2.
  EXPECT_PART(ran.out, "14:43:06Z\n\x1b[10A\x1b[Jshop  Healthy\n");
}

TEST(Outcome, IsNoneWhileItIsOnItsWay) {
  Release release;
  release.meta.generation = 2;
  release.status.observed_generation = 2;
  for (const auto phase :
       {Phase::Pending, Phase::Progressing, Phase::RollingBack, Phase::Degraded}) {
    release.status.phase = phase;
    EXPECT_EQ(outcome_of(release), std::nullopt);
  }
}

TEST(Output, AlignsColumnsByCharactersNotBytes) {
  EXPECT_EQ(table_text({{"A", "B"}, {"é…", "x"}, {"", "y"}}), "A    B\né…   x\n-    y\n");
}

TEST(Output, AgesAreShort) {
  const WallTime now(seconds(1'000'000));
  const auto age = [&](std::int64_t s) { return short_age(now - seconds(s), now); };
  EXPECT_EQ(age(0), "0s");
  EXPECT_EQ(age(-5), "0s");
  EXPECT_EQ(age(119), "119s");
  EXPECT_EQ(age(120), "2m");
  EXPECT_EQ(age(7199), "119m");
  EXPECT_EQ(age(7200), "2h");
  EXPECT_EQ(age(200'000), "2d");
}

}  // namespace
}  // namespace weir::cli_test
