#include "sim/server/patching.h"

#include <algorithm>

namespace weir::sim {
namespace {

const Json* named_item(const Json& list, const std::string& key, const Json& value) {
  const auto found = std::find_if(list.begin(), list.end(),
                                  [&](const Json& item) { return json_at(item, {key}) == value; });
  return found == list.end() ? nullptr : &*found;
}

void lay_over(const Schema* schema, Json& target, const Json& patch);

void lay_over_list(const Schema& schema, Json& target, const Json& patch) {
  const auto& key = schema.list_keys.front();
  for (const auto& item : patch) {
    if (json_text(item, {"$patch"}) == "replace") {
      target = Json::array();
      continue;
    }
    const Json& name = json_at(item, {key});
    const auto* same = named_item(target, key, name);
    if (json_text(item, {"$patch"}) == "delete") {
      if (same) target.erase(static_cast<std::size_t>(same - &target.front()));
    } else if (same) {
      lay_over(schema.items.get(), target[static_cast<std::size_t>(same - &target.front())], item);
    } else {
      target.push_back(item);
    }
  }
  if (json_text(patch.empty() ? Json() : patch.front(), {"$patch"}) == "replace") {
    Json kept = Json::array();
    for (const auto& item : target) {
      if (!item.contains("$patch")) kept.push_back(item);
    }
    target = std::move(kept);
  }
}

void drop_values(Json& list, const Json& values) {
  if (!list.is_array()) return;
  for (const auto& value : values) {
    const auto found = std::find(list.begin(), list.end(), value);
    if (found != list.end()) list.erase(found);
  }
}

// Directives beside the members that they speak of.
void obey(Json& target, const std::string& directive, const Json& value) {
  constexpr std::string_view kDelete = "$deleteFromPrimitiveList/";
  if (directive.starts_with(kDelete)) {
    const auto found = target.find(directive.substr(kDelete.size()));
    if (found != target.end()) drop_values(*found, value);
  } else if (directive == "$retainKeys") {
    for (auto item = target.begin(); item != target.end();)
      item = std::find(value.begin(), value.end(), item.key()) == value.end() ? target.erase(item)
                                                                              : std::next(item);
  }
}

void lay_over(const Schema* schema, Json& target, const Json& patch) {
  const bool fresh = !target.is_object() || json_text(patch, {"$patch"}) == "replace";
  if (fresh) target = Json::object();
  for (const auto& item : patch.items()) {
    const auto& key = item.key();
    if (key.starts_with('$')) {
      obey(target, key, item.value());
      continue;
    }
    const Schema* member = schema ? schema->member(key) : nullptr;
    if (item.value().is_null()) {
      target.erase(key);
    } else if (item.value().is_object()) {
      lay_over(member, target[key], item.value());
    } else if (item.value().is_array() && member && member->list == Schema::List::Map &&
               target.contains(key) && target[key].is_array()) {
      lay_over_list(*member, target[key], item.value());
    } else {
      target[key] = item.value();
    }
  }
}

}  // namespace

Answer<Json> json_patched(const Json& object, const Json& patch) {
  if (!patch.is_array())
    return bad_request(
        "error decoding patch: json: cannot unmarshal object into Go value of type "
        "[]handlers.jsonPatchOp");
  try {
    Json patched = object.patch(patch);
    if (patched.is_object()) return patched;
  } catch (const std::exception&) {
    // As the real one, which does not tell which operation it was.
  }
  return unapplied_patch();
}

Answer<Json> merge_patched(const Json& object, const Json& patch) {
  if (!patch.is_object())
    return bad_request(
        "error decoding patch: json: cannot unmarshal array into Go value of type "
        "map[string]interface {}");
  Json patched = object;
  patched.merge_patch(patch);
  return patched;
}

Answer<Json> strategic_patched(const Schema& schema, const Json& object, const Json& patch) {
  if (!patch.is_object()) return bad_request("error decoding patch: must be an object");
  Json patched = object;
  lay_over(&schema, patched, patch);
  return patched;
}

}  // namespace weir::sim
