#include "sim/simulation.h"

#include <fmt/format.h>

#include <set>

#include "api/meta.h"
#include "base/json.h"
#include "base/log.h"
#include "delivery/config_book.h"
#include "kube/kinds.h"
#include "sim/checks/witness.h"
#include "sim/end.h"
#include "sim/operators.h"
#include "sim/pipeline_scenarios.h"
#include "sim/trace.h"

namespace weir::sim {
namespace {

// Of the run on this thread. The controller survives a broken invariant; a run must not.
thread_local std::vector<std::string> errors_logged;

// People: each input at its time.
class People final : public Actor {
 public:
  using Tell = std::function<void(const std::string&)>;

  People(ApiServer& server, World& world, const RunOptions& options, Tell tell)
      : server_(server),
        world_(world),
        inputs_(options.inputs),
        patient_(options.patient),
        tell_(std::move(tell)) {}

  bool done() const { return next_ == inputs_.size(); }

  std::optional<SimTime> due() const override {
    return done() ? std::nullopt : std::optional(inputs_[next_].at + late_);
  }

  void act() override {
    const auto& input = inputs_[next_];
    if (patient_ && input.what != Input::What::Adopt && !has_served(input.release) &&
        late_ < kPatience) {
      late_ += seconds(1);
      return;
    }
    ++next_;
    tell_(to_string(input));
    for (const auto& revision : apply(server_, world_, input)) world_.blame_people(revision);
  }

 private:
  // A release that never serves is told by its end, not by a run without one.
  static constexpr SimTime kPatience = seconds(600);

  bool has_served(const std::string& release) {
    const ObjectKey key{std::string(kNamespace), release};
    if (!served_.count(release) && find_route(server_, key)) served_.insert(release);
    return served_.count(release) != 0;
  }

  ApiServer& server_;
  World& world_;
  const std::vector<Input>& inputs_;
  bool patient_;
  Tell tell_;
  std::size_t next_ = 0;
  SimTime late_{0};
  std::set<std::string> served_;
};

class Run {
 public:
  explicit Run(const RunOptions& options)
      : options_(options),
        faults_(options.faults),
        random_(options.seed),
        server_(clock_),
        stage_(clock_),
        world_(server_, stage_, random_, options_.world, faults_.world),
        people_(server_, world_, options_,
                [this](const std::string& what) { tell("people", what); }),
        pipeline_people_(server_, clock_, options_.pipelines,
                         [this](const std::string& what) { tell("people", what); }),
        witness_(world_),
        planned_(options.planned),
        network_{server_, stage_,      random_,
                 faults_, in_flight_,  planned_,
                 author_, options.bug, !options.pipelines.spec.empty()},
        operators_(network_, world_, options.instances),
        court_{
            world_,
            witness_,
            options_.faults.staleness(),
            planned_,
            operators_.clock_spread(),
            [this](std::string rule, std::string what) { fail(std::move(rule), std::move(what)); }},
        checks_(all_checks(court_)) {
    server_.on_write([this](const ObjectRef& ref, const Json& before, const Json& after) {
      on_write({ref, before, after, author_});
    });
    server_.add_namespace(std::string(kNamespace));
    stage_.enter(people_);
    stage_.enter(pipeline_people_);
    stage_.enter(in_flight_);
    create_policy(server_, options_.policy);
    pipeline_people_.begin();
    for (const auto& release : options_.releases) {
      if (options_.adopts)
        create_deployment(server_, release, "good-0", options_.replicas);
      else
        create_release(server_, release, "good-0", options_.replicas, options_.router);
      if (options_.config) give_config(server_, release, "good-0");
    }
  }

  ~Run() {
    stage_.leave(people_);
    stage_.leave(pipeline_people_);
    stage_.leave(in_flight_);
  }

  RunResult run() {
    try {
      play();
    } catch (const std::exception& e) {
      fail("no invariant breaks", e.what());
    }
    result_.planned = planned_;
    result_.simulated = clock_.elapsed();
    return std::move(result_);
  }

 private:
  void play() {
    run_until(options_.faults_end);
    faults_ = {};
    operators_.calm();
    while (!(people_.done() && pipeline_people_.done()) && result_.violations.empty())
      run_until(clock_.elapsed() + SimTime(seconds(1)));
    run_until(clock_.elapsed() + options_.settling);
    if (result_.violations.empty()) {
      for (const auto& check : checks_) check->at_end();
      for (const auto& release : options_.releases) {
        const ObjectKey key{std::string(kNamespace), release};
        result_.end.push_back(end_of(server_, key));
        result_.answers.push_back(witness_.answers(key));
      }
      for (const auto& run : pipeline_people_.runs()) {
        result_.end.push_back(end_of_run(server_, run));
        result_.answers.push_back(pipeline_people_.met(run));
      }
    }
  }

  // In pieces, so that a violation ends the run soon.
  void run_until(SimTime end) {
    while (clock_.elapsed() < end && result_.violations.empty())
      stage_.run_until(std::min(end, clock_.elapsed() + SimTime(seconds(1))));
  }

  void on_write(const Write& write) {
    world_.note(write.ref.plural);
    witness_.on_write(write);
    if (write.by_operator() && options_.traced)
      tell(fmt::format("weir-{}", write.author.instance), describe(write));
    for (const auto& check : checks_) check->on_write(write);
  }

  void tell(const std::string& who, const std::string& what) {
    if (options_.traced) result_.trace.push_back(fmt::format("{} {:8} {}", stamp(), who, what));
  }

  void fail(std::string rule, std::string what) {
    result_.violations.push_back({std::move(rule), fmt::format("{} s: {}", stamp(), what)});
  }

  std::string stamp() const {
    return fmt::format("{:8.3f}", std::chrono::duration<double>(clock_.elapsed()).count());
  }

  const RunOptions& options_;
  FaultOptions faults_;
  SimClock clock_;
  SeededRandom random_;
  ApiServer server_;
  Stage stage_;
  World world_;
  People people_;
  PipelinePeople pipeline_people_;
  Witness witness_;
  InFlight in_flight_;
  PlannedFault planned_;
  Author author_;
  Network network_;
  Operators operators_;
  Court court_;
  std::vector<std::unique_ptr<Check>> checks_;
  RunResult result_;
};

}  // namespace

void capture_logs() {
  set_log_level(LogLevel::Error);
  set_log_sink([](LogLevel, std::string_view line) { errors_logged.emplace_back(line); });
}

RunResult simulate(const RunOptions& options) {
  errors_logged.clear();
  Run run(options);
  RunResult result = run.run();
  for (const auto& line : errors_logged) result.violations.push_back({"no error is logged", line});
  if (options.on_end) options.on_end(result);
  return result;
}

namespace {

// By its own chance: what a seed meant before there was config, it means still.
void draw_config(RunOptions& options) {
  SeededRandom random(options.seed ^ 0xc0f16ULL);
  options.config = random.uniform() < 0.25;
  if (!options.config) return;
  draw_config_inputs(random, options.releases, options.faults_end - SimTime(seconds(5)),
                     options.inputs);
  options.settling += SimTime(kConfigAge + kConfigRetry);
}

}  // namespace

RunOptions options_of_seed(std::uint64_t seed, Bug bug) {
  SeededRandom random(seed);
  const auto uniform = [&](double least, double most) {
    return least + (most - least) * random.uniform();
  };
  const auto span = [&](double least, double most) {
    return SimTime(static_cast<std::int64_t>(1e6 * uniform(least, most)));
  };
  RunOptions options;
  options.seed = seed;
  options.faults = draw_faults(random);
  options.patient = true;
  options.bug = bug;
  options.world.pod_start_min = span(0.3, 1);
  options.world.pod_start_max = span(1, 3);
  options.world.gateway_lag = span(0, 1);
  options.world.requests_per_second = uniform(50, 550);
  options.world.bad_rate = uniform(0.3, 1);
  if (random.uniform() < 0.3) options.releases.emplace_back("cart");
  if (random.uniform() < 0.3) options.instances = 2;
  options.replicas = 1 + static_cast<int>(6 * random.uniform());
  options.faults_end = span(30, 70);
  options.inputs = draw_inputs(random, options.releases, options.faults_end - SimTime(seconds(5)));
  if (random.uniform() < 0.25) options.router = "Replicas";
  draw_config(options);
  return options;
}

RunResult run_seed(const SeedRequest& request) {
  auto options = request.pipelines ? options_of_pipeline_seed(request.seed, request.bug)
                                   : options_of_seed(request.seed, request.bug);
  options.traced = request.traced;
  auto calm = options;
  calm.faults = {};
  if (request.without_faults) return simulate(calm);
  RunResult result = simulate(options);
  if (!result.violations.empty()) return result;
  calm.traced = false;
  compare_ends(result, simulate(calm));
  return result;
}

}  // namespace weir::sim
