// A command's connection to the cluster.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/deadline.h"
#include "base/random.h"
#include "cli/command.h"
#include "kube/api_client.h"
#include "net/http.h"

namespace weir {

struct Session {
  SystemClock clock;
  SeededRandom random;
  std::unique_ptr<HttpClient> http;
  std::unique_ptr<ApiClient> api;
  std::string ns;                 // "" = all namespaces
  milliseconds patience{30'000};  // with one request

  explicit Session(std::uint64_t seed) : random(seed) {}
  Deadline deadline() const { return Deadline::after(clock, patience); }
};

// What every command that asks the cluster understands: -n --context --kubeconfig, and those that are added.
std::vector<Flag> cluster_flags(const std::vector<Flag>& more);
inline constexpr Flag kAllNamespaces{"all-namespaces", 'A', "", "in all namespaces"};

// By --kubeconfig, else KUBECONFIG, else ~/.kube/config. Asks nothing of the cluster yet. Errors: those of load_kubeconfig.
Result<std::unique_ptr<Session>> connect(const Arguments& arguments);

// "shop" of "shop", "release/shop", "rel/shop". Error kind: Invalid, for another kind.
Result<std::string> release_name(const std::string& operand);

}  // namespace weir
