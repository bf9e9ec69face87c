// `weir operator`: builds everything, starts it, waits, and stops it in the right order.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>

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
  ClusterConfig cluster;
};

// Blocks until `stop` is requested, then ends within 10 s. Error: what kept it from starting.
Result<void> run_operator(const OperatorOptions& options, const std::stop_token& stop);

}  // namespace weir
