#include <fmt/format.h>

#include <algorithm>

#include "sim/server/list_page.h"
#include "sim/server/registry.h"

namespace weir::sim {
namespace {

using Objects = std::map<ObjectKey, const Entry*>;

// What the kind was like at an older version: the changes since then, taken back from the newest on.
class Past {
 public:
  Past(const ObjectStore& store, std::string_view plural, std::uint64_t version) {
    for (const auto& [key, entry] : store.objects(plural)) objects_[key] = &entry;
    const auto& history = store.history(plural);
    for (auto event = history.rbegin(); event != history.rend() && event->version > version;
         ++event) {
      if (!event->previous) {
        objects_.erase(event->ref.key);
        continue;
      }
      old_.push_back(std::make_unique<Entry>(Entry{event->previous, event->managers}));
      objects_[event->ref.key] = old_.back().get();
    }
  }
  const Objects& objects() const { return objects_; }

 private:
  Objects objects_;
  std::vector<std::unique_ptr<Entry>> old_;
};

bool is_wanted(const ListQuery& query, const ObjectKey& key, const Json& object) {
  return (query.ns.empty() || key.ns == query.ns) && query.labels.matches(object) &&
         query.fields.matches(object);
}

template <typename Map, typename Get>
Page page_of(const Map& objects, const ListQuery& query, std::uint64_t version,
             const ObjectKey* after, const Get& get) {
  Page page;
  page.version = version;
  auto at = after ? objects.upper_bound(*after) : objects.lower_bound(ObjectKey{query.ns, ""});
  std::size_t remaining = 0;
  for (; at != objects.end(); ++at) {
    if (!query.ns.empty() && at->first.ns != query.ns) break;
    const Entry& entry = get(at->second);
    if (!is_wanted(query, at->first, *entry.object)) continue;
    if (query.limit > 0 && page.entries.size() == query.limit) {
      ++remaining;
    } else {
      page.entries.push_back(entry);
    }
  }
  if (remaining == 0) return page;
  if (query.labels.empty() && query.fields.empty()) page.remaining = remaining;
  const Json& last = *page.entries.back().object;
  page.next = encode_continue(
      {version,
       {json_text(last, {"metadata", "namespace"}), json_text(last, {"metadata", "name"})}});
  return page;
}

Refusal expired_token(const ContinueToken& token) {
  auto refusal = expired(
      "The provided continue parameter is too old to display a consistent list result. You can "
      "start a new list without the continue parameter, or use the continue token in this response "
      "to retrieve the remainder of the results. Continuing with the provided token results in an "
      "inconsistent list - objects that were created, modified, or deleted between the time the "
      "first chunk was returned and now may show up in the list.");
  refusal.next = encode_continue({UINT32_MAX, token.after});
  return refusal;
}

std::string selector_text(const Json& labels) {
  std::string text;
  if (!labels.is_object()) return text;
  for (const auto& item : labels.items())
    text += fmt::format("{}{}={}", text.empty() ? "" : ",", item.key(),
                        item.value().is_string() ? item.value().get<std::string>() : "");
  return text;
}

}  // namespace

Answer<Entry> Registry::get(const Resource& resource, const ObjectKey& key) const {
  const auto* entry = store_.find({resource.plural, key});
  if (!entry) return not_found(resource.subject(key.name));
  return *entry;
}

Answer<Page> Registry::list(const Resource& resource, const ListQuery& query) const {
  std::uint64_t version = query.at == 0 ? store_.version() : query.at;
  std::optional<ContinueToken> token;
  if (!query.next.empty()) {
    ASSIGN_OR_RETURN(token, decode_continue(query.next));
    // The token that came with a 410 goes on with what is there now.
    version = token->version == UINT32_MAX ? store_.version() : token->version;
    if (version < store_.compacted()) return expired_token(*token);
  }
  if (version < store_.compacted())
    return expired("The resourceVersion for the provided list is too old.");
  const ObjectKey* after = token ? &token->after : nullptr;
  if (version >= store_.version())
    return page_of(store_.objects(resource.plural), query, version, after,
                   [](const Entry& entry) -> const Entry& { return entry; });
  const Past past(store_, resource.plural, version);
  return page_of(past.objects(), query, version, after,
                 [](const Entry* entry) -> const Entry& { return *entry; });
}

Json Registry::scale_of(const Resource& resource, const Json& object) const {
  Json scale{{"kind", "Scale"}, {"apiVersion", "autoscaling/v1"}};
  for (const auto* key : {"name", "namespace", "uid", "resourceVersion", "creationTimestamp"}) {
    const Json& value = json_at(object, {"metadata", key});
    if (!value.is_null()) scale["metadata"][key] = value;
  }
  const auto number = [&](const FieldPath& path) -> Json {
    const Json& value = value_at(object, path);
    return value.is_null() ? Json(0) : value;
  };
  scale["spec"]["replicas"] = number(resource.scale->spec_replicas);
  scale["status"]["replicas"] = number(resource.scale->status_replicas);
  const Json& selector = value_at(object, resource.scale->selector);
  const auto text = selector.is_string() && !resource.scale->selector.empty()
                        ? selector.get<std::string>()
                        : selector_text(json_at(object, {"spec", "selector", "matchLabels"}));
  if (!text.empty()) scale["status"]["selector"] = text;
  return scale;
}

}  // namespace weir::sim
