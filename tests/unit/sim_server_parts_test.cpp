// The parts of the in-memory API server: selectors, field sets, schemas, tables.
#include <fstream>
#include <sstream>

#include "sim/server/definitions.h"
#include "sim/server/discovery.h"
#include "sim/server/field_set.h"
#include "sim/server/http_request.h"
#include "sim/server/patching.h"
#include "sim/server/table.h"
#include "unit/sim_server_support.h"

namespace weir::sim {
namespace {

std::string text_of(const std::string& file) {
  std::ifstream in(std::string(WEIR_SOURCE_DIR "/") + file);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

TEST(ServerDefinitions, AreTheFilesThatAClusterGets) {
  EXPECT_EQ(kCustomDefinitions[0], text_of("crds/canarypolicies.weir.dev.yaml"));
  EXPECT_EQ(kCustomDefinitions[1], text_of("crds/pipelineruns.weir.dev.yaml"));
  EXPECT_EQ(kCustomDefinitions[2], text_of("crds/pipelines.weir.dev.yaml"));
  EXPECT_EQ(kCustomDefinitions[3], text_of("crds/releases.weir.dev.yaml"));
  EXPECT_EQ(kBuiltinDefinitions, text_of("operator/sim/server/builtin.yaml"));
}

TEST(ServerDefinitions, EveryKindOfOursIsServed) {
  for (const auto& kind :
       {kinds::kRelease, kinds::kCanaryPolicy, kinds::kReplicaSet, kinds::kService, kinds::kEvent,
        kinds::kEndpointSlice, kinds::kHttpRoute}) {
    const auto* resource = find_resource(kind.plural);
    ASSERT_NE(resource, nullptr) << kind.plural;
    EXPECT_EQ(resource->api_version(), kind.api_version());
    EXPECT_EQ(resource->kind, kind.name);
  }
}

TEST(ServerLabelSelector, MatchesBothWays) {
  const Json object = parsed(R"({"metadata":{"labels":{"a":"1","b":""}}})");
  for (const auto* text : {"", "a", "a=1", "a==1", "a!=2", "!c", "c!=1", "a in (1,2)",
                           "a notin (2)", "b=", "a=1,!c,b"})
    EXPECT_TRUE(LabelSelector::parse(text)->matches(object)) << text;
  for (const auto* text : {"c", "a=2", "a!=1", "!a", "a in (2)", "a notin (1,2)", "a=1,c"})
    EXPECT_FALSE(LabelSelector::parse(text)->matches(object)) << text;
  for (const auto* text : {"a in b", "a b", "a=b c", "=1", "a,,b", "a in (b"})
    EXPECT_FALSE(LabelSelector::parse(text)) << text;
}

Schema schema_of(std::string_view text) { return Schema::parse(parsed(text)); }

TEST(ServerSchema, NestedDefaultsFillWhatIsThere) {
  const auto schema = schema_of(R"({"type":"object","properties":{
    "a":{"type":"object","default":{},"properties":{"b":{"type":"integer","default":1}}},
    "c":{"type":"object","properties":{"b":{"type":"integer","default":1}}},
    "d":{"type":"string","nullable":true,"default":"x"}}})");
  Json value = parsed(R"({"d":null,"e":1})");
  Findings findings;
  settle(schema, value, nullptr, {}, findings);
  EXPECT_EQ(value, parsed(R"({"a":{"b":1},"d":null})"));
  EXPECT_EQ(findings.unknown, std::vector<std::string>{"e"});
  EXPECT_TRUE(findings.causes.empty());
}

TEST(ServerSchema, WhatWasThereBeforeIsNotAskedAgain) {
  const auto schema = schema_of(R"({"type":"object","properties":{
    "list":{"type":"array","items":{"type":"string","maxLength":1}}}})");
  const Json old = parsed(R"({"list":["long","b"]})");
  Json value = parsed(R"({"list":["long","longer"]})");
  Findings findings;
  settle(schema, value, &old, {}, findings);
  ASSERT_EQ(findings.causes.size(), 1U);
  EXPECT_EQ(findings.causes[0].field, "list[1]");
}

TEST(ServerFieldSet, IsWrittenAsKubernetesDoes) {
  const auto schema = schema_of(R"({"type":"object","properties":{
    "ports":{"type":"array","x-kubernetes-list-type":"map","x-kubernetes-list-map-keys":["name"],
             "items":{"type":"object","properties":{"name":{"type":"string"}}}},
    "tags":{"type":"array","x-kubernetes-list-type":"set","items":{"type":"string"}},
    "plain":{"type":"array"}}})");
  const auto set = fields_of(
      &schema, parsed(R"({"ports":[{"name":"a","port":1}],"tags":["x"],"plain":[1],"none":{}})"));
  const Json expected = parsed(R"({"f:none":{},"f:plain":{},"f:tags":{"v:\"x\"":{}},
    "f:ports":{"k:{\"name\":\"a\"}":{".":{},"f:name":{},"f:port":{}}}})");
  EXPECT_EQ(fields_v1(set), expected);
  EXPECT_EQ(parse_fields_v1(expected), set);
}

TEST(ServerFieldSet, MergedListsKeepTheirOrder) {
  const auto schema = schema_of(R"({"type":"array","x-kubernetes-list-type":"set",
                                    "items":{"type":"string"}})");
  Json live = parsed(R"(["a","b","c"])");
  merge_config(&schema, live, parsed(R"(["x","b","y"])"));
  EXPECT_EQ(live, parsed(R"(["x","a","b","y","c"])"));
}

TEST(ServerPatching, AStrategicPatchObeysDirectives) {
  const auto schema = schema_of(R"({"type":"object","properties":{
    "list":{"type":"array","x-kubernetes-list-type":"map","x-kubernetes-list-map-keys":["name"],
            "items":{"type":"object"}}}})");
  const Json object = parsed(R"({"list":[{"name":"a","v":1},{"name":"b"}],"words":["x","y"],
                                 "one":{"a":1,"b":2}})");
  const auto patched = strategic_patched(
      schema, object,
      parsed(R"({"list":[{"name":"a","v":2},{"name":"b","$patch":"delete"},{"name":"c"}],
                 "$setElementOrder/list":[{"name":"a"},{"name":"c"}],
                 "$deleteFromPrimitiveList/words":["x"],"one":{"$retainKeys":["b"]}})"));
  EXPECT_EQ(*patched, parsed(R"({"list":[{"name":"a","v":2},{"name":"c"}],"words":["y"],
                                 "one":{"b":2}})"));
}

TEST(ServerTable, AgesReadAsKubectlShowsThem) {
  EXPECT_EQ(human_duration(seconds(-5)), "0s");
  EXPECT_EQ(human_duration(seconds(119)), "119s");
  EXPECT_EQ(human_duration(seconds(120)), "2m");
  EXPECT_EQ(human_duration(seconds(546)), "9m6s");
  EXPECT_EQ(human_duration(seconds(3600)), "60m");
  EXPECT_EQ(human_duration(seconds(7 * 3600 + 60)), "7h1m");
  EXPECT_EQ(human_duration(seconds(47 * 3600)), "47h");
  EXPECT_EQ(human_duration(seconds(3 * 86400)), "3d");
  EXPECT_EQ(human_duration(seconds(800 * 86400)), "2y70d");
}

TEST(ServerTable, AColumnCanPickFromAList) {
  const Json object = parsed(R"({"status":{"c":[{"type":"A"},{"type":"B","status":"True"}]}})");
  EXPECT_EQ(json_path(object, R"(.status.c[?(@.type=="B")].status)"), "True");
  EXPECT_EQ(json_path(object, ".status.c[0].type"), "A");
  EXPECT_TRUE(json_path(object, ".status.c[5].type").is_null());
  EXPECT_TRUE(json_path(object, R"(.status.c[?(@.type=="C")].status)").is_null());
}

TEST(ServerPaths, NameResources) {
  const auto target = target_of("/apis/weir.dev/v1alpha1/namespaces/ns/releases/shop/status");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->resource->kind, "Release");
  EXPECT_EQ(target->ns + "/" + target->name + "/" + target->subresource, "ns/shop/status");
  EXPECT_EQ(target_of("/api/v1/namespaces/ns")->resource->kind, "Namespace");
  EXPECT_EQ(target_of("/api/v1/namespaces/ns/status")->subresource, "status");
  EXPECT_EQ(target_of("/api/v1/namespaces/ns/pods")->ns, "ns");
  for (const auto* path :
       {"/", "/api/v1", "/api/v1/moons", "/api/v2/pods", "/apis/apps/v1/pods", "/api/v1/pods/x",
        "/api/v1/namespaces/ns/pods/x/log", "/api/v1/namespaces/ns/configmaps/x/status"})
    EXPECT_FALSE(target_of(path)) << path;
  EXPECT_FALSE(discovery("/apis/nope.dev"));
}

}  // namespace
}  // namespace weir::sim
