#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "api/codec.h"
#include "base/time_format.h"

namespace weir {
namespace {

TEST(Meta, OfOthersOnlyOurMarksAndTheControllerAreKept) {
  const auto meta = decode_meta(Json::parse(R"({"metadata": {
      "name": "shop-abc", "namespace": "prod", "uid": "u1", "resourceVersion": "77",
      "generation": 4, "creationTimestamp": "2026-11-21T13:19:55Z",
      "labels": {"app": "shop", "weir.dev/release": "shop", "weir.dev/revision": "abc"},
      "annotations": {"weir.dev/policy": "{}", "kubectl.kubernetes.io/x": "y"},
      "ownerReferences": [
        {"kind": "Team", "name": "t", "uid": "u8"},
        {"kind": "Release", "name": "shop", "uid": "u9", "controller": true}]}})"));
  ASSERT_TRUE(meta);
  EXPECT_EQ(meta->key, (ObjectKey{"prod", "shop-abc"}));
  EXPECT_EQ(meta->uid, "u1");
  EXPECT_EQ(meta->resource_version, "77");
  EXPECT_EQ(meta->generation, 4);
  EXPECT_FALSE(meta->deleting);
  EXPECT_EQ(format_time(meta->created.value()), "2026-11-21T13:19:55Z");
  EXPECT_EQ(meta->owner_uid, "u9");
  EXPECT_EQ(meta->owner_name, "shop");
  EXPECT_EQ(meta->owner_kind, "Release");
  EXPECT_EQ(meta->labels.size(), 2U);
  EXPECT_EQ(meta->labels.find(marks::kRevision)->second, "abc");
  EXPECT_EQ(meta->annotations.size(), 1U);
}

TEST(Meta, AnObjectWithADeletionTimeIsBeingDeleted) {
  const auto meta = decode_meta(
      Json::parse(R"({"metadata": {"name": "a", "deletionTimestamp": "2026-11-21T13:19:55Z"}})"));
  ASSERT_TRUE(meta);
  EXPECT_TRUE(meta->deleting);
  EXPECT_FALSE(meta->created);
}

TEST(ReplicaSetView, CountsComeFromSpecAndStatus) {
  const auto view = decode_replica_set(Json::parse(R"({
      "metadata": {"name": "a"}, "spec": {"replicas": 4, "minReadySeconds": 5},
      "status": {"observedGeneration": 2, "replicas": 3, "readyReplicas": 2,
                 "availableReplicas": 1}})"));
  ASSERT_TRUE(view);
  EXPECT_EQ(view->replicas, 4);
  EXPECT_EQ(view->min_ready_seconds, 5);
  EXPECT_EQ(view->current, 3);
  EXPECT_EQ(view->ready, 2);
  EXPECT_EQ(view->available, 1);
  EXPECT_EQ(view->observed_generation, 2);
}

// As the server keeps them after `kubectl scale`.
TEST(ReplicaSetView, WhoElseHasSetReplicasIsKnown) {
  const auto edited_by = [](const std::string& managers) {
    return decode_replica_set(
               Json::parse(R"({"metadata": {"name": "a", "managedFields": )" + managers + "}}"))
        ->edited_by;
  };
  EXPECT_EQ(edited_by(R"([
      {"manager": "weir", "operation": "Update", "fieldsV1": {"f:spec": {"f:template": {}}}},
      {"manager": "kube-controller-manager", "operation": "Update", "subresource": "status",
       "fieldsV1": {"f:status": {"f:replicas": {}}}},
      {"manager": "kubectl", "operation": "Update", "subresource": "scale",
       "fieldsV1": {"f:spec": {"f:replicas": {}}}}])"),
            "kubectl");
  EXPECT_EQ(edited_by(R"([{"manager": "weir", "fieldsV1": {"f:spec": {"f:replicas": {}}}},
                          {"manager": "alice", "fieldsV1": {"f:spec": {"f:template": {}}}}])"),
            "");
  EXPECT_EQ(edited_by(R"("none")"), "");
  EXPECT_EQ(edited_by(R"([7, {"manager": {}}, {"fieldsV1": 3}])"), "");
}

TEST(RawObject, WhoElseOwnsAFieldOfTheSpecIsKnown) {
  const auto raw = decode_raw(Json::parse(R"({"metadata": {"name": "a", "managedFields": [
      {"manager": "gateway", "subresource": "status", "fieldsV1": {"f:spec": {}}},
      {"manager": "argocd", "fieldsV1": {"f:metadata": {"f:labels": {}}}},
      {"manager": "kubectl-edit", "fieldsV1": {"f:spec": {"f:rules": {}}}}]}})"));
  ASSERT_TRUE(raw);
  EXPECT_EQ(raw->edited_by, "kubectl-edit");
}

TEST(ReplicaSetView, AbsentCountsAreThoseOfTheApi) {
  const auto view = decode_replica_set(Json::parse(R"({"metadata": {"name": "a"}})"));
  ASSERT_TRUE(view);
  EXPECT_EQ(view->replicas, 1);
  EXPECT_EQ(view->ready, 0);
}

TEST(EndpointSliceView, ReadyUnlessSaidOtherwiseOrTerminating) {
  const auto view = decode_endpoint_slice(Json::parse(R"({
      "metadata": {"name": "a", "labels": {"kubernetes.io/service-name": "shop-abc"}},
      "endpoints": [
        {"addresses": ["10.0.0.1"], "conditions": {"ready": true}},
        {"addresses": ["10.0.0.2"], "conditions": {}},
        {"addresses": ["10.0.0.3"]},
        {"addresses": ["10.0.0.4"], "conditions": {"ready": null}},
        {"addresses": ["10.0.0.5"], "conditions": {"ready": false}},
        {"addresses": ["10.0.0.6"], "conditions": {"ready": true, "terminating": true}},
        {"addresses": ["10.0.0.7"], 
         "conditions": {"ready": false, "serving": true, "terminating": true}}]})"));
  ASSERT_TRUE(view);
  EXPECT_EQ(view->service, "shop-abc");
  EXPECT_EQ(view->total, 7);
  EXPECT_EQ(view->ready, 4);
  EXPECT_EQ(view->terminating, 2);
}

TEST(EndpointSliceView, ASliceWithoutEndpointsIsEmpty) {
  const auto view =
      decode_endpoint_slice(Json::parse(R"({"metadata": {"name": "a"}, "endpoints": null})"));
  ASSERT_TRUE(view);
  EXPECT_EQ(view->total, 0);
  EXPECT_EQ(view->service, "");
}

TEST(RawObject, KeepsSpecAndStatusAsText) {
  const auto raw = decode_raw(Json::parse(
      R"({"metadata": {"name": "a"}, "data": {},
          "spec": {"b": 1, "a": [2]}, "status": {"c": "é"}})"));
  ASSERT_TRUE(raw);
  EXPECT_EQ(raw->text, R"({"spec":{"a":[2],"b":1},"status":{"c":"é"}})");
  EXPECT_EQ(decode_raw(Json::parse(R"({"metadata": {"name": "a"}})"))->text, "{}");
}

}  // namespace
}  // namespace weir
