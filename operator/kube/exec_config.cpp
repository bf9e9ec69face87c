#include "kube/exec_config.h"

#include <algorithm>

#include "base/base64.h"

namespace weir {
namespace {

constexpr std::string_view kVersion1 = "client.authentication.k8s.io/v1";
constexpr std::string_view kVersion1Beta1 = "client.authentication.k8s.io/v1beta1";
constexpr std::string_view kExtension = "client.authentication.k8s.io/exec";

Result<InteractiveMode> read_mode(const YamlReader& exec, const std::string& api_version) {
  const auto field = exec.at("interactiveMode");
  ASSIGN_OR_RETURN(const auto mode, field.text());
  if (mode == "Never") return InteractiveMode::Never;
  if (mode == "Always") return InteractiveMode::Always;
  if (mode == "IfAvailable" || (mode.empty() && api_version == kVersion1Beta1))
    return InteractiveMode::IfAvailable;
  return field.invalid("must be one of Never, IfAvailable, Always");
}

// What a cluster's extension has for plugins; null when there is none.
Result<Json> plugin_config(const YamlReader& cluster) {
  ASSIGN_OR_RETURN(const auto extensions, cluster.at("extensions").list());
  for (const auto& extension : extensions) {
    ASSIGN_OR_RETURN(const auto name, extension.at("name").text());
    if (name == kExtension) return extension.at("extension").json();
  }
  return Json();
}

Result<Json> cluster_info(const YamlReader& cluster, const HttpClientOptions& http) {
  Json info{{"server", cluster.at("server").json()}};
  if (!http.tls.server_name.empty()) info["tls-server-name"] = http.tls.server_name;
  if (http.tls.insecure_skip_verify) info["insecure-skip-tls-verify"] = true;
  if (!http.tls.ca_pem.empty()) info["certificate-authority-data"] = encode_base64(http.tls.ca_pem);
  if (cluster.at("proxy-url").exists()) info["proxy-url"] = cluster.at("proxy-url").json();
  ASSIGN_OR_RETURN(auto config, plugin_config(cluster));
  if (!config.is_null()) info["config"] = std::move(config);
  return info;
}

// For a terminal: without what could move its cursor.
std::string printable(std::string text) {
  text.erase(
      std::remove_if(text.begin(), text.end(),
                     [](char c) { return (c >= '\0' && c < ' ' && c != '\n') || c == '\x7f'; }),
      text.end());
  return text;
}

}  // namespace

Result<ExecPlugin> read_exec(const YamlReader& exec, const std::filesystem::path& folder,
                             const YamlReader& cluster, const HttpClientOptions& http) {
  ExecPlugin plugin;
  ASSIGN_OR_RETURN(plugin.api_version, exec.at("apiVersion").text());
  if (plugin.api_version != kVersion1 && plugin.api_version != kVersion1Beta1)
    return exec.at("apiVersion").invalid("must be client.authentication.k8s.io/v1 or v1beta1");
  ASSIGN_OR_RETURN(plugin.command, exec.at("command").text());
  if (plugin.command.empty()) return exec.at("command").invalid("is missing");
  if (plugin.command.find('/') != std::string::npos) plugin.command = folder / plugin.command;
  ASSIGN_OR_RETURN(const auto arguments, exec.at("args").list());
  for (const auto& argument : arguments) {
    ASSIGN_OR_RETURN(auto text, argument.text());
    plugin.arguments.push_back(std::move(text));
  }
  ASSIGN_OR_RETURN(const auto variables, exec.at("env").list());
  for (const auto& variable : variables) {
    ASSIGN_OR_RETURN(auto name, variable.at("name").text());
    ASSIGN_OR_RETURN(auto value, variable.at("value").text());
    if (name.empty()) return variable.at("name").invalid("is missing");
    plugin.environment.emplace_back(std::move(name), std::move(value));
  }
  ASSIGN_OR_RETURN(auto hint, exec.at("installHint").text());
  plugin.install_hint = printable(std::move(hint));
  ASSIGN_OR_RETURN(plugin.interactive, read_mode(exec, plugin.api_version));
  ASSIGN_OR_RETURN(const bool wants_cluster, exec.at("provideClusterInfo").flag());
  if (wants_cluster) {
    ASSIGN_OR_RETURN(plugin.cluster, cluster_info(cluster, http));
  }
  return plugin;
}

}  // namespace weir
