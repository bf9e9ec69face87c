// One release in which nothing but the metrics is of interest: pods are ready at once, and the gateway takes up every weight at once.
// What is asked, counted, judged and done is decided by the operator's own code (release_questions, evidence, judge, release_course);
// only time passes as the caller likes, and the answers are the caller's. Pure.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "delivery/release_course.h"
#include "delivery/release_questions.h"
#include "delivery/release_snapshot.h"

namespace weir {

// In place of a metric source.
class StagedMetrics {
 public:
  virtual ~StagedMetrics() = default;
  // Time has come to `until`; the judged revision has had `weight` percent of the traffic since the call before.
  virtual void pass(WallTime /*until*/, int /*weight*/) {}
  // As MetricProvider::measure and ::history answer.
  virtual Result<std::vector<MetricSample>> answer(const ReleaseQuestion& question) = 0;
  virtual std::vector<MetricSample> past(const ReleaseQuestion& /*question*/) { return {}; }
};

enum class Ending {
  UnderWay,
  Promoted,      // and the watch is over
  RolledBack,    // from a step or from the watch
  AwaitsPerson,  // unsure, or without data, for maxHold
};

// A value: a copy goes on by itself. Not thread-safe.
class StagedRelease {
 public:
  // Since when the judged revision has had a weight.
  struct Stay {
    int weight = 0;
    WallTime since{};
  };

  StagedRelease(const CanaryPolicySpec& policy, WallTime begins);

  // On to the next moment at which the operator would look at it. Only while it is UnderWay.
  void go_on(StagedMetrics& metrics);

  Ending ending() const { return ending_; }
  WallTime begun() const { return begun_; }
  WallTime now() const { return now_; }    // the newest look
  WallTime next() const { return next_; }  // the one after; later than now()
  // In the order of time; 100 percent goes on in the watch.
  const std::vector<Stay>& stays() const { return stays_; }
  std::optional<WallTime> promoted() const { return snapshot_.traffic.promoted; }
  const std::optional<RollbackMark>& rollback() const { return snapshot_.traffic.rollback; }
  // As they are after the newest look.
  const std::vector<Judgement>& judgements() const { return course_.judgements; }
  const std::string& message() const { return course_.message; }
  const Evidence& evidence() const { return snapshot_.evidence; }

 private:
  bool look();
  void settle();
  bool ask(StagedMetrics& metrics);
  void show_route();
  void remember();

  std::shared_ptr<const Release> release_;
  ReleaseSnapshot snapshot_;
  Course course_;
  WallTime begun_;
  WallTime now_;
  WallTime next_;
  std::vector<Stay> stays_;
  Ending ending_ = Ending::UnderWay;
};

}  // namespace weir
