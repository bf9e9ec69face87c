#include <fmt/format.h>

#include "sim/server/schema.h"

namespace weir::sim {

void prune(const Schema& schema, Json& value, const std::string& path,
           std::vector<std::string>& removed) {
  if (value.is_array() && schema.items) {
    for (std::size_t i = 0; i < value.size(); ++i)
      prune(*schema.items, value[i], fmt::format("{}[{}]", path, i), removed);
    return;
  }
  if (!value.is_object()) return;
  // An object of which nothing is said is kept as it is, as one in a list without items.
  const bool open = schema.preserve_unknown || schema.type == Schema::Type::Any;
  for (auto item = value.begin(); item != value.end();) {
    const auto* member = schema.member(item.key());
    if (member) {
      prune(*member, item.value(), member_path(path, item.key()), removed);
    } else if (!open) {
      removed.push_back(member_path(path, item.key()));
      item = value.erase(item);
      continue;
    }
    ++item;
  }
}

void fill_defaults(const Schema& schema, Json& value) {
  if (value.is_array() && schema.items) {
    for (auto& item : value) fill_defaults(*schema.items, item);
    return;
  }
  if (!value.is_object()) return;
  for (const auto& [name, member] : schema.properties) {
    auto found = value.find(name);
    const bool null = found != value.end() && found->is_null() && !member.nullable;
    if (member.default_value && (found == value.end() || null)) {
      value[name] = *member.default_value;
      found = value.find(name);
    } else if (null && member.type != Schema::Type::Any) {
      value.erase(found);
      continue;
    }
    if (found != value.end()) fill_defaults(member, *found);
  }
  if (!schema.additional) return;
  for (auto& item : value.items()) {
    if (schema.properties.find(item.key()) == schema.properties.end())
      fill_defaults(*schema.additional, item.value());
  }
}

}  // namespace weir::sim
