#include "app/leadership.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

#include "base/log.h"
#include "kube/http_api_client.h"
#include "runtime/lease_loop.h"

namespace weir {
namespace {

class AlwaysLeader final : public Leadership {
 public:
  const WriteFence& fence() const override { return fence_; }
  void start() override {}
  bool wait_until_known(const std::stop_token& stop) override { return !stop.stop_requested(); }
  bool wait_until_leading(const std::stop_token& stop) override { return !stop.stop_requested(); }
  void end() override {}

 private:
  OpenFence fence_;
};

[[noreturn]] void end_process(const std::string& why) {
  log_error("lease lost: this process ends", {{"why", why}});
  // No destructors: they would wait for writers, and the lease waits for nobody.
  std::_Exit(1);
}

class LeaseLeadership final : public Leadership {
 public:
  LeaseLeadership(std::unique_ptr<HttpClient> http, const LeaderElection& election,
                  const Clock& clock, Random& random, Metrics& metrics)
      : http_(std::move(http)),
        api_(make_http_api_client(*http_, clock, random, {})),
        loop_(election.lease, election.identity, *api_, clock, random, metrics, end_process) {}

  const WriteFence& fence() const override { return loop_.fence(); }
  void start() override {
    thread_ = std::jthread([this](const std::stop_token& stop) { loop_.run(stop); });
  }
  bool wait_until_known(const std::stop_token& stop) override {
    return loop_.wait_until_known(stop);
  }
  bool wait_until_leading(const std::stop_token& stop) override {
    return loop_.wait_until_leading(stop);
  }
  void end() override {
    thread_ = std::jthread();  // stops and joins
    loop_.release();
  }

 private:
  std::unique_ptr<HttpClient> http_;
  std::unique_ptr<ApiClient> api_;
  LeaseLoop loop_;
  std::jthread thread_;
};

// Two processes of one machine must differ.
std::string identity_of_process(Random& random) {
  std::array<char, 256> host{};
  if (gethostname(host.data(), host.size() - 1) != 0) host[0] = '\0';
  return fmt::format("{}_{:08x}", host.data(),
                     static_cast<std::uint32_t>(random.uniform() * 4294967295.0));
}

}  // namespace

Result<std::unique_ptr<Leadership>> make_leadership(const LeaderElection& election,
                                                    const ClusterConfig& cluster,
                                                    const Clock& clock, Random& random,
                                                    Metrics& metrics) {
  if (!election.enabled) {
    metrics.set_leader(true);
    return std::unique_ptr<Leadership>(std::make_unique<AlwaysLeader>());
  }
  auto named = election;
  if (named.identity.empty()) named.identity = identity_of_process(random);
  ASSIGN_OR_RETURN(auto http, make_httplib_client(cluster.http));
  return std::unique_ptr<Leadership>(
      std::make_unique<LeaseLeadership>(std::move(http), named, clock, random, metrics));
}

}  // namespace weir
