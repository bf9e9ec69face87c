#include <fmt/format.h>

#include <cstdlib>

#include "kube/cluster_config.h"
#include "kube/token_file.h"
#include "net/url.h"

namespace weir {
namespace {

constexpr std::size_t kMaxCaBytes = 1U << 20U;
constexpr std::size_t kMaxNamespaceBytes = 253;

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

Result<ClusterConfig> load_in_cluster_config(const Clock& clock, const std::string& folder) {
  const auto host = environment("KUBERNETES_SERVICE_HOST");
  const auto port = environment("KUBERNETES_SERVICE_PORT");
  if (host.empty() || port.empty())
    return Error{ErrorKind::NotFound,
                 "not in a pod: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set"};
  ClusterConfig config;
  const bool bare_ipv6 = host.find(':') != std::string::npos && !host.starts_with('[');
  const auto shown = bare_ipv6 ? fmt::format("[{}]", host) : host;
  ASSIGN_OR_RETURN(config.http.server, parse_url(fmt::format("https://{}:{}", shown, port)));
  ASSIGN_OR_RETURN(config.http.tls.ca_pem, read_text_file(folder + "/ca.crt", kMaxCaBytes));
  auto token = std::make_shared<TokenFile>(folder + "/token", std::nullopt, clock);
  if (!token->token())
    return Error{ErrorKind::NotFound, fmt::format("no service account token in {}/token", folder)};
  config.http.bearer_token = [token] { return token->token(); };
  if (auto ns = read_text_file(folder + "/namespace", kMaxNamespaceBytes); ns && !ns->empty()) {
    while (ns->ends_with('\n')) ns->pop_back();
    config.ns = *ns;
  }
  return config;
}

}  // namespace weir
