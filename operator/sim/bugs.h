// Planted bugs: what the checks must find, or they prove nothing. They twist the seams around the operator's code and never its
// code; no switch of them exists in production.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "delivery/release_observer.h"
#include "kube/api_client.h"
#include "runtime/reconciler.h"

namespace weir::sim {

class Stage;

enum class Bug {
  None,
  StatusBeforeWeight,     // status is written before the route
  RollbackLast,           // a rollback comes after the other writes of its pass
  GuardDropped,           // a rise of weight carries no resourceVersion
  FenceDropped,           // who has led goes on writing
  RetriedUnknownWrite,    // a write of unknown outcome is repeated later, whatever happened since
  OwnWritesForgotten,     // the cache is trusted after an own write
  WeightKept,             // a new revision inherits the weight of the one before
  StepSkipped,            // a rise goes to 100 % at once
  HoldFromWrite,          // a hold counts from the write, not from its acceptance
  ReadinessIgnored,       // pods count as ready when they are wanted
  DrainSkipped,           // pods go with their weight
  StableScaledDownEarly,  // stable shrinks by the canary's share
  RollbackForgotten,      // the mark of a rollback is not written
  SourceErrorIsBreach,
  NoDataIsBreach,
  MemoIgnored,       // the traffic is read from status, not from the route
  OwnerDropped,      // children are created without owner
  ForeignTaken,      // an object that has our name is taken for ours
  HotLoop,           // every pass writes status
  RequestForgotten,  // the route does not tell which request it has carried out
  PauseIgnored,
  DisruptionIsCrash,  // a pod that is taken away counts as one that crashes
  FlapIsNotReady,     // so does one that is not ready though its containers are
  PodFailureIgnored,
  SharedTooEarly,    // pods are shared out while an older revision still has some
  ConfigLive,        // pods read the object that people change
  EvidenceOfBefore,  // what was counted at the weight before lets a step go on
  Peeking,           // a test for one look, at the end, is made at each look
  // Of pipelines.
  NeedsIgnored,
  CancelIgnored,      // a cancel is told of, and not carried out
  StopsForgotten,     // Jobs that are told to stop are not
  EndingPodsIgnored,  // an attempt begins while the pod of the one before is ending
  ResultsForgotten,   // when a run ends
  JobNamesDiffer,     // each time that the same Job is made
  EditTaken,          // by a run that has begun
  kCount,
};

std::string_view name_of(Bug bug);
Bug bug_named(std::string_view name);  // kCount: there is none

// Where each is found: seeds 1..300 unless a scenario is named, which is then searched exhaustively.
struct Hiding {
  Bug bug;
  std::string_view scenario;
  bool in_healthy = false;    // by false rollbacks in healthy seeds 1..300
  bool in_pipelines = false;  // in seeds of pipelines 1..300
};
const std::vector<Hiding>& all_bugs();

// ReleaseReconciler with its three steps, and a twist between them.
std::unique_ptr<Reconciler> buggy_reconciler(const ReleaseObserver& observer, Bug bug);
// `api` and `stage` must outlive it.
std::unique_ptr<ApiClient> buggy_api(ApiClient& api, Stage& stage, Bug bug);

}  // namespace weir::sim
