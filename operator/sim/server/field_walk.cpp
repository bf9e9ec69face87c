// Walks of a value along its schema.
#include <algorithm>

#include "sim/server/field_set.h"

namespace weir::sim {
namespace {

bool is_granular_map(const Schema* schema, const Json& value) {
  return value.is_object() && !(schema && schema->atomic_map);
}

bool is_keyed_list(const Schema* schema, const Json& value) {
  return value.is_array() && schema && schema->list != Schema::List::Atomic;
}

const Schema* schema_of(const Schema* schema, std::string_view name) {
  return schema ? schema->member(name) : nullptr;
}

const Schema* items_of(const Schema* schema) { return schema ? schema->items.get() : nullptr; }

// "k:{…}" or "v:…". A missing key counts with its default, as the real one reads it.
std::string item_key(const Schema& list, const Json& item) {
  if (list.list == Schema::List::Set || !item.is_object()) return "v:" + dump_json(item);
  std::string key = "k:{";
  for (const auto& name : list.list_keys) {
    const auto found = item.find(name);
    const auto* member = schema_of(list.items.get(), name);
    const bool defaulted = found == item.end() && member && member->default_value;
    if (found == item.end() && !defaulted) continue;
    if (key.size() > 3) key += ',';
    key += '"';
    key += name;
    key += "\":";
    key += dump_json(defaulted ? *member->default_value : *found);
  }
  return key + "}";
}

Json* find_item(const Schema& list, Json& items, const std::string& key) {
  for (auto& item : items) {
    if (item_key(list, item) == key) return &item;
  }
  return nullptr;
}

const Json* find_item(const Schema& list, const Json& items, const std::string& key) {
  for (const auto& item : items) {
    if (item_key(list, item) == key) return &item;
  }
  return nullptr;
}

// containers: maps that are not empty count themselves, as they do for a write that is no apply.
void add_fields(const Schema* schema, const Json& value, bool containers, FieldSet& at) {
  if (is_granular_map(schema, value)) {
    if (value.empty() || containers) at.member = true;
    for (const auto& item : value.items())
      add_fields(schema_of(schema, item.key()), item.value(), containers,
                 at.children["f:" + item.key()]);
  } else if (is_keyed_list(schema, value)) {
    if (value.empty() || containers) at.member = true;
    for (const auto& item : value) {
      FieldSet& child = at.children[item_key(*schema, item)];
      child.member = true;
      if (item.is_object()) add_fields(items_of(schema), item, containers, child);
    }
  } else {
    at.member = true;
  }
}

bool same_fields(const Schema* schema, const Json& value, bool is_item, const FieldSet& at) {
  const bool map = is_granular_map(schema, value);
  if (!map && !is_keyed_list(schema, value)) return at.member && at.children.empty();
  if (at.member != (is_item || value.empty()) || at.children.size() != value.size()) return false;
  std::string key;
  for (auto item = value.begin(); item != value.end(); ++item) {
    key = map ? "f:" + item.key() : item_key(*schema, *item);
    const auto child = at.children.find(key);
    const auto* inner = map ? schema_of(schema, item.key()) : items_of(schema);
    if (child == at.children.end() || !same_fields(inner, *item, !map, child->second)) return false;
  }
  return true;
}

void compare_maps(const Schema* schema, const Json& before, const Json& after, FieldSet& written,
                  FieldSet& removed);

void compare_values(const Schema* schema, const Json& before, const Json& after, FieldSet& written,
                    FieldSet& removed);

void compare_lists(const Schema& schema, const Json& before, const Json& after, FieldSet& written,
                   FieldSet& removed) {
  for (const auto& item : after) {
    const auto key = item_key(schema, item);
    const auto* old = find_item(schema, before, key);
    if (!old) {
      written.children[key].member = true;
      add_fields(items_of(&schema), item, true, written.children[key]);
    } else if (*old != item) {
      compare_values(items_of(&schema), *old, item, written.children[key], removed.children[key]);
    }
  }
  for (const auto& item : before) {
    const auto key = item_key(schema, item);
    if (find_item(schema, after, key)) continue;
    removed.children[key].member = true;
    add_fields(items_of(&schema), item, true, removed.children[key]);
  }
}

void compare_values(const Schema* schema, const Json& before, const Json& after, FieldSet& written,
                    FieldSet& removed) {
  if (is_granular_map(schema, before) && is_granular_map(schema, after)) {
    compare_maps(schema, before, after, written, removed);
  } else if (is_keyed_list(schema, before) && is_keyed_list(schema, after)) {
    compare_lists(*schema, before, after, written, removed);
  } else {
    if (before.is_structured()) add_fields(schema, before, true, removed);
    removed.member = false;
    add_fields(schema, after, true, written);
  }
}

void compare_maps(const Schema* schema, const Json& before, const Json& after, FieldSet& written,
                  FieldSet& removed) {
  for (const auto& item : after.items()) {
    const auto old = before.find(item.key());
    const auto* member = schema_of(schema, item.key());
    if (old == before.end()) {
      add_fields(member, item.value(), true, written.children["f:" + item.key()]);
    } else if (*old != item.value()) {
      const auto key = "f:" + item.key();
      compare_values(member, *old, item.value(), written.children[key], removed.children[key]);
    }
  }
  for (const auto& item : before.items()) {
    if (!after.contains(item.key()))
      add_fields(schema_of(schema, item.key()), item.value(), true,
                 removed.children["f:" + item.key()]);
  }
}

// In the order of the config; what only the live list has stays before the item that it stood before.
Json merge_lists(const Schema& schema, Json& live, Json& config) {
  std::vector<std::string> live_keys, config_keys;
  for (const auto& item : live) live_keys.push_back(item_key(schema, item));
  for (const auto& item : config) config_keys.push_back(item_key(schema, item));
  const auto at = [](const std::vector<std::string>& keys, const std::string& key) {
    return static_cast<std::size_t>(std::find(keys.begin(), keys.end(), key) - keys.begin());
  };
  Json merged = Json::array();
  std::size_t left = 0;
  const auto take_live_only = [&](std::size_t end) {
    for (; left < end; ++left) {
      if (at(config_keys, live_keys[left]) == config_keys.size())
        merged.push_back(std::move(live[left]));
    }
  };
  for (std::size_t right = 0; right < config.size(); ++right) {
    const auto position = at(live_keys, config_keys[right]);
    if (position == live_keys.size()) {
      merged.push_back(std::move(config[right]));
      continue;
    }
    take_live_only(position);
    Json item = std::move(live[position]);
    left = std::max(left, position + 1);
    merge_config(items_of(&schema), item, std::move(config[right]));
    merged.push_back(std::move(item));
  }
  take_live_only(live.size());
  return merged;
}

const FieldSet* child_of(const FieldSet* set, const std::string& key) {
  if (!set) return nullptr;
  const auto found = set->children.find(key);
  return found == set->children.end() ? nullptr : &found->second;
}

class Remover {
 public:
  // Takes out of `value` what `last` owned; `kept` are the sets of those who may own it too.
  void remove(const Schema* schema, Json& value, const FieldSet& last,
              const std::vector<const FieldSet*>& kept) {
    for (const auto& [key, node] : last.children) {
      std::vector<const FieldSet*> owners;
      for (const auto* set : kept) {
        if (const auto* child = child_of(set, key)) owners.push_back(child);
      }
      Json* element = find(schema, value, key);
      if (!element) continue;
      if (owners.empty() && node.member) {
        erase(schema, value, key);
        continue;
      }
      if (node.children.empty()) continue;
      remove(child_schema(schema, key), *element, node, owners);
      if (owners.empty() && element->is_structured() && element->empty()) erase(schema, value, key);
    }
  }

 private:
  static const Schema* child_schema(const Schema* schema, const std::string& key) {
    return key.starts_with("f:") ? schema_of(schema, std::string_view(key).substr(2))
                                 : items_of(schema);
  }

  static Json* find(const Schema* schema, Json& value, const std::string& key) {
    if (!key.starts_with("f:"))
      return is_keyed_list(schema, value) ? find_item(*schema, value, key) : nullptr;
    if (!value.is_object()) return nullptr;
    const auto found = value.find(key.substr(2));
    return found == value.end() ? nullptr : &*found;
  }

  static void erase(const Schema* schema, Json& value, const std::string& key) {
    if (value.is_object()) {
      value.erase(key.substr(2));
      return;
    }
    for (std::size_t i = 0; i < value.size(); ++i) {
      if (item_key(*schema, value[i]) != key) continue;
      value.erase(i);
      return;
    }
  }
};

}  // namespace

FieldSet fields_of(const Schema* schema, const Json& value) {
  FieldSet set;
  add_fields(schema, value, false, set);
  return set;
}

bool is_fields_of(const Schema* schema, const Json& value, const FieldSet& set) {
  return same_fields(schema, value, false, set);
}

void compare_member(const Schema& schema, const std::string& name, const Json* before,
                    const Json* after, Changes& changes) {
  const Schema* member = schema.member(name);
  const auto key = "f:" + name;
  if (before && after)
    compare_values(member, *before, *after, changes.written.children[key],
                   changes.removed.children[key]);
  else if (after)
    add_fields(member, *after, true, changes.written.children[key]);
  else if (before)
    add_fields(member, *before, true, changes.removed.children[key]);
}

void merge_config(const Schema* schema, Json& live, Json config) {
  if (is_granular_map(schema, live) && is_granular_map(schema, config)) {
    for (auto& item : config.items()) {
      const auto found = live.find(item.key());
      if (found == live.end()) {
        live[item.key()] = std::move(item.value());
      } else if (*found != item.value()) {
        merge_config(schema_of(schema, item.key()), *found, std::move(item.value()));
      }
    }
  } else if (is_keyed_list(schema, live) && is_keyed_list(schema, config)) {
    live = merge_lists(*schema, live, config);
  } else {
    live = std::move(config);
  }
}

void remove_dropped(const Schema* schema, Json& live, const FieldSet& last, const FieldSet& next,
                    const std::vector<const FieldSet*>& others) {
  std::vector<const FieldSet*> kept = others;
  kept.push_back(&next);
  Remover().remove(schema, live, last, kept);
}

}  // namespace weir::sim
