#include "sim/scenarios.h"

#include "sim/pipeline_scenarios.h"

namespace weir::sim {
namespace {

using What = Input::What;

Input at(int second, What what, std::string text = "", int number = 0) {
  Input input;
  input.at = seconds(second);
  input.what = what;
  input.text = std::move(text);
  input.number = number;
  return input;
}

Input image(int second, std::string name) { return at(second, What::Image, std::move(name)); }

RunOptions story(std::vector<Input> inputs) {
  RunOptions options;
  options.world.pod_start_min = milliseconds(800);
  options.world.pod_start_max = milliseconds(1200);
  options.inputs = std::move(inputs);
  options.settling = seconds(45);
  options.patient = true;
  return options;
}

// Pods that fail, and what all revisions need, are waited for longer than metrics that are bad.
RunOptions patient_story(std::vector<Input> inputs) {
  auto options = story(std::move(inputs));
  options.settling = seconds(100);
  return options;
}

// Nodes whose heartbeats stay out, and pods that are evicted.
RunOptions stormy(RunOptions options) {
  options.faults.world.flap_gap = seconds(2);
  options.faults.world.eviction_gap = seconds(9);
  options.faults_end = seconds(30);
  return options;
}

RunOptions by_pods(RunOptions options) {
  options.router = "Replicas";
  return options;
}

// People who meddle before anything has served.
RunOptions at_once(RunOptions options) {
  options.patient = false;
  options.releases.clear();
  return options;
}

// A change of config is read within a minute, or at once when the spec changes.
RunOptions configured(RunOptions options) {
  options.config = true;
  options.settling += SimTime(seconds(75));
  return options;
}

RunOptions holding(RunOptions options, int hold_seconds) {
  options.policy.hold_seconds = hold_seconds;
  options.settling += seconds(4 * hold_seconds);
  return options;
}

// Holds that are longer than it takes to show enough, but at the first weight and after a restart.
RunOptions early(RunOptions options) {
  options.policy.early = true;
  return holding(std::move(options), 40);
}

// Inputs at their times, whatever the release has come to.
RunOptions impatient(RunOptions options) {
  options.patient = false;
  return options;
}

RunOptions with(RunOptions options, std::vector<std::string> releases, int instances) {
  options.releases = std::move(releases);
  options.instances = instances;
  return options;
}

// A live Deployment of 4 pods, which a Release adopts after 3 seconds.
RunOptions adopting(std::vector<Input> inputs, const char* router = "GatewayAPI") {
  inputs.insert(inputs.begin(), at(3, What::Adopt, router, 4));
  auto options = story(std::move(inputs));
  options.adopts = true;
  return options;
}

Input new_image(int second, std::string name) {
  return at(second, What::DeploymentImage, std::move(name));
}

Input of(std::string release, Input input) {
  input.release = std::move(release);
  return input;
}

// What all revisions need fails for a while; a canary that breaks the bound then is not to blame, nor afterwards.
std::vector<Scenario> comparing_scenarios() {
  return {
      {"outage-midway",
       patient_story({image(4, "good-1"), at(11, What::Outage, "", 30), at(26, What::Outage)})},
      {"outage-before",
       patient_story({at(1, What::Outage, "", 30), image(4, "good-1"), at(16, What::Outage)})},
      // Not worse than twice what stable suffers: taken back when stable is well again.
      {"bad-in-an-outage",
       patient_story({at(1, What::Outage, "", 20), image(4, "bad-1"), at(18, What::Outage)})},
      // It keeps the bound, and is worse than stable.
      {"worse-than-stable", patient_story({at(1, What::EditPolicy, "", 9), image(4, "worse-1")})},
  };
}

std::vector<Scenario> router_scenarios() {
  return {
      {"replicas-good", by_pods(story({image(4, "good-1")}))},
      {"replicas-bad", by_pods(story({image(4, "bad-1")}))},
      {"replicas-superseded", by_pods(story({image(4, "good-1"), image(15, "good-2")}))},
      {"replicas-reverted",
       by_pods(story({image(4, "good-1"), image(15, "good-2"), image(16, "good-1")}))},
      {"replicas-scaled-midway", by_pods(story({image(4, "good-1"), at(8, What::Replicas, "", 6),
                                                at(13, What::Replicas, "", 2)}))},
      {"replicas-edited-midway", by_pods(story({image(4, "good-1"), at(11, What::RouteToStable),
                                                at(14, What::ScaleCanary, "", 6)}))},
      // Seed 3341: the hold was over, and only the route knew of the hand. The judge is well at once, and the hold longer than a
      // process that starts anew needs to hear it.
      {"replicas-edited-while-waiting",
       by_pods(holding(story({image(4, "good-1"), at(8, What::SourceDown),
                              at(15, What::RouteToStable), at(15, What::SourceUp)}),
                       6))},
      // Nothing but the pods tells who serves.
      {"replicas-witnesses-lost",
       by_pods(story({at(6, What::LoseStatus), at(6, What::DeleteRoute), image(6, "good-1")}))},
      // A fix of it does not wait for pods that never stay.
      {"replicas-stable-crashes",
       by_pods(patient_story(
           {image(4, "crash-1"), at(5, What::Request, "promote-full"), image(40, "good-2")}))},
      {"replicas-deleted-midway", by_pods(story({image(4, "good-1"), at(11, What::DeleteRoute)}))},
      {"router-changed", story({at(2, What::Router, "Replicas"), image(4, "good-1"),
                                at(40, What::Router, "GatewayAPI")})},
      // Late enough to be midway with every event and write late.
      {"router-changed-midway", holding(story({image(4, "good-1"), at(20, What::Router, "Replicas"),
                                               at(25, What::Router, "GatewayAPI")}),
                                        6)},
  };
}

std::vector<Scenario> config_scenarios() {
  return {
      {"config-change",
       configured(story({at(4, What::Config, "good-1"), at(8, What::Replicas, "", 6)}))},
      {"config-change-midway", configured(story({image(4, "good-1"), at(10, What::Config, "good-1"),
                                                 at(11, What::Replicas, "", 6)}))},
      {"config-gone",
       configured(story({image(4, "good-1"), at(9, What::DropConfig), at(10, What::Replicas, "", 6),
                         image(40, "good-2"), at(50, What::Config, "good-0")}))},
      {"config-gone-route-deleted",
       configured(story({image(4, "good-1"), at(9, What::DropConfig), at(10, What::Replicas, "", 6),
                         at(20, What::DeleteRoute), at(30, What::Config, "good-0")}))},
      {"config-bad-rolled-back",
       configured(story({at(4, What::Config, "bad-1"), at(90, What::Config, "good-0")}))},
  };
}

std::vector<Scenario> adoption_scenarios() {
  return {
      {"adopt", adopting({})},
      {"adopt-then-canary", adopting({new_image(6, "good-1")})},
      {"adopt-then-bad", adopting({new_image(6, "bad-1")})},
      {"adopt-given-back", adopting({at(8, What::GiveBack)})},
      {"adopt-given-back-at-once", impatient(adopting({at(3, What::GiveBack)}))},
      {"adopt-given-back-midway", adopting({new_image(6, "good-1"), at(12, What::GiveBack)})},
      {"adopt-given-back-later", adopting({new_image(6, "good-1"), at(40, What::GiveBack)})},
      {"adopt-by-pods", adopting({new_image(6, "good-1")}, "Replicas")},
      {"adopt-by-pods-given-back-midway",
       adopting({new_image(6, "good-1"), at(12, What::GiveBack)}, "Replicas")},
      {"adopt-pruned", adopting({at(8, What::GiveBack, "Foreground")})},
      {"adopt-deployment-edited-midway", impatient(adopting({new_image(3, "good-1")}))},
  };
}

std::vector<Scenario> make_scenarios() {
  return {
      {"first-release", story({})},
      {"good-release", story({image(4, "good-1")})},
      {"bad-release", story({image(4, "bad-1")})},
      // Long enough for a process that starts anew in it, or waits for an answer, to see two samples.
      {"bad-in-the-watch", story({at(1, What::EditPolicy, "25s", 3), image(4, "ages-1")})},
      // Shorter than the judge's interval.
      {"short-holds", story({at(1, What::EditPolicy, "", 0), image(4, "good-1")})},
      {"bad-then-good", story({image(4, "bad-1"), image(16, "good-2")})},
      {"bad-again", story({image(4, "bad-1"), image(16, "good-0"), image(22, "bad-1")})},
      {"new-revision-midway", story({image(4, "good-1"), image(11, "good-2")})},
      {"revert-midway", story({image(4, "good-1"), image(11, "good-0")})},
      {"never-ready", story({image(4, "never-1"), image(12, "good-2")})},
      {"crash-loop", story({image(4, "crash-1")})},
      {"crash-then-good", story({image(4, "crash-1"), image(24, "good-2")})},
      {"image-not-pulled", patient_story({image(4, "pull-1")})},
      {"never-ready-at-all", patient_story({image(4, "never-1")})},
      {"storm", stormy(story({image(4, "good-1")}))},
      {"scale-midway",
       story({image(4, "good-1"), at(8, What::Replicas, "", 6), at(13, What::Replicas, "", 2)})},
      {"status-lost-midway", story({image(4, "good-1"), at(11, What::LoseStatus)})},
      {"route-edited-midway", story({image(4, "good-1"), at(11, What::RouteToStable)})},
      {"route-deleted-midway", story({image(4, "good-1"), at(11, What::DeleteRoute)})},
      {"callers-service-deleted", story({image(4, "good-1"), at(11, What::DeleteCallersService)})},
      {"canary-deleted-midway", story({image(4, "good-1"), at(11, What::DeleteCanary)})},
      {"stable-deleted-midway", story({image(4, "good-1"), at(11, What::DeleteStable)})},
      {"stable-deleted-then-new", story({image(4, "good-1"), at(11, What::DeleteStable),
                                         image(13, "good-2"), image(18, "good-1")})},
      {"canary-scaled-by-hand", story({image(4, "good-1"), at(11, What::ScaleCanary, "", 0)})},
      {"labels-stripped-midway", story({image(4, "good-1"), at(11, What::StripLabels)})},
      {"early-good", early(story({image(4, "good-1")}))},
      {"early-bad", early(story({image(4, "bad-1")}))},
      {"policy-edited-midway", story({image(4, "good-1"), at(9, What::EditPolicy, "", 1)})},
      {"spec-broken-midway",
       story({image(4, "bad-1"), at(6, What::BreakSpec), at(14, What::MendSpec)})},
      // As a newer Weir's definitions would take it.
      {"spec-unreadable-midway",
       story({image(4, "bad-1"), at(6, What::BreakSpec, "Future"), at(16, What::MendSpec)})},
      {"source-down-midway",
       story({image(4, "good-1"), at(8, What::SourceDown), at(16, What::SourceUp)})},
      {"release-deleted-midway", story({image(4, "good-1"), at(11, What::DeleteRelease),
                                        at(15, What::CreateRelease, "good-2")})},
      {"foreign-service",
       at_once(story({at(0, What::ForeignService), at(1, What::CreateRelease, "good-1"),
                      at(8, What::RemoveForeignService)}))},
      {"route-deleted-at-once", story({at(1, What::DeleteRoute), image(2, "good-1")})},
      {"promote-midway", story({at(1, What::EditPolicy, "", 9), image(4, "good-1"),
                                at(8, What::Request, "promote")})},
      {"promote-full", story({image(4, "good-1"), at(8, What::Request, "promote-full")})},
      {"abort-and-retry",
       story({image(4, "good-1"), at(9, What::Request, "abort"), at(15, What::Request, "retry")})},
      {"pause-and-resume",
       story({image(4, "good-1"), at(9, What::Request, "pause"), at(16, What::Request, "resume")})},
      {"paused-by-spec",
       story({image(4, "good-1"), at(9, What::PauseSpec), at(11, What::Replicas, "", 6),
              at(13, What::Replicas, "", 2), at(17, What::ResumeSpec)})},
      {"rollback-by-request", story({image(4, "good-1"), at(34, What::Request, "rollback"),
                                     at(44, What::Request, "resume")})},
      // Neither the revision that is watched nor the one that is kept to return to.
      {"rollback-in-the-watch",
       story({at(1, What::EditPolicy, "20s", 3), image(4, "good-1"),
              at(8, What::Request, "promote-full"), image(14, "good-2"),
              at(18, What::Request, "promote-full"), at(24, What::Request, "rollback", 1)})},
      {"two-releases", with(story({of("shop", image(4, "good-1")), of("cart", image(5, "bad-1"))}),
                            {"shop", "cart"}, 1)},
      {"two-instances", with(story({image(4, "good-1")}), {"shop"}, 2)},
  };
}

}  // namespace

const std::vector<Scenario>& all_scenarios() {
  static const std::vector<Scenario> kScenarios = [] {
    auto scenarios = make_scenarios();
    for (auto* more : {config_scenarios, comparing_scenarios, router_scenarios, adoption_scenarios,
                       pipeline_scenarios}) {
      for (auto& scenario : more()) scenarios.push_back(std::move(scenario));
    }
    return scenarios;
  }();
  return kScenarios;
}

const Scenario* find_scenario(std::string_view name) {
  for (const auto& scenario : all_scenarios()) {
    if (scenario.name == name) return &scenario;
  }
  return nullptr;
}

}  // namespace weir::sim
