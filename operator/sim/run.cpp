#include "sim/run.h"

#include <fmt/format.h>

#include "api/codec.h"
#include "base/json.h"
#include "base/time_format.h"
#include "delivery/revision.h"
#include "kube/kinds.h"
#include "sim/instance.h"

namespace weir::sim {
namespace {

constexpr milliseconds kTick{100};
constexpr milliseconds kFaults{180'000};    // faults and people act
constexpr milliseconds kRecovery{240'000};  // nobody does any more
constexpr milliseconds kDowntimeMax{5000};  // of a crashed operator
constexpr int kMaxWrites = 1500;            // of one run: no hot loop
constexpr milliseconds kFirstChange{15'000};

Json policy_spec() {
  return *parse_json(R"({
    "steps":[{"weight":5,"hold":"5s"},{"weight":25,"hold":"5s"},{"weight":50,"hold":"5s"},
             {"weight":100,"hold":"2s"}],
    "maxHold":"10m","minReadySeconds":1,"drain":"4s","watch":"10s",
    "sources":[{"name":"prometheus","prometheus":{"url":"http://prometheus:9090"}}],
    "objectives":[{"name":"errors","ratio":{"badQuery":"bad","totalQuery":"total","atMost":"5%"}}],
    "judge":{"interval":"1s","warmup":"0s"}})");
}

Json release_spec(const std::string& image, int replicas) {
  Json spec = *parse_json(R"({
    "template":{"spec":{"containers":[
      {"name":"shop","image":"x","ports":[{"containerPort":8080}]}]}},
    "service":{"name":"shop","ports":[{"name":"http","port":80,"targetPort":8080}]},
    "traffic":{"type":"GatewayAPI","gatewayAPI":{"parentRefs":[{"name":"web"}]}},
    "strategy":{"type":"Canary","canary":{"policyRef":{"name":"standard"}}}})");
  spec["template"]["spec"]["containers"][0]["image"] = image;
  spec["replicas"] = replicas;
  return spec;
}

class Run {
 public:
  explicit Run(std::uint64_t seed)
      : random_(seed),
        faults_(draw_faults(random_)),
        server_(clock_),
        world_(server_, clock_, draw_world()),
        checks_(world_, clock_, *decode_policy_spec(policy_spec())) {
    server_.on_write([this](const ObjectRef& ref, const Json& before, const Json& after) {
      checks_.on_write(ref, before, after, operator_acts_);
      if (operator_acts_) note(ref, before, after);
    });
    server_.add_namespace(kShop.ns);
    create(kinds::kCanaryPolicy, "standard", policy_spec());
    create(kinds::kRelease, "shop", release_spec("good-0", 4));
    tell_checks();
    instance_ = std::make_unique<Instance>(server_, world_, clock_, random_, faults_);
  }

  RunResult run() {
    next_change_ = kFirstChange;
    while (clock_.elapsed() < kFaults && checks_.violations().empty()) {
      people();
      tick();
    }
    faults_ = {};
    while (clock_.elapsed() < kFaults + kRecovery && checks_.violations().empty()) tick();
    check_end();
    result_.violations = checks_.violations();
    result_.simulated = clock_.elapsed();
    return std::move(result_);
  }

 private:
  WorldOptions draw_world() {
    WorldOptions options;
    options.pod_start = milliseconds(static_cast<std::int64_t>(500 + 5000 * random_.uniform()));
    options.gateway_lag = milliseconds(static_cast<std::int64_t>(1000 * random_.uniform()));
    options.requests_per_second = 50 + 500 * random_.uniform();
    return options;
  }

  void create(const Kind& kind, const std::string& name, Json spec) {
    const Json object{{"apiVersion", kind.api_version()},
                      {"kind", kind.name},
                      {"metadata", {{"name", name}, {"namespace", kShop.ns}}},
                      {"spec", std::move(spec)}};
    (void)server_.create(kind, kShop.ns, object, false, Deadline(SteadyTime::max()));
  }

  void tick() {
    clock_.advance(kTick);
    world_.tick(kTick);
    checks_.on_tick();
    if (!instance_) {
      if (clock_.elapsed() < restart_at_) return;
      instance_ = std::make_unique<Instance>(server_, world_, clock_, random_, faults_);
    }
    operator_acts_ = true;
    instance_->tick();
    operator_acts_ = false;
    if (!instance_->api().crashed()) return;
    ++result_.crashes;
    instance_.reset();
    restart_at_ =
        clock_.elapsed() + milliseconds(static_cast<std::int64_t>(
                               random_.uniform() * static_cast<double>(kDowntimeMax.count())));
  }

  // What people do to a release: new versions, good and bad, back again, another size, lost status, foreign hands on the route.
  void people() {
    if (clock_.elapsed() < next_change_) return;
    next_change_ =
        clock_.elapsed() + milliseconds(static_cast<std::int64_t>(40'000 * random_.uniform()));
    const double what = random_.uniform();
    if (what < 0.35) {
      set_image(fmt::format("good-{}", ++versions_));
    } else if (what < 0.65) {
      set_image(fmt::format("bad-{}", ++versions_));
    } else if (what < 0.75) {
      set_image("good-0");
    } else if (what < 0.85) {
      const int replicas = 1 + static_cast<int>(6 * random_.uniform());
      server_.edit(kinds::kRelease, kShop, [&](Json& r) { r["spec"]["replicas"] = replicas; });
    } else if (what < 0.92) {
      server_.edit(kinds::kRelease, kShop, [](Json& r) { r.erase("status"); });
      result_.trace.push_back(stamp() + "people: status is lost");
    } else {
      edit_route();
    }
    tell_checks();
  }

  void set_image(const std::string& image) {
    server_.edit(kinds::kRelease, kShop,
                 [&](Json& r) { r["spec"]["template"]["spec"]["containers"][0]["image"] = image; });
    result_.trace.push_back(stamp() + "people: image " + image);
  }

  // Pods that are not ready must not get traffic by somebody else's hand, or "no request is lost" would blame us: to stable only.
  void edit_route() {
    const auto& status = json_at(*server_.find(kinds::kRelease, kShop), {"status"});
    const auto stable = json_text(status, {"stable", "revision"});
    if (!server_.find(kinds::kHttpRoute, kShop)) return;
    server_.edit(kinds::kHttpRoute, kShop, [&](Json& route) {
      for (auto& ref : route["spec"]["rules"][0]["backendRefs"])
        ref["weight"] = ref["name"] == "shop-" + stable ? 100 : 0;
    });
    result_.trace.push_back(stamp() + "people: all weight to stable by hand");
  }

  const Json& release() const { return *server_.find(kinds::kRelease, kShop); }

  void tell_checks() {
    const auto decoded = decode_release(release());
    const auto pod_template = resolved_template(*decoded->spec);
    const auto image = dump_json(*pod_template);
    checks_.wants(revision_of(*pod_template), image.find("bad") == std::string::npos);
    wants_bad_ = image.find("bad") != std::string::npos;
  }

  void check_end() {
    result_.end = json_text(release(), {"status", "phase"});
    const std::string right = wants_bad_ ? "RolledBack" : "Healthy";
    if (checks_.violations().empty() && result_.end != right)
      checks_.fail("every release comes to its right end",
                   fmt::format("phase {} in place of {}: {}", result_.end, right,
                               json_text(release(), {"status", "message"})));
    if (result_.writes > kMaxWrites)
      checks_.fail("no hot loop", fmt::format("{} writes", result_.writes));
  }

  std::string stamp() const {
    return fmt::format("{:8.2f} ", static_cast<double>(clock_.elapsed().count()) / 1000);
  }

  void note(const ObjectRef& ref, const Json& before, const Json& after) {
    ++result_.writes;
    std::string what = before.is_null() ? "create" : after.is_null() ? "delete" : "patch";
    std::string detail;
    if (ref.plural == kinds::kHttpRoute.plural)
      detail = json_text(after, {"metadata", "annotations", marks::kTraffic});
    if (ref.plural == kinds::kReplicaSet.plural)
      detail = dump_json(json_at(after, {"spec", "replicas"}));
    if (ref.plural == kinds::kRelease.plural)
      detail =
          json_text(after, {"status", "phase"}) + ": " + json_text(after, {"status", "message"});
    result_.trace.push_back(
        fmt::format("{}{} {} {} {}", stamp(), what, ref.plural, ref.key.name, detail));
  }

  SimClock clock_;
  SeededRandom random_;
  FaultOptions faults_;
  ApiServer server_;
  World world_;
  Checks checks_;
  std::unique_ptr<Instance> instance_;
  RunResult result_;
  bool operator_acts_ = false;
  bool wants_bad_ = false;
  int versions_ = 0;
  milliseconds next_change_{0};
  milliseconds restart_at_{0};
};

}  // namespace

RunResult run_seed(std::uint64_t seed) { return Run(seed).run(); }

}  // namespace weir::sim
