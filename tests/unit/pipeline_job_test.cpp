#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "pipeline/stage_job.h"

namespace weir {
namespace {

class JobOfAStage : public testing::Test {
 protected:
  JobOfAStage() {
    run_.meta.key = {"ci", "shop-7xk2p"};
    run_.meta.uid = "uid-1";
    run_.spec->pipeline = "shop";
  }

  Json build(const std::string& stage_patch, const std::string& spec_patch = "{}") {
    Json stage = Json::parse(R"({"name": "unit",
        "steps": [{"name": "test", "image": "python:3.12", "script": "pytest $X"}]})");
    stage.merge_patch(Json::parse(stage_patch));
    Json json{{"stages", Json::array({stage})}};
    json.merge_patch(Json::parse(spec_patch));
    const auto decoded = decode_pipeline_spec(json);
    EXPECT_TRUE(decoded) << decoded.error().message;
    spec_ = *decoded;
    auto values = values_of(run_, "shop");
    values.params = params_;
    const auto all = combinations(spec_.stages[0].matrix.value_or(Matrix{}));
    const auto body =
        job_body({run_, spec_, spec_.stages[0], all.front(), 2, values}, {"weir:1", "checkout:1"});
    error_ = body ? "" : body.error().message;
    return body ? *body : Json();
  }

  static const Json& pod_of(const Json& job) { return json_at(job, {"spec", "template", "spec"}); }
  static Json container(const Json& job, const std::string& name) {
    for (const auto& item : pod_of(job).at("initContainers"))
      if (item.at("name") == name) return item;
    ADD_FAILURE() << "no container " << name;
    return {};
  }
  static std::string names(const Json& job) {
    std::string all;
    for (const auto& item : pod_of(job).at("initContainers"))
      all += item.at("name").get<std::string>() + " ";
    return all;
  }
  // Value of a variable of a step; "?" when it is not there, "!" when it is there twice.
  static std::string variable(const Json& of, const std::string& name) {
    std::string value = "?";
    for (const auto& item : of.at("env"))
      if (item.at("name") == name) value = value == "?" ? json_text(item, {"value"}) : "!";
    return value;
  }

  PipelineRun run_;
  PipelineSpec spec_;
  std::map<std::string, std::string> params_;
  std::string error_;
};

TEST_F(JobOfAStage, RunsOnceAndIsReplacedOnlyWhenItsPodIsGone) {
  const auto job = build("{}");
  EXPECT_EQ(json_at(job, {"spec", "backoffLimit"}), 0);
  EXPECT_EQ(json_at(job, {"spec", "podReplacementPolicy"}), "Failed");
  const auto& rule = job.at("spec").at("podFailurePolicy").at("rules").at(0);
  EXPECT_EQ(rule.at("action"), "Ignore");
  EXPECT_EQ(rule.at("onPodConditions").at(0).at("type"), "DisruptionTarget");
  EXPECT_EQ(pod_of(job).at("restartPolicy"), "Never");
  EXPECT_EQ(pod_of(job).at("activeDeadlineSeconds"), 1800);
  EXPECT_FALSE(job.at("spec").contains("activeDeadlineSeconds"));
  const auto once = build(R"({"restartable": false, "timeout": "1500ms"})");
  EXPECT_EQ(once.at("spec").at("podFailurePolicy").at("rules").at(0).at("action"), "FailJob");
  EXPECT_EQ(pod_of(once).at("activeDeadlineSeconds"), 2);
}

TEST_F(JobOfAStage, BelongsToItsRunAndSaysWhichAttemptItIs) {
  const auto job = build("{}");
  const auto& meta = job.at("metadata");
  EXPECT_EQ(meta.at("name"), job_name(run_, "unit", "", 2));
  EXPECT_EQ(meta.at("ownerReferences").at(0).at("uid"), "uid-1");
  EXPECT_EQ(meta.at("ownerReferences").at(0).at("controller"), true);
  EXPECT_EQ(meta.at("labels"), Json::parse(R"({"weir.dev/pipeline": "shop",
      "weir.dev/run": "shop-7xk2p", "weir.dev/stage": "unit", "weir.dev/attempt": "2"})"));
  EXPECT_EQ(json_at(job, {"spec", "template", "metadata", "labels"}), meta.at("labels"));
}

TEST_F(JobOfAStage, StepsFollowSidecars) {
  const auto job = build(R"({"services": [{"name": "redis", "image": "redis:7",
      "readyPort": 6379}]})");
  EXPECT_EQ(names(job), "weir-tools service-redis step-test ");
  const auto redis = container(job, "service-redis");
  EXPECT_EQ(redis.at("restartPolicy"), "Always");
  EXPECT_EQ(json_at(redis, {"startupProbe", "tcpSocket", "port"}), 6379);
  EXPECT_FALSE(redis.contains("command"));
}

TEST_F(JobOfAStage, KeepsTheRestrictedStandard) {
  const auto job = build(R"({"services": [{"name": "redis", "image": "redis:7"}],
      "pod": {"runAsUser": 999, "runAsGroup": 998, "nodeSelector": {"disk": "ssd"},
              "tolerations": [{"key": "ci", "operator": "Exists"}],
              "imagePullSecrets": [{"name": "registry"}]}})");
  const auto& pod = pod_of(job);
  EXPECT_EQ(pod.at("automountServiceAccountToken"), false);
  EXPECT_EQ(pod.at("securityContext").at("runAsUser"), 999);
  EXPECT_EQ(pod.at("securityContext").at("fsGroup"), 998);
  EXPECT_EQ(pod.at("nodeSelector"), Json::parse(R"({"disk": "ssd"})"));
  EXPECT_EQ(pod.at("tolerations").at(0).at("key"), "ci");
  EXPECT_EQ(pod.at("imagePullSecrets"), Json::parse(R"([{"name": "registry"}])"));
  auto containers = pod.at("initContainers");
  containers.push_back(pod.at("containers").at(0));
  for (const auto& item : containers)
    EXPECT_EQ(item.at("securityContext"), Json::parse(R"({"allowPrivilegeEscalation": false,
        "capabilities": {"drop": ["ALL"]}, "runAsNonRoot": true,
        "seccompProfile": {"type": "RuntimeDefault"}})"))
        << item.at("name");
  for (const auto& volume : pod.at("volumes")) EXPECT_TRUE(volume.contains("emptyDir"));
  EXPECT_EQ(
      pod_of(build(R"({"mountServiceAccountToken": true})")).at("automountServiceAccountToken"),
      true);
}

TEST_F(JobOfAStage, ParametersArriveAsEnvironmentAndNothingElse) {
  params_ = {{"log-level", "debug"}, {"title", "$(TOKEN)\"; rm -rf /"}};
  const auto job = build(R"j({"env": [{"name": "TITLE", "value": "t: $(params.title)"},
      {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}],
      "envFrom": [{"secretRef": {"name": "all"}, "prefix": "P_"}]})j",
                         R"({"params": [{"name": "log-level"}, {"name": "title"}]})");
  const auto step = container(job, "step-test");
  EXPECT_EQ(variable(step, "PARAM_LOG_LEVEL"), "debug");
  EXPECT_EQ(variable(step, "PARAM_TITLE"), "$$(TOKEN)\"; rm -rf /");
  EXPECT_EQ(variable(step, "TITLE"), "t: $$(TOKEN)\"; rm -rf /");
  EXPECT_EQ(step.at("envFrom"), Json::parse(R"([{"secretRef": {"name": "all"}, "prefix": "P_"}])"));
  EXPECT_EQ(dump_json(step.at("args")).find("rm -rf"), std::string::npos);
  EXPECT_NE(dump_json(step.at("env")).find("secretKeyRef"), std::string::npos);
}

TEST_F(JobOfAStage, AStepHasItsFoldersAndWhoItIs) {
  const auto job = build(R"({"env": [{"name": "WORKSPACE", "value": "/etc"},
      {"name": "HOME", "value": "/own"}]})");
  const auto step = container(job, "step-test");
  EXPECT_EQ(variable(step, "WORKSPACE"), "/workspace") << "not to be changed";
  EXPECT_EQ(variable(step, "HOME"), "/own");
  EXPECT_EQ(variable(step, "RESULTS"), "/opt/weir/out/results");
  EXPECT_EQ(variable(step, "WEIR_STAGE"), "unit");
  EXPECT_EQ(variable(step, "WEIR_ATTEMPT"), json_text(job, {"metadata", "name"}));
  EXPECT_EQ(step.at("workingDir"), "/workspace");
}

TEST_F(JobOfAStage, ScriptsAndCommandsRunUnderWeirStepAsTheyAreWritten) {
  auto job = build(R"j({"noOutputTimeout": "2m", "results": [{"name": "digest"}],
      "steps": [{"name": "a", "image": "a", "script": "echo $(date) $X", "timeout": "90s"},
                {"name": "b", "image": "b", "command": ["sh", "-c"], "args": ["echo $(X)"],
                 "workingDir": "sub"}]})j");
  EXPECT_EQ(container(job, "step-a").at("command"), Json::parse(R"(["/opt/weir/bin/weir-step"])"));
  EXPECT_EQ(container(job, "step-a").at("args"),
            Json::parse(R"(["run", "--timeout=1m30s", "--no-output-timeout=2m",
                "--message-bytes=3072", "--result=digest", "--script=echo $$(date) $$X"])"));
  EXPECT_EQ(container(job, "step-b").at("args"),
            Json::parse(R"j(["run", "--no-output-timeout=2m", "--message-bytes=3072",
                "--result=digest", "--", "sh", "-c", "echo $$(X)"])j"));
  EXPECT_EQ(container(job, "step-b").at("workingDir"), "/workspace/sub");
}

TEST_F(JobOfAStage, AMatrixFillsImageAndEnvironment) {
  const auto job = build(R"j({"matrix": {"axes": [{"name": "python", "values": ["3.11"]}]},
      "steps": [{"name": "a", "image": "python:$(matrix.python)", "script": "x"}]})j");
  EXPECT_EQ(container(job, "step-a").at("image"), "python:3.11");
  EXPECT_EQ(variable(container(job, "step-a"), "MATRIX_PYTHON"), "3.11");
  EXPECT_EQ(json_at(job, {"metadata", "labels", "weir.dev/combination"}),
            combination_label("python=3.11"));
}

TEST_F(JobOfAStage, AnImageThatComesOutWrongIsNamed) {
  params_ = {{"tag", "a b"}};
  build(R"j({"steps": [{"name": "a", "image": "x:$(params.tag)", "script": "x"}]})j",
        R"({"params": [{"name": "tag"}]})");
  EXPECT_EQ(error_,
            "stage unit: steps[name=a].image: found \"x:a b\", must be an image without spaces, at "
            "most 512 characters");
}

TEST_F(JobOfAStage, NamesAreShortStableAndDifferent) {
  EXPECT_EQ(job_name(run_, "unit", "", 1), job_name(run_, "unit", "", 1));
  std::set<std::string> names;
  for (const auto* stage : {"unit", "uni", "unit-1"})
    for (const auto* combination : {"", "a=1", "a=2"})
      for (int attempt = 1; attempt <= 12; ++attempt)
        names.insert(job_name(run_, stage, combination, attempt));
  EXPECT_EQ(names.size(), 108U);
  auto other = run_;
  other.meta.uid = "uid-2";
  EXPECT_NE(job_name(run_, "unit", "", 1), job_name(other, "unit", "", 1));
  run_.meta.key.name = std::string(25, 'r') + "-" + std::string(37, 'r');
  const auto longest = job_name(run_, std::string(40, 's'), "", 15);
  EXPECT_LE(longest.size(), 63U);
  EXPECT_EQ(longest.find("--"), std::string::npos);
}

TEST_F(JobOfAStage, TheCommitIsCheckedOutBeforeTheFirstStepAndOnlyThatSeesTheSecret) {
  run_.spec->commit = "0123456789abcdef0123456789abcdef01234567";
  const auto source = R"({"source": {"git": {"url": "https://git/shop.git", "submodules": true,
                                             "secretRef": {"name": "deploy-key"}}}})";
  const auto job = build(R"({"services": [{"name": "db", "image": "db:1"}]})", source);
  EXPECT_EQ(names(job), "weir-tools weir-checkout service-db step-test ");
  const auto checkout = container(job, "weir-checkout");
  EXPECT_EQ(checkout.at("image"), "checkout:1");
  EXPECT_EQ(variable(checkout, "SOURCE_URL"), "https://git/shop.git");
  EXPECT_EQ(variable(checkout, "SOURCE_COMMIT"), run_.spec->commit);
  EXPECT_EQ(variable(checkout, "SOURCE_SUBMODULES"), "yes");
  EXPECT_EQ(variable(checkout, "SOURCE_CREDENTIALS"), "/opt/weir/source");
  EXPECT_NE(checkout.at("volumeMounts").dump().find("source-credentials"), std::string::npos);
  const auto step = container(job, "step-test");
  EXPECT_EQ(variable(step, "WEIR_COMMIT"), run_.spec->commit);
  EXPECT_EQ(step.at("volumeMounts").dump().find("source-credentials"), std::string::npos);
  EXPECT_EQ(pod_of(job).at("volumes").back().at("secret").at("secretName"), "deploy-key");
}

TEST_F(JobOfAStage, AStageMayGoWithoutTheSourceAndASourceWithoutASecret) {
  run_.spec->commit = "0123456789abcdef0123456789abcdef01234567";
  const auto source = R"({"source": {"git": {"url": "https://git/shop.git"}}})";
  EXPECT_EQ(names(build(R"({"checkout": false})", source)), "weir-tools step-test ");
  const auto job = build("{}", source);
  EXPECT_EQ(variable(container(job, "weir-checkout"), "SOURCE_CREDENTIALS"), "");
  EXPECT_EQ(job.dump().find("source-credentials"), std::string::npos);
}

}  // namespace
}  // namespace weir
