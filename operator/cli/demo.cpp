#include <fmt/format.h>

#include <charconv>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <ostream>

#include "base/log.h"
#include "cli/command_line.h"
#include "cli/commands.h"
#include "cli/demo_story.h"
#include "sim/inputs.h"
#include "sim/live_world.h"

namespace weir {
namespace {

// Each watch and each kept connection holds a thread; kubectl has a handful.
constexpr HttpServerOptions kServing{64, true, std::size_t{3} << 20U};
constexpr timespec kLook{1, 0};  // how soon it is seen that the world has failed

constexpr std::string_view kHints = R"hints(
A release `shop` and its policy are there, under 200 requests a second. How a version behaves is
told by its image: good-…, bad-… (3 of 10 answers are errors), ages-… (so after 15 s), crash-…,
never-… (never ready), pull-… (there is no such image).
  kubectl get releases --watch
  kubectl patch release shop --type=merge \
    -p '{"spec":{"images":[{"container":"app","image":"bad-1"}]}}'
Queries of policies, at any URL: bad{service="$(service)"} and total{service="$(service)"}.
)hints";

struct Listen {
  std::string host;
  std::uint16_t port = 0;
};

std::optional<Listen> parse_listen(const std::string& text) {
  const auto colon = text.rfind(':');
  if (colon == std::string::npos) return std::nullopt;
  Listen listen{text.substr(0, colon)};
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(text.data() + colon + 1, end, listen.port);
  const bool loopback = listen.host == "localhost" || listen.host.starts_with("127.");
  return read.ec == std::errc() && read.ptr == end && loopback ? std::optional(listen)
                                                               : std::nullopt;
}

std::string kubeconfig(const std::string& url, std::string_view ns) {
  return fmt::format(
      "apiVersion: v1\nkind: Config\ncurrent-context: weir-demo\n"
      "clusters:\n- name: weir-demo\n  cluster: {{server: \"{}\"}}\n"
      "contexts:\n- name: weir-demo\n  context: {{cluster: weir-demo, user: weir-demo, namespace: "
      "{}}}\n"
      "users:\n- name: weir-demo\n  user: {{}}\n",
      url, ns);
}

// A folder of our own that goes with us.
class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "weir-demo-XXXXXX").string();
    if (::mkdtemp(name.data())) path_ = name;
  }
  ~Folder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// Threads inherit the mask, so that only the wait of serve() sees the signals.
sigset_t block_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

std::string hints() {
  std::error_code ignored;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", ignored);
  return fmt::format("{}The evidence: {} explain shop\nCtrl-C ends it.\n", kHints,
                     program.string());
}

struct Served {
  sim::HttpFront& front;
  std::string_view ns;  // of the kubeconfig
  std::string hints;    // what to do with it
  std::function<std::optional<std::string>()> failure;
};

// Until somebody asks the process to end, or the world has failed.
Result<int> serve(const Streams& streams, const Listen& listen, const Served& served) {
  const auto signals = block_signals();
  ASSIGN_OR_RETURN(
      const auto http,
      serve_http(
          listen.host, listen.port,
          [&](const ServedRequest& request) { return served.front.handle(request); }, kServing));
  const Folder folder;
  if (folder.path().empty()) return Error{ErrorKind::Internal, "no temporary folder"};
  const auto url = fmt::format("http://{}:{}", listen.host, http->port());
  const auto file = folder.path() / "kubeconfig";
  std::ofstream(file) << kubeconfig(url, served.ns);
  streams.out << fmt::format("serving {}\nexport KUBECONFIG={}\n{}", url, file.string(),
                             served.hints)
              << std::flush;
  while (sigtimedwait(&signals, nullptr, &kLook) < 0) {
    if (auto failure = served.failure()) return Error{ErrorKind::Internal, *std::move(failure)};
  }
  return exit_code::kOk;
}

Result<int> serve_bare(const Streams& streams, const Listen& listen) {
  const SystemClock clock;
  sim::ApiServer server(clock);
  for (const auto* name : {"default", "kube-system"}) server.add_namespace(name);
  sim::HttpFront front(server, clock);
  return serve(streams, listen, {front, "default", "", [] { return std::nullopt; }});
}

Result<int> serve_world(const Streams& streams, const Listen& listen, double speed) {
  // Before the thread of the world begins.
  block_signals();
  sim::LiveWorld world(speed);
  return serve(streams, listen,
               {world.front(), sim::kNamespace, hints(), [&] { return world.failure(); }});
}

Result<int> tell(const Streams& streams, double speed) {
  sim::LiveWorld world(speed);
  if (const auto told = tell_demo(streams, world); !told) return told.error();
  return exit_code::kOk;
}

std::optional<double> parse_speed(const std::string& text) {
  double speed = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), speed);
  const bool whole = read.ec == std::errc() && read.ptr == text.data() + text.size();
  return whole && speed >= 0.1 && speed <= 100 ? std::optional(speed) : std::nullopt;
}

Result<int> run(const Invocation& invocation) {
  const auto& arguments = invocation.arguments;
  const auto listen = parse_listen(arguments.value("listen", "127.0.0.1:0"));
  if (!listen) return usage_error(invocation, "--listen: must be HOST:PORT with a loopback HOST");
  const auto speed = parse_speed(arguments.value("speed", "1"));
  if (!speed) return usage_error(invocation, "--speed: must be a number from 0.1 to 100");
  const bool serves = arguments.has("serve");
  if (arguments.has("bare") && !serves) return usage_error(invocation, "--bare: goes with --serve");
  if (arguments.has("bare")) return serve_bare(invocation.streams, *listen);
  // The operator's log would stand in the middle of the story.
  set_log_sink([](LogLevel, std::string_view) {});
  auto done =
      serves ? serve_world(invocation.streams, *listen, *speed) : tell(invocation.streams, *speed);
  set_log_sink({});
  return done;
}

}  // namespace

Command demo_command() {
  Command command;
  command.name = "demo";
  command.summary = "a good and a bad release in a simulated world, in real time";
  command.more =
      "The operator's own code over the simulator's API server, with simulated pods, gateway and "
      "traffic.\n"
      "With --serve it offers that API until SIGTERM or SIGINT and prints the kubeconfig to use.\n"
      "\n"
      "  weir demo --speed 2\n"
      "  weir demo --serve\n";
  command.flags = {{"speed", 0, "N", "simulated seconds per second, 0.1 to 100; 1"},
                   {"serve", 0, "", "offer the API on a loopback port, to play with"},
                   {"bare", 0, "", "with --serve: the API alone, no operator and no world"},
                   {"listen", 0, "127.0.0.1:PORT", "where to serve; any free port"}};
  command.run = run;
  return command;
}

}  // namespace weir
