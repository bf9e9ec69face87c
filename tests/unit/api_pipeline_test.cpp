#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "api/pipeline.h"
#include "api/stage_graph.h"
#include "base/json.h"

namespace weir {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

Json minimal() {
  return Json::parse(R"({"stages": [{"name": "unit",
      "steps": [{"name": "test", "image": "python:3.12", "script": "pytest"}]}]})");
}

Result<PipelineSpec> decode_with(const std::string& patch) {
  Json spec = minimal();
  spec.merge_patch(Json::parse(patch));
  return decode_pipeline_spec(spec);
}

// The one stage of `minimal`, patched.
Result<PipelineSpec> decode_stage_with(const std::string& patch) {
  Json spec = minimal();
  spec["stages"][0].merge_patch(Json::parse(patch));
  return decode_pipeline_spec(spec);
}

TEST(PipelineSpec, WhatIsLeftOutHasItsDefault) {
  const auto pipeline = decode_with("{}");
  ASSERT_TRUE(pipeline) << pipeline.error().message;
  EXPECT_EQ(pipeline->timeout, hours(2));
  EXPECT_EQ(pipeline->retention.runs, 20);
  EXPECT_EQ(pipeline->retention.age, hours(720));
  EXPECT_FALSE(pipeline->concurrency);
  const auto& stage = pipeline->stages.at(0);
  EXPECT_EQ(stage.timeout, minutes(30));
  EXPECT_EQ(stage.retry.attempts, 1);
  EXPECT_TRUE(stage.restartable);
  EXPECT_FALSE(stage.mounts_token);
  EXPECT_EQ(stage.pod.run_as_user, 1000);
  EXPECT_FALSE(stage.steps.at(0).timeout);
  EXPECT_EQ(stage.text, dump_json(minimal()["stages"][0]));
}

TEST(PipelineSpec, AllOfAStageIsRead) {
  const auto pipeline = decode_stage_with(R"j({
      "matrix": {"axes": [{"name": "python", "values": ["3.11", "3.12"]}],
                 "include": [{"python": "3.13"}], "exclude": [{"python": "3.11"}],
                 "maxParallel": 2, "failFast": false},
      "retry": {"attempts": 2, "classes": ["Infrastructure", "Timeout"]},
      "restartable": false, "timeout": "10m", "noOutputTimeout": "2m",
      "env": [{"name": "A", "value": "$(matrix.python)"},
              {"name": "B", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}],
      "envFrom": [{"configMapRef": {"name": "c"}, "prefix": "C_"}],
      "services": [{"name": "redis", "image": "redis:7", "readyPort": 6379}],
      "mountServiceAccountToken": true,
      "pod": {"runAsUser": 999, "nodeSelector": {"disk": "ssd"}}})j");
  ASSERT_TRUE(pipeline) << pipeline.error().message;
  const auto& stage = pipeline->stages.at(0);
  EXPECT_EQ(combinations(*stage.matrix).size(), 2U);
  EXPECT_EQ(stage.matrix->max_parallel, 2);
  EXPECT_FALSE(stage.matrix->fail_fast);
  EXPECT_EQ(stage.retry.classes,
            (std::vector<FailureClass>{FailureClass::Infrastructure, FailureClass::Timeout}));
  EXPECT_FALSE(stage.restartable);
  EXPECT_EQ(stage.no_output_timeout, minutes(2));
  EXPECT_EQ(stage.env.at(1).from, EnvVar::From::Secret);
  EXPECT_EQ(stage.env_from.at(0).config_map, "c");
  EXPECT_EQ(stage.services.at(0).ready_port, 6379);
  EXPECT_TRUE(stage.mounts_token);
  EXPECT_EQ(stage.pod.run_as_user, 999);
  EXPECT_EQ(stage.pod.node_selector.at("disk"), "ssd");
}

TEST(PipelineSpec, StagesWaitForNeedsAndResults) {
  Json spec = minimal();
  spec["stages"][0]["results"] = Json::parse(R"([{"name": "digest"}])");
  spec["stages"].push_back(Json::parse(R"({"name": "lint", "steps": [{"name": "a", "image": "a",
      "command": ["a"]}]})"));
  spec["stages"].push_back(Json::parse(R"j({"name": "push", "needs": ["lint"],
      "env": [{"name": "D", "value": "$(stages.unit.results.digest)"}],
      "steps": [{"name": "a", "image": "a", "command": ["a"]}]})j"));
  const auto pipeline = decode_pipeline_spec(spec);
  ASSERT_TRUE(pipeline) << pipeline.error().message;
  EXPECT_EQ(stages_before(pipeline->stages[2]), (std::set<std::string>{"lint", "unit"}));
  EXPECT_EQ(stages_used_by(pipeline->stages[2]), std::set<std::string>{"unit"});
}

struct BadInput {
  std::string patch;
  std::string message;  // or how it begins
};

void expect_refused(const BadInput& bad, const Result<PipelineSpec>& pipeline) {
  ASSERT_FALSE(pipeline) << bad.patch;
  EXPECT_EQ(pipeline.error().kind, ErrorKind::Invalid);
  EXPECT_EQ(pipeline.error().message.substr(0, bad.message.size()), bad.message) << bad.patch;
}

TEST(PipelineSpec, BadPipelinesAreRefusedWithPathAndWhatIsAllowed) {
  const std::string step = R"("steps": [{"name": "a", "image": "a", "command": ["a"]}])";
  const auto two = [&](const std::string& a, const std::string& b) {
    return R"({"stages": [{)" + a + ", " + step + "}, {" + b + ", " + step + "}]}";
  };
  const std::vector<BadInput> table{
      {R"({"stages": []})", "spec.stages: found [], must be a list of 1 to 50 items"},
      {R"({"stages": null})", "spec.stages: missing, must be a list of 1 to 50 items"},
      {two(R"("name": "a")", R"("name": "a")"),
       "spec.stages[1].name: found \"a\", must be unique in the list"},
      {two(R"("name": "a", "needs": ["b"])", R"("name": "b", "needs": ["a"])"),
       "spec: found the cycle a -> b -> a, must be stages that do not wait for themselves"},
      {two(R"("name": "a", "needs": ["a"])", R"("name": "b")"), "spec: found the cycle a -> a"},
      {two(R"("name": "a")", R"("name": "b", "needs": ["lint"])"),
       "spec.stages[1].needs: found [\"lint\"], must be names of stages; lint is none"},
      {two(R"("name": "a")",
           R"j("name": "b", "env": [{"name": "X", "value": "$(stages.a.results.x)"}])j"),
       "spec.stages[1].env[0].value: found \"$(stages.a.results.x)\", must be without "
       "$(stages.a.results.x): it is none of the stage's results"},
      {R"({"finally": [{"name": "unit", )" + step + "}]}",
       "spec.finally[0].name: found \"unit\", must be not that of one of spec.stages"},
      {R"({"params": [{"name": "a"}, {"name": "a"}]})",
       "spec.params[1].name: found \"a\", must be unique in the list"},
      {R"({"params": [{"name": "A"}]})", "spec.params[0].name: found \"A\", must be a name of"},
      {R"({"params": [{"name": "a", "default": "x", "allowed": ["y", "z"]}]})",
       "spec.params[0].default: found \"x\", must be one of y, z"},
      {R"({"concurrency": {"policy": "Wait"}})",
       "spec.concurrency.policy: found \"Wait\", must be one of Queue, CancelOld, Reject"},
      {R"j({"concurrency": {"group": "$(outcome)"}})j",
       "spec.concurrency.group: found \"$(outcome)\", must be of what is known before a run"},
      {R"({"timeout": "200h"})", "spec.timeout: found \"200h\", must be from 1s to 168h"},
      {R"({"retention": {"runs": 0}})", "spec.retention.runs: found 0, must be a whole number"},
  };
  for (const auto& bad : table) expect_refused(bad, decode_with(bad.patch));
}

TEST(PipelineSpec, BadStagesAreRefusedWithPathAndWhatIsAllowed) {
  const std::string at = "spec.stages[0].";
  const std::string step = at + "steps[0]";
  const std::vector<BadInput> table{
      {R"({"name": "Unit"})", at + "name: found \"Unit\", must be a name of at most 40 lower-case"},
      {R"({"steps": []})", at + "steps: found [], must be a list of 1 to 16 items"},
      {R"({"steps": [{"name": "a", "image": "a"}]})",
       step + ": found neither command nor script, must be exactly one of them"},
      {R"({"steps": [{"name": "a", "image": "a", "script": "x", "command": ["x"]}]})",
       step + ": found both command and script, must be exactly one of them"},
      {R"({"steps": [{"name": "a", "image": "a", "command": []}]})",
       step + ".command: found [], must be a list of 1 to 64 items"},
      {R"({"steps": [{"name": "a", "image": "a", "script": "x", "args": ["y"]}]})",
       step + ".args: found [\"y\"], must be left out with script: it has none"},
      {R"({"steps": [{"name": "a", "image": "", "script": "x"}]})",
       step + ".image: found \"\", must be an image without spaces"},
      {R"j({"steps": [{"name": "a", "image": "a", "script": "echo $(params.title)"}]})j",
       step + ".script: found \"echo $(params.title)\", must be without $(params.title): who "
              "starts a run could make a program of it; give it to the step by env"},
      {R"j({"steps": [{"name": "a", "image": "a", "command": ["sh", "-c", "x $(outcome)"]}]})j",
       step + ".command: found [\"sh\",\"-c\",\"x $(outcome)\"], must be without $(outcome)"},
      {R"({"steps": [{"name": "a", "image": "a", "script": "x", "timeout": "0s"}]})",
       step + ".timeout: found \"0s\", must be from 1s to 24h"},
      {R"({"steps": [{"name": "a", "image": "a", "script": "x", "workingDir": "../b"}]})",
       step + ".workingDir: found \"../b\", must be a relative path without '..'"},
  };
  for (const auto& bad : table) expect_refused(bad, decode_stage_with(bad.patch));
}

TEST(PipelineSpec, BadPartsOfStagesAreRefusedWithPathAndWhatIsAllowed) {
  const std::string at = "spec.stages[0].";
  const std::vector<BadInput> table{
      {R"({"env": [{"name": "1A", "value": "x"}]})",
       at + "env[0].name: found \"1A\", must be a variable's name"},
      {R"j({"env": [{"name": "A", "value": "$(date)"}]})j",
       at + "env[0].value: found \"$(date)\", must be without unknown placeholders: found "
            "\"$(date)\", must be one of $(run),"},
      {R"j({"env": [{"name": "A", "value": "$(params.x)"}]})j",
       at + "env[0].value: found \"$(params.x)\", must be without $(params.x): it is none of "
            "spec.params"},
      {R"j({"env": [{"name": "A", "value": "$(matrix.x)"}]})j",
       at + "env[0].value: found \"$(matrix.x)\", must be without $(matrix.x): the stage has no "
            "matrix"},
      {R"j({"env": [{"name": "A", "value": "$(outcome)"}]})j",
       at + "env[0].value: found \"$(outcome)\", must be without $(outcome): only stages of "
            "finally know it"},
      {R"({"env": [{"name": "A", "value": "x", "valueFrom": {}}]})",
       at + "env[0]: found both value and valueFrom"},
      {R"({"env": [{"name": "A", "valueFrom": {}}]})",
       at + "env[0].valueFrom: must be exactly one of secretKeyRef and configMapKeyRef"},
      {R"({"envFrom": [{}]})", at + "envFrom[0]: must be exactly one of secretRef and"},
      {R"({"retry": {"attempts": 3}})",
       at + "retry.classes: missing, must be given: which failures may be tried again"},
      {R"({"retry": {"attempts": 3, "classes": ["Flaky"]}})",
       at + "retry.classes: found [\"Flaky\"], must be of Test, Infrastructure"},
      {R"({"retry": {"attempts": 11, "classes": ["Test"]}})",
       at + "retry.attempts: found 11, must be a whole number from 1 to 10"},
      {R"({"services": [{"name": "test", "image": "a"}]})",
       at + "services[0].name: found \"test\", must be not that of a step"},
      {R"({"pod": {"runAsUser": 0}})",
       at + "pod.runAsUser: found 0, must be a whole number from 1"},
      {R"j({"when": [{"input": "$(run)", "operator": "Is", "values": ["x"]}]})j",
       at + "when[0].operator: found \"Is\", must be one of In, NotIn"},
      {R"j({"when": [{"input": "$(matrix.a)", "operator": "In", "values": ["x"]}],
           "matrix": {"axes": [{"name": "a", "values": ["1"]}]}})j",
       at + "when[0].input: found \"$(matrix.a)\", must be without $(matrix.a): `when` is asked"},
      {R"({"results": [{"name": "a"}, {"name": "a"}]})",
       at + "results[1].name: found \"a\", must be unique in the list"},
      {R"({"matrix": {"axes": [{"name": "a", "values": [3.11]}]}})",
       at + "matrix.axes[0].values[0]: found 3.11, must be a text of 1 to 63 letters, digits and"},
      {R"({"matrix": {"axes": [{"name": "a", "values": ["1"]}], "exclude": [{"a": "1"}]}})",
       at + "matrix: found no combination left, must be at least one"},
      {R"({"matrix": {"axes": [{"name": "a", "values": ["1"]}], "exclude": [{"b": "1"}]}})",
       at + "matrix.exclude[0].b: found \"1\", must be of an axis of the matrix (a)"},
      {R"({"matrix": {"axes": [{"name": "a", "values": ["1"]}, {"name": "b", "values": ["1"]}],
           "include": [{"a": "1"}]}})",
       at + "matrix.include[0].b: missing, must be given for every axis"},
  };
  for (const auto& bad : table) expect_refused(bad, decode_stage_with(bad.patch));
}

TEST(PipelineSpec, AMatrixOfTenThousandIsRefused) {
  Json axis{{"name", "a"}, {"values", Json::array()}};
  for (int i = 0; i < 50; ++i) axis["values"].push_back(std::to_string(i));
  Json spec = minimal();
  spec["stages"][0]["matrix"]["axes"] = Json::array({axis, axis});
  spec["stages"][0]["matrix"]["axes"][1]["name"] = "b";
  const auto pipeline = decode_pipeline_spec(spec);
  ASSERT_FALSE(pipeline);
  EXPECT_EQ(pipeline.error().message,
            "spec.stages[0].matrix: found 2500 combinations, must be at most 100");
}

TEST(PipelineSpec, AllStagesTogetherAreLimited) {
  Json axis{{"name", "a"}, {"values", Json::array()}};
  for (int i = 0; i < 50; ++i) axis["values"].push_back(std::to_string(i));
  Json spec = minimal();
  spec["stages"][0]["matrix"]["axes"] = Json::array({axis});
  for (int i = 0; i < 4; ++i) {
    spec["stages"].push_back(spec["stages"][0]);
    spec["stages"].back()["name"] = "more-" + std::to_string(i);
  }
  const auto pipeline = decode_pipeline_spec(spec);
  ASSERT_FALSE(pipeline);
  EXPECT_EQ(pipeline.error().message,
            "spec: found 250 stages with each combination counted, must be at most 200");
}

TEST(PipelineSpec, ATooLongOneIsRefused) {
  Json spec = minimal();
  for (int i = 0; i < 3; ++i) {
    spec["stages"].push_back(spec["stages"][0]);
    spec["stages"].back()["name"] = "more-" + std::to_string(i);
    spec["stages"].back()["steps"][0]["script"] = std::string(16'000, 'x');
  }
  const auto pipeline = decode_pipeline_spec(spec);
  ASSERT_FALSE(pipeline);
  EXPECT_EQ(pipeline.error().message.find("spec: found 48"), 0U) << pipeline.error().message;
}

TEST(Pipeline, ItsNameIsShortEnoughForALabel) {
  Json object{{"metadata", {{"name", std::string(64, 'a')}, {"namespace", "n"}}},
              {"spec", minimal()}};
  const auto pipeline = decode_pipeline(object);
  ASSERT_TRUE(pipeline);
  ASSERT_FALSE(pipeline->spec);
  EXPECT_EQ(pipeline->spec.error().message.find("metadata.name: found"), 0U);
  object["metadata"]["name"] = "shop";
  EXPECT_TRUE(decode_pipeline(object)->spec);
  EXPECT_EQ(decode_pipeline(object)->spec_text, dump_json(minimal()));
}

}  // namespace
}  // namespace weir
