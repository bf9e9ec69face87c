#include "app/operator_process.h"

#include <atomic>
#include <random>

#include "app/config_reader.h"
#include "app/measurer.h"
#include "app/pipeline_feeds.h"
#include "app/watches.h"
#include "base/anchored_clock.h"
#include "base/log.h"
#include "base/wait.h"
#include "delivery/policy_reconciler.h"
#include "delivery/release_reconciler.h"
#include "kube/http_api_client.h"
#include "kube/kinds.h"
#include "net/http_server.h"
#include "pipeline/pipeline_reconciler.h"
#include "pipeline/run_reconciler.h"
#include "plugins/all.h"
#include "runtime/controller.h"

namespace weir {
namespace {

constexpr seconds kClockCheck{60};

Result<std::unique_ptr<HttpClient>> connect_to_source(const std::string& url,
                                                      const SourceAccess& access) {
  HttpClientOptions options;
  options.authorization = access.authorization;
  options.tls.ca_pem = access.ca_pem;
  ASSIGN_OR_RETURN(options.server, parse_url(url));
  options.max_body_bytes = 8U << 20U;  // a hostile source must not fill our memory
  return make_httplib_client(std::move(options));
}

// What a process begins with, and everything else holds on to.
struct Ground {
  explicit Ground(const OperatorOptions& options)
      : random(std::random_device{}()), metrics(options.version) {}

  SystemClock machine{};
  AnchoredClock clock{machine};
  SeededRandom random;
  Metrics metrics;
};

// Members in the order in which they depend on each other: what stands later is destroyed first.
class Process {
 public:
  Process(const OperatorOptions& options, Ground& ground, std::unique_ptr<HttpClient> http,
          std::unique_ptr<Leadership> leadership)
      : options_(options),
        clock_(ground.clock),
        metrics_(ground.metrics),
        http_(std::move(http)),
        api_(make_http_api_client(*http_, clock_, ground.random, {})),
        leadership_(std::move(leadership)),
        observer_(caches_, evidence_, config_, all_plugins()),
        release_reconciler_(observer_),
        policy_reconciler_(caches_),
        run_observer_(pipeline_caches_),
        run_reconciler_(run_observer_, {options.step_image, options.checkout_image}),
        pipeline_reconciler_(pipeline_caches_),
        secrets_(*api_, clock_),
        pool_(options.measuring_threads),
        measurer_(all_plugins(), evidence_, clock_, metrics_, secrets_, pool_, connect_to_source,
                  [this](const ObjectKey& key) { releases_.enqueue(key); }),
        config_reader_(*api_, clock_, config_, pool_,
                       [this](const ObjectKey& key) { releases_.enqueue(key); }),
        executor_(
            *api_, clock_, leadership_->fence(), metrics_,
            [this](const Kind& kind, const Json& object) {
              feeds_.put_own(kind, object);
              pipeline_feeds_.put_own(kind, object);
            },
            [this](const StartMeasurement& m) { ask(m); },
            [this](const LookUp& asked, std::vector<Json> objects) {
              keep(asked, std::move(objects));
            }),
        releases_(release_reconciler_, executor_, clock_, metrics_),
        policies_(policy_reconciler_, executor_, clock_, metrics_),
        runs_(run_reconciler_, executor_, clock_, metrics_),
        pipelines_(pipeline_reconciler_, executor_, clock_, metrics_),
        feeds_(
            caches_, evidence_, config_, [this](const ObjectKey& key) { releases_.enqueue(key); },
            [this](const ObjectKey& key) { policies_.enqueue(key); }, options.adoption),
        pipeline_feeds_(
            pipeline_caches_, [this](const ObjectKey& key) { runs_.enqueue(key); },
            [this](const ObjectKey& key) { pipelines_.enqueue(key); }),
        watches_(all_feeds(), *api_, clock_, ground.random, options.ns) {}

  Result<void> run(const std::stop_token& stop) {
    ASSIGN_OR_RETURN(const auto server,
                     serve_http(options_.listen_host, options_.listen_port, routes()));
    log_info("started", {{"version", options_.version},
                         {"namespace", options_.ns.empty() ? "*" : options_.ns}});
    if (stand_by(stop) && leadership_->wait_until_leading(stop)) act(stop);
    shut_down();
    return {};
  }

 private:
  bool runs_pipelines() const { return !options_.step_image.empty(); }

  std::vector<Feed> all_feeds() const {
    auto all = feeds_.all();
    const auto& more = pipeline_feeds_.all();
    if (runs_pipelines()) all.insert(all.end(), more.begin(), more.end());
    return all;
  }

  void ask(const StartMeasurement& asked) {
    if (const auto config = std::dynamic_pointer_cast<const ConfigQuestion>(asked.question))
      config_reader_.start(asked.key, config);
    else
      measurer_.start(asked);
  }

  HttpRoutes routes() {
    return {{"/healthz",
             [] {
               return HttpReply{200, "text/plain", "ok\n"};
             }},
            {"/readyz",
             [this] {
               return ready_
                          ? HttpReply{200, "text/plain", "ok\n"}
                          : HttpReply{
                                503, "text/plain",
                                "the lease could not be read, or the caches are not filled yet\n"};
             }},
            {"/metrics", [this] {
               report_caches();
               return HttpReply{200, "text/plain; version=0.0.4", metrics_.text()};
             }}};
  }

  void report_caches() {
    metrics_.set_objects(kinds::kRelease.name, caches_.releases.size());
    metrics_.set_objects(kinds::kCanaryPolicy.name, caches_.policies.size());
    metrics_.set_objects(kinds::kReplicaSet.name, caches_.replica_sets.size());
    metrics_.set_objects(kinds::kService.name, caches_.services.size());
    metrics_.set_objects(kinds::kEndpointSlice.name, caches_.endpoint_slices.size());
    metrics_.set_objects(kinds::kHttpRoute.name, caches_.routes.size());
    metrics_.set_objects(kinds::kPipeline.name, pipeline_caches_.pipelines.size());
    metrics_.set_objects(kinds::kPipelineRun.name, pipeline_caches_.runs.size());
    metrics_.set_objects(kinds::kJob.name, pipeline_caches_.jobs.size());
  }

  void keep(const LookUp& asked, std::vector<Json> objects) {
    const auto& of = asked.name.empty() ? asked.labels : asked.name;
    caches_.sightings.put(asked.concerning, asked.kind, {std::move(objects), of, clock_.now()});
    releases_.enqueue(asked.concerning);
  }

  // Fills the caches; false: stop was requested. The leader's are filled after it took the lease, so that it knows all that the
  // one before it wrote; another's are kept warm.
  bool stand_by(const std::stop_token& stop) {
    leadership_->start();
    if (!leadership_->wait_until_known(stop)) return false;
    listed_as_leader_ = leads();
    watches_.start();
    wait_until_synced(stop);
    ready_ = true;
    log_info("ready", {{"releases", std::to_string(caches_.releases.size())}});
    return !stop.stop_requested();
  }

  void act(const std::stop_token& stop) {
    if (!listed_as_leader_) watches_.refresh();
    wait_until_synced(stop);
    if (stop.stop_requested()) return;
    clock_.anchor();
    releases_.start(options_.workers);
    policies_.start(1);
    if (runs_pipelines()) {
      runs_.start(options_.workers);
      pipelines_.start(1);
    }
    log_info("acting", {{"releases", std::to_string(caches_.releases.size())}});
    while (!stop.stop_requested()) {
      wait_until(clock_.monotonic() + kClockCheck, stop);
      check_clock();
    }
  }

  bool leads() const { return clock_.monotonic() < leadership_->fence().open_until(); }

  // Acting on half a cache would start releases that are long under way.
  void wait_until_synced(const std::stop_token& stop) {
    while (!stop.stop_requested() && !watches_.synced())
      wait_until(clock_.monotonic() + milliseconds(20), stop);
  }

  void check_clock() {
    const auto ahead = std::chrono::duration_cast<milliseconds>(clock_.machine_ahead());
    const bool stepped = std::chrono::abs(ahead) > kClockStepWarned;
    if (stepped && !clock_stepped_)
      log_warn(
          "the machine's clock was set; this process goes on with the time it had: restart it if "
          "it was wrong",
          {{"ahead_ms", std::to_string(ahead.count())}});
    clock_stepped_ = stepped;
  }

  void shut_down() {
    ready_ = false;
    log_info("stopping");
    watches_.stop();
    releases_.stop();
    policies_.stop();
    runs_.stop();
    pipelines_.stop();
    pool_.stop();
    leadership_->end();
    log_info("stopped");
  }

  const OperatorOptions& options_;
  AnchoredClock& clock_;
  Metrics& metrics_;
  std::unique_ptr<HttpClient> http_;
  std::unique_ptr<ApiClient> api_;
  std::unique_ptr<Leadership> leadership_;
  ReleaseCaches caches_;
  EvidenceBook evidence_;
  ConfigBook config_;
  PipelineCaches pipeline_caches_;
  ReleaseObserver observer_;
  ReleaseReconciler release_reconciler_;
  PolicyReconciler policy_reconciler_;
  RunObserver run_observer_;
  RunReconciler run_reconciler_;
  PipelineReconciler pipeline_reconciler_;
  SourceSecrets secrets_;
  TaskPool pool_;
  Measurer measurer_;
  ConfigReader config_reader_;
  Executor executor_;
  Controller releases_;
  Controller policies_;
  Controller runs_;
  Controller pipelines_;
  Feeds feeds_;
  PipelineFeeds pipeline_feeds_;
  Watches watches_;
  std::atomic<bool> ready_ = false;
  bool listed_as_leader_ = false;
  bool clock_stepped_ = false;
};

}  // namespace

Result<void> run_operator(const OperatorOptions& options, const std::stop_token& stop) {
  auto cluster = options.cluster;
  cluster.http.user_agent = "weir/" + options.version;
  Ground ground(options);
  ASSIGN_OR_RETURN(auto http, make_httplib_client(cluster.http));
  ASSIGN_OR_RETURN(auto leadership, make_leadership(options.election, cluster, ground.clock,
                                                    ground.random, ground.metrics));
  return Process(options, ground, std::move(http), std::move(leadership)).run(stop);
}

}  // namespace weir
