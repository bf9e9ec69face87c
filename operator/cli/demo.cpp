#include <fmt/format.h>

#include <charconv>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <optional>
#include <ostream>
#include <thread>

#include "base/log.h"
#include "cli/command_line.h"
#include "cli/commands.h"
#include "cli/demo_story.h"
#include "sim/server/http_front.h"

namespace weir {
namespace {

// Each watch and each kept connection holds a thread; kubectl has a handful.
constexpr HttpServerOptions kServing{64, true, std::size_t{3} << 20U};

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

std::string kubeconfig(const std::string& url) {
  return fmt::format(
      "apiVersion: v1\nkind: Config\ncurrent-context: weir-demo\n"
      "clusters:\n- name: weir-demo\n  cluster: {{server: \"{}\"}}\n"
      "contexts:\n- name: weir-demo\n  context: {{cluster: weir-demo, user: weir-demo}}\n"
      "users:\n- name: weir-demo\n  user: {{}}\n",
      url);
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

// Serves until somebody asks the process to end.
int serve(const Streams& streams, const Listen& listen, sim::HttpFront& front) {
  // Threads inherit the mask, so that only the wait below sees the signals.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  const auto http = serve_http(
      listen.host, listen.port, [&](const ServedRequest& request) { return front.handle(request); },
      kServing);
  const Folder folder;
  if (!http || folder.path().empty()) {
    streams.err << "weir demo: " << (http ? "no temporary folder" : http.error().message) << "\n";
    return exit_code::kFailed;
  }
  const auto url = fmt::format("http://{}:{}", listen.host, (*http)->port());
  const auto file = folder.path() / "kubeconfig";
  std::ofstream(file) << kubeconfig(url);
  streams.out << fmt::format("serving {}\nexport KUBECONFIG={}\n", url, file.string()) << std::flush;
  int signal = 0;
  sigwait(&signals, &signal);
  return exit_code::kOk;
}

int serve_bare(const Streams& streams, const Listen& listen) {
  const SystemClock clock;
  sim::ApiServer server(clock);
  for (const auto* name : {"default", "kube-system"}) server.add_namespace(name);
  sim::HttpFront front(server, clock);
  return serve(streams, listen, front);
}

int in_a_world(const Streams& streams, double speed, const std::optional<Listen>& listen) {
  set_log_sink([](LogLevel, std::string_view) {});
  sim::LiveWorld world(speed);
  const std::jthread time([&](const std::stop_token& stop) { world.run(stop); });
  if (listen) return serve(streams, *listen, world.front());
  return tell_demo(streams, world) ? exit_code::kOk : exit_code::kFailed;
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
  if (arguments.has("bare") && !serves)
    return usage_error(invocation, "--bare: goes with --serve");
  if (arguments.has("bare")) return serve_bare(invocation.streams, *listen);
  return in_a_world(invocation.streams, *speed, serves ? listen : std::nullopt);
}

}  // namespace

Command demo_command() {
  Command command;
  command.name = "demo";
  command.summary = "a good and a bad release in a simulated world, in real time";
  command.more =
      "The operator's own code over the simulator's API server, with simulated pods, gateway and traffic.\n"
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
