#include "api/workload.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>
#include <vector>

#include "api/codec.h"
#include "api/lenient.h"

namespace weir {
namespace {

bool is_added(std::string_view label) {
  return label == marks::kPodTemplateHash || label.starts_with(marks::kPrefix);
}

// Nothing: an operator that Kubernetes does not have.
std::string query_of(const Json& expression) {
  auto key = json_text(expression, {"key"});
  const auto word = json_text(expression, {"operator"});
  std::vector<std::string> values;
  for (const Json& value : json_at(expression, {"values"}))
    if (value.is_string()) values.push_back(value.get<std::string>());
  if (word == "In") return fmt::format("{} in ({})", key, fmt::join(values, ","));
  if (word == "NotIn") return fmt::format("{} notin ({})", key, fmt::join(values, ","));
  if (word == "Exists") return key;
  return word == "DoesNotExist" ? "!" + key : "";
}

}  // namespace

Json plain_template(Json pod_template) {
  if (!pod_template.is_object()) return pod_template;
  auto& meta = pod_template["metadata"];
  if (!meta.is_object()) meta = Json::object();
  meta.erase("creationTimestamp");
  if (json_at(meta, {"labels"}).is_object()) {
    Json labels = Json::object();
    for (const auto& [key, value] : meta["labels"].items())
      if (!is_added(key)) labels[key] = value;
    meta["labels"] = std::move(labels);
  }
  return pod_template;
}

std::string selector_query(const Json& selector) {
  std::vector<std::string> terms;
  const Json& labels = json_at(selector, {"matchLabels"});
  if (labels.is_object()) {
    for (const auto& [key, value] : labels.items())
      if (value.is_string()) terms.push_back(key + "=" + value.get<std::string>());
  }
  const Json& expressions = json_at(selector, {"matchExpressions"});
  if (expressions.is_array())
    for (const Json& expression : expressions) terms.push_back(query_of(expression));
  return fmt::format("{}", fmt::join(terms, ","));
}

Result<DeploymentView> decode_deployment(const Json& object) {
  DeploymentView view;
  ASSIGN_OR_RETURN(view.meta, decode_meta(object));
  const Json& spec = json_at(object, {"spec"});
  view.selector_text = dump_json(json_at(spec, {"selector"}));
  view.template_text = dump_json(plain_template(json_at(spec, {"template"})));
  view.replicas = small_int(spec, {"replicas"}, 1);
  view.paused = json_at(spec, {"paused"}) == true;
  const Json& status = json_at(object, {"status"});
  view.observed = json_int(status, {"observedGeneration"}) >= view.meta.generation;
  view.current = small_int(status, {"replicas"});
  view.updated = small_int(status, {"updatedReplicas"});
  view.available = small_int(status, {"availableReplicas"});
  return view;
}

}  // namespace weir
