// ConfigMaps and Secrets that belong to a revision.
#include <gtest/gtest.h>

#include "delivery/release_config.h"
#include "delivery_scene.h"
#include "kube/kinds.h"

namespace weir::test {
namespace {

const ConfigRef kApp{false, "app"};
const ConfigRef kKeys{true, "keys"};

Json config_map(const std::string& level) { return Json{{"data", {{"LEVEL", level}}}}; }
Json secret(const std::string& value) {
  return Json{{"type", "Opaque"}, {"data", {{"token", value}}}};
}

constexpr const char* kTemplate = R"({"spec":{
  "imagePullSecrets":[{"name":"keys"}],
  "volumes":[{"name":"a","configMap":{"name":"app"}},{"name":"b","secret":{"secretName":"keys"}},
    {"name":"c","projected":{"sources":[{"configMap":{"name":"app"}},{"secret":{"name":"keys"}}]}},
    {"name":"d","configMap":{"name":"live"}},{"name":"e","emptyDir":{}}],
  "initContainers":[{"name":"i","envFrom":[{"secretRef":{"name":"keys"}}]}],
  "containers":[{"name":"shop","image":"shop:2","envFrom":[{"configMapRef":{"name":"app"}}],
    "env":[{"name":"X","value":"app"},
      {"name":"Y","valueFrom":{"configMapKeyRef":{"name":"app","key":"app"}}},
      {"name":"Z","valueFrom":{"secretKeyRef":{"name":"keys","key":"k"}}}]}]}})";

TEST(ConfigNames, AreReplacedWhereverATemplateNamesAnObjectAndNowhereElse) {
  const auto named = with_names(*parse_json(kTemplate), {{kApp, "app-1"}, {kKeys, "keys-1"}});
  EXPECT_EQ(named, *parse_json(R"({"spec":{
  "imagePullSecrets":[{"name":"keys"}],
  "volumes":[{"name":"a","configMap":{"name":"app-1"}},
    {"name":"b","secret":{"secretName":"keys-1"}},
    {"name":"c","projected":{"sources":[
      {"configMap":{"name":"app-1"}},{"secret":{"name":"keys-1"}}]}},
    {"name":"d","configMap":{"name":"live"}},{"name":"e","emptyDir":{}}],
  "initContainers":[{"name":"i","envFrom":[{"secretRef":{"name":"keys-1"}}]}],
  "containers":[{"name":"shop","image":"shop:2","envFrom":[{"configMapRef":{"name":"app-1"}}],
    "env":[{"name":"X","value":"app"},
      {"name":"Y","valueFrom":{"configMapKeyRef":{"name":"app-1","key":"app"}}},
      {"name":"Z","valueFrom":{"secretKeyRef":{"name":"keys-1","key":"k"}}}]}]}})"));
}

TEST(ConfigNames, ATemplateOfAnyShapeIsSurvived) {
  for (const auto* text : {"{}", "[]", "7", R"({"spec":[]})", R"({"spec":{"volumes":{}}})",
                           R"({"spec":{"volumes":[1,{"configMap":2},{"projected":[]}]}})",
                           R"({"spec":{"containers":[{"env":[{"valueFrom":3}],"envFrom":""}]}})"})
    EXPECT_EQ(with_names(*parse_json(text), {{kApp, "x"}}), *parse_json(text));
}

TEST(Config, AnObjectThatTheTemplateDoesNotNameIsRefusedWithItsField) {
  ReleaseSpec spec;
  spec.template_text = kTemplate;
  spec.config = {{"app"}, {"keys"}};
  EXPECT_TRUE(resolved_template(spec));
  spec.config.secrets.emplace_back("app");
  EXPECT_EQ(resolved_template(spec).error().message,
            "spec.config.secretRefs[1].name: found \"app\", must be a Secret that spec.template "
            "names in volumes, envFrom or env");
}

TEST(Config, TheRevisionIsThatOfTheContent) {
  const auto revision = [](const Json& app, const Json& keys) {
    return revision_with(*parse_json(kTemplate),
                         {{kApp, content_of(kApp, app)}, {kKeys, content_of(kKeys, keys)}});
  };
  auto labelled = config_map("info");
  labelled["metadata"] = {{"labels", {{"team", "a"}}}, {"resourceVersion", "8"}};
  const auto before = revision(config_map("info"), secret("MQ=="));
  EXPECT_EQ(revision(labelled, secret("MQ==")), before);
  EXPECT_NE(revision(config_map("debug"), secret("MQ==")), before);
  EXPECT_NE(revision(config_map("info"), secret("Mg==")), before);
  EXPECT_NE(before, revision_of(*parse_json(kTemplate)));
}

// Golden: names of revisions are made of it.
TEST(Config, HashesOfContentHoldFromVersionToVersion) {
  EXPECT_EQ(content_of(kApp, config_map("info")).hash, "5kbkpsh4vkjn6hk2tdqkf22rkcnd2j7w");
  EXPECT_EQ(revision_with(*parse_json(kTemplate), {{kApp, content_of(kApp, config_map("info"))}}),
            "t9kw5nggc7");
}

// ---- the memory of what was read ----

ConfigQuestion question(std::int64_t generation) {
  ConfigQuestion asked;
  asked.release_uid = "uid-release";
  asked.generation = generation;
  asked.refs = {kApp};
  return asked;
}
ConfigAnswers answer(Result<ConfigContent> content) { return {{kApp, std::move(content)}}; }

TEST(ConfigBook, OneQuestionIsOnItsWayUnlessTheSpecHasChanged) {
  ConfigBook book;
  EXPECT_TRUE(book.begin(question(1)));
  EXPECT_FALSE(book.begin(question(1)));
  EXPECT_TRUE(book.begin(question(2)));
  book.settle(question(1), answer(content_of(kApp, config_map("old"))));
  EXPECT_EQ(book.read("uid-release").answers, nullptr);
  book.settle(question(2), answer(content_of(kApp, config_map("new"))));
  EXPECT_EQ(book.read("uid-release").answered, 2);
  EXPECT_FALSE(book.read("uid-release").waiting);
}

TEST(ConfigBook, WhatCouldNotBeAskedChangesNothingWhatIsGoneDoes) {
  ConfigBook book;
  const auto told = [&](Result<ConfigContent> content) {
    EXPECT_TRUE(book.begin(question(1)));
    book.settle(question(1), answer(std::move(content)));
    return book.read("uid-release").answers->at(kApp);
  };
  EXPECT_EQ(told(Error{ErrorKind::Timeout, "slow"}).error().kind, ErrorKind::Timeout);
  const auto content = content_of(kApp, config_map("info"));
  EXPECT_EQ(told(content)->hash, content.hash);
  EXPECT_EQ(told(Error{ErrorKind::Unavailable, "reset"})->hash, content.hash);
  EXPECT_EQ(told(Error{ErrorKind::NotFound, "gone"}).error().kind, ErrorKind::NotFound);
  book.forget("uid-release");
  EXPECT_EQ(book.read("uid-release").answers, nullptr);
}

// ---- one Release ----

class ReleaseConfigTest : public testing::Test {
 protected:
  ReleaseConfigTest() {
    auto& spec = *scene_.release().spec;
    spec.template_text = kTemplate;
    spec.config = {{"app"}, {"keys"}};
    answers_ = {{kApp, content_of(kApp, config_map("info"))},
                {kKeys, content_of(kKeys, secret("dDBwLXNlY3JldA=="))}};
  }

  // The scene's snapshot with what has been read; `generation` 0: nothing yet.
  ReleaseSnapshot& observe(std::int64_t generation = 7) {
    auto& snapshot = scene_.snapshot();
    snapshot.pod_template = resolved_template(*scene_.release().spec);
    snapshot.config = {};
    ConfigReading reading;
    if (generation > 0) {
      reading.asked = at_second(1);
      reading.generation = reading.answered = generation;
      reading.answers = std::make_shared<const ConfigAnswers>(answers_);
    }
    observe_config(snapshot, reading);
    snapshot.first = snapshot.wanted;
    return snapshot;
  }

  Plan plan(const ReleaseSnapshot& snapshot, WallTime now = at_second(2)) {
    return plan_release(snapshot, chart_course(snapshot, now), now, nullptr);
  }

  // The ReplicaSet of a revision as a plan makes it.
  void make_set(const Plan& made, bool copied) {
    for (const auto& action : made.actions) {
      const auto* create = std::get_if<CreateObject>(&action);
      if (!create || create->kind != kinds::kReplicaSet) continue;
      auto view = *decode_replica_set(create->body);
      view.meta.uid = "uid-rs";
      if (copied) view.meta.annotations[std::string(marks::kConfigCopied)] = "true";
      const auto revision = view.meta.labels.at(std::string(marks::kRevision));
      scene_.snapshot().revisions[revision].replica_set =
          std::make_shared<ReplicaSetView>(std::move(view));
    }
  }

  static std::vector<const CreateObject*> creates(const Plan& plan, const Kind& kind) {
    std::vector<const CreateObject*> result;
    for (const auto& action : plan.actions) {
      const auto* create = std::get_if<CreateObject>(&action);
      if (create && create->kind == kind) result.push_back(create);
    }
    return result;
  }
  static const PatchObject* scale(const Plan& plan) {
    for (const auto& action : plan.actions) {
      const auto* patch = std::get_if<PatchObject>(&action);
      if (patch && patch->kind == kinds::kReplicaSet) return patch;
    }
    return nullptr;
  }
  static std::string said(const Plan& plan) {
    std::string text;
    for (const auto& action : plan.actions) {
      if (const auto* status = std::get_if<PatchStatus>(&action)) text += dump_json(status->status);
      if (const auto* event = std::get_if<RecordEvent>(&action)) text += event->message;
    }
    return text;
  }

  Scene scene_;
  ConfigAnswers answers_;
};

TEST_F(ReleaseConfigTest, NothingBeginsBeforeItsConfigWasRead) {
  const auto& snapshot = observe(0);
  EXPECT_EQ(snapshot.wanted, "");
  const auto made = plan(snapshot);
  ASSERT_TRUE(std::holds_alternative<StartMeasurement>(made.actions.front()));
  const auto& start = std::get<StartMeasurement>(made.actions.front());
  const auto asked = std::dynamic_pointer_cast<const ConfigQuestion>(start.question);
  ASSERT_TRUE(asked);
  EXPECT_EQ(asked->refs, (std::vector<ConfigRef>{kApp, kKeys}));
  EXPECT_EQ(asked->generation, 7);
  EXPECT_TRUE(creates(made, kinds::kReplicaSet).empty());
  EXPECT_EQ(said(made), "");  // not even that an older spec is served well
}

TEST_F(ReleaseConfigTest, AnOlderSpecsAnswerIsNotEnough) {
  EXPECT_TRUE(observe(6).config.unread);
  EXPECT_FALSE(observe(7).config.unread);
}

TEST_F(ReleaseConfigTest, IsReadAnewEachMinuteAndSoonerWhenSomethingIsMissing) {
  const auto next = [&](const ReleaseSnapshot& snapshot) {
    Plan made;
    add_config_reading(snapshot, at_second(2), made);
    return made.look_again;
  };
  EXPECT_EQ(next(observe()), at_second(61));
  answers_.at(kApp) = Error{ErrorKind::NotFound, "gone"};
  EXPECT_EQ(next(observe()), at_second(16));
}

TEST_F(ReleaseConfigTest, ReplicaSetThenCopiesThenPods) {
  const auto first = plan(observe());
  ASSERT_EQ(creates(first, kinds::kReplicaSet).size(), 1U);
  const auto& body = creates(first, kinds::kReplicaSet).front()->body;
  EXPECT_EQ(body["spec"]["replicas"], 0);
  EXPECT_TRUE(creates(first, kinds::kConfigMap).empty());

  make_set(first, false);
  const auto second = plan(observe());
  const auto maps = creates(second, kinds::kConfigMap);
  const auto secrets = creates(second, kinds::kSecret);
  ASSERT_EQ(maps.size(), 1U);
  ASSERT_EQ(secrets.size(), 1U);
  EXPECT_EQ(body["spec"]["template"]["spec"]["volumes"][0]["configMap"]["name"],
            maps.front()->key.name);
  EXPECT_EQ(body["spec"]["template"]["spec"]["volumes"][1]["secret"]["secretName"],
            secrets.front()->key.name);
  EXPECT_EQ(maps.front()->body["immutable"], true);
  EXPECT_EQ(maps.front()->body["data"], config_map("info")["data"]);
  EXPECT_EQ(secrets.front()->body["type"], "Opaque");
  EXPECT_EQ(secrets.front()->owner_uid, "uid-rs");
  EXPECT_EQ(secrets.front()->body["metadata"]["ownerReferences"][0]["uid"], "uid-rs");
  const auto* up = scale(second);
  ASSERT_TRUE(up);
  EXPECT_EQ(up->body["spec"]["replicas"], 4);
  EXPECT_EQ(up->body["metadata"]["annotations"][std::string(marks::kConfigCopied)], "true");
  EXPECT_EQ(said(first).find("dDBwLX"), std::string::npos);
  EXPECT_EQ(said(second).find("dDBwLX"), std::string::npos);
}

TEST_F(ReleaseConfigTest, EachReplicaSetHasCopiesOfItsOwn) {
  const auto name = [&](WallTime now) { return new_config_mark(observe(), now).copies.at(kKeys); };
  EXPECT_EQ(name(at_second(1)), name(at_second(1)));
  EXPECT_NE(name(at_second(1)), name(at_second(2)));
}

TEST_F(ReleaseConfigTest, WithoutCopiesNoPods) {
  make_set(plan(observe()), false);
  answers_.at(kKeys) = Error{ErrorKind::Forbidden, "no"};
  const auto made = plan(observe());
  EXPECT_TRUE(creates(made, kinds::kConfigMap).empty());
  EXPECT_FALSE(scale(made));
}

TEST_F(ReleaseConfigTest, WhatCannotBeReadIsSaidWithItsFieldAndWhatToDo) {
  const auto told = [&](const ConfigRef& ref, Error error) {
    answers_.at(ref) = std::move(error);
    return chart_course(observe(), at_second(2));
  };
  auto course = told(kKeys, {ErrorKind::Forbidden, "secrets is forbidden"});
  EXPECT_TRUE(course.stalled);
  EXPECT_EQ(course.stalled_reason, "ConfigNotUsable");
  EXPECT_EQ(course.message,
            "spec.config.secretRefs[0].name: Weir may not read Secret shop-ns/keys; `kubectl weir "
            "lint --rbac` prints the Role that grants it");
  course = told(kApp, {ErrorKind::NotFound, "gone"});
  EXPECT_EQ(course.message,
            "spec.config.configMapRefs[0].name: found \"app\", must be the name of a ConfigMap in "
            "namespace shop-ns");
}

TEST_F(ReleaseConfigTest, MoreThanAMebibyteIsRefused) {
  answers_.at(kApp) = content_of(kApp, config_map(std::string(kMaxConfigBytes - 20, 'x')));
  EXPECT_EQ(observe().config.fault->message.substr(0, 19), "spec.config: found ");
  answers_.at(kApp) = content_of(kApp, config_map(std::string(kMaxConfigBytes - 40, 'x')));
  EXPECT_FALSE(observe().config.fault);
}

TEST_F(ReleaseConfigTest, AnObjectThatGoesChangesNothingForWhatRuns) {
  make_set(plan(observe()), true);
  const auto stable = observe().wanted;
  scene_.snapshot().revisions[stable].ready_endpoints = 4;
  scene_.route(stable_only(stable));
  answers_.at(kApp) = Error{ErrorKind::NotFound, "gone"};
  const auto& snapshot = observe();
  EXPECT_EQ(snapshot.wanted, stable);
  const auto course = chart_course(snapshot, at_second(2));
  EXPECT_FALSE(course.stalled);
  EXPECT_NE(course.message.find("; spec.config.configMapRefs[0].name"), std::string::npos)
      << course.message;
  EXPECT_EQ(observe(0).wanted, stable);  // nor does a process that begins anew
  auto& spec = *scene_.release().spec;
  spec.images = {{"shop", "shop:3"}};
  EXPECT_EQ(observe().wanted, "");
  EXPECT_TRUE(chart_course(observe(), at_second(2)).stalled);
}

TEST_F(ReleaseConfigTest, ACopyThatIsGoneShowsByAPodThatCannotStart) {
  make_set(plan(observe()), true);
  const auto stable = observe().wanted;
  PodView pod;
  pod.meta = {{"shop-ns", "shop-1"}, "uid-pod", "9"};
  pod.meta.created = at_second(100);
  pod.trouble = ContainerTrouble{};
  pod.trouble->reason = "CreateContainerConfigError";
  scene_.snapshot().revisions[stable].pods = {std::make_shared<PodView>(pod)};
  scene_.route(stable_only(stable));
  const auto copies = [&](double second) {
    return creates(plan(observe(), at_second(second)), kinds::kSecret).size();
  };
  EXPECT_EQ(copies(119), 0U);
  const auto restoring = plan(observe(), at_second(121));
  ASSERT_EQ(creates(restoring, kinds::kSecret).size(), 1U);
  EXPECT_TRUE(creates(restoring, kinds::kSecret).front()->restores);
  EXPECT_EQ(copies(140), 0U);
  EXPECT_EQ(copies(181), 1U);
}

}  // namespace
}  // namespace weir::test
