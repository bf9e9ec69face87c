#include <gtest/gtest.h>

#include "api/object_check.h"
#include "unit/api_test_support.h"

namespace weir::api_test {
namespace {

class ObjectCheck : public testing::Test {
 protected:
  // A base of the contract's table with a merge patch.
  Json object(const std::string& base, const std::string& patch) const {
    Json result = inputs.at("bases").at(base);
    result.merge_patch(Json::parse(patch));
    return result;
  }
  std::vector<std::string> faults(const std::string& base, const std::string& patch) const {
    std::vector<std::string> texts;
    for (const auto& fault : check_object(object(base, patch)))
      texts.push_back(fault.path + ": " + fault.what);
    return texts;
  }

  using Texts = std::vector<std::string>;
  Json inputs = load_yaml("tests/contract/inputs.yaml");
};

// The whole table, also what the decoders let pass and only the server refuses.
TEST_F(ObjectCheck, RefusesWhatTheServerRefuses) {
  for (const Json& input : inputs.at("cases")) {
    Json object = inputs.at("bases").at(input.at("base").get<std::string>());
    object.merge_patch(input.at("patch"));
    const auto faults = check_object(object);
    EXPECT_EQ(faults.empty(), input.at("accepted").get<bool>())
        << input.at("name") << ": " << (faults.empty() ? "" : faults[0].path + faults[0].what);
  }
}

TEST_F(ObjectCheck, NamesUnknownFieldsWithWhatWasMeant) {
  EXPECT_EQ(faults("release", R"({"spec": {"replcas": 3, "nonsense": 1}})"),
            (Texts{"spec.nonsense: unknown field",
                   "spec.replcas: unknown field, did you mean \"replicas\"?"}));
  EXPECT_EQ(faults("fullPolicy", R"({"spec": {"judge": {"warmUp": "5s"}}})"),
            Texts{"spec.judge.warmUp: unknown field, did you mean \"warmup\"?"});
  EXPECT_EQ(
      faults("policy", R"({"spec": {"steps": [{"weight": 5, "holds": "1m"}, {"weight": 100}]}})"),
      Texts{"spec.steps[0].holds: unknown field, did you mean \"hold\"?"});
  EXPECT_EQ(faults("release", R"({"speck": {}, "metadata": {"label": {}}})"),
            (Texts{"speck: unknown field, did you mean \"spec\"?",
                   "metadata.label: unknown field, did you mean \"labels\"?"}));
}

TEST_F(ObjectCheck, LeavesTheFieldsOfOthersAlone) {
  EXPECT_EQ(faults("fullRelease", R"({"spec": {"template": {
              "metadata": {"anything": 1}, "spec": {"nodeSelector": {"a": "b"}, "anything": []}},
              "traffic": {"gatewayAPI": {"rules": [{"matches": [], "anything": 1}]}}},
              "status": {"anything": 1},
              "metadata": {"uid": "u", "managedFields": [], "creationTimestamp": null}})"),
            Texts{});
}

TEST_F(ObjectCheck, NamesEveryFault) {
  EXPECT_EQ(
      faults("release", R"({"metadata": {"name": "Shop", "labels": {"a": 1}},
                                  "spec": {"replicas": -1, "lifecycle": "Sleep",
                                           "strategy": null}})"),
      (Texts{"metadata.labels.a: found 1, must be text",
             "metadata.name: found \"Shop\", must be a name of at most 46 lower-case letters, "
             "digits and '-' that begins with a letter",
             "spec.replicas: found -1, must be a whole number from 0 to 10000",
             "spec.lifecycle: found \"Sleep\", must be one of PreStopSleep, AsGiven",
             "spec.strategy: missing, must be an object"}));
}

// A weight that cannot be read is no reason to complain about the list around it.
TEST_F(ObjectCheck, SaysNothingOfAFieldAboveAFault) {
  EXPECT_EQ(faults("policy", R"({"spec": {"steps": [{"weight": 5}, {"weight": "100"}]}})"),
            Texts{"spec.steps[1].weight: found \"100\", must be a whole number from 1 to 100"});
}

TEST_F(ObjectCheck, KnowsTheVersionAndKinds) {
  EXPECT_EQ(faults("release", R"({"apiVersion": "weir.dev/v1"})"),
            Texts{"apiVersion: found \"weir.dev/v1\", must be weir.dev/v1alpha1"});
  EXPECT_EQ(faults("release", R"({"kind": "release"})"),
            Texts{"kind: found \"release\", must be one of CanaryPolicy, Release, Pipeline, "
                  "PipelineRun"});
  EXPECT_TRUE(is_of_our_group(object("release", R"({"apiVersion": "weir.dev/v9"})")));
  EXPECT_FALSE(is_of_our_group(object("release", R"({"apiVersion": "v1"})")));
  EXPECT_FALSE(is_of_our_group(Json::parse("[1]")));
}

TEST_F(ObjectCheck, AllowsAGeneratedName) {
  EXPECT_EQ(faults("policy", R"({"metadata": {"name": null, "generateName": "p-"}})"), Texts{});
  EXPECT_EQ(faults("policy", R"({"metadata": {"name": null}})").size(), 1U);
}

}  // namespace
}  // namespace weir::api_test
