#include "sim/server/managers.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "base/time_format.h"

namespace weir::sim {
namespace {

bool is_same(const Manager& manager, const Writer& writer, bool applies) {
  return manager.name == writer.manager && manager.applies == applies &&
         manager.subresource == writer.subresource;
}

const Manager* find_manager(const Managers& managers, const Writer& writer, bool applies) {
  const auto found = std::find_if(managers.begin(), managers.end(), [&](const auto& each) {
    return is_same(*each, writer, applies);
  });
  return found == managers.end() ? nullptr : found->get();
}

// All but `mine` lose what was written or removed.
void take_from_others(Managers& managers, const Manager* mine, const Changes& changes) {
  for (auto& manager : managers) {
    const bool loses = manager.get() != mine && (overlap(manager->fields, changes.written) ||
                                                 overlap(manager->fields, changes.removed));
    if (!loses) continue;
    Manager left = *manager;
    subtract(left.fields, changes.written);
    subtract(left.fields, changes.removed);
    manager = std::make_shared<const Manager>(std::move(left));
  }
}

void set_fields(Managers& managers, const Manager* mine, Manager next) {
  auto stored = std::make_shared<const Manager>(std::move(next));
  for (auto& manager : managers) {
    if (manager.get() != mine) continue;
    manager = std::move(stored);
    return;
  }
  managers.push_back(std::move(stored));
}

// What nobody owns: the object's identity, and what the server itself writes.
Json owned_part(const Json& object) {
  Json part = object;
  part.erase("apiVersion");
  part.erase("kind");
  const auto metadata = part.find("metadata");
  if (metadata == part.end() || !metadata->is_object()) return part;
  for (const auto* key :
       {"name", "namespace", "creationTimestamp", "uid", "generation", "managedFields",
        "resourceVersion", "selfLink", "deletionTimestamp", "deletionGracePeriodSeconds"})
    metadata->erase(key);
  if (metadata->empty()) part.erase(metadata);
  return part;
}

bool is_owned(std::string_view member) {
  return member != "apiVersion" && member != "kind" && member != "metadata";
}

Changes changes_of(const Resource& resource, const Json& before, const Json& after) {
  Changes changes;
  const Json old_meta = owned_part(Json{{"metadata", json_at(before, {"metadata"})}});
  const Json new_meta = owned_part(Json{{"metadata", json_at(after, {"metadata"})}});
  if (old_meta != new_meta) compare(&resource.schema, old_meta, new_meta, changes);
  // Without copies of what has not changed, which is nearly all.
  const auto side = [](const std::string& key, const Json& value) {
    Json json = Json::object();
    if (!value.is_null()) json[key] = value;
    return json;
  };
  const auto look = [&](const std::string& key) {
    const Json& old = json_at(before, {key});
    const Json& now = json_at(after, {key});
    if (is_owned(key) && old != now)
      compare(&resource.schema, side(key, old), side(key, now), changes);
  };
  for (const auto& item : after.items()) look(item.key());
  for (const auto& item : before.items()) {
    if (!after.contains(item.key())) look(item.key());
  }
  return changes;
}

void drop_empty(Managers& managers) {
  std::erase_if(managers,
                [](const auto& each) { return each->fields.children.empty() && !each->applies; });
}

Refusal conflict_with(const std::vector<std::pair<const Manager*, std::string>>& conflicts) {
  Refusal refusal{409, "Conflict", ""};
  std::string text;
  const Manager* last = nullptr;
  for (const auto& [manager, path] : conflicts) {
    std::string who = fmt::format("\"{}\"", manager->name);
    if (!manager->subresource.empty())
      who += fmt::format(" with subresource \"{}\"", manager->subresource);
    const auto with = fmt::format("{} using {}", who, manager->api_version);
    if (manager != last) text += fmt::format("{}conflicts with {}:", last ? "\n" : "", with);
    last = manager;
    text += "\n- " + path;
    refusal.causes.push_back({path, "FieldManagerConflict", "conflict with " + with});
  }
  if (conflicts.size() == 1) {
    refusal.message = fmt::format("Apply failed with 1 conflict: {}: {}",
                                  refusal.causes.front().message, conflicts.front().second);
  } else {
    refusal.message = fmt::format("Apply failed with {} conflicts: {}", conflicts.size(), text);
  }
  return refusal;
}

}  // namespace

Json managed_fields(const Managers& managers) {
  std::vector<const Manager*> sorted;
  for (const auto& manager : managers) sorted.push_back(manager.get());
  std::sort(sorted.begin(), sorted.end(), [](const Manager* a, const Manager* b) {
    return std::tuple(!a->applies, a->time, a->name, a->subresource) <
           std::tuple(!b->applies, b->time, b->name, b->subresource);
  });
  Json list = Json::array();
  for (const auto* manager : sorted) {
    Json entry{
        {"manager", manager->name},           {"operation", manager->applies ? "Apply" : "Update"},
        {"apiVersion", manager->api_version}, {"time", format_time(manager->time)},
        {"fieldsType", "FieldsV1"},           {"fieldsV1", fields_v1(manager->fields)}};
    if (!manager->subresource.empty()) entry["subresource"] = manager->subresource;
    list.push_back(std::move(entry));
  }
  return list;
}

void note_update(Managers& managers, const Resource& resource, const Json& before,
                 const Json& after, const Writer& writer) {
  const auto changes = changes_of(resource, before, after);
  const auto* mine = find_manager(managers, writer, false);
  take_from_others(managers, mine, changes);
  Manager next{writer.manager,         false,      writer.subresource,
               resource.api_version(), writer.now, mine ? mine->fields : FieldSet{}};
  subtract(next.fields, changes.removed);
  unite(next.fields, changes.written);
  next.fields.member = false;
  if (!mine || mine->fields != next.fields) set_fields(managers, mine, std::move(next));
  drop_empty(managers);
}

Answer<Applied> apply_config(const Resource& resource, const Json& live, const Managers& managers,
                             const Json& config, const Writer& writer, bool force) {
  Applied applied{live, managers};
  const Json part = owned_part(config);
  FieldSet next = part.empty() ? FieldSet{} : fields_of(&resource.schema, part);
  merge_config(&resource.schema, applied.object, part);
  const auto* mine = find_manager(managers, writer, true);
  if (mine) {
    std::vector<const FieldSet*> others;
    for (const auto& manager : managers) {
      if (manager.get() != mine) others.push_back(&manager->fields);
    }
    remove_dropped(&resource.schema, applied.object, mine->fields, next, others);
  }
  const auto changes = changes_of(resource, live, applied.object);
  std::vector<std::pair<const Manager*, std::string>> conflicts;
  for (const auto& manager : managers) {
    if (manager.get() == mine || force) continue;
    for (auto& path : common_paths(manager->fields, changes.written))
      conflicts.emplace_back(manager.get(), std::move(path));
  }
  if (!conflicts.empty()) return conflict_with(conflicts);
  take_from_others(applied.managers, mine, changes);
  if (!mine || mine->fields != next)
    set_fields(applied.managers, mine,
               {writer.manager, true, writer.subresource, resource.api_version(), writer.now,
                std::move(next)});
  drop_empty(applied.managers);
  return applied;
}

}  // namespace weir::sim
