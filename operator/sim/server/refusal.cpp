#include "sim/server/refusal.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "kube/status_error.h"

namespace weir::sim {
namespace {

Refusal about(const Subject& subject, int code, std::string reason, std::string message) {
  Refusal refusal{code, std::move(reason), std::move(message)};
  refusal.name = subject.name;
  refusal.group = subject.group;
  refusal.kind = subject.plural;
  return refusal;
}

Json details_of(const Refusal& refusal) {
  Json details = Json::object();
  const auto add = [&](const char* key, const std::string& value) {
    if (!value.empty()) details[key] = value;
  };
  add("name", refusal.name);
  add("group", refusal.group);
  add("kind", refusal.kind);
  add("uid", refusal.uid);
  if (refusal.retry_after_seconds > 0) details["retryAfterSeconds"] = refusal.retry_after_seconds;
  for (const auto& cause : refusal.causes) {
    Json item{{"reason", cause.reason}, {"message", cause.message}};
    if (!cause.field.empty()) item["field"] = cause.field;
    details["causes"].push_back(std::move(item));
  }
  return details;
}

}  // namespace

std::string Subject::resource() const {
  return group.empty() ? std::string(plural) : fmt::format("{}.{}", plural, group);
}

std::string Subject::type() const {
  return group.empty() ? std::string(kind) : fmt::format("{}.{}", kind, group);
}

Json status_json(const Refusal& refusal) {
  Json status{{"kind", "Status"},    {"apiVersion", "v1"},         {"metadata", Json::object()},
              {"status", "Failure"}, {"message", refusal.message}, {"code", refusal.code}};
  if (!refusal.next.empty()) status["metadata"]["continue"] = refusal.next;
  if (!refusal.reason.empty()) status["reason"] = refusal.reason;
  Json details = details_of(refusal);
  // The real one writes an empty object here, and nothing for a bad request.
  if (!details.empty() || refusal.reason == "Invalid") status["details"] = std::move(details);
  return status;
}

Error to_error(const Refusal& refusal) { return status_error(status_json(refusal)); }

Refusal not_found(const Subject& subject) {
  return about(subject, 404, "NotFound",
               fmt::format("{} \"{}\" not found", subject.resource(), subject.name));
}

Refusal already_exists(const Subject& subject) {
  return about(subject, 409, "AlreadyExists",
               fmt::format("{} \"{}\" already exists", subject.resource(), subject.name));
}

Refusal conflict(const Subject& subject, const std::string& why) {
  return about(subject, 409, "Conflict",
               fmt::format("Operation cannot be fulfilled on {} \"{}\": {}", subject.resource(),
                           subject.name, why));
}

Refusal stale(const Subject& subject) {
  return conflict(subject,
                  "the object has been modified; please apply your changes to the latest version "
                  "and try again");
}

Refusal invalid(const Subject& subject, std::vector<Cause> causes) {
  std::string text;
  for (const auto& cause : causes)
    text += fmt::format("{}{}: {}", text.empty() ? "" : ", ", cause.field, cause.message);
  if (causes.size() > 1) text = "[" + text + "]";
  auto refusal = about(subject, 422, "Invalid",
                       fmt::format("{} \"{}\" is invalid: {}", subject.type(), subject.name, text));
  refusal.kind = subject.kind;
  refusal.causes = std::move(causes);
  return refusal;
}

Refusal forbidden(const Subject& subject, const std::string& why, std::vector<Cause> causes) {
  auto refusal =
      about(subject, 403, "Forbidden",
            fmt::format("{} \"{}\" is forbidden: {}", subject.resource(), subject.name, why));
  refusal.causes = std::move(causes);
  return refusal;
}

Refusal bad_request(const std::string& message) { return {400, "BadRequest", message}; }

Refusal unapplied_patch() {
  return {422, "Invalid", "the server rejected our request due to an error in our request"};
}

Refusal expired(const std::string& message) { return {410, "Expired", message}; }

Refusal internal(const std::string& message) { return {500, "", message}; }

}  // namespace weir::sim
