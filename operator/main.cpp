// weir: the operator, the kubectl plugin and, later, the helper in Jobs: one binary. This file has the table of commands; those of
// cli/, and `operator` itself, whose signals it turns into a stop request.
#include <malloc.h>
#include <unistd.h>

#include <charconv>
#include <csignal>
#include <stop_token>
#include <thread>

#include "app/operator_process.h"
#include "base/log.h"
#include "cli/command_line.h"
#include "cli/commands.h"

namespace weir {
namespace {

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

Result<OperatorOptions> operator_options(const Arguments& arguments, const Clock& clock) {
  OperatorOptions options;
  options.version = WEIR_VERSION;
  options.ns = arguments.value("namespace");
  options.adoption = !arguments.has("no-adoption");
  options.step_image = arguments.value("step-image");
  options.checkout_image = arguments.value("checkout-image");
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

Result<int> run_operator_command(const Invocation& invocation) {
  // Threads inherit the mask, so that only the waiter below sees the signals.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  const SystemClock clock;
  const auto options = operator_options(invocation.arguments, clock);
  if (!options) return usage_error(invocation, options.error().message);
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

Command operator_command() {
  Command command;
  command.name = "operator";
  command.summary = "the operator itself, as it runs in a cluster";
  command.flags = {
      {"listen", 0, "HOST:PORT", "for probes and metrics; 0.0.0.0:8080"},
      {"namespace", 'n', "NAMESPACE", "look at this one only; all"},
      {"no-adoption", 0, "", "no Release may adopt a Deployment; none is watched"},
      {"step-image", 0, "IMAGE", "Weir's own, for the steps of pipelines; without it none runs"},
      {"checkout-image", 0, "IMAGE", "with git and weir-checkout, for pipelines with a source"},
      {"log-level", 0, "debug|info|warn|error", "info"},
      {"kubeconfig", 0, "FILE", "instead of the pod's service account"},
      {"context", 0, "NAME", "of the kubeconfig"},
      {"leader-elect", 0, "", "act only while holding a Lease"},
      {"leader-elect-resource-namespace", 0, "NAMESPACE", "of the Lease; the pod's own"},
      {"leader-elect-resource-name", 0, "NAME", "of the Lease; weir"},
      {"leader-elect-identity", 0, "NAME", "of this process in the Lease; the pod's name"},
  };
  command.run = run_operator_command;
  return command;
}

int run(std::vector<std::string> words, const std::string& program) {
  // kubectl looks for this name when somebody presses TAB behind `kubectl weir`.
  if (program.ends_with("kubectl_complete-weir")) words.insert(words.begin(), {"__complete", "--"});
  const std::vector<Command> table{
      list_command(),     get_command(),      watch_command(),      explain_command(),
      promote_command(),  pause_command(),    resume_command(),     abort_command(),
      retry_command(),    rollback_command(), lint_command(),       adopt_command(),
      run_command(),      runs_command(),     logs_command(),       cancel_command(),
      plan_command(),     backtest_command(), sim_command(),        demo_command(),
      operator_command(), version_command(),  completion_command(), complete_command(),
  };
  return run_command_line(words, table, standard_streams(), WEIR_VERSION);
}

}  // namespace
}  // namespace weir

int main(int argc, char** argv) {
  // A peer that closes a TLS connection early would end the process otherwise.
  std::signal(SIGPIPE, SIG_IGN);
  // Two arenas: with one per thread the parse buffers of all threads stay resident (measured 82 MB against 21 MB).
  mallopt(M_ARENA_MAX, 2);
  return weir::run(std::vector<std::string>(argv + 1, argv + argc), argv[0]);
}
