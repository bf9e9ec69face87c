#include "app/operator_process.h"

#include <atomic>
#include <random>

#include "app/measurer.h"
#include "app/watches.h"
#include "base/log.h"
#include "base/wait.h"
#include "delivery/policy_reconciler.h"
#include "delivery/release_reconciler.h"
#include "kube/http_api_client.h"
#include "kube/kinds.h"
#include "net/http_server.h"
#include "plugins/all.h"
#include "runtime/controller.h"

namespace weir {
namespace {

Result<std::unique_ptr<HttpClient>> connect_to_source(const std::string& url) {
  HttpClientOptions options;
  ASSIGN_OR_RETURN(options.server, parse_url(url));
  options.max_body_bytes = 8U << 20U;  // a hostile source must not fill our memory
  return make_httplib_client(std::move(options));
}

// Members in the order in which they depend on each other: what stands later is destroyed first.
class Process {
 public:
  Process(const OperatorOptions& options, std::unique_ptr<HttpClient> http)
      : options_(options),
        random_(std::random_device{}()),
        http_(std::move(http)),
        api_(make_http_api_client(*http_, clock_, random_, {})),
        metrics_(options.version),
        observer_(caches_, evidence_, all_plugins()),
        release_reconciler_(observer_),
        policy_reconciler_(caches_),
        pool_(options.measuring_threads),
        measurer_(all_plugins(), evidence_, clock_, metrics_, pool_, connect_to_source,
                  [this](const ObjectKey& key) { releases_.enqueue(key); }),
        executor_(
            *api_, clock_, fence_, metrics_,
            [this](const Kind& kind, const Json& object) { feeds_.put_own(kind, object); },
            [this](const StartMeasurement& m) { measurer_.start(m); }),
        releases_(release_reconciler_, executor_, clock_, metrics_),
        policies_(policy_reconciler_, executor_, clock_, metrics_),
        feeds_(
            caches_, evidence_, [this](const ObjectKey& key) { releases_.enqueue(key); },
            [this](const ObjectKey& key) { policies_.enqueue(key); }),
        watches_(feeds_, *api_, clock_, random_, options.ns) {}

  Result<void> run(const std::stop_token& stop) {
    ASSIGN_OR_RETURN(const auto server,
                     serve_http(options_.listen_host, options_.listen_port, routes()));
    log_info("started", {{"version", options_.version},
                         {"namespace", options_.ns.empty() ? "*" : options_.ns}});
    watches_.start();
    wait_until_synced(stop);
    if (!stop.stop_requested()) {
      releases_.start(options_.workers);
      policies_.start(1);
      ready_ = true;
      log_info("ready", {{"releases", std::to_string(caches_.releases.size())}});
      wait_until(SteadyTime::max(), stop);
    }
    shut_down();
    return {};
  }

 private:
  HttpRoutes routes() {
    return {{"/healthz",
             [] {
               return HttpReply{200, "text/plain", "ok\n"};
             }},
            {"/readyz",
             [this] {
               return ready_ ? HttpReply{200, "text/plain", "ok\n"}
                             : HttpReply{503, "text/plain", "caches are not filled yet\n"};
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
  }

  // Acting on half a cache would start releases that are long under way.
  void wait_until_synced(const std::stop_token& stop) {
    while (!stop.stop_requested() && !watches_.synced())
      wait_until(clock_.monotonic() + milliseconds(20), stop);
  }

  void shut_down() {
    ready_ = false;
    log_info("stopping");
    watches_.stop();
    releases_.stop();
    policies_.stop();
    pool_.stop();
    log_info("stopped");
  }

  const OperatorOptions& options_;
  SystemClock clock_;
  SeededRandom random_;
  std::unique_ptr<HttpClient> http_;
  std::unique_ptr<ApiClient> api_;
  Metrics metrics_;
  ReleaseCaches caches_;
  EvidenceBook evidence_;
  ReleaseObserver observer_;
  ReleaseReconciler release_reconciler_;
  PolicyReconciler policy_reconciler_;
  TaskPool pool_;
  Measurer measurer_;
  OpenFence fence_;
  Executor executor_;
  Controller releases_;
  Controller policies_;
  Feeds feeds_;
  Watches watches_;
  std::atomic<bool> ready_ = false;
};

}  // namespace

Result<void> run_operator(const OperatorOptions& options, const std::stop_token& stop) {
  auto http_options = options.cluster.http;
  http_options.user_agent = "weir/" + options.version;
  ASSIGN_OR_RETURN(auto http, make_httplib_client(std::move(http_options)));
  return Process(options, std::move(http)).run(stop);
}

}  // namespace weir
