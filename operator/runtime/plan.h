// What a decision wants done: a list of actions in the order in which they must happen, and when to look again. A value.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "kube/object.h"

namespace weir {

// POST. A name that is taken by a child of ours counts as done; by anything else it is refused.
struct CreateObject {
  Kind kind{};
  ObjectKey key{};
  Json body{};
  std::string owner_uid{};  // who must own an object that already has the name
  bool dry_run = false;     // try it, change nothing
  bool restores = false;    // it was there, and somebody else deleted it
  // Nobody else means this name: taken, it is ours even where we may create such objects and not read them.
  bool unmistakable = false;
};

// JSON merge patch of the very object that we saw (`uid`). Names our labels: an object that lost them just now gets them back.
struct PatchObject {
  Kind kind{};
  ObjectKey key{};
  Json body{};
  std::string uid{};
  std::string
      resource_version{};  // "" = whatever the version is now; set, a newer version is a Conflict
  std::string
      edited_by{};  // who changed what this puts right; "" = nobody did, we want something new
};

struct DeleteObject {
  Kind kind{};
  ObjectKey key{};
  std::string uid{};
};

// Server-side apply of all annotations and finalizers of ours on an object of the user's; what we had applied before and leave out
// goes.
struct ApplyMarks {
  Kind kind{};
  ObjectKey key{};
  std::string uid{};
  Json annotations = Json::object();
  std::vector<std::string> finalizers{};
};

// Server-side apply of the whole status.
struct PatchStatus {
  Kind kind{};
  ObjectKey key{};
  std::string uid{};
  Json status{};
};

struct RecordEvent {
  Kind kind{};
  ObjectKey key{};
  std::string uid{};
  bool warning = false;
  std::string reason{};  // UpperCamelCase
  std::string message{};
};

// What to ask a metric source, or of an object that no cache holds. Who asks defines it; the runtime only carries it.
class Question {
 public:
  virtual ~Question() = default;
  virtual std::string describe() const = 0;
};

// The answer comes with a later observation of the key.
struct StartMeasurement {
  ObjectKey key{};
  std::shared_ptr<const Question> question{};
};

// Reads what no watch of ours covers: one object, or all of a namespace with the labels. What is found, be it nothing, comes with a
// later observation of `concerning`.
struct LookUp {
  ObjectKey concerning{};
  Kind kind{};
  std::string name{};    // "" = by labels
  std::string labels{};  // label selector in API syntax
};

using Action = std::variant<CreateObject, PatchObject, DeleteObject, ApplyMarks, PatchStatus,
                            RecordEvent, StartMeasurement, LookUp>;

struct Plan {
  std::vector<Action> actions{};
  std::optional<WallTime> look_again{};  // besides every change of what was observed

  void look_again_at(WallTime at) {
    if (!look_again || at < *look_again) look_again = at;
  }
};

}  // namespace weir
