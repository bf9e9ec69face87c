// Asks metric sources on threads of its own and folds their answers into the evidence; then wakes the release. Questions that wait for
// the same source are asked together.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "app/source_queues.h"
#include "app/source_secrets.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "delivery/evidence.h"
#include "delivery/release_questions.h"
#include "runtime/metrics.h"
#include "runtime/task_pool.h"

namespace weir {

// Thread-safe. References must outlive it; its pool is stopped first.
class Measurer {
 public:
  using Connect = std::function<Result<std::unique_ptr<HttpClient>>(const std::string& url,
                                                                    const SourceAccess& access)>;
  using Wake = std::function<void(const ObjectKey&)>;

  Measurer(const Plugins& plugins, EvidenceBook& book, const Clock& clock, Metrics& metrics,
           SourceSecrets& secrets, TaskPool& pool, Connect connect, Wake wake)
      : plugins_(plugins),
        book_(book),
        clock_(clock),
        metrics_(metrics),
        secrets_(secrets),
        pool_(pool),
        connect_(std::move(connect)),
        wake_(std::move(wake)) {}

  // Never blocks.
  void start(const StartMeasurement& measurement);

 private:
  using Answer = Result<std::vector<MetricSample>>;

  bool ask_alone(const WaitingQuestion& waiting);
  bool ask_with_others(const WaitingQuestion& waiting);
  void take_turn(const SourceKey& source);
  void ask_together(const SourceKey& source, const std::vector<WaitingQuestion>& waiting);
  void settle(const WaitingQuestion& waiting, const Answer& answer, const PastCounts& past = {});
  Answer ask(const WaitingQuestion& waiting);
  // Of the source of `waiting`.
  Answer measure(const WaitingQuestion& waiting, const std::vector<MetricExpression>& expressions);
  PastCounts past_of(const WaitingQuestion& waiting);
  Result<std::shared_ptr<HttpClient>> reach(const MetricProvider& provider,
                                            const ReleaseQuestion& question, const std::string& ns);
  Result<std::shared_ptr<HttpClient>> client_for(const std::string& url,
                                                 const SourceAccess& access);

  const Plugins& plugins_;
  EvidenceBook& book_;
  const Clock& clock_;
  Metrics& metrics_;
  SourceSecrets& secrets_;
  TaskPool& pool_;
  Connect connect_;
  Wake wake_;
  SourceQueues queues_;
  Mutex mutex_;
  // By URL and credentials, shared by all releases.
  std::map<std::pair<std::string, SourceAccess>, std::shared_ptr<HttpClient>> clients_
      GUARDED_BY(mutex_);
};

}  // namespace weir
