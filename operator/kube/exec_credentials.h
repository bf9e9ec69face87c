// Credentials from a program, as kubeconfigs of clouds and of OIDC have them
// (https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins).
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "net/credentials.h"

namespace weir {

enum class InteractiveMode { Never, IfAvailable, Always };

// users[].user.exec
struct ExecPlugin {
  std::string api_version;  // client.authentication.k8s.io/v1 or v1beta1
  std::string command;
  std::vector<std::string> arguments{};
  std::vector<std::pair<std::string, std::string>> environment{};
  std::string install_hint{};
  InteractiveMode interactive = InteractiveMode::IfAvailable;
  std::optional<Json> cluster{};  // spec.cluster, when it asked for that
};

// What a plugin printed. Error kind: Invalid; it never quotes what was printed.
struct ExecAnswer {
  Credential credential;
  std::optional<WallTime> expires{};
};
Result<ExecAnswer> parse_exec_answer(const std::string& text, const std::string& api_version);

// Runs the plugin when there is no answer yet, when it has expired, and after a refusal; one at a time. It may read from the
// terminal if there is one and it wants to: then it has 10 minutes, else one. Errors of get(): Invalid (no such program, with
// the hint how to install it; no good answer), Forbidden (it failed), Timeout. `clock` must outlive the result.
std::shared_ptr<CredentialSource> make_exec_credentials(ExecPlugin plugin, const Clock& clock);

}  // namespace weir
