#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "kube/yaml_json.h"
#include "kube/yaml_scalar.h"

namespace weir {
namespace {

std::string text_of(const std::string& text) {
  return may_stand_plain(text) ? text : dump_json(Json(text));
}

bool is_block(const Json& json) { return json.is_structured() && !json.empty(); }

std::string leaf(const Json& json) {
  return json.is_string() ? text_of(json.get_ref<const std::string&>()) : dump_json(json);
}

void dump(const Json& json, const std::string& indent, std::string& out) {
  if (!is_block(json)) {
    out += indent + leaf(json) + "\n";
    return;
  }
  // The first line of a block inside a list item follows the dash.
  if (json.is_array()) {
    for (const Json& item : json) {
      std::string below;
      dump(item, indent + "  ", below);
      out += fmt::format("{}- {}", indent, below.substr(indent.size() + 2));
    }
    return;
  }
  for (const auto& [key, value] : json.items()) {
    out += fmt::format("{}{}:", indent, text_of(key));
    if (!is_block(value)) {
      out += fmt::format(" {}\n", leaf(value));
    } else {
      out += "\n";
      dump(value, value.is_array() ? indent : indent + "  ", out);
    }
  }
}

}  // namespace

std::string dump_yaml(const Json& json) {
  std::string out;
  dump(json, "", out);
  return out;
}

}  // namespace weir
