#include "cli/lint_rbac.h"

#include <fmt/format.h>

#include <map>
#include <set>

#include "api/codec.h"
#include "kube/kinds.h"
#include "kube/yaml_json.h"

namespace weir {
namespace {

constexpr std::string_view kGroup = "rbac.authorization.k8s.io";
constexpr std::string_view kName = "weir-secrets";

using Names = std::map<std::string, std::set<std::string>>;  // by namespace

Result<void> add_names(const LintText& text, const std::string& fallback, Names& names) {
  auto documents = parse_yaml(text.text);
  if (!documents)
    return Error{ErrorKind::Parse, fmt::format("{}: {}", text.name, documents.error().message)};
  for (const auto& document : *documents) {
    if (json_text(document.json, {"kind"}) != kinds::kCanaryPolicy.name) continue;
    const auto policy = decode_policy(document.json);
    if (!policy || !policy->spec) {
      const auto& error = policy ? policy->spec.error() : policy.error();
      return Error{ErrorKind::Invalid, fmt::format("{}: {}", text.name, error.message)};
    }
    const auto& ns = policy->meta.key.ns.empty() ? fallback : policy->meta.key.ns;
    for (const auto& source : policy->spec->sources) {
      if (source.prometheus && !source.prometheus->secret.empty())
        names[ns].insert(source.prometheus->secret);
    }
  }
  return {};
}

Json metadata(const std::string& ns) { return Json{{"name", kName}, {"namespace", ns}}; }

Json role(const std::string& ns, const std::set<std::string>& names) {
  return Json{{"apiVersion", fmt::format("{}/v1", kGroup)},
              {"kind", "Role"},
              {"metadata", metadata(ns)},
              {"rules", Json::array({Json{{"apiGroups", Json::array({""})},
                                          {"resources", Json::array({"secrets"})},
                                          {"resourceNames", names},
                                          {"verbs", Json::array({"get"})}}})}};
}

Json binding(const std::string& ns, const ObjectKey& account) {
  return Json{
      {"apiVersion", fmt::format("{}/v1", kGroup)},
      {"kind", "RoleBinding"},
      {"metadata", metadata(ns)},
      {"roleRef", {{"apiGroup", kGroup}, {"kind", "Role"}, {"name", kName}}},
      {"subjects",
       Json::array(
           {Json{{"kind", "ServiceAccount"}, {"name", account.name}, {"namespace", account.ns}}})}};
}

}  // namespace

Result<std::string> rbac_for(const std::vector<LintText>& texts, const std::string& fallback,
                             const ObjectKey& account) {
  Names names;
  for (const auto& text : texts) {
    if (auto added = add_names(text, fallback, names); !added) return added.error();
  }
  std::string yaml;
  for (const auto& [ns, secrets] : names)
    yaml += "---\n" + dump_yaml(role(ns, secrets)) + "---\n" + dump_yaml(binding(ns, account));
  return yaml;
}

}  // namespace weir
