#include "sim/server/http_request.h"

#include <fmt/format.h>

#include <charconv>

#include "kube/yaml_json.h"

namespace weir::sim {
namespace {

constexpr std::size_t kMaxManager = 128;  // characters

std::vector<std::string> segments_of(const std::string& path) {
  std::vector<std::string> segments;
  std::size_t begin = 1;
  while (begin <= path.size()) {
    const auto end = std::min(path.find('/', begin), path.size());
    if (end > begin) segments.push_back(path.substr(begin, end - begin));
    begin = end + 1;
  }
  return segments;
}

std::optional<std::uint64_t> whole_number(const std::string& text) {
  std::uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, value);
  return read.ec == std::errc() && read.ptr == end ? std::optional(value) : std::nullopt;
}

std::string header(const ServedRequest& request, const std::string& name) {
  const auto found = request.headers.find(name);
  return found == request.headers.end() ? "" : found->second;
}

Answer<bool> dry_run_of(const ServedRequest& request) {
  const auto text = query_value(request, "dryRun");
  if (text.empty()) return false;
  if (text == "All") return true;
  return invalid({"meta.k8s.io", "CreateOptions", "", ""},
                 {{"dryRun", "FieldValueNotSupported",
                   fmt::format("Unsupported value: \"{}\": supported values: \"All\"", text)}});
}

}  // namespace

std::optional<Target> target_of(const std::string& path) {
  auto parts = segments_of(path);
  const std::size_t prefix = !parts.empty() && parts[0] == "apis" ? 3 : 2;
  if (parts.size() <= prefix || (parts[0] != "api" && parts[0] != "apis")) return std::nullopt;
  const std::string group = prefix == 3 ? parts[1] : "";
  const std::string version = parts[prefix - 1];
  parts.erase(parts.begin(), parts.begin() + static_cast<std::ptrdiff_t>(prefix));
  Target target;
  // A namespace's own subresources look like collections in it.
  const bool inside = parts.size() >= 3 && parts[0] == "namespaces" && parts[2] != "status" &&
                      parts[2] != "finalize";
  if (inside) {
    target.ns = parts[1];
    parts.erase(parts.begin(), parts.begin() + 2);
  }
  target.resource = find_resource(parts[0]);
  const auto* resource = target.resource;
  if (!resource || resource->group != group || resource->version != version || parts.size() > 3)
    return std::nullopt;
  if (parts.size() > 1) target.name = parts[1];
  if (parts.size() > 2) target.subresource = parts[2];
  const bool known = target.subresource.empty() ||
                     (target.subresource == "status" && resource->has_status) ||
                     (target.subresource == "scale" && resource->scale);
  const bool placed =
      resource->namespaced ? target.name.empty() || !target.ns.empty() : target.ns.empty();
  return known && placed ? std::optional(target) : std::nullopt;
}

std::string query_value(const ServedRequest& request, const std::string& name) {
  const auto found = request.query.find(name);
  return found == request.query.end() ? "" : found->second;
}

bool query_flag(const ServedRequest& request, const std::string& name) {
  const auto value = query_value(request, name);
  return value == "true" || value == "1";
}

View view_of(const ServedRequest& request) {
  const auto accept = header(request, "accept");
  if (accept.find("as=Table") != std::string::npos) return View::Table;
  if (accept.find("as=PartialObjectMetadata") != std::string::npos) return View::Metadata;
  return View::Plain;
}

Answer<Json> body_of(const ServedRequest& request) {
  const auto type = header(request, "content-type");
  if (type.find("protobuf") != std::string::npos)
    return Refusal{415, "UnsupportedMediaType",
                   "the body of the request was in an unknown format - accepted media types "
                   "include: application/json, application/yaml"};
  auto body = type.find("yaml") != std::string::npos ? parse_single_yaml(request.body)
                                                     : parse_json(request.body);
  if (!body) return bad_request("error decoding the body: " + body.error().message);
  return std::move(body).value();
}

Answer<PatchKind> patch_kind_of(const ServedRequest& request, const Resource& resource) {
  const auto text = header(request, "content-type");
  const auto type = text.substr(0, text.find(';'));
  if (type == "application/json-patch+json") return PatchKind::Json;
  if (type == "application/merge-patch+json") return PatchKind::Merge;
  if (type == "application/apply-patch+yaml") return PatchKind::Apply;
  if (type == "application/strategic-merge-patch+json" && !resource.custom)
    return PatchKind::Strategic;
  return Refusal{415, "UnsupportedMediaType",
                 fmt::format("the body of the request was in an unknown format - accepted media "
                             "types include: application/json-patch+json, "
                             "application/merge-patch+json, {}application/apply-patch+yaml",
                             resource.custom ? "" : "application/strategic-merge-patch+json, ")};
}

Answer<WriteOptions> write_options(const ServedRequest& request,
                                   std::vector<std::string>& warnings) {
  WriteOptions options;
  ASSIGN_OR_RETURN(options.dry_run, dry_run_of(request));
  options.force = query_flag(request, "force");
  options.warnings = &warnings;
  options.manager = query_value(request, "fieldManager");
  const bool applies = header(request, "content-type").find("apply-patch") != std::string::npos;
  if (options.manager.empty() && applies)
    return invalid(
        {"meta.k8s.io", "PatchOptions", "", ""},
        {{"fieldManager", "FieldValueRequired", "Required value: is required for apply patch"}});
  if (options.manager.empty()) {
    const auto agent = header(request, "user-agent");
    options.manager = agent.empty() ? "unknown" : agent.substr(0, agent.find('/'));
  }
  options.manager = options.manager.substr(0, kMaxManager);
  const auto validation = query_value(request, "fieldValidation");
  options.validation = validation == "Strict"   ? FieldValidation::Strict
                       : validation == "Ignore" ? FieldValidation::Ignore
                                                : FieldValidation::Warn;
  return options;
}

Answer<DeleteOptions> delete_options(const ServedRequest& request) {
  Json body = Json::object();
  if (!request.body.empty()) {
    ASSIGN_OR_RETURN(body, body_of(request));
  }
  DeleteOptions options;
  ASSIGN_OR_RETURN(options.dry_run, dry_run_of(request));
  if (body.contains("dryRun") && !json_at(body, {"dryRun"}).empty()) options.dry_run = true;
  options.uid = json_text(body, {"preconditions", "uid"});
  options.resource_version = json_text(body, {"preconditions", "resourceVersion"});
  const auto policy =
      json_text(body, {"propagationPolicy"}, query_value(request, "propagationPolicy"));
  if (policy == "Foreground") options.propagation = Propagation::Foreground;
  if (policy == "Orphan" || json_at(body, {"orphanDependents"}) == true)
    options.propagation = Propagation::Orphan;
  if (!policy.empty() && policy != "Foreground" && policy != "Orphan" && policy != "Background")
    return invalid({"meta.k8s.io", "DeleteOptions", "", ""},
                   {{"propagationPolicy", "FieldValueNotSupported",
                     fmt::format("Unsupported value: \"{}\": supported values: \"Foreground\", "
                                 "\"Background\", \"Orphan\", \"nil\"",
                                 policy)}});
  return options;
}

Answer<ListQuery> list_query(const ServedRequest& request, const Target& target) {
  ListQuery query;
  query.ns = target.ns;
  ASSIGN_OR_RETURN(query.labels, LabelSelector::parse(query_value(request, "labelSelector")));
  ASSIGN_OR_RETURN(query.fields,
                   FieldSelector::parse(query_value(request, "fieldSelector"), *target.resource));
  const auto limit = query_value(request, "limit");
  if (!limit.empty()) {
    const auto number = whole_number(limit);
    if (!number) return bad_request(fmt::format("limit: invalid value \"{}\"", limit));
    query.limit = static_cast<std::size_t>(*number);
  }
  query.next = query_value(request, "continue");
  const auto version = query_value(request, "resourceVersion");
  if (version.empty()) return query;
  const auto number = whole_number(version);
  if (!number)
    return bad_request(fmt::format(
        "invalid resource version: resourceVersion: Invalid value: \"{}\": must be a number",
        version));
  query.at = *number;
  return query;
}

Json http_object(const Json& object, const Managers* managers) {
  Json shown = object;
  if (managers && !managers->empty())
    shown["metadata"]["managedFields"] = managed_fields(*managers);
  return shown;
}

HttpReply reply_of(const Json& json, int status) {
  return {status, "application/json", dump_json(json) + "\n"};
}

HttpReply reply_of(const Refusal& refusal) { return reply_of(status_json(refusal), refusal.code); }

}  // namespace weir::sim
