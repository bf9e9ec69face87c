// Which writes a course needs, and in which order.
#include <gtest/gtest.h>

#include "delivery_scene.h"
#include "kube/kinds.h"

namespace weir::test {
namespace {

// "create Service shop-v2", "patch HTTPRoute shop" …, in order.
std::vector<std::string> words(const Plan& plan) {
  std::vector<std::string> result;
  for (const auto& action : plan.actions) {
    if (const auto* a = std::get_if<CreateObject>(&action))
      result.push_back((a->dry_run ? "try " : "create ") + std::string(a->kind.name) + " " +
                       a->key.name);
    if (const auto* a = std::get_if<PatchObject>(&action))
      result.push_back("patch " + std::string(a->kind.name) + " " + a->key.name);
    if (const auto* a = std::get_if<DeleteObject>(&action))
      result.push_back("delete " + std::string(a->kind.name) + " " + a->key.name);
    if (std::get_if<PatchStatus>(&action)) result.emplace_back("status");
    if (const auto* a = std::get_if<RecordEvent>(&action)) result.push_back("event " + a->reason);
    if (std::get_if<StartMeasurement>(&action)) result.emplace_back("measure");
  }
  return result;
}

using Words = std::vector<std::string>;

// The callers' Service as it stands for a stable revision.
void callers(Scene& scene, const std::string& stable) {
  auto service = std::make_shared<RawObject>();
  service->meta = {{"shop-ns", "shop"}, "uid-svc", "70"};
  service->text = dump_json(
      Json{{"spec", callers_service_body(scene.release(), *scene.release().spec, stable)["spec"]}});
  scene.snapshot().callers["shop"] = service;
}

const PatchObject& route_patch(const Plan& plan) {
  for (const auto& action : plan.actions) {
    if (const auto* a = std::get_if<PatchObject>(&action); a && a->kind == kinds::kHttpRoute)
      return *a;
  }
  throw std::logic_error("no route patch in the plan");
}

TEST(ReleasePlan, TheFirstRevisionTriesTheRouteBeforeAnyPodStarts) {
  Scene scene;
  const auto plan = scene.plan(at_second(100));
  EXPECT_EQ(words(plan), (Words{"try HTTPRoute shop", "try Service shop", "create Service shop-v2",
                                "create ReplicaSet shop-v2", "status"}));
}

TEST(ReleasePlan, ARollbackWritesTheRouteFirstAndWithoutAVersion) {
  Scene scene;
  scene.revision("v1", 4, 4).revision("v2", 1, 1).route(canary_at(5));
  callers(scene, "v1");
  scene.canary_since(at_second(100), at_second(100)).counted(100, 200, at_second(101));
  const auto plan = scene.plan(at_second(101));
  EXPECT_EQ(words(plan), (Words{"patch HTTPRoute shop"}));
  EXPECT_EQ(plan.look_again, at_second(101));
  EXPECT_EQ(route_patch(plan).resource_version, "");
  const auto& refs = route_patch(plan).body["spec"]["rules"][0]["backendRefs"];
  EXPECT_EQ(refs[0]["weight"], 100);
  EXPECT_EQ(refs[1]["weight"], 0);
}

TEST(ReleasePlan, ARollbackIsToldOnceWhenItIsDone) {
  Scene scene;
  scene.revision("v1", 4, 4).revision("v2", 1, 1).route(canary_at(5));
  callers(scene, "v1");
  scene.canary_since(at_second(100), at_second(100)).counted(100, 200, at_second(101));
  auto done = scene.course(at_second(101)).traffic;
  scene.route(done);
  const auto plan = scene.plan(at_second(101.5));
  EXPECT_EQ(words(plan), (Words{"status", "event RolledBack"}));
  scene.status() =
      render_status(scene.snapshot(), scene.course(at_second(101.5)), at_second(101.5), nullptr);
  EXPECT_EQ(scene.status().judgement.at(0).verdict, "Breach");
  EXPECT_EQ(scene.status().judgement.at(0).bad, 100);
  // As it is read back.
  scene.status().last_rollback->at = at_second(101);
  for (const auto& word : words(scene.plan(at_second(150)))) EXPECT_NE(word, "event RolledBack");
}

TEST(ReleasePlan, ARiseCarriesTheVersionItWasDecidedOn) {
  Scene scene;
  scene.revision("v1", 4, 4).revision("v2", 1, 1).route(canary_at(0));
  callers(scene, "v1");
  const auto plan = scene.plan(at_second(100));
  EXPECT_EQ(route_patch(plan).resource_version, "60");
  EXPECT_EQ(route_patch(plan).body["spec"]["rules"][0]["backendRefs"][1]["weight"], 5);
}

TEST(ReleasePlan, PromotionSwitchesTheCallersServiceOnce) {
  Scene scene;
  scene.revision("v1", 4, 4).revision("v2", 4, 4).route(canary_at(100));
  callers(scene, "v1");
  scene.canary_since(at_second(100), at_second(100)).counted(0, 1000, at_second(109));
  const auto plan = scene.plan(at_second(110));
  EXPECT_EQ(words(plan),
            (Words{"patch HTTPRoute shop", "patch Service shop", "status", "event Promoted"}));
  EXPECT_EQ(route_patch(plan).resource_version, "60") << "on its way still, it may not undo";
}

TEST(ReleasePlan, NothingIsWrittenWhenNothingHasChanged) {
  Scene scene;
  scene.revision("v1", 4, 4).route(stable_only("v1")).wants("v1");
  callers(scene, "v1");
  const auto course = scene.course(at_second(100));
  scene.status() = render_status(scene.snapshot(), course, at_second(100), nullptr);
  EXPECT_EQ(words(scene.plan(at_second(200))), Words{});
}

TEST(ReleasePlan, PodsGoNoEarlierThanDrainAfterTheirWeightWasAcceptedAsZero) {
  Scene scene;
  auto traffic = stable_only("v1");
  traffic.rollback = RollbackMark{"v2", "errors", "bad", {}, at_second(90)};
  scene.status().last_rollback = RollbackStatus{"v2", "errors", "bad", at_second(90), {}};
  scene.revision("v1", 4, 4).revision("v2", 1, 1).route(traffic);
  callers(scene, "v1");
  scene.status().idle = {{"v2", at_second(100)}};
  auto plan = scene.plan(at_second(129));
  EXPECT_EQ(words(plan), (Words{"status"}));
  EXPECT_EQ(plan.look_again, at_second(130));
  plan = scene.plan(at_second(130));
  EXPECT_EQ(words(plan), (Words{"patch ReplicaSet shop-v2", "status"}));
}

TEST(ReleasePlan, TheDrainDoesNotBeginBeforeTheGatewayHasAcceptedTheZero) {
  Scene scene;
  auto traffic = stable_only("v1");
  traffic.rollback = RollbackMark{"v2", "errors", "bad", {}, at_second(90)};
  scene.status().last_rollback = RollbackStatus{"v2", "errors", "bad", at_second(90), {}};
  scene.revision("v1", 4, 4).revision("v2", 1, 1).route(traffic, false);
  callers(scene, "v1");
  const auto plan = scene.plan(at_second(1000));
  EXPECT_EQ(words(plan), (Words{"status"}));
  EXPECT_TRUE(
      render_status(scene.snapshot(), scene.course(at_second(1000)), at_second(1000), nullptr)
          .idle.empty());
}

TEST(ReleasePlan, WeightsThatSomebodyElseChangedArePutBack) {
  Scene scene;
  scene.revision("v1", 4, 4).revision("v2", 1, 1).route(canary_at(5));
  callers(scene, "v1");
  scene.canary_since(at_second(100), at_second(100));
  auto edited = std::make_shared<RawObject>(*scene.snapshot().route);
  auto spec = *parse_json(edited->text);
  spec["spec"]["rules"][0]["backendRefs"][0]["weight"] = 50;
  spec["spec"]["rules"][0]["backendRefs"][1]["weight"] = 50;
  edited->text = dump_json(spec);
  scene.snapshot().route = edited;
  scene.snapshot().route_state = scene.snapshot().router->state(edited.get());
  const auto plan = scene.plan(at_second(101));
  EXPECT_EQ(route_patch(plan).body["spec"]["rules"][0]["backendRefs"][1]["weight"], 5);
  EXPECT_EQ(route_patch(plan).resource_version, "");
}

TEST(ReleasePlan, WhoEditedWhatIsPutRightIsNamed) {
  Scene scene;
  scene.revision("v1", 4, 4).route(stable_only("v1")).wants("v1");
  callers(scene, "v1");
  auto edited = std::make_shared<ReplicaSetView>(*scene.snapshot().revisions["v1"].replica_set);
  edited->replicas = 2;
  edited->edited_by = "kubectl";
  scene.snapshot().revisions["v1"].replica_set = edited;
  const auto plan = scene.plan(at_second(101));
  EXPECT_EQ(std::get<PatchObject>(plan.actions.at(0)).edited_by, "kubectl");
}

TEST(ReleasePlan, WhatStatusSaysHadAWeightIsRestored) {
  for (const bool had : {true, false}) {
    Scene scene;
    scene.revision("v1", 4, 4).route(stable_only("v1")).wants("v1");
    callers(scene, "v1");
    if (had) scene.status().weights = {{"v1", 100}};
    scene.snapshot().revisions["v1"].service = nullptr;
    const auto plan = scene.plan(at_second(101));
    const auto create = std::find_if(plan.actions.begin(), plan.actions.end(), [](const auto& a) {
      return std::holds_alternative<CreateObject>(a);
    });
    ASSERT_NE(create, plan.actions.end());
    EXPECT_EQ(std::get<CreateObject>(*create).restores, had);
  }
}

TEST(ReleasePlan, OldRevisionsAreKeptUpToTheLimitAndTheirServicesNot) {
  Scene scene;
  scene.release().spec->revision_history_limit = 1;
  scene.revision("v1", 4, 4)
      .revision("v0", 0, 0)
      .revision("u9", 0, 0)
      .route(stable_only("v1"))
      .wants("v1");
  callers(scene, "v1");
  auto& revisions = scene.snapshot().revisions;
  const auto born = [&](const std::string& name, double seconds) {
    auto set = std::make_shared<ReplicaSetView>(*revisions[name].replica_set);
    set->meta.created = at_second(seconds);
    revisions[name].replica_set = set;
  };
  born("v0", 20);
  born("u9", 10);
  // Still in the route: it must leave it first.
  EXPECT_EQ(words(scene.plan(at_second(100))),
            (Words{"patch HTTPRoute shop", "delete ReplicaSet shop-u9", "status"}));
  auto& backends = scene.snapshot().route_state.backends;
  backends = {{"v1", "shop-v1", 100}};
  EXPECT_EQ(words(scene.plan(at_second(100))),
            (Words{"patch HTTPRoute shop", "delete Service shop-u9", "delete Service shop-v0",
                   "delete ReplicaSet shop-u9", "status"}));
}

TEST(ReleasePlan, AServiceThatSomebodyRemovedFromAServingRevisionComesBack) {
  Scene scene;
  scene.revision("v1", 4, 4).route(stable_only("v1")).wants("v1");
  callers(scene, "v1");
  scene.snapshot().revisions["v1"].service = nullptr;
  EXPECT_EQ(words(scene.plan(at_second(100))).front(), "create Service shop-v1");
}

TEST(ReleasePlan, WhatTheServerRefusedIsSaidBeforeItIsTriedAgain) {
  Scene scene;
  const Error refused{ErrorKind::Invalid,
                      "create ReplicaSet: spec.template.spec.containers[0].image: Required"};
  const auto plan = scene.plan(at_second(100), &refused);
  EXPECT_EQ(words(plan).front(), "status");
  const auto& status = std::get<PatchStatus>(plan.actions.front()).status;
  EXPECT_NE(dump_json(status).find("containers[0].image"), std::string::npos);
}

TEST(ReleasePlan, ARevisionIsMeasuredAtTheIntervalOfItsObjectives) {
  Scene scene;
  scene.revision("v1", 4, 4).revision("v2", 1, 1).route(canary_at(5));
  callers(scene, "v1");
  scene.canary_since(at_second(100), at_second(100));
  EXPECT_EQ(words(scene.plan(at_second(101))), (Words{"measure", "status"}));

  scene.snapshot().evidence["errors"].asked = at_second(100);
  auto plan = scene.plan(at_second(101));
  EXPECT_EQ(words(plan), (Words{"status"}));
  EXPECT_EQ(plan.look_again, at_second(105));

  scene.snapshot().evidence["errors"].waiting = true;
  EXPECT_EQ(words(scene.plan(at_second(106))), (Words{"status"}));
}

TEST(ReleasePlan, QueriesAreFilledWithTheNamesOfTheJudgedRevision) {
  Scene scene;
  scene.policy().objectives[0].ratio->queries.bad =
      "n/$(namespace) s/$(service) v/$(revision) r/$(release) n/$(namespace)";
  scene.revision("v1", 4, 4).revision("v2", 1, 1).route(canary_at(5));
  callers(scene, "v1");
  const auto plan = scene.plan(at_second(101));
  const auto* start = std::get_if<StartMeasurement>(&plan.actions.front());
  ASSERT_NE(start, nullptr);
  const auto& question = dynamic_cast<const ReleaseQuestion&>(*start->question);
  EXPECT_EQ(question.expressions.at(0).text, "n/shop-ns s/shop-v2 v/v2 r/shop n/shop-ns");
}

// Seed 5138: it had been raised by a write that nobody had seen the end of.
TEST(ReleasePlan, ADrainBeginsWhenTheRouteSaysWhatIsWanted) {
  Scene scene;
  scene.wants("v1").revision("v1", 4, 4).revision("v2", 1, 1).route(canary_at(0));
  callers(scene, "v1");
  scene.release().status.canary = CanaryStatus{"v2"};
  const auto reverts = scene.course(at_second(100));
  EXPECT_TRUE(render_status(scene.snapshot(), reverts, at_second(100), nullptr).idle.empty());
  scene.route(reverts.traffic);
  const auto rests = scene.course(at_second(109));
  const auto status = render_status(scene.snapshot(), rests, at_second(109), nullptr);
  ASSERT_EQ(status.idle.size(), 1U);
  EXPECT_EQ(status.idle[0].since, at_second(109));
}

// Seed 14384: the gateway had not heard yet, and still sent them requests.
TEST(ReleasePlan, WhileItsRouteIsDeletedARevisionDoesNotDrain) {
  Scene scene;
  scene.wants("v1").revision("v1", 4, 4).revision("v2", 1, 1).route(stable_only("v1"));
  scene.snapshot().route.reset();
  scene.snapshot().route_state = {};
  const auto idle = [&] {
    const auto course = scene.course(at_second(100));
    return render_status(scene.snapshot(), course, at_second(100), nullptr).idle;
  };
  EXPECT_TRUE(idle().empty());
  scene.route(stable_only("v1"));
  EXPECT_EQ(idle().size(), 1U);
}

TEST(ReleasePlan, ARouteThatSomebodyDeletedComesBackWhileTheSpecCannotBeUsed) {
  const auto writes_route = [](const Plan& plan) {
    return std::any_of(plan.actions.begin(), plan.actions.end(), [](const Action& action) {
      const auto* create = std::get_if<CreateObject>(&action);
      const auto* patch = std::get_if<PatchObject>(&action);
      return (create && create->kind == kinds::kHttpRoute) ||
             (patch && patch->kind == kinds::kHttpRoute);
    });
  };
  Scene scene;
  scene.revision("v1", 4, 4).revision("v2", 1, 1).route(canary_at(5));
  scene.snapshot().pod_template = Error{ErrorKind::Invalid, "spec.images[0]: found \"x\""};
  EXPECT_FALSE(writes_route(scene.plan(at_second(100))));
  scene.snapshot().route.reset();
  scene.snapshot().route_state = {};
  EXPECT_TRUE(writes_route(scene.plan(at_second(100))));
}

TEST(ReleasePlan, AfterARestartWhatNobodyHasReadIsAskedFor) {
  Scene scene;
  scene.revision("v1", 4, 4).revision("v2", 1, 1).route(canary_at(5));
  callers(scene, "v1");
  scene.canary_since(at_second(100), at_second(100));
  JudgementStatus known;
  known.objective = "errors";
  known.total = 500;
  known.sampled = at_second(110);
  scene.status().judgement = {known};
  const auto missed = [&](double second) {
    const auto plan = scene.plan(at_second(second));
    const auto& start = std::get<StartMeasurement>(plan.actions.front());
    return dynamic_cast<const ReleaseQuestion&>(*start.question);
  };
  const auto question = missed(511);
  ASSERT_TRUE(question.missed);
  EXPECT_TRUE(question.alone);
  EXPECT_EQ(question.missed->from, at_second(111));
  EXPECT_EQ(question.missed->to, at_second(511));
  EXPECT_EQ(question.missed_step, seconds(2));
  EXPECT_FALSE(missed(110).missed) << "by a clock that is behind the source's";
  scene.snapshot().evidence["errors"];
  EXPECT_FALSE(missed(511).missed) << "it has been read";
}

// The watch event of the scaled ReplicaSet brings the pass that tells.
TEST(ReleasePlan, CountsAreToldByThePassThatSeesWhatThisOneWrites) {
  Scene scene;
  scene.revision("v1", 4, 4).revision("v2", 1, 1).route(canary_at(25));
  callers(scene, "v1");
  scene.canary_since(at_second(100), at_second(100)).counted(0, 1000, at_second(109));
  const auto holding = scene.course(at_second(105));
  scene.status() = render_status(scene.snapshot(), holding, at_second(105), nullptr);
  EXPECT_EQ(words(scene.plan(at_second(105))), (Words{"measure"}));
  EXPECT_EQ(words(scene.plan(at_second(110))), (Words{"measure", "patch ReplicaSet shop-v2"}));
  scene.revision("v2", 2, 1);
  EXPECT_EQ(words(scene.plan(at_second(110))), (Words{"measure", "status"}));
}

}  // namespace
}  // namespace weir::test
