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

struct Grant {
  std::set<std::string> read;  // names of Secrets
  bool make = false;           // copies of them, for revisions
};
using Grants = std::map<std::string, Grant>;  // by namespace

// The object's spec, or what is wrong with it.
template <typename T>
Result<T> checked(Result<T> object, const LintText& text) {
  if (object && object->spec) return object;
  const auto& error = object ? object->spec.error() : object.error();
  return Error{ErrorKind::Invalid, fmt::format("{}: {}", text.name, error.message)};
}

Result<void> add_grants(const LintText& text, const std::string& fallback, Grants& grants) {
  auto documents = parse_yaml(text.text);
  if (!documents)
    return Error{ErrorKind::Parse, fmt::format("{}: {}", text.name, documents.error().message)};
  for (const auto& document : *documents) {
    const auto kind = json_text(document.json, {"kind"});
    const auto grant_in = [&](const ObjectMeta& meta) -> Grant& {
      return grants[meta.key.ns.empty() ? fallback : meta.key.ns];
    };
    if (kind == kinds::kCanaryPolicy.name) {
      ASSIGN_OR_RETURN(const auto policy, checked(decode_policy(document.json), text));
      for (const auto& source : policy.spec->sources) {
        if (source.prometheus && !source.prometheus->secret.empty())
          grant_in(policy.meta).read.insert(source.prometheus->secret);
      }
    } else if (kind == kinds::kRelease.name) {
      ASSIGN_OR_RETURN(const auto release, checked(decode_release(document.json), text));
      for (const auto& secret : release.spec->config.secrets) {
        grant_in(release.meta).read.insert(secret);
        grant_in(release.meta).make = true;
      }
    }
  }
  return {};
}

Json metadata(const std::string& ns) { return Json{{"name", kName}, {"namespace", ns}}; }

Json rule(const char* verb) {
  return Json{{"apiGroups", Json::array({""})},
              {"resources", Json::array({"secrets"})},
              {"verbs", Json::array({verb})}};
}

Json role(const std::string& ns, const Grant& grant) {
  Json read = rule("get");
  read["resourceNames"] = grant.read;
  Json rules = Json::array({std::move(read)});
  // `create` cannot be limited to names.
  if (grant.make) rules.push_back(rule("create"));
  return Json{{"apiVersion", fmt::format("{}/v1", kGroup)},
              {"kind", "Role"},
              {"metadata", metadata(ns)},
              {"rules", std::move(rules)}};
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
  Grants grants;
  for (const auto& text : texts) {
    if (auto added = add_grants(text, fallback, grants); !added) return added.error();
  }
  std::string yaml;
  for (const auto& [ns, grant] : grants)
    yaml += "---\n" + dump_yaml(role(ns, grant)) + "---\n" + dump_yaml(binding(ns, account));
  return yaml;
}

}  // namespace weir
