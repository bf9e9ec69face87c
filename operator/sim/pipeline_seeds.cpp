#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "sim/pipeline_scenarios.h"

namespace weir::sim {
namespace {

using What = RunInput::What;

// A pipeline whose end does not depend on moments: what its steps do is settled, and groups only queue.
class PipelineDraw {
 public:
  explicit PipelineDraw(Random& random) : random_(random) {}

  bool draws(double chance) { return random_.uniform() < chance; }
  int below(int count) { return static_cast<int>(random_.uniform() * count); }
  SimTime span(double least, double most) {
    return SimTime(static_cast<std::int64_t>(1e6 * (least + (most - least) * random_.uniform())));
  }

  Json spec() {
    Json spec{{"stages", Json::array()}};
    flaky_ = draws(0.5);
    const int count = 1 + below(5);
    for (int i = 0; i < count; ++i) spec["stages"].push_back(stage(i));
    if (draws(0.4)) spec["finally"].push_back({{"name", "tidy"}, {"steps", steps()}});
    if (draws(0.3)) spec["concurrency"] = {{"group", "$(pipeline)"}, {"max", 1 + below(2)}};
    return spec;
  }

  std::vector<RunInput> inputs(SimTime end) {
    std::vector<RunInput> all;
    for (const auto* run : {"one", "two", "three"}) {
      if (run != std::string_view("one") && !draws(0.4)) continue;
      const auto created = span(1, 25);
      all.push_back({created, What::Create, run, ""});
      if (draws(0.5)) all.push_back(meddling(run, std::min(end, created + span(0, 35))));
    }
    std::stable_sort(all.begin(), all.end(),
                     [](const RunInput& a, const RunInput& b) { return a.at < b.at; });
    return all;
  }

 private:
  Json stage(int number) {
    Json stage{{"name", fmt::format("s{}", number)}, {"steps", steps()}};
    for (int i = 0; i < number; ++i)
      if (draws(0.4)) stage["needs"].push_back(fmt::format("s{}", i));
    if (!with_results_.empty() && draws(0.4))
      stage["steps"][0]["env"].push_back(
          {{"name", "OUT"}, {"value", fmt::format("$(stages.{}.results.out)", with_results_)}});
    if (draws(0.3) || fails_once(stage["steps"]))
      stage["retry"] = {{"attempts", 3}, {"classes", {"Test", "Timeout"}}};
    if (draws(0.1))
      stage["when"] = Json::array(
          {Json{{"input", "$(run)"}, {"operator", "In"}, {"values", Json::array({"one"})}}});
    if (draws(0.2)) stage["services"] = Json::array({Json{{"name", "db"}, {"image", "good-1"}}});
    if (draws(0.25)) {
      stage["matrix"] = {
          {"axes", Json::array({Json{{"name", "os"}, {"values", Json::array({"a", "b"})}}})}};
      if (draws(0.3)) stage["matrix"]["maxParallel"] = 1;
    } else if (draws(0.4)) {
      stage["results"] = Json::array({Json{{"name", "out"}}});
      with_results_ = stage["name"].get<std::string>();
    }
    names_.push_back(stage["name"].get<std::string>());
    return stage;
  }

  Json steps() {
    Json steps = Json::array();
    const int count = 1 + below(2);
    for (int i = 0; i < count; ++i) {
      const auto kind = image();
      Json step{{"name", fmt::format("do{}", i)}, {"image", kind + "-1"}, {"script", "x"}};
      if (kind == "hang") step["timeout"] = "4s";
      steps.push_back(std::move(step));
    }
    return steps;
  }

  // Retried always: an attempt whose pod nobody saw counts as one that the infrastructure ended.
  static bool fails_once(const Json& steps) {
    return std::any_of(steps.begin(), steps.end(), [](const Json& step) {
      return step["image"].get<std::string>().starts_with("flaky-");
    });
  }

  std::string image() {
    const double which = random_.uniform();
    if (which < 0.68) return "good";
    if (which < 0.80) return flaky_ ? "flaky" : "good";
    if (which < 0.84) return "bad";
    if (which < 0.86) return "oom";
    if (which < 0.94) return "slow";
    return which < 0.97 ? "stubborn" : "hang";
  }

  // Whether a step that fails once has done so before somebody takes its pod away would be a matter of moments.
  RunInput meddling(const std::string& run, SimTime at) {
    const double which = random_.uniform();
    const auto stage = names_[static_cast<std::size_t>(below(static_cast<int>(names_.size())))];
    const auto what = which < 0.25   ? What::Cancel
                      : which < 0.4  ? What::Stop
                      : which < 0.5  ? What::Delete
                      : which < 0.7  ? What::LoseStatus
                      : which < 0.75 ? What::EditPipeline
                      : flaky_       ? What::LoseStatus
                      : which < 0.88 ? What::DeleteJob
                                     : What::DeletePod;
    return {at, what, run, stage};
  }

  Random& random_;
  bool flaky_ = false;
  std::string with_results_;  // the last stage that has any
  std::vector<std::string> names_;
};

}  // namespace

RunOptions options_of_pipeline_seed(std::uint64_t seed, Bug bug) {
  SeededRandom random(seed ^ 0x919e11e5ULL);
  PipelineDraw draw(random);
  RunOptions options;
  options.seed = seed;
  options.bug = bug;
  options.releases.clear();
  options.faults = draw_faults(random);
  options.faults.world = {};
  if (draw.draws(0.5)) options.faults.world.job_pod_lost_gap = draw.span(4, 20);
  if (draw.draws(0.3)) options.faults.world.registry_away_gap = draw.span(15, 40);
  options.world.pod_start_min = draw.span(0.3, 1);
  options.world.pod_start_max = draw.span(1, 3);
  if (draw.draws(0.3)) options.instances = 2;
  options.faults_end = draw.span(30, 70);
  options.pipelines.spec = dump_json(draw.spec());
  options.pipelines.inputs = draw.inputs(options.faults_end - SimTime(seconds(2)));
  options.settling = seconds(400);
  return options;
}

}  // namespace weir::sim
