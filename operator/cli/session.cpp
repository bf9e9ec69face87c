#include "cli/session.h"

#include <fmt/format.h>

#include <array>
#include <cstdlib>

#include "kube/cluster_config.h"
#include "kube/http_api_client.h"

namespace weir {
namespace {

std::string default_kubeconfig() {
  const char* path = std::getenv("KUBECONFIG");
  if (path != nullptr && *path != '\0') return path;
  const char* home = std::getenv("HOME");
  return std::string(home != nullptr ? home : "") + "/.kube/config";
}

}  // namespace

std::vector<Flag> cluster_flags(const std::vector<Flag>& more) {
  std::vector<Flag> flags{
      {"namespace", 'n', "NAMESPACE", "instead of the context's"},
      {"context", 0, "NAME", "of the kubeconfig, instead of its current one"},
      {"kubeconfig", 0, "FILE", "instead of KUBECONFIG or ~/.kube/config"},
  };
  flags.insert(flags.end(), more.begin(), more.end());
  return flags;
}

Result<std::unique_ptr<Session>> connect(const Arguments& arguments) {
  auto session = std::make_unique<Session>(std::random_device{}());
  auto config = load_kubeconfig(arguments.value("kubeconfig", default_kubeconfig()),
                                arguments.value("context"), session->clock);
  // "Not found" is what the cluster says of an object.
  if (!config) return Error{ErrorKind::Invalid, config.error().message};
  // A person may have to log in first, which no request's deadline should count.
  if (config->http.credentials != nullptr) {
    if (auto known = config->http.credentials->get(); !known) return std::move(known).error();
  }
  ASSIGN_OR_RETURN(session->http, make_httplib_client(std::move(config->http)));
  session->api = make_http_api_client(*session->http, session->clock, session->random, {});
  session->ns = arguments.has(kAllNamespaces.name) ? "" : arguments.value("namespace", config->ns);
  return session;
}

Result<std::string> release_name(const std::string& operand) {
  constexpr std::array<std::string_view, 4> kWords{"release", "releases", "rel",
                                                   "releases.weir.dev"};
  const auto slash = operand.find('/');
  if (slash == std::string::npos) return operand;
  const auto kind = operand.substr(0, slash);
  for (const auto word : kWords)
    if (kind == word) return operand.substr(slash + 1);
  return Error{ErrorKind::Invalid,
               fmt::format("{}: only releases can be named here: release/NAME", operand)};
}

}  // namespace weir
