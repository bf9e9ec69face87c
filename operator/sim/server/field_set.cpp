#include "sim/server/field_set.h"

#include <fmt/format.h>

#include <algorithm>

namespace weir::sim {
namespace {

void prune_empty(FieldSet& set) {
  std::erase_if(set.children, [](const auto& child) { return child.second.empty(); });
}

std::string readable(const std::string& key) {
  if (key.starts_with("f:")) return "." + key.substr(2);
  const auto parsed = parse_json(std::string_view(key).substr(2));
  if (!key.starts_with("k:") || !parsed || !parsed->is_object())
    return fmt::format("[={}]", key.substr(2));
  std::string names;
  for (const auto& item : parsed->items())
    names += fmt::format("{}{}={}", names.empty() ? "" : ",", item.key(), dump_json(item.value()));
  return "[" + names + "]";
}

void add_common(const FieldSet& a, const FieldSet& b, const std::string& path,
                std::vector<std::string>& paths) {
  if (a.member && b.member) paths.push_back(path);
  for (const auto& [key, child] : a.children) {
    const auto found = b.children.find(key);
    if (found != b.children.end()) add_common(child, found->second, path + readable(key), paths);
  }
}

}  // namespace

Json fields_v1(const FieldSet& set) {
  Json json = Json::object();
  if (set.member && !set.children.empty()) json["."] = Json::object();
  for (const auto& [key, child] : set.children) json[key] = fields_v1(child);
  return json;
}

bool overlap(const FieldSet& a, const FieldSet& b) {
  return (a.member && b.member) ||
         std::any_of(b.children.begin(), b.children.end(), [&](const auto& child) {
           const auto found = a.children.find(child.first);
           return found != a.children.end() && overlap(found->second, child.second);
         });
}

void subtract(FieldSet& set, const FieldSet& other) {
  if (other.member) set.member = false;
  for (const auto& [key, child] : other.children) {
    const auto found = set.children.find(key);
    if (found == set.children.end()) continue;
    subtract(found->second, child);
    if (found->second.empty()) set.children.erase(found);
  }
}

void unite(FieldSet& set, const FieldSet& other) {
  set.member = set.member || other.member;
  for (const auto& [key, child] : other.children) unite(set.children[key], child);
  prune_empty(set);
}

std::vector<std::string> common_paths(const FieldSet& a, const FieldSet& b) {
  std::vector<std::string> paths;
  add_common(a, b, "", paths);
  return paths;
}

}  // namespace weir::sim
