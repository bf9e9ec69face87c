// `weir operator`: builds everything, starts it, waits, and stops it in the right order.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>

#include "app/leadership.h"
#include "base/result.h"
#include "kube/cluster_config.h"

namespace weir {

struct OperatorOptions {
  std::string version;
  std::string listen_host = "0.0.0.0";
  std::uint16_t listen_port = 8080;  // /metrics, /healthz, /readyz
  std::string ns;                    // only this namespace; "" = all
  int workers = 4;                   // per process
  int measuring_threads = 4;
  bool adoption = true;        // Releases may adopt Deployments, which are watched for it
  std::string step_image;      // with weir-step, for pipelines: our own; "" = none runs
  std::string checkout_image;  // with git; "" = no pipeline has a source
  LeaderElection election;
  ClusterConfig cluster;
};

// Blocks until `stop` is requested, then ends within 20 s: 10 s for writes in hand, 8 s for the lease at worst. Error: what kept
// it from starting. Ends the process with exit code 1 when the lease is lost.
Result<void> run_operator(const OperatorOptions& options, const std::stop_token& stop);

}  // namespace weir
