// Small read-only views of others' kinds: the few fields that decisions need.
#pragma once

#include <optional>
#include <string>

#include "api/meta.h"
#include "base/clock.h"

namespace weir {

struct ReplicaSetView {
  ObjectMeta meta;
  // Another field manager than ours that has set spec.replicas since we did; "" = none.
  std::string edited_by;
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

// What keeps one container from being ready, in the kubelet's words.
struct ContainerTrouble {
  enum class Kind { NotReady, ImagePull, CrashLoop };  // the worst is the last
  Kind kind = Kind::NotReady;
  std::string container;
  std::string reason;   // why it waits: "CrashLoopBackOff", "ErrImagePull" …; "" = it does not
  std::string message;  // without queries of URLs, at most kMaxWords
  int restarts = 0;     // lasts longer than any state, of which an observer may miss some
  int exit_code = 0;    // of its last end
  std::string exit_reason;  // of its last end: "Error", "OOMKilled" …; "" = it has not ended yet
  std::optional<WallTime> ended;          // last
  std::optional<WallTime> running_since;  // of a crash loop between two crashes

  static constexpr std::size_t kMaxWords = 256;  // bytes
};

struct PodView {
  ObjectMeta meta;
  bool finished =
      false;           // Succeeded or Failed: it will never run again, another one takes its place
  bool ready = false;  // the condition, which is about more than containers
  std::optional<WallTime> ready_since;  // while it is: since when, in whole seconds
  bool containers_ready = false;
  std::optional<WallTime> containers_unready_since;  // nothing before the kubelet has said so
  std::string not_ready;      // why the pod is not ready, as a word: "ContainersNotReady", "" …
  std::string disruption;     // reason of the condition DisruptionTarget; "" = it does not hold
  std::string unschedulable;  // the scheduler's words; "" = scheduled, or not tried yet
  std::optional<ContainerTrouble>
      trouble;  // the worst of its containers, init containers and sidecars included
};

// An object whose shape only its owner (a router plug-in, a Service builder) knows: kept as text, parsed when used.
struct RawObject {
  ObjectMeta meta;
  std::string text;       // compact JSON of spec and status
  std::string edited_by;  // a field manager other than ours that owns fields of the spec; "" = none
};

}  // namespace weir
