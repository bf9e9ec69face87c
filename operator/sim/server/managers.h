// Who owns which fields of an object (metadata.managedFields). Pure.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "sim/server/field_set.h"
#include "sim/server/resource.h"

namespace weir::sim {

struct Manager {
  std::string name;
  bool applies = false;  // operation Apply, else Update
  std::string subresource;
  std::string api_version;
  WallTime time{};
  FieldSet fields;
};
// Shared, because most writes leave most of them as they are.
using Managers = std::vector<std::shared_ptr<const Manager>>;

// Who writes, and how.
struct Writer {
  std::string manager;
  std::string subresource;
  WallTime now{};
};

Json managed_fields(const Managers& managers);

// After a write that was no apply: its manager owns what it changed, nobody owns what is gone.
void note_update(Managers& managers, const Resource& resource, const Json& before,
                 const Json& after, const Writer& writer);

struct Applied {
  Json object;
  Managers managers;
};
// Server-side apply: `live` with `config` merged into it, and what the manager no longer sends taken out of it.
// Refused: 409 with causes that name the managers, unless forced.
Answer<Applied> apply_config(const Resource& resource, const Json& live, const Managers& managers,
                             const Json& config, const Writer& writer, bool force);

}  // namespace weir::sim
