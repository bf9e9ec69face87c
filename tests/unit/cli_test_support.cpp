#include "unit/cli_test_support.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/time_format.h"
#include "cli/command_line.h"
#include "cli/commands.h"

namespace weir::cli_test {
namespace {

constexpr const char* kGroup = "/apis/weir.dev/v1alpha1/namespaces/shop";

Json find(const Json& objects, const std::string& name) {
  for (const Json& object : objects)
    if (json_text(object, {"metadata", "name"}) == name) return object;
  return {};
}

}  // namespace

Ran run(const std::vector<std::string>& words, const std::string& input, const Terminal& terminal) {
  const std::vector<Command> table{list_command(),       get_command(),     watch_command(),
                                   explain_command(),    lint_command(),    adopt_command(),
                                   run_command(),        runs_command(),    logs_command(),
                                   cancel_command(),     plan_command(),    backtest_command(),
                                   sim_command(),        demo_command(),    version_command(),
                                   completion_command(), complete_command()};
  std::istringstream in(input);
  std::ostringstream out;
  std::ostringstream err;
  const Streams streams{in, out, err, terminal.columns, terminal.colour};
  const int code = run_command_line(words, table, streams, "1.2.3");
  return {code, out.str(), err.str()};
}

FakeCluster::FakeCluster() : releases_(Json::array()), policies_(Json::array()) {
  auto& http = server_.http();
  for (const auto* path : {kGroup, "/apis/weir.dev/v1alpha1"})
    http.Get(std::string(path) + "/releases",
             [this](const auto& request, auto& response) { answer_collection(request, response); });
  const auto serve_one = [&](const std::string& plural, const Json& objects) {
    http.Get(std::string(kGroup) + "/" + plural + "/([^/]+)",
             [this, &objects](const auto& request, auto& response) {
               Lock lock(mutex_);
               answer_object(objects, request.matches[1], response);
             });
  };
  serve_one("releases", releases_);
  serve_one("canarypolicies", policies_);
  server_.start();
  kubeconfig_ = folder_.write("config",
                              "current-context: c\n"
                              "contexts: [{name: c, context: {cluster: c, namespace: shop}}]\n"
                              "clusters: [{name: c, cluster: {server: 'http://" +
                                  server_.url().authority() + "'}}]\n");
}

void FakeCluster::answer_object(const Json& objects, const std::string& name,
                                httplib::Response& response) {
  const auto object = find(objects, name);
  response.status = refused_status_ != 0 ? refused_status_ : object.is_null() ? 404 : 200;
  response.set_content(
      refused_status_ != 0 ? refused_body_
      : object.is_null()
          ? R"({"kind":"Status","reason":"NotFound","message":"not found","code":404})"
          : object.dump(),
      "application/json");
}

void FakeCluster::answer_collection(const httplib::Request& request, httplib::Response& response) {
  Lock lock(mutex_);
  if (refused_status_ != 0) {
    response.status = refused_status_;
    response.set_content(refused_body_, "application/json");
    return;
  }
  if (!request.has_param("watch")) {
    Json items = releases_;
    for (auto& item : items) {
      item.erase("apiVersion");
      item.erase("kind");
    }
    const Json list{{"metadata", {{"resourceVersion", "1"}}}, {"items", items}};
    response.set_content(list.dump(), "application/json");
    return;
  }
  ++watches_;
  std::string lines = event("BOOKMARK", Json::object()) + "\n";
  if (!streams_.empty()) {
    for (const auto& line : streams_.front()) lines += line + "\n";
    streams_.erase(streams_.begin());
  }
  response.set_content(lines, "application/json");
}

void FakeCluster::set_releases(const std::vector<Json>& releases) {
  Lock lock(mutex_);
  releases_ = releases;
}

void FakeCluster::set_policy(const Json& policy) {
  Lock lock(mutex_);
  policies_ = Json::array({policy});
}

void FakeCluster::will_say(std::vector<std::string> lines) {
  Lock lock(mutex_);
  streams_.push_back(std::move(lines));
}

void FakeCluster::refuse_all(int status, const std::string& body) {
  Lock lock(mutex_);
  refused_status_ = status;
  refused_body_ = body;
}

int FakeCluster::watches() const {
  Lock lock(mutex_);
  return watches_;
}

Ran FakeCluster::run(std::vector<std::string> words, const Terminal& terminal) const {
  const auto at = words.begin() + 1;
  words.insert(at, "--kubeconfig=" + kubeconfig_);
  return cli_test::run(words, "", terminal);
}

Json progressing_release() {
  return Json::parse(R"json({
    "apiVersion": "weir.dev/v1alpha1", "kind": "Release",
    "metadata": {"name": "shop", "namespace": "shop", "uid": "u1", "generation": 2,
                 "resourceVersion": "7", "creationTimestamp": "2026-11-21T11:42:45Z"},
    "spec": {
      "replicas": 4,
      "template": {"spec": {"containers": [{"name": "web", "image": "shop:2"},
                                           {"name": "log", "image": "log@sha256:1"}]}},
      "images": [{"container": "web", "image": "shop:3"}],
      "service": {"ports": [{"name": "http", "port": 80}]},
      "traffic": {"type": "GatewayAPI", "gatewayAPI": {"parentRefs": [{"name": "web"}]}},
      "strategy": {"type": "Canary", "canary": {"policyRef": {"name": "standard"}}}},
    "status": {
      "observedGeneration": 2, "phase": "Progressing",
      "message": "holding 25 % until 2026-11-21T14:43:06Z",
      "policy": {"name": "standard", "generation": 3},
      "stable": {"revision": "fbn", "replicas": 4, "ready": 4},
      "canary": {"revision": "9j5", "replicas": 1, "ready": 1, "step": 2, "steps": 4, "weight": 25,
                 "started": "2026-11-21T14:41:00Z", "accepted": "2026-11-21T14:42:36Z",
                 "since": "2026-11-21T14:42:36Z"},
      "weights": [{"revision": "fbn", "weight": 75}, {"revision": "9j5", "weight": 25}],
      "judgement": [{"objective": "errors", "verdict": "Unsure", "bad": 4, "total": 420,
                     "judgedBad": 3, "judgedTotal": 310, "value": "0.9524%", "bound": "at most 5%",
                     "message": "3 of 310 requests bad, allowed 5%",
                     "stableBad": 9, "stableTotal": 940, "interval": "0.2% to 3.1%",
                     "evidence": "1.04", "needed": "100",
                     "sampled": "2026-11-21T14:42:42Z"}],
      "judged": "2026-11-21T14:42:40Z",
      "lastRollback": {"revision": "2sn", "reason": "errors", "at": "2026-11-21T12:00:04.5Z",
                       "badSince": "2026-11-21T12:00:01Z",
                       "message": "35 of 348 requests bad, allowed 5%"}}})json");
}

Json standard_policy() {
  return Json::parse(R"json({
    "apiVersion": "weir.dev/v1alpha1", "kind": "CanaryPolicy",
    "metadata": {"name": "standard", "namespace": "shop", "generation": 3},
    "spec": {
      "steps": [{"weight": 5, "hold": "30s"}, {"weight": 25, "hold": "30s"},
                {"weight": 50, "hold": "30s"}, {"weight": 100}],
      "sources": [{"name": "p", "prometheus": {"url": "http://p:9090"}}],
      "objectives": [
        {"name": "errors", "ratio": {"badQuery": "bad{s=\"$(service)\"}",
                                     "totalQuery": "all{s=\"$(service)\"}", "atMost": "5%"}},
        {"name": "lag", "severity": "Warning",
         "value": {"query": "max(lag{r=\"$(revision)\"})", "atMost": "1000"}}],
      "judge": {"interval": "5s", "warmup": "10s"}}})json");
}

Json with_phase(Json release, const std::string& phase, const std::string& message) {
  release["status"]["phase"] = phase;
  release["status"]["message"] = message;
  return release;
}

std::string event(const std::string& type, const Json& release) {
  return Json{{"type", type}, {"object", release}}.dump();
}

WallTime story_time() { return *parse_time("2026-11-21T14:42:45Z"); }

}  // namespace weir::cli_test
