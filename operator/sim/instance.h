// One operator process in virtual time: the real caches, reflectors, queue, decisions and executor; only the threads are missing.
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "app/feeds.h"
#include "app/pipeline_feeds.h"
#include "base/anchored_clock.h"
#include "delivery/policy_reconciler.h"
#include "delivery/release_questions.h"
#include "delivery/release_reconciler.h"
#include "pipeline/pipeline_reconciler.h"
#include "pipeline/run_reconciler.h"
#include "runtime/controller.h"
#include "runtime/lease_elector.h"
#include "runtime/reflector.h"
#include "sim/faulty_api.h"
#include "sim/world/world.h"

namespace weir::sim {

// The threads that watch, one per kind.
class WatchThreads final : public Actor {
 public:
  WatchThreads(const Network& network, FaultyApi& api, std::vector<Feed> feeds);

  bool synced() const;
  void list_again();
  std::optional<SimTime> due() const override;
  void act() override;

 private:
  struct Watch {
    Feed feed{};
    std::unique_ptr<Reflector> reflector;
    SimTime lag{0};
    SimTime held_until{0};  // nothing comes before
    int counted = 0;        // the delivery that the exhaustive search has decided about
    SimTime next_bookmark{0};
  };

  std::optional<SimTime> due(const Watch& watch) const;
  void advance(Watch& watch);
  void list(Watch& watch, const std::string& next);
  void deliver(Watch& watch, const ServerEvent& event);
  void bookmark(Watch& watch);
  bool is_planned_late(Watch& watch, const ServerEvent& event);

  const Network& net_;
  FaultyApi& api_;
  std::vector<Watch> watches_;
  // due() is asked at every step of the stage, and most of them changed nothing here.
  mutable std::optional<SimTime> due_;
  mutable std::uint64_t due_for_version_ = 0;
};

// The threads that ask metric sources.
class MeasuringThreads final : public Actor {
 public:
  using Wake = std::function<void(const ObjectKey&)>;

  MeasuringThreads(const Network& network, HttpClient& source, EvidenceBook& evidence, Wake wake)
      : net_(network), source_(source), evidence_(evidence), wake_(std::move(wake)) {}

  void start(const StartMeasurement& measurement);
  std::optional<SimTime> due() const override;
  void act() override;

 private:
  struct Asked {
    SimTime answered;
    ObjectKey key;
    std::shared_ptr<const ReleaseQuestion> question;
  };

  const Network& net_;
  HttpClient& source_;
  EvidenceBook& evidence_;
  Wake wake_;
  std::vector<Asked> asked_;
};

// The threads that read what spec.config names.
class ConfigThreads final : public Actor {
 public:
  using Wake = std::function<void(const ObjectKey&)>;

  ConfigThreads(const Network& network, FaultyApi& api, ConfigBook& book, Wake wake)
      : net_(network), api_(api), book_(book), wake_(std::move(wake)) {}

  void start(const ObjectKey& release, std::shared_ptr<const ConfigQuestion> question);
  std::optional<SimTime> due() const override;
  void act() override;

 private:
  struct Asked {
    SimTime answered;
    ObjectKey release;
    std::shared_ptr<const ConfigQuestion> question;
  };

  const Network& net_;
  FaultyApi& api_;
  ConfigBook& book_;
  Wake wake_;
  std::deque<Asked> asked_;  // each takes as long
};

// The thread that holds the Lease, and the fence of all writes.
class LeaseThread final : public Actor, public WriteFence {
 public:
  LeaseThread(const Network& network, FaultyApi& api, const Clock& clock,
              const std::string& identity, WatchThreads& watches);

  bool leads() const { return elector_.leads(); }
  bool has_led() const { return led_; }
  SteadyTime open_until() const override { return elector_.open_until(); }
  std::optional<SimTime> due() const override;
  void act() override;

 private:
  const Network& net_;
  FaultyApi& api_;
  LeaseElector elector_;
  WatchThreads& watches_;
  SimTime due_{0};
  bool led_ = false;
};

// The worker: one pass at a time, and only while it leads.
class Worker final : public Actor {
 public:
  Worker(FaultyApi& api, const WatchThreads& watches, const LeaseThread& lease,
         std::vector<Controller*> controllers, bool ever_led_is_enough)
      : api_(api),
        watches_(watches),
        lease_(lease),
        controllers_(std::move(controllers)),
        ever_led_is_enough_(ever_led_is_enough) {}

  std::optional<SimTime> due() const override;
  void act() override;

 private:
  FaultyApi& api_;
  const WatchThreads& watches_;
  const LeaseThread& lease_;
  std::vector<Controller*> controllers_;  // who comes first goes first
  bool ever_led_is_enough_;               // a planted bug
};

// A thread of a process that may stand still.
class Pausable final : public Actor {
 public:
  Pausable(Actor& thread, const SimTime& paused_until)
      : thread_(thread), paused_until_(paused_until) {}

  std::optional<SimTime> due() const override {
    const auto due = thread_.due();
    return due ? std::optional(std::max(*due, paused_until_)) : due;
  }
  void act() override { thread_.act(); }

 private:
  Actor& thread_;
  const SimTime& paused_until_;
};

class Instance {
 public:
  // `pod` is the name it comes back with after a crash, `id` is its own.
  Instance(const Network& network, World& world, const std::string& pod, int id,
           SimTime clock_error);
  ~Instance();
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;

  int id() const { return id_; }
  bool crashed() const { return api_.crashed(); }
  // Not in the middle of a call: it may be destroyed.
  bool idle() const;
  // Every later call fails; the next idle moment is its end.
  void kill() { api_.crash(); }
  void pause_until(SimTime until) { paused_until_ = until; }
  MachineClock& machine() { return machine_; }
  bool leads() const { return lease_.leads(); }

 private:
  const WriteFence& fence() const;
  const Reconciler& reconciler() const;
  const Reconciler& run_reconciler() const;
  void ask(const StartMeasurement& asked);
  void keep_own(const Kind& kind, const Json& object) const;
  void keep_found(const LookUp& asked, std::vector<Json> objects);
  std::vector<Feed> all_feeds() const;

  const Network& net_;
  int id_;
  MachineClock machine_;
  AnchoredClock clock_;
  FaultyApi api_;
  std::unique_ptr<ApiClient> writer_;  // what the executor sees of it
  OpenFence no_fence_;
  Metrics metrics_{"sim"};
  ReleaseCaches caches_;
  EvidenceBook evidence_;
  ConfigBook config_;
  PipelineCaches pipeline_caches_;
  Feeds feeds_;
  PipelineFeeds pipeline_feeds_;
  WatchThreads watches_;
  LeaseThread lease_;
  MeasuringThreads measuring_;
  ConfigThreads config_threads_;
  Executor executor_;
  ReleaseObserver observer_;
  ReleaseReconciler release_reconciler_;
  PolicyReconciler policy_reconciler_;
  std::unique_ptr<Reconciler> buggy_reconciler_;
  RunObserver run_observer_;
  RunReconciler run_reconciler_;
  PipelineReconciler pipeline_reconciler_;
  std::unique_ptr<Reconciler> buggy_run_reconciler_;
  Controller releases_;
  Controller policies_;
  Controller runs_;
  Controller pipelines_;
  Worker worker_;
  SimTime paused_until_{0};
  Pausable threads_[5];
};

}  // namespace weir::sim
