#include <fmt/format.h>

#include <algorithm>

#include "base/time_format.h"
#include "sim/server/registry.h"
#include "sim/server/rules.h"

namespace weir::sim {
namespace {

// As generateName appends them: no vowels, so no words.
constexpr std::string_view kNameAlphabet = "bcdfghjklmnpqrstvwxz2456789";

Stored copy_of(Json object) { return std::make_shared<const Json>(std::move(object)); }

ObjectRef ref_of(const Resource& resource, const ObjectKey& key) { return {resource.plural, key}; }

// apiVersion and kind may be left out, but for custom resources; what stands there must be right.
Answer<Done> check_type(const Resource& resource, const Json& object) {
  if (!object.is_object()) return bad_request("the body must be an object");
  const auto kind = json_text(object, {"kind"});
  const auto version = json_text(object, {"apiVersion"});
  if (kind.empty() && resource.custom)
    return bad_request(fmt::format(
        "the object provided is unrecognized (must be of type {}): Object 'Kind' is missing",
        resource.kind));
  if ((!kind.empty() && kind != resource.kind) ||
      (!version.empty() && version != resource.api_version()))
    return bad_request(fmt::format("{} in version \"{}\" cannot be handled as a {}", kind, version,
                                   resource.kind));
  return Done{};
}

Answer<Done> check_key(const ObjectKey& key, const Json& object) {
  const auto name = json_text(object, {"metadata", "name"});
  if (!name.empty() && name != key.name)
    return bad_request(fmt::format(
        "the name of the object ({}) does not match the name on the URL ({})", name, key.name));
  const auto ns = json_text(object, {"metadata", "namespace"});
  if (!ns.empty() && ns != key.ns)
    return bad_request(
        "the namespace of the provided object does not match the namespace sent on the request");
  return Done{};
}

bool may_write_metadata(const Resource& resource, const std::string& subresource) {
  return subresource.empty() || (subresource == "status" && !resource.custom);
}

// What a write to one part of an object may change; the rest is as it was.
Json part_of(const Resource& resource, const Json& old, Json object,
             const std::string& subresource) {
  if (subresource.empty()) {
    if (resource.has_status) {
      object.erase("status");
      if (old.contains("status")) object["status"] = old["status"];
    }
    return object;
  }
  // Comparing costs less than copying.
  for (const auto& item : old.items()) {
    const auto& key = item.key();
    if (key == "status" || (key == "metadata" && may_write_metadata(resource, subresource)))
      continue;
    const auto found = object.find(key);
    if (found == object.end() || *found != item.value()) object[key] = item.value();
  }
  for (auto item = object.begin(); item != object.end();)
    item =
        item.key() == "status" || old.contains(item.key()) ? std::next(item) : object.erase(item);
  return object;
}

// What only the server writes.
void keep_system_fields(const Json& old, Json& object) {
  for (const auto* key : {"apiVersion", "kind"}) {
    if (json_at(object, {key}) != json_at(old, {key})) object[key] = json_at(old, {key});
  }
  Json& metadata = object["metadata"];
  const Json& before = json_at(old, {"metadata"});
  for (const auto* key : {"creationTimestamp", "generation", "deletionTimestamp",
                          "deletionGracePeriodSeconds", "resourceVersion", "selfLink"}) {
    const Json* was = member_of(&before, key);
    const auto now = metadata.find(key);
    if (was && (now == metadata.end() || *now != *was)) metadata[key] = *was;
    if (!was && now != metadata.end()) metadata.erase(now);
  }
  for (const auto* key : {"name", "namespace", "uid"}) {
    if (!metadata.contains(key) && before.contains(key)) metadata[key] = before[key];
  }
  metadata.erase("managedFields");
}

// Of a kind that counts: everything but metadata and, where it is a subresource, status.
bool is_new_generation(const Resource& resource, const Json& old, const Json& object) {
  if (!resource.has_generation) return false;
  const auto differs = [&](const std::string& key) {
    return key != "metadata" && !(key == "status" && resource.has_status) &&
           json_at(old, {key}) != json_at(object, {key});
  };
  return std::any_of(object.items().begin(), object.items().end(),
                     [&](const auto& item) { return differs(item.key()); }) ||
         std::any_of(old.items().begin(), old.items().end(),
                     [&](const auto& item) { return differs(item.key()); });
}

bool is_over(const Json& object) {
  const Json& finalizers = json_at(object, {"metadata", "finalizers"});
  return !json_at(object, {"metadata", "deletionTimestamp"}).is_null() &&
         (!finalizers.is_array() || finalizers.empty());
}

Answer<Done> complain(const std::vector<std::string>& unknown, const Json& object,
                      const Resource& resource, bool exists, const WriteOptions& options) {
  if (unknown.empty() || options.validation == FieldValidation::Ignore) return Done{};
  std::string text;
  for (const auto& path : unknown)
    text += fmt::format("{}unknown field \"{}\"", text.empty() ? "" : ", ", path);
  if (options.validation == FieldValidation::Strict) {
    if (!exists)
      return bad_request(
          fmt::format("{} in version \"{}\" cannot be handled as a {}: strict "
                      "decoding error: {}",
                      resource.kind, resource.version, resource.kind, text));
    return invalid({"", "", "", ""}, {{"patch", "FieldValueInvalid",
                                       fmt::format("Invalid value: {}: strict decoding error: {}",
                                                   dump_json(Json(dump_json(object))), text)}});
  }
  if (options.warnings) {
    for (const auto& path : unknown)
      options.warnings->push_back(fmt::format("unknown field \"{}\"", path));
  }
  return Done{};
}

// Those who move ownership by hand, as kubectl does once; others do not pay for it.
bool touches_managed_fields(const Json& patch) {
  if (!patch.is_array()) return !json_at(patch, {"metadata", "managedFields"}).is_null();
  return std::any_of(patch.begin(), patch.end(), [](const Json& operation) {
    return json_text(operation, {"path"}).starts_with("/metadata/managedFields");
  });
}

Json with_managed_fields(const Entry& entry) {
  Json object = *entry.object;
  if (entry.managers) object["metadata"]["managedFields"] = managed_fields(*entry.managers);
  return object;
}

}  // namespace

Answer<Done> Registry::check_namespace(const Resource& resource, const std::string& ns,
                                       const std::string& name) const {
  if (!resource.namespaced) return Done{};
  const auto* space = store_.find({"namespaces", {"", ns}});
  if (!space) return not_found({"", "Namespace", "namespaces", ns});
  if (json_at(*space->object, {"metadata", "deletionTimestamp"}).is_null()) return Done{};
  const auto why = fmt::format("namespace {} is being terminated", ns);
  return forbidden(resource.subject(name),
                   fmt::format("unable to create new content in namespace {} because it is being "
                               "terminated",
                               ns),
                   {{"metadata.namespace", "NamespaceTerminating", why}});
}

// Prunes, fills in defaults, and checks. part: "" all but status of a kind that has it as a subresource; "status" only that.
Answer<Done> Registry::check_object(const Resource& resource, Json& object, const Json* old,
                                    const std::string& part, const WriteOptions& options) const {
  const bool whole = part != "status";
  Findings metadata;
  Findings rest;
  const Schema& metadata_schema = *resource.schema.member("metadata");
  if (whole || may_write_metadata(resource, part))
    settle(metadata_schema, object["metadata"], member_of(old, "metadata"), {nullptr, "metadata"},
           metadata);
  if (whole) {
    settle(resource.schema, object, old, {}, rest);
  } else if (const Schema* status = resource.schema.member("status");
             status && object.contains("status")) {
    settle(*status, object["status"], member_of(old, "status"), {nullptr, "status"}, rest);
  }
  metadata.unknown.insert(metadata.unknown.end(), rest.unknown.begin(), rest.unknown.end());
  if (auto done = complain(metadata.unknown, object, resource, old != nullptr, options); !done)
    return std::move(done).error();
  // The real one cannot even read such metadata.
  if (!metadata.causes.empty())
    return bad_request(fmt::format("{} in version \"{}\" cannot be handled as a {}: {}: {}",
                                   resource.kind, resource.version, resource.kind,
                                   metadata.causes.front().field, metadata.causes.front().message));
  auto causes = check_metadata(resource, object, old);
  causes.insert(causes.end(), rest.causes.begin(), rest.causes.end());
  if (whole && old) {
    for (auto& cause : check_immutable(resource, object, *old)) causes.push_back(std::move(cause));
  }
  if (whole && causes.empty()) causes = check_across(resource, object, old);
  if (causes.empty()) return Done{};
  return invalid(resource.subject(json_text(object, {"metadata", "name"})), std::move(causes));
}

Answer<Json> Registry::new_object(const Resource& resource, const std::string& ns, Json object) {
  if (auto right = check_type(resource, object); !right) return std::move(right).error();
  object["apiVersion"] = resource.api_version();
  object["kind"] = resource.kind;
  Json& metadata = object["metadata"];
  if (metadata.is_null()) metadata = Json::object();
  if (!metadata.is_object()) return bad_request("metadata: must be an object");
  if (!json_text(metadata, {"resourceVersion"}).empty())
    return internal("resourceVersion should not be set on objects to be created");
  if (!json_text(metadata, {"namespace"}).empty() && metadata["namespace"] != ns)
    return bad_request(
        "the namespace of the provided object does not match the namespace sent on the request");
  for (const auto* key : {"resourceVersion", "managedFields", "deletionTimestamp", "selfLink",
                          "deletionGracePeriodSeconds"})
    metadata.erase(key);
  if (resource.namespaced) metadata["namespace"] = ns;
  const auto prefix = json_text(metadata, {"generateName"});
  if (json_text(metadata, {"name"}).empty() && !prefix.empty()) {
    std::string suffix;
    for (auto left = ++names_ * 7919; suffix.size() < 5; left /= kNameAlphabet.size())
      suffix += kNameAlphabet[left % kNameAlphabet.size()];
    metadata["name"] = prefix + suffix;
  }
  if (resource.has_status && resource.plural != "namespaces") object.erase("status");
  return object;
}

Answer<Written> Registry::create(const Resource& resource, const std::string& ns, Json object,
                                 const WriteOptions& options) {
  ASSIGN_OR_RETURN(Json created, new_object(resource, ns, std::move(object)));
  const auto name = json_text(created, {"metadata", "name"});
  if (auto there = check_namespace(resource, ns, name); !there) return std::move(there).error();
  Json& metadata = created["metadata"];
  metadata.erase("uid");
  if (auto good = check_object(resource, created, nullptr, "", options); !good)
    return std::move(good).error();
  const ObjectRef ref{resource.plural, {resource.namespaced ? ns : "", name}};
  if (store_.find(ref)) return already_exists(resource.subject(name));
  created["metadata"]["uid"] = fmt::format("00000000-0000-4000-8000-{:012x}", uids_ + 1);
  created["metadata"]["creationTimestamp"] = format_time(clock_.now());
  created["metadata"].erase("generation");
  if (resource.has_generation) created["metadata"]["generation"] = 1;
  if (resource.plural == "namespaces") {
    created["metadata"]["labels"]["kubernetes.io/metadata.name"] = name;
    created["spec"]["finalizers"] = Json::array({"kubernetes"});
    created["status"] = {{"phase", "Active"}};
  }
  if (options.dry_run) return Written{{copy_of(std::move(created)), nullptr}, true};
  ++uids_;
  Managers managers;
  note_update(managers, resource, Json::object(), created, {options.manager, "", clock_.now()});
  return Written{
      put(ref, std::move(created), std::make_shared<const Managers>(std::move(managers))), true};
}

Answer<Written> Registry::finish(const Resource& resource, const ObjectRef& ref, const Entry& old,
                                 Json object, std::optional<Managers> managers,
                                 const std::string& subresource, const WriteOptions& options) {
  const auto version = json_text(object, {"metadata", "resourceVersion"});
  if (!version.empty() && version != json_text(*old.object, {"metadata", "resourceVersion"}))
    return stale(resource.subject(ref.key.name));
  const std::string part = subresource == "scale" ? "" : subresource;
  Json changed = part_of(resource, *old.object, std::move(object), part);
  keep_system_fields(*old.object, changed);
  if (auto good = check_object(resource, changed, old.object.get(), part, options); !good)
    return std::move(good).error();
  const bool same = changed == *old.object;
  if (same && (!managers || (old.managers && *managers == *old.managers))) return Written{old};
  if (!same && is_new_generation(resource, *old.object, changed))
    changed["metadata"]["generation"] = json_int(changed, {"metadata", "generation"}) + 1;
  if (options.dry_run) return Written{{copy_of(std::move(changed)), old.managers}};
  if (!managers) {
    managers = old.managers ? *old.managers : Managers{};
    note_update(*managers, resource, *old.object, changed,
                {options.manager, subresource, clock_.now()});
  }
  const bool over = is_over(changed);
  const Entry last = old;  // the reference may be to what is now replaced
  Entry entry =
      put(ref, std::move(changed), std::make_shared<const Managers>(*std::move(managers)));
  if (over) erase(ref);
  return Written{std::move(entry)};
}

Answer<Written> Registry::update(const Resource& resource, const ObjectKey& key,
                                 const std::string& subresource, Json object,
                                 const WriteOptions& options) {
  const auto ref = ref_of(resource, key);
  const auto* found = store_.find(ref);
  if (!found) return not_found(resource.subject(key.name));
  const Entry old = *found;
  if (auto right = check_key(key, object); !right) return std::move(right).error();
  if (subresource == "scale") return write_scale(resource, ref, old, object, options);
  if (auto right = check_type(resource, object); !right) return std::move(right).error();
  const auto uid = json_text(object, {"metadata", "uid"});
  const auto own_uid = json_text(*old.object, {"metadata", "uid"});
  if (!uid.empty() && uid != own_uid)
    return conflict(resource.subject(key.name),
                    fmt::format("Precondition failed: UID in precondition: {}, UID in object "
                                "meta: {}",
                                uid, own_uid));
  if (json_text(object, {"metadata", "resourceVersion"}).empty() && !resource.unconditional) {
    auto refusal = invalid(resource.subject(key.name),
                           {{"metadata.resourceVersion", "FieldValueInvalid",
                             "Invalid value: 0: must be specified for an update"}});
    return refusal;
  }
  return finish(resource, ref, old, std::move(object), std::nullopt, subresource, options);
}

Answer<Written> Registry::patch(const Resource& resource, const ObjectKey& key,
                                const std::string& subresource, PatchKind kind, Json body,
                                const WriteOptions& options) {
  if (kind == PatchKind::Apply) return apply(resource, key, subresource, std::move(body), options);
  const auto ref = ref_of(resource, key);
  const auto* found = store_.find(ref);
  if (!found) return not_found(resource.subject(key.name));
  const Entry old = *found;
  const bool scale = subresource == "scale";
  const bool owners = touches_managed_fields(body);
  Json special;
  if (scale) special = scale_of(resource, *old.object);
  if (owners) special = with_managed_fields(old);
  const Json& target = scale || owners ? special : *old.object;
  auto patched = kind == PatchKind::Json    ? json_patched(target, body)
                 : kind == PatchKind::Merge ? merge_patched(target, body)
                                            : strategic_patched(resource.schema, target, body);
  if (!patched) return std::move(patched).error();
  if (auto right = check_key(key, *patched); !right) return std::move(right).error();
  if (scale) return write_scale(resource, ref, old, *patched, options);
  Json object = std::move(patched).value();
  std::optional<Managers> managers;
  if (owners) managers = parse_managers(json_at(object, {"metadata", "managedFields"}));
  return finish(resource, ref, old, std::move(object), std::move(managers), subresource, options);
}

Answer<Written> Registry::write_scale(const Resource& resource, const ObjectRef& ref,
                                      const Entry& old, const Json& scale,
                                      const WriteOptions& options) {
  if (!json_at(scale, {"spec", "replicas"}).is_number_integer() &&
      !json_at(scale, {"spec", "replicas"}).is_null())
    return bad_request(
        "Scale in version \"v1\" cannot be handled as a Scale: spec.replicas: must "
        "be a number");
  const auto replicas = json_int(scale, {"spec", "replicas"});
  Json changed = *old.object;
  set_value_at(changed, resource.scale->spec_replicas, replicas);
  const Json& version = json_at(scale, {"metadata", "resourceVersion"});
  if (version.is_string() && !version.get_ref<const std::string&>().empty())
    changed["metadata"]["resourceVersion"] = version;
  ASSIGN_OR_RETURN(auto written,
                   finish(resource, ref, old, std::move(changed), std::nullopt, "scale", options));
  return Written{{copy_of(scale_of(resource, *written.entry.object)), nullptr}};
}

namespace {

Answer<Done> check_config(const Resource& resource, const ObjectKey& key, Json& config) {
  if (json_text(config, {"kind"}).empty() || json_text(config, {"apiVersion"}).empty())
    return bad_request("invalid object type: /, Kind=");
  if (auto right = check_type(resource, config); !right) return std::move(right).error();
  if (auto right = check_key(key, config); !right) return std::move(right).error();
  if (!json_at(config, {"metadata", "managedFields"}).is_null())
    return bad_request("metadata.managedFields must be nil");
  std::vector<std::string> unknown;
  if (resource.strict) prune(resource.schema, config, {}, unknown);
  if (unknown.empty()) return Done{};
  return internal(
      fmt::format("failed to create typed patch object ({}/{}; {}, Kind={}): .{}: field "
                  "not declared in schema",
                  key.ns, key.name, resource.api_version(), resource.kind, unknown.front()));
}

// Of what does not belong to this part, nobody becomes the owner.
Json owned_part(const Resource& resource, Json config, const std::string& subresource) {
  if (subresource.empty()) {
    if (resource.has_status) config.erase("status");
    return config;
  }
  Json part = Json::object();
  if (config.contains("status")) part["status"] = std::move(config["status"]);
  if (may_write_metadata(resource, subresource) && config.contains("metadata"))
    part["metadata"] = std::move(config["metadata"]);
  return part;
}

}  // namespace

Answer<Written> Registry::apply_new(const Resource& resource, const ObjectKey& key, Json config,
                                    const Writer& writer, const WriteOptions& options) {
  const auto uid = json_text(config, {"metadata", "uid"});
  if (!uid.empty())
    return conflict(resource.subject(key.name),
                    fmt::format("uid mismatch: the provided object specified uid {}, and no "
                                "existing object was found",
                                uid));
  Json object = config;
  object["metadata"]["name"] = key.name;
  ASSIGN_OR_RETURN(auto applied,
                   apply_config(resource, Json::object(), {},
                                owned_part(resource, std::move(config), ""), writer, true));
  ASSIGN_OR_RETURN(auto written, create(resource, key.ns, std::move(object), options));
  if (options.dry_run) return written;
  auto managers = std::make_shared<const Managers>(std::move(applied.managers));
  // Nothing is left of it when all of its owners are gone.
  const auto owned = store_.own({resource.plural, key}, std::move(managers));
  if (owned.object) written.entry = owned;
  return written;
}

Answer<Written> Registry::apply(const Resource& resource, const ObjectKey& key,
                                const std::string& subresource, Json config,
                                const WriteOptions& options) {
  if (auto good = check_config(resource, key, config); !good) return std::move(good).error();
  const auto ref = ref_of(resource, key);
  const auto* found = store_.find(ref);
  const Writer writer{options.manager, subresource, clock_.now()};
  if (!found && !subresource.empty()) return not_found(resource.subject(key.name));
  if (!found) return apply_new(resource, key, std::move(config), writer, options);
  const Entry old = *found;
  const auto uid = json_text(config, {"metadata", "uid"});
  const auto version = json_text(config, {"metadata", "resourceVersion"});
  ASSIGN_OR_RETURN(
      auto applied,
      apply_config(resource, *old.object, old.managers ? *old.managers : Managers{},
                   owned_part(resource, std::move(config), subresource), writer, options.force));
  Json& metadata = applied.object["metadata"];
  if (!uid.empty()) metadata["uid"] = uid;
  if (!version.empty()) metadata["resourceVersion"] = version;
  return finish(resource, ref, old, std::move(applied.object), std::move(applied.managers),
                subresource, options);
}

void Registry::force_put(const ObjectRef& ref, Json object) {
  const auto* old = store_.find(ref);
  const auto* resource = find_resource(ref.plural);
  auto managers = old && old->managers ? *old->managers : Managers{};
  if (resource && old)
    note_update(managers, *resource, *old->object, object, {"somebody", "", clock_.now()});
  if (resource && old && is_new_generation(*resource, *old->object, object))
    object["metadata"]["generation"] = json_int(object, {"metadata", "generation"}) + 1;
  const bool over = is_over(object);
  put(ref, std::move(object), std::make_shared<const Managers>(std::move(managers)));
  if (over) erase(ref);
}

}  // namespace weir::sim
