// Small read-only views of others' kinds: the few fields that decisions need.
#pragma once

#include <string>

#include "api/meta.h"

namespace weir {

struct ReplicaSetView {
  ObjectMeta meta;
  int replicas = 1;           // spec
  int min_ready_seconds = 0;  // spec
  int current = 0;            // status.replicas
  int ready = 0;              // status.readyReplicas
  int available = 0;          // status.availableReplicas: ready for minReadySeconds
  std::int64_t observed_generation = 0;
};

// One EndpointSlice of one Service (several slices may belong to one).
struct EndpointSliceView {
  ObjectMeta meta;
  std::string service;  // label kubernetes.io/service-name
  int ready = 0;        // endpoints that are ready and not terminating
  int terminating = 0;
  int total = 0;
};

// An object whose shape only its owner (a router plug-in, a Service builder) knows: kept as text, parsed when used.
struct RawObject {
  ObjectMeta meta;
  std::string text;  // compact JSON of spec and status
};

}  // namespace weir
