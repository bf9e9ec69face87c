#include "sim/inputs.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/workload.h"
#include "base/json.h"
#include "base/time_format.h"
#include "delivery/config.h"
#include "kube/kinds.h"
#include "sim/world/pods.h"

namespace weir::sim {
namespace {

const Deadline kNever(SteadyTime::max());

Json policy_spec(int hold_seconds) {
  Json spec = *parse_json(R"({
    "steps":[{"weight":5},{"weight":25},{"weight":50},{"weight":100}],
    "maxHold":"10m","minReadySeconds":1,"drain":"3s","watch":"6s",
    "sources":[{"name":"prometheus","prometheus":{"url":"http://prometheus:9090","timeout":"5s"}}],
    "objectives":[
      {"name":"errors","ratio":{"badQuery":"bad{service=\"$(service)\"}",
       "totalQuery":"total{service=\"$(service)\"}","atMost":"5%",
       "versusStable":{"atMostTimes":"2","plusAtMost":"1%"}}},
      {"name":"lag","severity":"Warning",
       "value":{"query":"lag{service=\"$(service)\"}","atMost":"10","interval":"5s"},
       "onNoData":"Advance"}],
    "judge":{"interval":"2s","warmup":"0s"},
    "podFailure":{"notReadyFor":"35s"}})");
  for (auto& step : spec["steps"])
    step["hold"] = fmt::format("{}s", step["weight"] == 100 ? 1 : hold_seconds);
  return spec;
}

Json traffic_spec(const std::string& router) {
  if (router != "GatewayAPI") return Json{{"type", router}};
  return *parse_json(R"({"type":"GatewayAPI","gatewayAPI":{"parentRefs":[{"name":"web"}]}})");
}

Json release_spec(const std::string& name, const std::string& image, int replicas) {
  Json spec = *parse_json(R"({
    "template":{"spec":{"containers":[{"name":"app","ports":[{"containerPort":8080}]}]}},
    "service":{"ports":[{"name":"http","port":80,"targetPort":8080}]},
    "revisionHistoryLimit":2,
    "strategy":{"type":"Canary","canary":{"policyRef":{"name":"standard"}}}})");
  spec["template"]["spec"]["containers"][0]["image"] = image;
  spec["service"]["name"] = name;
  spec["replicas"] = replicas;
  return spec;
}

void create(ApiServer& server, const Kind& kind, const std::string& name, Json spec) {
  const std::string ns(kNamespace);
  const Json object{{"apiVersion", kind.api_version()},
                    {"kind", kind.name},
                    {"metadata", {{"name", name}, {"namespace", ns}}},
                    {"spec", std::move(spec)}};
  (void)server.create(kind, ns, object, false, kNever);
}

ObjectKey config_key(const std::string& release) {
  return {std::string(kNamespace), release + std::string(kConfigSuffix)};
}

void write_config(ApiServer& server, const ObjectKey& key, const std::string& content) {
  if (server.find(kinds::kConfigMap, key))
    return server.edit(kinds::kConfigMap, key,
                       [&](Json& object) { object["data"]["version"] = content; });
  const Json object{{"apiVersion", "v1"},
                    {"kind", "ConfigMap"},
                    {"metadata", {{"name", key.name}, {"namespace", key.ns}}},
                    {"data", {{"version", content}}}};
  (void)server.create(kinds::kConfigMap, key.ns, object, false, kNever);
}

// One person's hands on the objects of one release.
class Hands {
 public:
  Hands(ApiServer& server, World& world, const Input& input)
      : server_(server),
        world_(world),
        input_(input),
        key_{std::string(kNamespace), input.release} {}

  void act() {
    using What = Input::What;
    switch (input_.what) {
      case What::Image: return set_image();
      case What::Replicas: return edit([this](Json& r) { r["spec"]["replicas"] = input_.number; });
      case What::LoseStatus: return edit([](Json& r) { r.erase("status"); });
      case What::RouteToStable: return route_to_stable();
      case What::DeleteRoute: return server_.drop(route_kind(), key_);
      case What::DeleteCallersService: return server_.drop(kinds::kService, key_);
      case What::DeleteCanary: return delete_children("canary");
      case What::DeleteStable: return delete_children("stable");
      case What::ScaleCanary: return scale_canary();
      case What::StripLabels: return strip_labels();
      case What::EditPolicy: return edit_policy();
      case What::BreakSpec:
        return edit([this](Json& r) {
          if (input_.text.empty())
            r["spec"]["images"] = Json::array({Json{{"container", "none"}, {"image", "x"}}});
          else
            r["spec"]["strategy"]["type"] = input_.text;
        });
      case What::MendSpec:
        return edit([](Json& r) {
          r["spec"].erase("images");
          r["spec"]["strategy"]["type"] = "Canary";
        });
      case What::DeleteRelease: return server_.drop(kinds::kRelease, key_);
      case What::CreateRelease: return create_release(server_, key_.name, input_.text, 4);
      case What::ForeignService: return foreign_service();
      case What::RemoveForeignService: return remove_foreign_service();
      case What::SourceDown: return world_.prometheus().go_away(true);
      case What::SourceUp: return world_.prometheus().go_away(false);
      case What::Outage: return world_.callers().suffer(input_.number / 100.0);
      case What::Request: return request();
      case What::PauseSpec: return edit([](Json& r) { r["spec"]["paused"] = true; });
      case What::ResumeSpec: return edit([](Json& r) { r["spec"]["paused"] = false; });
      case What::Router:
        return edit([this](Json& r) { r["spec"]["traffic"] = traffic_spec(input_.text); });
      case What::Config: return write_config(server_, config_key(key_.name), input_.text);
      case What::DropConfig: return server_.drop(kinds::kConfigMap, config_key(key_.name));
      case What::Adopt: return adopt();
      case What::DeploymentImage: return set_deployment_image();
      case What::GiveBack: return give_back();
    }
  }

  std::string revision(const char* which) const {
    const Json* release = server_.find(kinds::kRelease, key_);
    return release ? json_text(*release, {"status", which, "revision"}) : "";
  }

 private:
  void edit(const std::function<void(Json&)>& change) {
    server_.edit(kinds::kRelease, key_, change);
  }

  bool shares_by_pods() const {
    const Json* release = server_.find(kinds::kRelease, key_);
    return release && json_text(*release, {"spec", "traffic", "type"}) == "Replicas";
  }

  const Kind& route_kind() const { return shares_by_pods() ? kinds::kService : kinds::kHttpRoute; }

  void set_image() {
    edit(
        [this](Json& r) { r["spec"]["template"]["spec"]["containers"][0]["image"] = input_.text; });
  }

  void adopt() {
    Json spec = release_spec(key_.name, "", input_.number);
    spec["traffic"] = traffic_spec(input_.text);
    spec.erase("template");
    spec["workloadRef"] = {{"kind", "Deployment"}, {"name", key_.name}};
    create(server_, kinds::kRelease, key_.name, std::move(spec));
  }

  void set_deployment_image() {
    server_.edit(kinds::kDeployment, key_, [this](Json& deployment) {
      deployment["spec"]["template"]["spec"]["containers"][0]["image"] = input_.text;
    });
  }

  void give_back() {
    DeleteOptions options;
    if (input_.text == "Foreground") options.propagation = Propagation::Foreground;
    (void)server_.registry().remove(*find_resource(kinds::kRelease.plural), key_, options);
  }

  // As `kubectl weir` does it.
  void request() {
    const auto now = format_time_micro(world_.scene().clock.now());
    const auto meant = meant_by(input_.text);
    edit([&](Json& r) {
      auto& marked = r["metadata"]["annotations"];
      marked[std::string(marks::kRequest)] = input_.text + (meant.empty() ? "" : ":" + meant);
      marked[std::string(marks::kRequestId)] = "r@" + now;
      marked[std::string(marks::kRequestedBy)] = "alice";
    });
  }

  std::string meant_by(const std::string& verb) const {
    if (verb == "pause" || verb == "resume") return "";
    if (verb == "retry") return revision("lastRollback");
    if (verb == "rollback") return older();
    const auto canary = revision("canary");
    return canary.empty() && verb == "abort" ? revision("stable") : canary;
  }

  std::string older() const {
    std::vector<std::string> kept;
    for (const auto& set : server_.all(kinds::kReplicaSet)) {
      const Json& labels = json_at(*set, {"metadata", "labels"});
      const auto name = json_text(labels, {marks::kRevision});
      if (json_text(labels, {marks::kRelease}) == key_.name && name != revision("stable"))
        kept.push_back(name);
    }
    return kept.empty() ? "none" : kept[static_cast<std::size_t>(input_.number) % kept.size()];
  }

  void route_to_stable() {
    if (revision("stable").empty()) return;
    const auto stable = key_.name + "-" + revision("stable");
    if (shares_by_pods())
      return server_.edit(kinds::kService, key_, [this](Json& service) {
        service["spec"]["selector"][std::string(marks::kRevision)] = revision("stable");
      });
    server_.edit(kinds::kHttpRoute, key_, [&](Json& route) {
      for (auto& ref : route["spec"]["rules"][0]["backendRefs"])
        ref["weight"] = ref["name"] == stable ? 100 : 0;
    });
  }

  void delete_children(const char* which) {
    const auto name = revision(which);
    if (name.empty()) return;
    const ObjectKey child{key_.ns, key_.name + "-" + name};
    server_.drop(kinds::kReplicaSet, child);
    server_.drop(kinds::kService, child);
  }

  void scale_canary() {
    server_.edit(kinds::kReplicaSet, {key_.ns, key_.name + "-" + revision("canary")},
                 [this](Json& set) { set["spec"]["replicas"] = input_.number; });
  }

  void strip_labels() {
    const ObjectKey child{key_.ns, key_.name + "-" + revision("canary")};
    const auto strip = [](Json& object) { object["metadata"].erase("labels"); };
    server_.edit(route_kind(), key_, strip);
    server_.edit(kinds::kReplicaSet, child, strip);
    server_.edit(kinds::kService, child, strip);
  }

  void edit_policy() {
    server_.edit(kinds::kCanaryPolicy, {key_.ns, "standard"}, [this](Json& policy) {
      policy["spec"] = policy_spec(input_.number);
      if (!input_.text.empty()) policy["spec"]["watch"] = input_.text;
    });
  }

  void foreign_service() {
    const Json service{
        {"apiVersion", "v1"},
        {"kind", "Service"},
        {"metadata", {{"name", key_.name}, {"namespace", key_.ns}}},
        {"spec", {{"selector", {{"app", "other"}}}, {"ports", Json::array({Json{{"port", 80}}})}}}};
    (void)server_.create(kinds::kService, key_.ns, service, false, kNever);
  }

  void remove_foreign_service() {
    const Json* service = server_.find(kinds::kService, key_);
    if (service && json_at(*service, {"metadata", "ownerReferences"}).is_null())
      server_.drop(kinds::kService, key_);
  }

  ApiServer& server_;
  World& world_;
  const Input& input_;
  ObjectKey key_;
};

struct Weighted {
  double share;
  Input::What what;
};

// What people do between new versions.
Input draw_meddling(Random& random) {
  using What = Input::What;
  static constexpr Weighted kKinds[] = {
      {0.25, What::Replicas},     {0.40, What::LoseStatus},  {0.55, What::RouteToStable},
      {0.63, What::EditPolicy},   {0.71, What::DeleteRoute}, {0.79, What::DeleteCallersService},
      {0.87, What::DeleteCanary}, {1.00, What::ScaleCanary}};
  static constexpr std::string_view kVerbs[] = {"promote",  "promote-full", "abort", "retry",
                                                "rollback", "pause",        "resume"};
  if (random.uniform() < 0.4) {
    Input request;
    request.what = random.uniform() < 0.1 ? What::PauseSpec : What::Request;
    request.text = kVerbs[static_cast<std::size_t>(random.uniform() * 7)];
    request.number = static_cast<int>(random.uniform() * 6);
    return request;
  }
  const double drawn = random.uniform();
  const auto* kind = std::find_if(std::begin(kKinds), std::end(kKinds),
                                  [&](const Weighted& k) { return drawn < k.share; });
  Input input;
  input.what = kind->what;
  input.number = 1 + static_cast<int>(random.uniform() * 6);
  return input;
}

// What is paused for ever comes to no end.
void resume_in_the_end(std::vector<Input>& inputs, const std::string& release, SimTime end) {
  const auto pauses = [&](const Input& input) {
    return input.release == release &&
           (input.what == Input::What::PauseSpec ||
            (input.what == Input::What::Request && input.text == "pause"));
  };
  if (std::none_of(inputs.begin(), inputs.end(), pauses)) return;
  Input resume;
  resume.release = release;
  resume.at = end;
  resume.what = Input::What::ResumeSpec;
  inputs.push_back(resume);
  // After the spec's change is known to whoever answers the request.
  resume.at = end + SimTime(seconds(4));
  resume.what = Input::What::Request;
  resume.text = "resume";
  inputs.push_back(resume);
}

}  // namespace

void create_policy(ApiServer& server, const PolicyOptions& options) {
  Json spec = policy_spec(options.hold_seconds);
  Json& ratio = spec["objectives"][0]["ratio"];
  if (options.strictly) ratio["versusStable"] = Json::object();
  if (!options.compares) ratio.erase("versusStable");
  ratio["atMost"] = options.at_most;
  if (options.at_most.empty()) ratio.erase("atMost");
  if (options.early) spec["judge"]["advance"] = "Early";
  create(server, kinds::kCanaryPolicy, "standard", std::move(spec));
}

void create_release(ApiServer& server, const std::string& name, const std::string& image,
                    int replicas, const std::string& router) {
  Json spec = release_spec(name, image, replicas);
  spec["traffic"] = traffic_spec(router);
  create(server, kinds::kRelease, name, std::move(spec));
}

void give_config(ApiServer& server, const std::string& release, const std::string& content) {
  const auto key = config_key(release);
  write_config(server, key, content);
  server.edit(kinds::kRelease, {key.ns, release}, [&](Json& object) {
    auto& spec = object["spec"];
    spec["config"]["configMapRefs"] = Json::array({Json{{"name", key.name}}});
    spec["template"]["spec"]["containers"][0]["envFrom"] =
        Json::array({Json{{"configMapRef", {{"name", key.name}}}}});
  });
}

void create_deployment(ApiServer& server, const std::string& name, const std::string& image,
                       int replicas) {
  const Json labels{{"app", name}};
  Json pod_template = release_spec(name, image, replicas)["template"];
  pod_template["metadata"]["labels"] = labels;
  create(server, kinds::kDeployment, name,
         Json{{"replicas", replicas},
              {"selector", {{"matchLabels", labels}}},
              {"template", std::move(pod_template)}});
  create(
      server, kinds::kService, name,
      Json{{"selector", labels},
           {"ports", Json::array({Json{{"name", "http"}, {"port", 80}, {"targetPort", 8080}}})}});
  server.edit(kinds::kService, {std::string(kNamespace), name},
              [](Json& service) { service["metadata"]["labels"][std::string(kCalled)] = "true"; });
}

std::vector<std::string> apply(ApiServer& server, World& world, const Input& input) {
  Hands hands(server, world, input);
  std::vector<std::string> hurt;
  if (input.what == Input::What::DeleteCanary || input.what == Input::What::DeleteStable ||
      input.what == Input::What::ScaleCanary || input.what == Input::What::StripLabels)
    hurt = {hands.revision("canary"), hands.revision("stable")};
  hands.act();
  return hurt;
}

std::string to_string(const Input& input) {
  using What = Input::What;
  const auto said = [&](std::string_view verb) {
    return fmt::format("{}: {}", input.release, verb);
  };
  switch (input.what) {
    case What::Image: return said("image " + input.text);
    case What::Replicas: return said(fmt::format("{} replicas", input.number));
    case What::LoseStatus: return said("status is lost");
    case What::RouteToStable: return said("all weight to stable by hand");
    case What::DeleteRoute: return said("route deleted");
    case What::DeleteCallersService: return said("callers' Service deleted");
    case What::DeleteCanary: return said("canary's ReplicaSet and Service deleted");
    case What::DeleteStable: return said("stable's ReplicaSet and Service deleted");
    case What::ScaleCanary: return said(fmt::format("canary scaled to {} by hand", input.number));
    case What::StripLabels: return said("labels taken off the route and the canary's children");
    case What::EditPolicy: return said(fmt::format("policy: holds of {} s", input.number));
    case What::BreakSpec: return said("spec broken");
    case What::MendSpec: return said("spec mended");
    case What::DeleteRelease: return said("deleted");
    case What::CreateRelease: return said("created with image " + input.text);
    case What::ForeignService: return said("somebody has a Service of that name");
    case What::RemoveForeignService: return said("that Service is gone");
    case What::SourceDown: return said("the metric source is down");
    case What::SourceUp: return said("the metric source is back");
    case What::Outage: return said(fmt::format("{} % bad answers for everybody", input.number));
    case What::Request: return said("request " + input.text);
    case What::PauseSpec: return said("spec.paused");
    case What::ResumeSpec: return said("spec.paused no more");
    case What::Router: return said("router " + input.text);
    case What::Config: return said("config " + input.text);
    case What::DropConfig: return said("config deleted");
    case What::Adopt: return said("the Deployment is adopted");
    case What::DeploymentImage: return said("the Deployment's image " + input.text);
    case What::GiveBack: return said("the Release is deleted " + input.text);
  }
  return "";
}

std::vector<Input> draw_inputs(Random& random, const std::vector<std::string>& releases,
                               SimTime end) {
  static constexpr std::string_view kPrefixes[] = {"good", "good",  "good", "good", "bad",
                                                   "bad",  "never", "pull", "crash"};
  std::vector<Input> inputs;
  for (const auto& release : releases) {
    int version = 0;
    SimTime at = seconds(6);
    while (at < end) {
      Input input;
      const double what = random.uniform();
      if (what < 0.6) {
        const auto prefix =
            kPrefixes[static_cast<std::size_t>(random.uniform() * std::size(kPrefixes))];
        input.text = fmt::format("{}-{}", prefix, ++version);
      } else if (what < 0.7) {
        input.text = "good-0";
      } else {
        input = draw_meddling(random);
      }
      input.at = at;
      input.release = release;
      inputs.push_back(input);
      at += SimTime(static_cast<std::int64_t>(20e6 * random.uniform()));
    }
    resume_in_the_end(inputs, release, end);
  }
  std::stable_sort(inputs.begin(), inputs.end(),
                   [](const Input& a, const Input& b) { return a.at < b.at; });
  return inputs;
}

void draw_config_inputs(Random& random, const std::vector<std::string>& releases, SimTime end,
                        std::vector<Input>& inputs) {
  for (auto& input : inputs) {
    const bool is_image = input.what == Input::What::Image;
    if (is_image && !input.text.starts_with("good-") && !input.text.starts_with("bad-"))
      input.text = "good" + input.text.substr(input.text.find('-'));
  }
  for (const auto& release : releases) {
    int version = 0;
    for (SimTime at = seconds(8); at < end;
         at += SimTime(static_cast<std::int64_t>(25e6 * random.uniform()))) {
      const double what = random.uniform();
      Input input;
      input.at = at;
      input.release = release;
      input.what = what < 0.15 ? Input::What::DropConfig : Input::What::Config;
      input.text =
          what < 0.35 ? "good-0" : fmt::format("{}-{}", what < 0.6 ? "bad" : "good", ++version);
      inputs.push_back(input);
    }
    // What is missing for ever comes to no end that can be compared.
    Input last;
    last.at = end;
    last.release = release;
    last.what = Input::What::Config;
    last.text = random.uniform() < 0.3 ? "bad-last" : "good-last";
    inputs.push_back(last);
  }
  std::stable_sort(inputs.begin(), inputs.end(),
                   [](const Input& a, const Input& b) { return a.at < b.at; });
}

}  // namespace weir::sim
