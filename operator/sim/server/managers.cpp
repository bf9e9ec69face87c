#include "sim/server/managers.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
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
bool is_owned(std::string_view member) {
  return member != "apiVersion" && member != "kind" && member != "metadata";
}

bool is_owned_metadata(std::string_view member) {
  static constexpr std::array<std::string_view, 10> kSystem{"name",
                                                            "namespace",
                                                            "creationTimestamp",
                                                            "uid",
                                                            "generation",
                                                            "managedFields",
                                                            "resourceVersion",
                                                            "selfLink",
                                                            "deletionTimestamp",
                                                            "deletionGracePeriodSeconds"};
  return std::find(kSystem.begin(), kSystem.end(), member) == kSystem.end();
}

void drop_unowned(Json& config) {
  config.erase("apiVersion");
  config.erase("kind");
  const auto metadata = config.find("metadata");
  if (metadata == config.end() || !metadata->is_object()) return;
  for (auto item = metadata->begin(); item != metadata->end();)
    item = is_owned_metadata(item.key()) ? std::next(item) : metadata->erase(item);
  if (metadata->empty()) config.erase(metadata);
}

void compare_members(const Schema& schema, const Json& before, const Json& after,
                     bool (*is_counted)(std::string_view), Changes& changes) {
  const auto look = [&](const std::string& name) {
    if (!is_counted(name)) return;
    const Json* old = member_of(&before, name);
    const Json* now = member_of(&after, name);
    if (!old || !now || *old != *now) compare_member(schema, name, old, now, changes);
  };
  for (const auto& item : after.items()) look(item.key());
  for (const auto& item : before.items()) {
    if (!after.contains(item.key())) look(item.key());
  }
}

// Without copies of what has not changed, which is nearly all.
Changes changes_of(const Resource& resource, const Json& before, const Json& after) {
  Changes changes;
  compare_members(resource.schema, before, after, is_owned, changes);
  Changes metadata;
  static const Json nothing = Json::object();
  const Json* old = member_of(&before, "metadata");
  const Json* now = member_of(&after, "metadata");
  compare_members(*resource.schema.member("metadata"), old ? *old : nothing, now ? *now : nothing,
                  is_owned_metadata, metadata);
  if (!metadata.written.empty())
    changes.written.children["f:metadata"] = std::move(metadata.written);
  if (!metadata.removed.empty())
    changes.removed.children["f:metadata"] = std::move(metadata.removed);
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
    std::string with = fmt::format("\"{}\"", manager->name);
    if (!manager->subresource.empty())
      with += fmt::format(" with subresource \"{}\"", manager->subresource);
    if (!manager->applies) with += " using " + manager->api_version;
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

// Whether another manager may own something of what an apply writes or removes: a look at the topmost fields only.
bool meet(const Managers& managers, const Manager* mine, const FieldSet& next) {
  const auto meets = [&](const FieldSet& others, const FieldSet& fields) {
    return std::any_of(fields.children.begin(), fields.children.end(), [&](const auto& child) {
      return others.children.find(child.first) != others.children.end();
    });
  };
  return std::any_of(managers.begin(), managers.end(), [&](const auto& each) {
    return each.get() != mine &&
           (meets(each->fields, next) || (mine && meets(each->fields, mine->fields)));
  });
}

// For those who come from client-side apply: what still is as they left it, nobody else can have meant.
FieldSet left_by_client_side_apply(const Resource& resource, const Json& live,
                                   const Writer& writer) {
  constexpr std::string_view kLastApplied = "kubectl.kubernetes.io/last-applied-configuration";
  const Json& annotation = json_at(live, {"metadata", "annotations", kLastApplied});
  if (writer.manager != "kubectl" || !annotation.is_string()) return {};
  auto last = parse_json(annotation.get_ref<const std::string&>());
  if (!last || !last->is_object()) return {};
  const auto changes = changes_of(resource, *last, live);
  drop_unowned(*last);
  FieldSet fields = fields_of(&resource.schema, *last);
  subtract(fields, changes.written);
  subtract(fields, changes.removed);
  return fields;
}

// Takes what was applied from those who own it; refused, when they may not lose it.
Answer<Done> take(Applied& applied, const Resource& resource, const Json& live, const Manager* mine,
                  const FieldSet& next, const Writer& writer, bool force) {
  if (!meet(applied.managers, mine, next)) return Done{};
  const auto changes = changes_of(resource, live, applied.object);
  FieldSet contested = changes.written;
  if (!force) subtract(contested, left_by_client_side_apply(resource, live, writer));
  std::vector<std::pair<const Manager*, std::string>> conflicts;
  for (const auto& manager : applied.managers) {
    if (manager.get() == mine || force) continue;
    for (auto& path : common_paths(manager->fields, contested))
      conflicts.emplace_back(manager.get(), std::move(path));
  }
  if (!conflicts.empty()) return conflict_with(conflicts);
  take_from_others(applied.managers, mine, changes);
  return Done{};
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

Managers parse_managers(const Json& managed_fields) {
  Managers managers;
  if (!managed_fields.is_array()) return managers;
  for (const auto& entry : managed_fields) {
    const auto time = parse_time(json_text(entry, {"time"}));
    Manager manager{
        json_text(entry, {"manager"}),     json_text(entry, {"operation"}) == "Apply",
        json_text(entry, {"subresource"}), json_text(entry, {"apiVersion"}),
        time ? *time : WallTime{},         parse_fields_v1(json_at(entry, {"fieldsV1"}))};
    manager.fields.member = false;
    if (!manager.name.empty()) managers.push_back(std::make_shared<const Manager>(manager));
  }
  return managers;
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
                             Json config, const Writer& writer, bool force) {
  Applied applied{live, managers};
  drop_unowned(config);
  const auto* mine = find_manager(managers, writer, true);
  const bool same = mine && is_fields_of(&resource.schema, config, mine->fields);
  FieldSet next = same || config.empty() ? FieldSet{} : fields_of(&resource.schema, config);
  merge_config(&resource.schema, applied.object, std::move(config));
  if (mine && !same) {
    std::vector<const FieldSet*> others;
    for (const auto& manager : managers) {
      if (manager.get() != mine) others.push_back(&manager->fields);
    }
    remove_dropped(&resource.schema, applied.object, mine->fields, next, others);
  }
  const FieldSet& owned = same ? mine->fields : next;
  if (auto taken = take(applied, resource, live, mine, owned, writer, force); !taken)
    return std::move(taken).error();
  if (!same)
    set_fields(applied.managers, mine,
               {writer.manager, true, writer.subresource, resource.api_version(), writer.now,
                std::move(next)});
  drop_empty(applied.managers);
  return applied;
}

}  // namespace weir::sim
