// One operator process in virtual time: the real caches, reflectors, queue, decisions and executor; only the threads are missing.
#pragma once

#include <memory>
#include <vector>

#include "app/feeds.h"
#include "delivery/policy_reconciler.h"
#include "delivery/release_questions.h"
#include "delivery/release_reconciler.h"
#include "runtime/controller.h"
#include "runtime/reflector.h"
#include "sim/faults.h"
#include "sim/world.h"

namespace weir::sim {

class Instance {
 public:
  Instance(ApiServer& server, World& world, SimClock& clock, Random& random,
           const FaultOptions& faults);

  // Delivers what is due of the watches, answers questions, and works on every key that is due.
  void tick();

  FaultyApi& api() { return api_; }
  int passes() const { return passes_; }

 private:
  struct Watch {
    const Feed* feed;
    Reflector reflector;
    milliseconds lag{0};
  };
  struct Asked {
    WallTime due;
    ObjectKey key;
    std::shared_ptr<const ReleaseQuestion> question;
  };

  void feed(Watch& watch);
  void deliver(Watch& watch, const std::string& from);
  bool deliver_event(Watch& watch, const ServerEvent& event);
  void ask(const StartMeasurement& measurement);
  void answer();
  Result<std::vector<MetricSample>> measure(const ReleaseQuestion& question);
  bool synced() const;

  ApiServer& server_;
  World& world_;
  SimClock& clock_;
  Random& random_;
  const FaultOptions& faults_;
  FaultyApi api_;
  Metrics metrics_{"sim"};
  ReleaseCaches caches_;
  EvidenceBook evidence_;
  ReleaseObserver observer_;
  ReleaseReconciler release_reconciler_;
  PolicyReconciler policy_reconciler_;
  OpenFence fence_;
  Executor executor_;
  Controller releases_;
  Controller policies_;
  Feeds feeds_;
  std::vector<Watch> watches_;
  std::vector<Asked> asked_;
  int passes_ = 0;
};

}  // namespace weir::sim
