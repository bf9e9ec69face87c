#include "runtime/executor.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "base/log.h"
#include "base/sim_point.h"
#include "kube/kinds.h"

namespace weir {
namespace {

constexpr milliseconds kReadDeadline{10'000};

Error about(Error error, std::string_view verb, const Kind& kind, const ObjectKey& key) {
  error.message = fmt::format("{} {} {}: {}", verb, kind.name, to_string(key), error.message);
  return error;
}

std::string controller_uid(const Json& object) {
  const Json& owners = json_at(object, {"metadata", "ownerReferences"});
  if (!owners.is_array()) return "";
  for (const auto& owner : owners) {
    if (json_at(owner, {"controller"}) == true) return json_text(owner, {"uid"});
  }
  return "";
}

}  // namespace

Result<void> Executor::run(const Plan& plan) {
  for (const auto& action : plan.actions) {
    auto done = std::visit([this](const auto& a) { return act(a); }, action);
    if (!done) return done;
  }
  return {};
}

Result<Deadline> Executor::write_deadline() const {
  const auto now = clock_.monotonic();
  const auto open_until = fence_.open_until();
  if (open_until <= now) return Error{ErrorKind::Shutdown, "this process may no longer write"};
  return Deadline(std::min(now + kWriteDeadline, open_until));
}

Result<void> Executor::act(const CreateObject& action) {
  ASSIGN_OR_RETURN(const auto deadline, write_deadline());
  auto created = api_.create(action.kind, action.key.ns, action.body, action.dry_run, deadline);
  if (!created && created.error().kind == ErrorKind::AlreadyExists)
    return accept_existing(action, created.error());
  if (!created) return about(created.error(), "create", action.kind, action.key);
  if (action.dry_run) return {};
  metrics_.count_write("create", action.kind.name);
  if (action.restores) note_foreign_edit("deleted", action.kind, action.key, "");
  own_write_(action.kind, *created);
  return {};
}

// Ours already (a cache that lags behind, or an answer that got lost): done. Without our labels we would never see it again: they
// are put back. Anybody else's: refused, never taken.
Result<void> Executor::accept_existing(const CreateObject& action, const Error& taken) {
  auto existing = api_.get(action.kind, action.key, Deadline::after(clock_, kReadDeadline));
  if (!existing && existing.error().kind == ErrorKind::Forbidden && action.unmistakable) return {};
  if (!existing) return about(existing.error(), "get", action.kind, action.key);
  if (action.owner_uid.empty() || controller_uid(*existing) != action.owner_uid) {
    reached(SimPoint::CreateFoundForeign);
    return Error{ErrorKind::Invalid,
                 fmt::format("{} {} exists and is not ours: rename or delete it ({})",
                             action.kind.name, to_string(action.key), taken.message)};
  }
  reached(SimPoint::CreateFoundOurs);
  const Json& labels = json_at(action.body, {"metadata", "labels"});
  const bool labelled = json_covers(json_at(*existing, {"metadata", "labels"}), labels);
  if (labels.is_null() || labelled || action.dry_run) {
    own_write_(action.kind, *existing);
    return {};
  }
  PatchObject put_back{action.kind, action.key, Json{{"metadata", {{"labels", labels}}}},
                       json_text(*existing, {"metadata", "uid"})};
  put_back.edited_by = "somebody who took our labels off";
  return act(put_back);
}

Result<void> Executor::act(const PatchObject& action) {
  ASSIGN_OR_RETURN(const auto deadline, write_deadline());
  Json body = action.body;
  body["metadata"]["uid"] = action.uid;
  if (!action.resource_version.empty())
    body["metadata"]["resourceVersion"] = action.resource_version;
  const Patch patch{Patch::Type::JsonMerge, dump_json(body)};
  auto patched = api_.patch(action.kind, action.key, patch, deadline);
  if (!patched) return about(patched.error(), "patch", action.kind, action.key);
  metrics_.count_write("patch", action.kind.name);
  if (!action.edited_by.empty())
    note_foreign_edit("edited", action.kind, action.key, action.edited_by);
  own_write_(action.kind, *patched);
  return {};
}

void Executor::note_foreign_edit(std::string_view what, const Kind& kind, const ObjectKey& key,
                                 const std::string& by) const {
  metrics_.count_foreign_edit(kind.name, what);
  log_info("foreign edit put right", {{"kind", std::string(kind.name)},
                                      {"object", to_string(key)},
                                      {"what", std::string(what)},
                                      {"by", by}});
}

Result<void> Executor::act(const DeleteObject& action) {
  ASSIGN_OR_RETURN(const auto deadline, write_deadline());
  const auto gone = api_.remove(action.kind, action.key, action.uid, deadline);
  if (!gone && gone.error().kind != ErrorKind::NotFound)
    return about(gone.error(), "delete", action.kind, action.key);
  if (gone) metrics_.count_write("delete", action.kind.name);
  return {};
}

Result<Json> Executor::apply(const Kind& kind, const ObjectKey& key, Json body,
                             const std::string& subresource) {
  ASSIGN_OR_RETURN(const auto deadline, write_deadline());
  body["apiVersion"] = kind.api_version();
  body["kind"] = kind.name;
  body["metadata"]["name"] = key.name;
  body["metadata"]["namespace"] = key.ns;
  return api_.patch(kind, key, {Patch::Type::Apply, dump_json(body), subresource}, deadline);
}

Result<void> Executor::act(const ApplyMarks& action) {
  const Json meta{
      {"uid", action.uid}, {"annotations", action.annotations}, {"finalizers", action.finalizers}};
  auto applied = apply(action.kind, action.key, Json{{"metadata", meta}}, "");
  if (!applied) return about(applied.error(), "mark", action.kind, action.key);
  metrics_.count_write("apply", action.kind.name);
  own_write_(action.kind, *applied);
  return {};
}

Result<void> Executor::act(const PatchStatus& action) {
  Json body;
  body["metadata"]["uid"] = action.uid;
  body["status"] = action.status;
  auto patched = apply(action.kind, action.key, std::move(body), "status");
  if (!patched) return about(patched.error(), "patch status of", action.kind, action.key);
  metrics_.count_write("patch_status", action.kind.name);
  own_write_(action.kind, *patched);
  return {};
}

Result<void> Executor::act(const RecordEvent& action) {
  ASSIGN_OR_RETURN(const auto deadline, write_deadline());
  const auto written = events_.record(action, deadline);
  if (!written)
    log_warn("event not recorded",
             {{"object", to_string(action.key)}, {"error", to_string(written.error())}});
  else if (!written->empty())
    metrics_.count_write(*written, kinds::kEvent.name);
  return {};
}

Result<void> Executor::act(const StartMeasurement& action) {
  start_measurement_(action);
  return {};
}

Result<void> Executor::act(const LookUp& action) {
  const ObjectKey key{action.concerning.ns, action.name};
  if (action.name.empty()) {
    auto listed = list(action);
    if (!listed) return about(listed.error(), "list", action.kind, key);
    found_(action, std::move(*listed));
    return {};
  }
  auto object = api_.get(action.kind, key, Deadline::after(clock_, kReadDeadline));
  if (!object && object.error().kind != ErrorKind::NotFound)
    return about(object.error(), "get", action.kind, key);
  found_(action, object ? std::vector<Json>{std::move(*object)} : std::vector<Json>());
  return {};
}

Result<std::vector<Json>> Executor::list(const LookUp& action) {
  const auto deadline = Deadline::after(clock_, kReadDeadline);
  std::vector<Json> all;
  std::string next;
  do {
    ASSIGN_OR_RETURN(auto page,
                     api_.list(action.kind, {action.concerning.ns, action.labels}, next, deadline));
    for (auto& item : page.items) all.push_back(std::move(item));
    next = page.next;
  } while (!next.empty());
  return all;
}

}  // namespace weir
