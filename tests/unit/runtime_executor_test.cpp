#include <gtest/gtest.h>

#include "runtime/executor.h"
#include "runtime_fakes.h"

namespace weir {
namespace {

const ObjectKey kShop{"ns", "shop"};

struct Riddle final : Question {
  std::string describe() const override { return "riddle"; }
};

Json owned_by(const std::string& uid) {
  Json result = runtime_test::object("shop", "70");
  result["metadata"]["ownerReferences"] = {{{"uid", "other"}},
                                           {{"uid", uid}, {"controller", true}}};
  return result;
}

struct ClosingFence final : WriteFence {
  SteadyTime open_until() const override {
    if (asked) asked(++times);
    return until;
  }
  SteadyTime until{};
  std::function<void(int times)> asked{};
  mutable int times = 0;
};

class ExecutorTest : public testing::Test {
 protected:
  static CreateObject create(const Kind& kind = kinds::kService) {
    return {kind, kShop, Json{{"metadata", {{"name", "shop"}}}, {"spec", {{"x", 1}}}}, "uid-owner"};
  }
  static PatchObject patch() {
    return {kinds::kHttpRoute, kShop, Json{{"spec", {{"weight", 5}}}}, "uid-7", ""};
  }
  static RecordEvent event() {
    return {kinds::kRelease, kShop, "uid-shop", true, "RolledBack", "too many errors"};
  }
  Result<void> run(std::vector<Action> actions) { return executor_.run(Plan{std::move(actions)}); }
  static std::vector<Action> all_kinds_of_writes() {
    return {create(), patch(), DeleteObject{kinds::kService, kShop, "uid-1"},
            PatchStatus{kinds::kRelease, kShop, "uid-shop", Json::object()}, event()};
  }
  void name_is_taken() {
    api_.will_fail("create Service", {ErrorKind::AlreadyExists, "services \"shop\" exists"});
  }

  runtime_test::FakeApi api_;
  kube_test::FakeClock clock_;
  Metrics metrics_{"test"};
  std::vector<std::string> own_writes_;  // "Service@100"
  std::vector<std::string> questions_;
  OpenFence fence_;
  Executor executor_{api_,
                     clock_,
                     fence_,
                     metrics_,
                     [this](const Kind& kind, const Json& object) {
                       own_writes_.push_back(std::string(kind.name) + "@" +
                                             json_text(object, {"metadata", "resourceVersion"}));
                     },
                     [this](const StartMeasurement& m) { questions_.push_back(to_string(m.key)); }};
  std::vector<std::string> found_;  // "Pod app=shop: 0"
  Executor finder_{api_,
                   clock_,
                   fence_,
                   metrics_,
                   [](const Kind&, const Json&) {},
                   [](const StartMeasurement&) {},
                   [this](const LookUp& asked, const std::vector<Json>& objects) {
                     found_.push_back(std::string(asked.kind.name) + " " + asked.name +
                                      asked.labels + ": " + std::to_string(objects.size()));
                   }};
  ClosingFence closing_fence_;
  Executor fenced_{api_,
                   clock_,
                   closing_fence_,
                   metrics_,
                   [](const Kind&, const Json&) {},
                   [](const StartMeasurement&) {}};
};

using Texts = std::vector<std::string>;

TEST_F(ExecutorTest, AnEmptyPlanIsDone) {
  EXPECT_TRUE(run({}));
  EXPECT_TRUE(api_.calls().empty());
}

TEST_F(ExecutorTest, ActsInTheOrderOfThePlan) {
  ASSERT_TRUE(run({patch(), create(), DeleteObject{kinds::kService, kShop, "uid-1"},
                   PatchStatus{kinds::kRelease, kShop, "uid-shop", Json::object()}, event(),
                   StartMeasurement{kShop, std::make_shared<Riddle>()}}));
  EXPECT_EQ(api_.whats(), (Texts{"patch HTTPRoute", "create Service", "delete Service",
                                 "patch Release", "create Event"}));
  EXPECT_EQ(questions_, Texts{"ns/shop"});
}

TEST_F(ExecutorTest, StopsAtTheFirstFailureAndSaysWhatWasBeingWritten) {
  api_.will_fail("patch HTTPRoute", {ErrorKind::Conflict, "the object has been modified"});
  const auto done =
      run({create(), patch(), create(kinds::kReplicaSet), event(), StartMeasurement{kShop, {}}});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().kind, ErrorKind::Conflict);
  EXPECT_EQ(done.error().message, "patch HTTPRoute ns/shop: the object has been modified");
  EXPECT_EQ(api_.whats(), (Texts{"create Service", "patch HTTPRoute"}));
  EXPECT_TRUE(questions_.empty());
}

TEST_F(ExecutorTest, KeepsTheWaitThatAThrottlingServerAskedFor) {
  api_.will_fail("patch HTTPRoute", {ErrorKind::Throttled, "slow down", seconds(7)});
  EXPECT_EQ(run({patch()}).error().retry_after, seconds(7));
}

TEST_F(ExecutorTest, WhatTheServerReturnedGoesIntoTheCache) {
  ASSERT_TRUE(
      run({create(), patch(), PatchStatus{kinds::kRelease, kShop, "uid-shop", Json::object()}}));
  EXPECT_EQ(own_writes_, (Texts{"Service@100", "HTTPRoute@100", "Release@100"}));
}

TEST_F(ExecutorTest, AFailedWriteLeavesTheCacheAlone) {
  api_.will_fail("create Service", {ErrorKind::Unavailable, "reset"});
  EXPECT_FALSE(run({create()}));
  EXPECT_TRUE(own_writes_.empty());
}

// ---- looking up ----

TEST_F(ExecutorTest, WhatIsLookedUpIsHandedOnBeItNothing) {
  api_.will_fail("get Service", {ErrorKind::NotFound, "services \"gone\" not found"});
  ASSERT_TRUE(finder_.run(Plan{
      {LookUp{kShop, kinds::kService, "gone", ""}, LookUp{kShop, kinds::kPod, "", "app=shop"}}}));
  EXPECT_EQ(found_, (Texts{"Service gone: 0", "Pod app=shop: 0"}));
}

TEST_F(ExecutorTest, ALookUpThatFailsEndsThePlan) {
  api_.will_fail("get Service", {ErrorKind::Forbidden, "no"});
  const auto done = finder_.run(Plan{{LookUp{kShop, kinds::kService, "shop", ""}, patch()}});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().message, "get Service ns/shop: no");
  EXPECT_TRUE(found_.empty());
  EXPECT_EQ(api_.whats(), Texts{"get Service"});
}

TEST_F(ExecutorTest, MarksAreAppliedAsAWhole) {
  ASSERT_TRUE(run({ApplyMarks{kinds::kRelease, kShop, "uid-shop", Json{{"a/b", "c"}}, {"a/d"}}}));
  const auto call = api_.calls().at(0);
  EXPECT_EQ(call.body, (Json{{"apiVersion", "weir.dev/v1alpha1"},
                             {"kind", "Release"},
                             {"metadata",
                              {{"name", "shop"},
                               {"namespace", "ns"},
                               {"uid", "uid-shop"},
                               {"annotations", {{"a/b", "c"}}},
                               {"finalizers", Json::array({"a/d"})}}}}));
}

// ---- create ----

TEST_F(ExecutorTest, CreatesWithTheBodyAsItIs) {
  ASSERT_TRUE(run({create()}));
  const auto call = api_.calls().at(0);
  EXPECT_EQ(call.key, kShop);
  EXPECT_EQ(call.body, create().body);
  EXPECT_EQ(call.detail, "");
}

TEST_F(ExecutorTest, ANameTakenByAChildOfOursIsDone) {
  name_is_taken();
  api_.exists(kinds::kService, owned_by("uid-owner"));
  EXPECT_TRUE(run({create(), patch()}));
  EXPECT_EQ(api_.whats(), (Texts{"create Service", "get Service", "patch HTTPRoute"}));
  EXPECT_EQ(own_writes_.at(0), "Service@70");
}

TEST_F(ExecutorTest, AChildOfOursWithoutOurLabelsGetsThemBack) {
  auto labelled = create();
  labelled.body["metadata"]["labels"] = {{"weir.dev/release", "shop"}};
  name_is_taken();
  api_.exists(kinds::kService, owned_by("uid-owner"));
  ASSERT_TRUE(run({labelled}));
  EXPECT_EQ(api_.whats(), (Texts{"create Service", "get Service", "patch Service"}));
  EXPECT_EQ(
      api_.calls().at(2).body,
      (Json{{"metadata", {{"labels", {{"weir.dev/release", "shop"}}}, {"uid", "uid-shop"}}}}));
  EXPECT_NE(metrics_.text().find(R"(weir_foreign_edits_total{kind="Service",what="edited"} 1)"),
            std::string::npos);
}

TEST_F(ExecutorTest, ATrialPutsNoLabelsBack) {
  auto trial = create();
  trial.body["metadata"]["labels"] = {{"weir.dev/release", "shop"}};
  trial.dry_run = true;
  name_is_taken();
  api_.exists(kinds::kService, owned_by("uid-owner"));
  ASSERT_TRUE(run({trial}));
  EXPECT_EQ(api_.whats(), (Texts{"create Service", "get Service"}));
}

TEST_F(ExecutorTest, WhatOthersChangedAndWePutRightIsCounted) {
  auto edited = patch();
  edited.edited_by = "kubectl-edit";
  auto deleted = create();
  deleted.restores = true;
  ASSERT_TRUE(run({edited, deleted, patch(), create()}));
  const auto text = metrics_.text();
  EXPECT_NE(text.find(R"(weir_foreign_edits_total{kind="HTTPRoute",what="edited"} 1)"),
            std::string::npos);
  EXPECT_NE(text.find(R"(weir_foreign_edits_total{kind="Service",what="deleted"} 1)"),
            std::string::npos);
}

TEST_F(ExecutorTest, ANameTakenByAnybodyElseIsRefusedAndNothingIsChanged) {
  name_is_taken();
  api_.exists(kinds::kService, owned_by("uid-stranger"));
  const auto done = run({create(), patch()});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().kind, ErrorKind::Invalid);
  EXPECT_NE(done.error().message.find("Service ns/shop exists and is not ours"), std::string::npos);
  EXPECT_EQ(api_.whats(), (Texts{"create Service", "get Service"}));
  EXPECT_TRUE(own_writes_.empty());
}

TEST_F(ExecutorTest, ANameThatNobodyElseMeansIsOursWhereItMayNotBeRead) {
  auto copy = create();
  api_.will_fail("get Service", {ErrorKind::Forbidden, "no"});
  name_is_taken();
  EXPECT_EQ(run({copy}).error().kind, ErrorKind::Forbidden);
  copy.unmistakable = true;
  api_.will_fail("get Service", {ErrorKind::Forbidden, "no"});
  name_is_taken();
  EXPECT_TRUE(run({copy}));
  api_.exists(kinds::kService, owned_by("uid-stranger"));
  name_is_taken();
  EXPECT_EQ(run({copy}).error().kind, ErrorKind::Invalid);
}

TEST_F(ExecutorTest, AnObjectWithoutAControllerIsForeign) {
  name_is_taken();
  api_.exists(kinds::kService, runtime_test::object("shop", "70"));
  EXPECT_EQ(run({create()}).error().kind, ErrorKind::Invalid);
}

TEST_F(ExecutorTest, AnObjectWithoutAControllerIsForeignEvenToAnActionWithoutAnOwner) {
  name_is_taken();
  api_.exists(kinds::kService, runtime_test::object("shop", "70"));
  auto nobodys = create();
  nobodys.owner_uid = "";
  EXPECT_EQ(run({nobodys}).error().kind, ErrorKind::Invalid);
}

TEST_F(ExecutorTest, OwnerReferencesThatMakeNoSenseAreForeign) {
  for (const Json& owners :
       {Json("me"), Json{1, "two"}, Json{{{"controller", "yes"}, {"uid", 3}}}}) {
    name_is_taken();
    auto odd = runtime_test::object("shop", "70");
    odd["metadata"]["ownerReferences"] = owners;
    api_.exists(kinds::kService, odd);
    Result<void> done;
    EXPECT_NO_THROW(done = run({create()})) << owners;
    EXPECT_FALSE(done) << owners;
  }
}

TEST_F(ExecutorTest, AnExistingObjectThatVanishedMeanwhileIsNotFound) {
  name_is_taken();
  const auto done = run({create()});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().kind, ErrorKind::NotFound);
}

TEST_F(ExecutorTest, ADryRunChangesNeitherServerNorCacheNorCount) {
  auto trial = create();
  trial.dry_run = true;
  ASSERT_TRUE(run({trial}));
  EXPECT_EQ(api_.calls().at(0).detail, "dry run");
  EXPECT_TRUE(own_writes_.empty());
  EXPECT_EQ(metrics_.text().find("weir_writes_total{"), std::string::npos);
}

TEST_F(ExecutorTest, ADryRunOfARefusedObjectFailsThePlan) {
  api_.will_fail("create Service", {ErrorKind::Invalid, "spec.ports: required"});
  auto trial = create();
  trial.dry_run = true;
  EXPECT_EQ(run({trial, patch()}).error().kind, ErrorKind::Invalid);
  EXPECT_EQ(api_.whats(), Texts{"create Service"});
}

// ---- patch and delete ----

TEST_F(ExecutorTest, APatchNamesTheVeryObjectInItsBody) {
  ASSERT_TRUE(run({patch()}));
  const auto call = api_.calls().at(0);
  EXPECT_EQ(call.type, Patch::Type::JsonMerge);
  EXPECT_EQ(call.body, (Json{{"metadata", {{"uid", "uid-7"}}}, {"spec", {{"weight", 5}}}}));
}

TEST_F(ExecutorTest, AGuardedPatchCarriesTheVersionItWasDecidedOn) {
  auto guarded = patch();
  guarded.resource_version = "41";
  guarded.body["metadata"]["annotations"]["weir.dev/traffic"] = "memo";
  ASSERT_TRUE(run({guarded}));
  EXPECT_EQ(api_.calls().at(0).body["metadata"],
            (Json{{"annotations", {{"weir.dev/traffic", "memo"}}},
                  {"resourceVersion", "41"},
                  {"uid", "uid-7"}}));
}

TEST_F(ExecutorTest, AStatusIsAppliedWholeToTheVeryObject) {
  ASSERT_TRUE(run({PatchStatus{kinds::kRelease, kShop, "uid-shop", Json{{"phase", "Steady"}}}}));
  const auto call = api_.calls().at(0);
  EXPECT_EQ(call.type, Patch::Type::Apply);
  EXPECT_EQ(call.detail, "status");
  EXPECT_EQ(call.body,
            (Json{{"apiVersion", "weir.dev/v1alpha1"},
                  {"kind", "Release"},
                  {"metadata", {{"name", "shop"}, {"namespace", "ns"}, {"uid", "uid-shop"}}},
                  {"status", {{"phase", "Steady"}}}}));
}

TEST_F(ExecutorTest, ADeletionNamesTheVeryObject) {
  ASSERT_TRUE(run({DeleteObject{kinds::kService, kShop, "uid-1"}}));
  EXPECT_EQ(api_.calls().at(0).detail, "uid-1");
}

TEST_F(ExecutorTest, WhatIsAlreadyGoneCountsAsDeletedButNotAsAWrite) {
  api_.will_fail("delete Service", {ErrorKind::NotFound, "gone"});
  EXPECT_TRUE(run({DeleteObject{kinds::kService, kShop, "uid-1"}, patch()}));
  EXPECT_EQ(api_.whats(), (Texts{"delete Service", "patch HTTPRoute"}));
  EXPECT_EQ(metrics_.text().find("verb=\"delete\""), std::string::npos);
}

TEST_F(ExecutorTest, ADeletionOfAnotherObjectOfThatNameFails) {
  api_.will_fail("delete Service", {ErrorKind::Conflict, "uid precondition"});
  EXPECT_EQ(run({DeleteObject{kinds::kService, kShop, "uid-1"}}).error().kind, ErrorKind::Conflict);
}

// ---- the fence ----

TEST_F(ExecutorTest, AWriteEndsWithinTenSecondsWhenNobodyFencesIt) {
  ASSERT_TRUE(run({patch()}));
  EXPECT_EQ(api_.calls().at(0).deadline - clock_.monotonic(), seconds(10));
}

TEST_F(ExecutorTest, EveryWriteEndsBeforeTheFenceCloses) {
  closing_fence_.until = clock_.monotonic() + seconds(4);
  ASSERT_TRUE(fenced_.run(Plan{all_kinds_of_writes()}));
  const auto calls = api_.calls();
  ASSERT_EQ(calls.size(), 5U);
  for (const auto& call : calls)
    EXPECT_EQ(call.deadline - clock_.monotonic(), seconds(4)) << call.what;
}

TEST_F(ExecutorTest, BehindAClosedFenceNothingIsSent) {
  const runtime_test::CapturedLogs logs;
  for (const auto left : {seconds(0), seconds(-5)}) {
    closing_fence_.until = clock_.monotonic() + left;
    for (const auto& action : all_kinds_of_writes()) {
      const auto done = fenced_.run(Plan{{action}});
      ASSERT_FALSE(done);
      EXPECT_EQ(done.error().kind, ErrorKind::Shutdown);
    }
  }
  EXPECT_TRUE(api_.calls().empty());
  EXPECT_EQ(logs.count("level"), 0) << "a fenced write is nobody's trouble";
}

TEST_F(ExecutorTest, AFenceThatClosesInTheMiddleOfAPlanStopsTheRestOfIt) {
  closing_fence_.until = clock_.monotonic() + seconds(4);
  closing_fence_.asked = [this](int times) {
    if (times == 2) closing_fence_.until = clock_.monotonic();
  };
  EXPECT_EQ(fenced_.run(Plan{{create(), patch(), event()}}).error().kind, ErrorKind::Shutdown);
  EXPECT_EQ(api_.whats(), Texts{"create Service"});
}

// ---- events ----

TEST_F(ExecutorTest, AnEventThatFailsDoesNotFailThePlan) {
  const runtime_test::CapturedLogs logs;
  api_.will_fail("create Event", {ErrorKind::Forbidden, "no events for you"});
  EXPECT_TRUE(run({event(), patch()}));
  EXPECT_EQ(api_.whats(), (Texts{"create Event", "patch HTTPRoute"}));
  EXPECT_EQ(logs.count("no events for you"), 1);
}

TEST_F(ExecutorTest, AnEventSaysWhatHappenedToWhom) {
  ASSERT_TRUE(run({event()}));
  const auto body = api_.calls().at(0).body;
  EXPECT_EQ(body["involvedObject"], (Json{{"apiVersion", "weir.dev/v1alpha1"},
                                          {"kind", "Release"},
                                          {"namespace", "ns"},
                                          {"name", "shop"},
                                          {"uid", "uid-shop"}}));
  EXPECT_EQ(body["type"], "Warning");
  EXPECT_EQ(body["reason"], "RolledBack");
  EXPECT_EQ(body["message"], "too many errors");
  EXPECT_EQ(body["firstTimestamp"], "2027-01-15T08:00:00Z");
  EXPECT_TRUE(own_writes_.empty());
}

TEST_F(ExecutorTest, EventsOfOneInstantDoNotTakeEachOthersName) {
  auto second = event();
  second.reason = "Promoted";
  ASSERT_TRUE(run({event(), second}));
  EXPECT_NE(api_.calls().at(0).key.name, api_.calls().at(1).key.name);
}

TEST_F(ExecutorTest, WhatWasSaidWithinTenMinutesIsCounted) {
  ASSERT_TRUE(run({event()}));
  clock_.advance(seconds(60));
  ASSERT_TRUE(run({event()}));
  clock_.advance(seconds(601));
  ASSERT_TRUE(run({event()}));
  EXPECT_EQ(api_.whats(), (Texts{"create Event", "patch Event", "create Event"}));
  const auto calls = api_.calls();
  EXPECT_EQ(calls.at(1).key, calls.at(0).key);
  EXPECT_EQ(calls.at(1).body, (Json{{"count", 2}, {"lastTimestamp", "2027-01-15T08:01:00Z"}}));
}

TEST_F(ExecutorTest, AnEventThatIsGoneIsSaidAnew) {
  ASSERT_TRUE(run({event()}));
  api_.will_fail("patch Event", {ErrorKind::NotFound, "expired"});
  ASSERT_TRUE(run({event()}));
  EXPECT_EQ(api_.whats(), (Texts{"create Event", "patch Event", "create Event"}));
}

TEST_F(ExecutorTest, WhoTalksWithoutEndIsNotListenedTo) {
  for (int i = 0; i < 100; ++i) {
    auto chatty = event();
    chatty.message += std::to_string(i);
    ASSERT_TRUE(run({chatty}));
  }
  EXPECT_EQ(api_.calls().size(), 25U);
  clock_.advance(seconds(301));
  auto other = event();
  other.message = "later";
  ASSERT_TRUE(run({other, event()}));
  EXPECT_EQ(api_.calls().size(), 26U);
  auto elsewhere = event();
  elsewhere.uid = "uid-cart";
  ASSERT_TRUE(run({elsewhere}));
  EXPECT_EQ(api_.calls().size(), 27U);
}

TEST_F(ExecutorTest, ALongMessageIsCut) {
  auto chatty = event();
  chatty.message = std::string(5000, 'x');
  ASSERT_TRUE(run({chatty}));
  EXPECT_EQ(api_.calls().at(0).body["message"], std::string(1024, 'x'));
}

TEST_F(ExecutorTest, CountsWritesByVerbAndKind) {
  ASSERT_TRUE(run({create(), create(), patch(),
                   PatchStatus{kinds::kRelease, kShop, "uid-shop", Json::object()}, event(),
                   DeleteObject{kinds::kService, kShop, "uid-1"}}));
  const auto text = metrics_.text();
  for (const std::string line : {R"(weir_writes_total{kind="Service",verb="create"} 2)",
                                 R"(weir_writes_total{kind="HTTPRoute",verb="patch"} 1)",
                                 R"(weir_writes_total{kind="Release",verb="patch_status"} 1)",
                                 R"(weir_writes_total{kind="Event",verb="create"} 1)",
                                 R"(weir_writes_total{kind="Service",verb="delete"} 1)"})
    EXPECT_NE(text.find(line), std::string::npos) << line << "\nnot in\n" << text;
}

}  // namespace
}  // namespace weir
