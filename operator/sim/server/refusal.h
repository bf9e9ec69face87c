// What the API server says when it says no: a metav1.Status as a value, and Answer<T>, which carries either.
#pragma once

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "kube/object.h"

namespace weir::sim {

// One wrong field: "spec.replicas", "FieldValueInvalid", "Invalid value: -1: must be …".
struct Cause {
  std::string field;
  std::string reason;
  std::string message;
};

struct Refusal {
  int code = 500;
  std::string reason{};
  std::string message{};
  std::string name{};
  std::string group{};
  std::string kind{};  // plural of the resource, or its kind, as the real server mixes them
  std::string uid{};
  std::vector<Cause> causes{};
  std::int64_t retry_after_seconds = 0;
  std::string next{};  // continue token, of an expired one
};

Json status_json(const Refusal& refusal);
// As HttpApiClient makes it of the same Status.
Error to_error(const Refusal& refusal);

// Which object a refusal speaks of.
struct Subject {
  std::string_view group;
  std::string_view kind;
  std::string_view plural;
  std::string name;

  std::string resource() const;  // "releases.weir.dev"
  std::string type() const;      // "Release.weir.dev"
};

Refusal not_found(const Subject& subject);
Refusal already_exists(const Subject& subject);
Refusal conflict(const Subject& subject, const std::string& why);
Refusal stale(const Subject& subject);  // a conflict of resourceVersion
Refusal invalid(const Subject& subject, std::vector<Cause> causes);
Refusal forbidden(const Subject& subject, const std::string& why, std::vector<Cause> causes = {});
Refusal bad_request(const std::string& message);
Refusal unapplied_patch();  // a JSON patch that does not fit
Refusal expired(const std::string& message);
Refusal internal(const std::string& message);

// Works with ASSIGN_OR_RETURN inside functions that return an Answer.
template <typename T>
class [[nodiscard]] Answer {
 public:
  Answer(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Answer(Refusal refusal) : state_(std::in_place_index<1>, std::move(refusal)) {}

  explicit operator bool() const { return state_.index() == 0; }
  const T& operator*() const& { return std::get<0>(state_); }
  const T* operator->() const { return &std::get<0>(state_); }
  T&& value() && { return std::get<0>(std::move(state_)); }
  const Refusal& error() const& { return std::get<1>(state_); }
  Refusal&& error() && { return std::get<1>(std::move(state_)); }

 private:
  std::variant<T, Refusal> state_;
};

struct Done {};

}  // namespace weir::sim
