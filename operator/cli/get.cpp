#include <fmt/format.h>

#include <csignal>
#include <cstdlib>
#include <iostream>

#include "api/codec.h"
#include "base/json.h"
#include "base/log.h"
#include "base/time_format.h"
#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/release_tree.h"
#include "kube/cluster_config.h"
#include "kube/http_api_client.h"
#include "kube/kinds.h"

namespace weir {
namespace {

constexpr milliseconds kDeadline{30'000};

struct Session {
  SystemClock clock;
  SeededRandom random{std::random_device{}()};
  std::unique_ptr<HttpClient> http;
  std::unique_ptr<ApiClient> api;
  std::string ns;
};

std::string default_kubeconfig() {
  const char* path = std::getenv("KUBECONFIG");
  if (path && *path) return path;
  const char* home = std::getenv("HOME");
  return std::string(home ? home : "") + "/.kube/config";
}

Result<std::unique_ptr<Session>> connect(const Arguments& arguments) {
  auto session = std::make_unique<Session>();
  ASSIGN_OR_RETURN(auto config, load_kubeconfig(arguments.value("kubeconfig", default_kubeconfig()),
                                                arguments.value("context"), session->clock));
  ASSIGN_OR_RETURN(session->http, make_httplib_client(std::move(config.http)));
  session->api = make_http_api_client(*session->http, session->clock, session->random, {});
  session->ns = arguments.has("all-namespaces") ? "" : arguments.value("namespace", config.ns);
  return session;
}

struct Listed {
  std::vector<Release> releases;
  std::string resource_version;
};

Result<Listed> list(Session& session, const std::string& name) {
  Listed listed;
  std::string next;
  do {
    ASSIGN_OR_RETURN(const auto page, session.api->list(kinds::kRelease, {session.ns, ""}, next,
                                                        Deadline::after(session.clock, kDeadline)));
    for (const auto& item : page.items) {
      ASSIGN_OR_RETURN(auto release, decode_release(item));
      if (name.empty() || release.meta.key.name == name)
        listed.releases.push_back(std::move(release));
    }
    next = page.next;
    listed.resource_version = page.resource_version;
  } while (!next.empty());
  if (!name.empty() && listed.releases.empty())
    return Error{ErrorKind::NotFound,
                 fmt::format("release \"{}\" not found in namespace {}", name, session.ns)};
  return listed;
}

class LinePrinter {
 public:
  explicit LinePrinter(const Clock& clock) : clock_(clock) {}

  void print(const Release& release) {
    const auto line = release_line(release);
    auto& last = last_[release.meta.key];
    if (line == last) return;
    last = line;
    std::cout << format_time(clock_.now()).substr(11, 8) << " " << line << std::endl;
  }

 private:
  const Clock& clock_;
  std::map<ObjectKey, std::string> last_;
};

// One line per change, until interrupted or the API server goes away for good.
Result<void> watch(Session& session, const std::string& name) {
  LinePrinter printer(session.clock);
  while (true) {
    ASSIGN_OR_RETURN(const auto listed, list(session, name));
    for (const auto& release : listed.releases) printer.print(release);
    const auto on_line = [&](std::string_view line) {
      const auto event = parse_json(line);
      if (!event || json_text(*event, {"type"}) == "ERROR") return false;
      const auto release = decode_release(json_at(*event, {"object"}));
      if (release && (name.empty() || release->meta.key.name == name)) printer.print(*release);
      return true;
    };
    auto how = session.api->watch({kinds::kRelease, {session.ns, ""}, listed.resource_version},
                                  on_line, std::stop_token());
    if (!how && how.error().kind != ErrorKind::Gone) return how;
  }
}

Result<void> get(const Arguments& arguments) {
  ASSIGN_OR_RETURN(const auto session, connect(arguments));
  std::string name = arguments.positional().empty() ? "" : arguments.positional().front();
  if (const auto slash = name.find('/'); slash != std::string::npos) name = name.substr(slash + 1);
  if (arguments.has("watch")) return watch(*session, name);
  ASSIGN_OR_RETURN(const auto listed, list(*session, name));
  for (const auto& release : listed.releases)
    std::cout << release_tree(release, arguments.has("all-namespaces"));
  if (listed.releases.empty()) std::cerr << "no releases found\n";
  return {};
}

int exit_code_of(const Error& error) {
  switch (error.kind) {
    case ErrorKind::NotFound: return exit_code::kNotFound;
    case ErrorKind::Forbidden: return exit_code::kForbidden;
    default: return exit_code::kFailed;
  }
}

}  // namespace

int run_get(const std::vector<std::string>& words) {
  const ArgumentSpec spec{{"namespace", "context", "kubeconfig"},
                          {"all-namespaces", "watch"},
                          {{"n", "namespace"}, {"A", "all-namespaces"}, {"w", "watch"}},
                          1};
  const auto arguments = Arguments::parse(words, spec);
  if (!arguments) {
    std::cerr << "weir get: " << arguments.error().message << "\n";
    return exit_code::kUsage;
  }
  const auto done = get(*arguments);
  if (done) return exit_code::kOk;
  std::cerr << "weir get: " << done.error().message << "\n";
  return exit_code_of(done.error());
}

}  // namespace weir
