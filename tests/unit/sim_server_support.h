// What the tests of the in-memory API server share.
#pragma once

#include <gtest/gtest.h>

#include "base/json.h"
#include "kube/kinds.h"
#include "sim/server/api_server.h"

namespace weir::sim {

class StillClock final : public Clock {
 public:
  WallTime now() const override { return WallTime(seconds(1'800'000'000)); }
  SteadyTime monotonic() const override { return SteadyTime(std::chrono::hours(1)); }
};

inline const Deadline kNever(SteadyTime::max());
inline constexpr Kind kConfigMap{"", "v1", "ConfigMap", "configmaps"};

inline Json parsed(std::string_view text) { return *parse_json(text); }

class ServerTest : public ::testing::Test {
 protected:
  ServerTest() : server_(clock_) { server_.add_namespace("shop-ns"); }

  static Json config_map(const std::string& name, const Json& labels = Json::object()) {
    return Json{{"metadata", {{"name", name}, {"labels", labels}}}, {"data", {{"a", "1"}}}};
  }
  static Json release() {
    return parsed(R"({"apiVersion":"weir.dev/v1alpha1","kind":"Release","metadata":{"name":"shop"},
      "spec":{"template":{"spec":{"containers":[{"name":"shop","image":"shop:1"}]}},
              "service":{"ports":[{"name":"http","port":80}]},
              "traffic":{"type":"GatewayAPI","gatewayAPI":{"parentRefs":[{"name":"web"}]}},
              "strategy":{"type":"Canary","canary":{"policyRef":{"name":"standard"}}}}})");
  }

  Result<Json> create(const Kind& kind, const Json& object) {
    return server_.create(kind, "shop-ns", object, false, kNever);
  }
  Json created(const Json& object) { return *create(kConfigMap, object); }
  Result<Json> patch(const Kind& kind, const std::string& name, Patch::Type type, const Json& body,
                     const std::string& subresource = "") {
    return server_.patch(kind, {"shop-ns", name}, {type, dump_json(body), subresource}, kNever);
  }
  Result<Json> merge(const std::string& name, const Json& body) {
    return patch(kConfigMap, name, Patch::Type::JsonMerge, body);
  }
  Result<void> remove(const Kind& kind, const std::string& name) {
    const Json* object = server_.find(kind, {"shop-ns", name});
    return server_.remove(kind, {"shop-ns", name}, json_text(*object, {"metadata", "uid"}), kNever);
  }
  const Json* find(const std::string& name) { return server_.find(kConfigMap, {"shop-ns", name}); }

  StillClock clock_;
  ApiServer server_;
};

}  // namespace weir::sim
