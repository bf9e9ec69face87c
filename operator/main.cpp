// weir: the operator, the kubectl plugin and, later, the helper in Jobs: one binary. This file parses the flags of `weir operator`,
// turns signals into a stop request, and hands every other command to cli/.
#include <malloc.h>
#include <unistd.h>

#include <charconv>
#include <csignal>
#include <iostream>
#include <stop_token>
#include <thread>

#include "app/operator_process.h"
#include "base/log.h"
#include "cli/arguments.h"
#include "cli/commands.h"

namespace weir {
namespace {

constexpr std::string_view kUsage =
    "weir " WEIR_VERSION
    ": takes a commit to production and takes it back when it hurts\n"
    "\n"
    "usage: weir COMMAND\n"
    "  get [NAME] [-n NAMESPACE | -A] [--watch]   releases as a tree; --watch prints one line per "
    "change\n"
    "  operator [--listen=HOST:PORT] [--namespace=NS] [--log-level=LEVEL] [--kubeconfig=FILE]\n"
    "           [--leader-elect] [--leader-elect-resource-namespace=NS]\n"
    "           [--leader-elect-resource-name=NAME] [--leader-elect-identity=NAME]\n"
    "  sim [--seeds=N..M] [--trace]               the operator under every fault, in virtual time\n"
    "  demo --serve --bare [--listen=127.0.0.1:PORT]   an empty API in memory, for kubectl\n"
    "  version\n"
    "As kubectl-weir on the PATH it answers to `kubectl weir`.\n";

Result<void> parse_listen(const std::string& text, OperatorOptions& options) {
  const auto colon = text.rfind(':');
  int port = -1;
  if (colon != std::string::npos) {
    const char* end = text.data() + text.size();
    const auto read = std::from_chars(text.data() + colon + 1, end, port);
    if (read.ec != std::errc() || read.ptr != end) port = -1;
  }
  if (port < 0 || port > 65535)
    return Error{ErrorKind::Invalid, "--listen: found \"" + text + "\", must be HOST:PORT"};
  options.listen_host = text.substr(0, colon);
  options.listen_port = static_cast<std::uint16_t>(port);
  return {};
}

// Words of Kubernetes' own components. Off unless asked for, as a second operator on a desk is rarely meant to wait for the first.
LeaderElection leader_election(const Arguments& arguments, const std::string& own_namespace) {
  LeaderElection election;
  election.enabled = arguments.has("leader-elect");
  election.lease = {arguments.value("leader-elect-resource-namespace", own_namespace),
                    arguments.value("leader-elect-resource-name", "weir")};
  election.identity = arguments.value("leader-elect-identity");
  return election;
}

Result<OperatorOptions> operator_options(const std::vector<std::string>& words,
                                         const Clock& clock) {
  const ArgumentSpec spec{
      {"listen", "namespace", "log-level", "kubeconfig", "context",
       "leader-elect-resource-namespace", "leader-elect-resource-name", "leader-elect-identity"},
      {"leader-elect"},
      {},
      0};
  ASSIGN_OR_RETURN(const auto arguments, Arguments::parse(words, spec));
  OperatorOptions options;
  options.version = WEIR_VERSION;
  options.ns = arguments.value("namespace");
  ASSIGN_OR_RETURN(const auto level, parse_log_level(arguments.value("log-level", "info")));
  set_log_level(level);
  if (const auto listen = parse_listen(arguments.value("listen", "0.0.0.0:8080"), options); !listen)
    return listen.error();
  if (arguments.has("kubeconfig")) {
    ASSIGN_OR_RETURN(options.cluster, load_kubeconfig(arguments.value("kubeconfig"),
                                                      arguments.value("context"), clock));
  } else {
    ASSIGN_OR_RETURN(options.cluster, load_in_cluster_config(clock));
  }
  options.election = leader_election(arguments, options.cluster.ns);
  return options;
}

int run_operator_command(const std::vector<std::string>& words) {
  // Threads inherit the mask, so that only the waiter below sees the signals.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  const SystemClock clock;
  const auto options = operator_options(words, clock);
  if (!options) {
    std::cerr << "weir operator: " << options.error().message << "\n";
    return exit_code::kUsage;
  }
  std::stop_source stop;
  std::thread waiter([&] {
    int signal = 0;
    sigwait(&signals, &signal);
    stop.request_stop();
  });
  const auto done = run_operator(*options, stop.get_token());
  if (!done) log_error("cannot run", {{"error", to_string(done.error())}});
  if (!stop.stop_requested()) kill(getpid(), SIGTERM);
  waiter.join();
  return done ? exit_code::kOk : exit_code::kFailed;
}

int run(std::vector<std::string> words) {
  if (words.empty() || words.front() == "--help" || words.front() == "-h" ||
      words.front() == "help") {
    std::cout << kUsage;
    return words.empty() ? exit_code::kUsage : exit_code::kOk;
  }
  const std::string command = words.front();
  words.erase(words.begin());
  if (command == "operator") return run_operator_command(words);
  if (command == "get") return run_get(words);
  if (command == "sim") return run_sim(words);
  if (command == "demo") return run_demo(words);
  if (command == "version" || command == "--version") {
    std::cout << "weir " WEIR_VERSION "\n";
    return exit_code::kOk;
  }
  std::cerr << "weir: unknown command \"" << command << "\"\n\n" << kUsage;
  return exit_code::kUsage;
}

}  // namespace
}  // namespace weir

int main(int argc, char** argv) {
  // A peer that closes a TLS connection early would end the process otherwise.
  std::signal(SIGPIPE, SIG_IGN);
  // Two arenas: with one per thread the parse buffers of all threads stay resident (measured 82 MB against 21 MB).
  mallopt(M_ARENA_MAX, 2);
  return weir::run(std::vector<std::string>(argv + 1, argv + argc));
}
