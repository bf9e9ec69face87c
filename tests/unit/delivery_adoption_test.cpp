// How a Deployment becomes a Release's, write by write, and gets everything back.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "delivery/adoption.h"
#include "delivery/giving_back.h"
#include "delivery_scene.h"
#include "kube/kinds.h"

namespace weir::test {
namespace {

using Texts = std::vector<std::string>;

Json json(const std::string& text) { return *parse_json(text); }

// "patch ReplicaSet shop-b", "look up Pod app=shop".
struct Told {
  std::string operator()(const PatchObject& a) const {
    return "patch " + std::string(a.kind.name) + " " + a.key.name;
  }
  std::string operator()(const CreateObject& a) const {
    return "create " + std::string(a.kind.name) + " " + a.key.name;
  }
  std::string operator()(const LookUp& a) const {
    return "look up " + std::string(a.kind.name) + " " + a.name + a.labels;
  }
  std::string operator()(const ApplyMarks& a) const {
    return std::string(a.finalizers.empty() ? "unmark " : "mark ") + std::string(a.kind.name);
  }
  std::string operator()(const RecordEvent& a) const { return "event " + a.reason; }
  template <typename T>
  std::string operator()(const T&) const {
    return "other";
  }
};

Texts told(const std::vector<Action>& actions) {
  Texts texts;
  for (const auto& action : actions) {
    auto text = std::visit(Told(), action);
    if (text != "other") texts.push_back(std::move(text));
  }
  return texts;
}

const Json kService = json(R"({"metadata":{"name":"shop","namespace":"shop-ns","uid":"uid-service",
    "resourceVersion":"9"},
    "spec":{"selector":{"app":"shop"},"ports":[{"port":80,"targetPort":8080}]}})");

Json set(const std::string& name, int replicas, const std::string& image) {
  Json made = json(R"({"metadata":{"namespace":"shop-ns","ownerReferences":
      [{"kind":"Deployment","uid":"uid-deployment","controller":true}]},
      "spec":{"template":{"metadata":{"labels":{"app":"shop","pod-template-hash":"h"}}}}})");
  made["metadata"]["name"] = name;
  made["metadata"]["uid"] = "uid-" + name;
  made["metadata"]["resourceVersion"] = "5";
  made["spec"]["replicas"] = replicas;
  made["spec"]["template"]["spec"] = {{"image", image}};
  return made;
}

Json pod(const std::string& name, const std::string& owner) {
  return Json{{"metadata",
               {{"name", name},
                {"namespace", "shop-ns"},
                {"uid", "uid-" + name},
                {"ownerReferences", Json::array({Json{{"uid", owner}, {"controller", true}}})}}}};
}

class AdoptionTest : public ::testing::Test {
 public:
  AdoptionTest() {
    auto& spec = *scene_.release().spec;
    spec.workload = "shop";
    spec.template_text.clear();
    snapshot().pod_template = Error{ErrorKind::Invalid, "there is no such Deployment"};
    live_ = json(R"({"metadata":{"name":"shop","namespace":"shop-ns","uid":"uid-deployment",
        "resourceVersion":"7","generation":2},
        "spec":{"replicas":4,"selector":{"matchLabels":{"app":"shop"}},
                "template":{"metadata":{"labels":{"app":"shop"}},"spec":{"image":"shop:2"}}},
        "status":{"observedGeneration":2,"replicas":4,"updatedReplicas":4,
                  "availableReplicas":4}})");
  }

  ReleaseSnapshot& snapshot() { return scene_.snapshot(); }

  void seen(const Kind& kind, const std::string& of, std::vector<Json> objects) {
    snapshot().seen[std::string(kind.plural)] =
        std::make_shared<const Sighting>(Sighting{std::move(objects), of, at_second(100)});
  }

  void all_is_seen() {
    seen(kinds::kDeployment, "shop", {live_});
    seen(kinds::kService, "shop", {kService});
    seen(kinds::kReplicaSet, "app=shop", {set("live", 4, "shop:2"), set("old", 0, "shop:1")});
    seen(kinds::kPod, "app=shop", {pod("a", "uid-live"), pod("b", "uid-live"), pod("c", "other")});
  }

  // As it looks to us from the claim on.
  void is_claimed() {
    live_["spec"]["paused"] = true;
    live_["metadata"]["labels"] = {{marks::kRelease, "shop"}};
    live_["metadata"]["labels"][std::string(marks::kAdopted)] = marks::kRunning;
    snapshot().deployment = std::make_shared<const DeploymentView>(*decode_deployment(live_));
    snapshot().pod_template = json(snapshot().deployment->template_text);
    snapshot().wanted = snapshot().first = revision_of(*snapshot().pod_template);
  }

  void is_taken() {
    is_claimed();
    const auto name = snapshot().wanted;
    scene_.revision(name, 4, 4);
    auto view = std::make_shared<ReplicaSetView>(*snapshot().revisions[name].replica_set);
    view->meta.key.name = "live";
    view->meta.uid = "uid-live";
    view->meta.owner_uid = "uid-release";
    snapshot().revisions[name].replica_set = view;
  }

  Adoption next(double second = 100.5) { return adopt(snapshot(), at_second(second)); }

  Scene scene_;
  Json live_;
};

TEST_F(AdoptionTest, ItLooksBeforeItTouchesAnything) {
  EXPECT_EQ(told(next().actions), (Texts{"look up Deployment shop", "look up Service shop"}));
  EXPECT_EQ(next().message, "");
  seen(kinds::kDeployment, "shop", {live_});
  seen(kinds::kService, "shop", {kService});
  EXPECT_EQ(told(next().actions), Texts{"look up ReplicaSet app=shop"});
}

TEST_F(AdoptionTest, ItTrustsNothingThatItSawLongAgo) {
  all_is_seen();
  EXPECT_EQ(told(next(101.5).actions), (Texts{"look up Deployment shop", "look up Service shop"}));
}

TEST_F(AdoptionTest, TheClaimPausesAndIsGuardedAndTheFinalizerComesFirst) {
  all_is_seen();
  const auto adoption = next();
  ASSERT_EQ(told(adoption.actions), (Texts{"mark Release", "patch Deployment shop"}));
  const auto& claim = std::get<PatchObject>(adoption.actions[1]);
  EXPECT_EQ(claim.body, json(R"({"metadata":{"labels":{"weir.dev/release":"shop",
      "weir.dev/adopted":"Running"}},"spec":{"paused":true}})"));
  EXPECT_EQ(claim.uid + "@" + claim.resource_version, "uid-deployment@7");
}

TEST_F(AdoptionTest, WhatCannotBeAdoptedIsToldAndLeftAlone) {
  struct Case {
    std::function<void(AdoptionTest&)> change;
    std::string message;
  };
  const Case cases[] = {
      {[](auto& t) { t.seen(kinds::kDeployment, "shop", {}); }, "there is no such Deployment"},
      {[](auto& t) {
         t.live_["metadata"]["labels"] = {{marks::kRelease, "cart"}};
       },
       "spec.workloadRef.name: Deployment shop belongs to Release cart"},
      {[](auto& t) { t.live_["spec"]["replicas"] = 5; },
       "spec.replicas: found 4, must be at least 5, as many as Deployment shop has, until it is "
       "adopted"},
      {[](auto& t) { t.live_["status"]["updatedReplicas"] = 1; },
       "waiting for Deployment shop to finish its rollout: 1 of 4 pods updated, 4 available"},
      {[](auto& t) {
         auto service = kService;
         service["spec"]["selector"] = json(R"({"app":"cart"})");
         t.seen(kinds::kService, "shop", {service});
       },
       "spec.service.name: Service shop does not select the pods of Deployment shop"},
      {[](auto& t) {
         auto service = kService;
         service["spec"]["ports"][0]["targetPort"] = 9090;
         t.seen(kinds::kService, "shop", {service});
       },
       "spec.service.ports[0]: found port 80 to 8080, must be a port of Service shop, which has "
       "[{\"port\":80,\"targetPort\":9090}]"},
      {[](auto& t) {
         t.seen(kinds::kReplicaSet, "app=shop", {set("a", 2, "shop:1"), set("b", 2, "shop:2")});
       },
       "spec.workloadRef.name: Deployment shop was paused in the middle of a rollout, 2 of its "
       "ReplicaSets have pods: resume it first"},
  };
  for (const auto& each : cases) {
    const Json before = live_;
    all_is_seen();
    each.change(*this);
    if (live_ != before) seen(kinds::kDeployment, "shop", {live_});
    const auto adoption = next();
    EXPECT_EQ(adoption.message, each.message);
    EXPECT_TRUE(adoption.actions.empty() && adoption.look_again) << each.message;
    live_ = before;
  }
}

TEST_F(AdoptionTest, TheLiveReplicaSetIsTakenLast) {
  all_is_seen();
  is_claimed();
  const auto adoption = next();
  ASSERT_EQ(told(adoption.actions), (Texts{"patch ReplicaSet old", "patch ReplicaSet live"}));
  const auto& take = std::get<PatchObject>(adoption.actions[1]);
  EXPECT_EQ(take.resource_version, "5");
  const Json& owners = json_at(take.body, {"metadata", "ownerReferences"});
  ASSERT_EQ(owners.size(), 2U);
  EXPECT_EQ(owners[0]["uid"], "uid-release");
  EXPECT_EQ(owners[0]["controller"], true);
  EXPECT_EQ(owners[1]["uid"], "uid-deployment");
  EXPECT_EQ(owners[1]["controller"], false);
  EXPECT_EQ(json_text(take.body, {"spec", "template", "metadata", "labels", marks::kRevision}),
            snapshot().wanted);
  EXPECT_FALSE(adoption.done);
}

TEST_F(AdoptionTest, NothingIsTakenBeforeThePauseIsObserved) {
  all_is_seen();
  live_["metadata"]["generation"] = 3;
  is_claimed();
  const auto adoption = next();
  EXPECT_TRUE(adoption.actions.empty());
  EXPECT_EQ(adoption.message, "adopting Deployment shop: waiting for its pause to be observed");
}

TEST_F(AdoptionTest, ThenItsPodsAreLabelledAndOnlyItsOwn) {
  all_is_seen();
  seen(kinds::kReplicaSet, "app=shop", {set("live", 4, "shop:2")});
  is_taken();
  EXPECT_EQ(told(next().actions), (Texts{"patch Pod a", "patch Pod b"}));
  seen(kinds::kPod, "app=shop", {});
  EXPECT_TRUE(next().done);
}

TEST_F(AdoptionTest, TheServiceIsTakenInOneWriteWhenAllPodsAreBehindTheRevisions) {
  all_is_seen();
  seen(kinds::kReplicaSet, "app=shop", {});
  seen(kinds::kPod, "app=shop", {});
  is_taken();
  auto plan = scene_.plan(at_second(100.5));
  const auto texts = told(plan.actions);
  ASSERT_GE(texts.size(), 2U);
  EXPECT_EQ(texts[0], "patch Service shop");
  EXPECT_EQ(texts[1], "create HTTPRoute shop");
  const auto& take = std::get<PatchObject>(plan.actions[0]);
  EXPECT_EQ(take.resource_version, "9");
  EXPECT_EQ(
      json_at(take.body, {"spec"}),
      (Json{
          {"selector",
           {{"app", nullptr}, {marks::kRelease, "shop"}, {marks::kRevision, snapshot().wanted}}}}));
  EXPECT_EQ(json_text(take.body, {"metadata", "annotations", marks::kAdopted}),
            R"({"app":"shop"})");
  scene_.revision(snapshot().wanted, 4, 3);  // one endpoint is missing
  plan = scene_.plan(at_second(100.5));
  for (const auto& text : told(plan.actions)) EXPECT_EQ(text.find("patch Service"), text.npos);
}

TEST_F(AdoptionTest, AnAdoptedDeploymentThatIsResumedIsPausedAgain) {
  is_taken();
  auto running = *snapshot().deployment;
  running.paused = false;
  snapshot().deployment = std::make_shared<const DeploymentView>(running);
  scene_.route(stable_only(snapshot().wanted));
  const auto texts = told(scene_.plan(at_second(200)).actions);
  EXPECT_NE(std::find(texts.begin(), texts.end(), "patch Deployment shop"), texts.end());
}

TEST_F(AdoptionTest, AReleaseWhoseDeploymentIsGoneStandsStill) {
  is_taken();
  snapshot().deployment = nullptr;
  snapshot().pod_template = Error{ErrorKind::Invalid, "there is no such Deployment"};
  scene_.route(stable_only(snapshot().wanted));
  const auto course = scene_.course(at_second(200));
  EXPECT_TRUE(course.stalled && course.hands_off);
  EXPECT_EQ(course.message, "there is no such Deployment");
  EXPECT_EQ(told(course.adoption), (Texts{"look up Deployment shop", "look up Service shop"}));
}

// ---- and back ----

class GivingBackTest : public AdoptionTest {
 protected:
  GivingBackTest() {
    is_taken();
    scene_.revision("older", 0, 0);
    scene_.release().meta.deleting = true;
    scene_.release().meta.annotations[std::string(marks::kAdopts)] = "shop";
    scene_.route(stable_only(snapshot().wanted));
    counts(0);
    change([this](DeploymentView& d) {
      d.meta.labels[std::string(marks::kAdopted)] = "Running-" + snapshot().wanted;
    });
  }

  void counts(int pods) {
    auto deployment = *snapshot().deployment;
    deployment.current = pods;
    snapshot().deployment = std::make_shared<const DeploymentView>(deployment);
  }

  void change(const std::function<void(DeploymentView&)>& edit) {
    auto deployment = *snapshot().deployment;
    edit(deployment);
    snapshot().deployment = std::make_shared<const DeploymentView>(deployment);
  }

  Texts back() { return told(give_back(snapshot(), at_second(200), nullptr).actions); }
};

TEST_F(GivingBackTest, TheServiceGoesFirst) {
  auto service = std::make_shared<RawObject>();
  service->meta = {{"shop-ns", "shop"}, "uid-service", "9"};
  service->meta.annotations[std::string(marks::kAdopted)] = R"({"app":"shop"})";
  snapshot().callers["shop"] = service;
  change([](DeploymentView& d) { d.replicas = 2; });
  const auto plan = give_back(snapshot(), at_second(200), nullptr);
  ASSERT_EQ(told(plan.actions), (Texts{"patch Service shop", "patch Deployment shop"}));
  EXPECT_EQ(json_at(std::get<PatchObject>(plan.actions[0]).body, {"spec", "selector"}),
            (Json{{"app", "shop"}, {marks::kRelease, nullptr}, {marks::kRevision, nullptr}}));
  EXPECT_EQ(json_at(std::get<PatchObject>(plan.actions[1]).body, {"spec"}),
            (Json{{"replicas", 4}, {"paused", true}}));
}

TEST_F(GivingBackTest, TheReplicaSetThatServesGoesBeforeTheOldOnes) {
  const auto plan = give_back(snapshot(), at_second(200), nullptr);
  ASSERT_EQ(told(plan.actions), (Texts{"patch ReplicaSet live", "patch ReplicaSet shop-older"}));
  const auto& body = std::get<PatchObject>(plan.actions[0]).body;
  EXPECT_EQ(json_at(body, {"metadata", "ownerReferences"})[0]["uid"], "uid-deployment");
  EXPECT_EQ(json_at(body, {"spec", "template", "spec"}), (Json{{"image", "shop:2"}}));
  EXPECT_TRUE(json_at(body, {"spec", "replicas"}).is_null());
}

TEST_F(GivingBackTest, NotBeforeTheDeploymentHasForgottenItsPodsAndSeenItsReplicas) {
  counts(4);
  EXPECT_TRUE(back().empty());
  counts(0);
  change([](DeploymentView& d) { d.observed = false; });
  EXPECT_TRUE(back().empty());
}

TEST_F(GivingBackTest, ItRunsOnWhenItCountsItsPods) {
  snapshot().revisions.clear();
  EXPECT_TRUE(back().empty());
  counts(4);
  const auto plan = give_back(snapshot(), at_second(200), nullptr);
  ASSERT_EQ(told(plan.actions),
            (Texts{"patch Deployment shop", "event GivenBack", "unmark Release"}));
  EXPECT_EQ(json_at(std::get<PatchObject>(plan.actions[0]).body, {"spec", "paused"}), false);
}

TEST_F(GivingBackTest, ItStaysPausedWhenItsTemplateIsNotWhatServes) {
  snapshot().revisions.clear();
  snapshot().wanted = "another";
  counts(4);
  const auto plan = give_back(snapshot(), at_second(200), nullptr);
  ASSERT_EQ(told(plan.actions),
            (Texts{"patch Deployment shop", "event GivenBack", "unmark Release"}));
  const auto& patch = std::get<PatchObject>(plan.actions[0]);
  EXPECT_EQ(json_at(patch.body, {"spec", "paused"}), true);
  EXPECT_EQ(patch.resource_version, "7");  // or a template we have not seen would be rolled out
}

TEST_F(GivingBackTest, WhatItGetsIsWrittenDownFirst) {
  change([](DeploymentView& d) { d.meta.labels[std::string(marks::kAdopted)] = "Running"; });
  const auto plan = give_back(snapshot(), at_second(200), nullptr);
  ASSERT_EQ(told(plan.actions), Texts{"patch Deployment shop"});
  EXPECT_EQ(json_text(std::get<PatchObject>(plan.actions[0]).body,
                      {"metadata", "labels", marks::kAdopted}),
            "Running-" + snapshot().wanted);
}

TEST_F(GivingBackTest, AReleaseUnderWayEndsFirst) {
  scene_.revision("canary", 1, 1);
  Traffic traffic = stable_only(snapshot().wanted);
  traffic.canary = "canary";
  traffic.weight = 25;
  scene_.route(traffic);
  EXPECT_EQ(back(), Texts{"patch HTTPRoute shop"});
}

TEST_F(GivingBackTest, WithoutADeploymentTheReleaseJustGoes) {
  snapshot().deployment = nullptr;
  EXPECT_EQ(back(), Texts{"unmark Release"});
}

}  // namespace
}  // namespace weir::test
