// How the content of spec.config becomes part of a revision: its hash, its immutable copies, and what is still to be read. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "delivery/release_snapshot.h"
#include "runtime/plan.h"

namespace weir {

// The spec's revision, when all of the content is known. The template is resolved and names the user's own objects.
std::string revision_with(const Json& pod_template, const ConfigAnswers& contents);

// What of spec.config is known: fills snapshot.config, and snapshot.wanted as far as it can be told. Of a spec without config it is
// the revision of the template alone. Needs the snapshot's children and traffic.
void observe_config(ReleaseSnapshot& snapshot, ConfigReading reading);

// The names of a revision's copies, chosen once, when its ReplicaSet is made.
struct ConfigMark {
  std::string base;  // hash of the template without any content
  ConfigNames copies;
};
std::string encode_config_mark(const ConfigMark& mark);
std::optional<ConfigMark> config_mark_of(const RevisionView& view);

// For a ReplicaSet that is yet to be made. `now` makes the names new ones: those of a ReplicaSet that is gone may still exist for a
// while, and be on their way out with it.
ConfigMark new_config_mark(const ReleaseSnapshot& snapshot, WallTime now);

// The copies of the spec's revision, owned by its ReplicaSet; nothing while the content is not known.
std::vector<CreateObject> config_copies(const ReleaseSnapshot& snapshot);

// A pod of this revision waits so long for something it needs to start that a copy may be gone. Told in the first moments of each
// minute only, so that what is done about it is done now and then.
bool may_lack_copies(const RevisionView& view, WallTime now, Plan& plan);

// What is to be read, and when next.
void add_config_reading(const ReleaseSnapshot& snapshot, WallTime now, Plan& plan);

}  // namespace weir
