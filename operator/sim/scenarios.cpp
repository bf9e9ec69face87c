#include "sim/scenarios.h"

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

// Pods that fail are waited for longer than metrics that are bad.
RunOptions patient_story(std::vector<Input> inputs) {
  auto options = story(std::move(inputs));
  options.settling = seconds(75);
  return options;
}

// Nodes whose heartbeats stay out, and pods that are evicted.
RunOptions stormy(RunOptions options) {
  options.faults.world.flap_gap = seconds(2);
  options.faults.world.eviction_gap = seconds(9);
  options.faults_end = seconds(30);
  return options;
}

// People who meddle before anything has served.
RunOptions at_once(RunOptions options) {
  options.patient = false;
  options.releases.clear();
  return options;
}

RunOptions with(RunOptions options, std::vector<std::string> releases, int instances) {
  options.releases = std::move(releases);
  options.instances = instances;
  return options;
}

Input of(std::string release, Input input) {
  input.release = std::move(release);
  return input;
}

std::vector<Scenario> make_scenarios() {
  return {
      {"first-release", story({})},
      {"good-release", story({image(4, "good-1")})},
      {"bad-release", story({image(4, "bad-1")})},
      // Long enough for a process that starts anew in it to see two samples.
      {"bad-in-the-watch", story({at(1, What::EditPolicy, "10s", 3), image(4, "ages-1")})},
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
      {"canary-scaled-by-hand", story({image(4, "good-1"), at(11, What::ScaleCanary, "", 0)})},
      {"labels-stripped-midway", story({image(4, "good-1"), at(11, What::StripLabels)})},
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
      {"two-releases", with(story({of("shop", image(4, "good-1")), of("cart", image(5, "bad-1"))}),
                            {"shop", "cart"}, 1)},
      {"two-instances", with(story({image(4, "good-1")}), {"shop"}, 2)},
  };
}

}  // namespace

const std::vector<Scenario>& all_scenarios() {
  static const std::vector<Scenario> kScenarios = make_scenarios();
  return kScenarios;
}

const Scenario* find_scenario(std::string_view name) {
  for (const auto& scenario : all_scenarios()) {
    if (scenario.name == name) return &scenario;
  }
  return nullptr;
}

}  // namespace weir::sim
