// The only writer: runs the actions of a Plan in their order and stops at the first that fails.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "kube/api_client.h"
#include "runtime/event_recorder.h"
#include "runtime/metrics.h"
#include "runtime/plan.h"
#include "runtime/write_fence.h"

namespace weir {

// Takes questions for metric sources; must not block. The answer arrives as a later observation of the key.
using MeasurementStarter = std::function<void(const StartMeasurement&)>;
// The object that a write returned, to be put into the store of its kind at once.
using OwnWriteSink = std::function<void(const Kind&, const Json&)>;

// Thread-safe, as far as the callbacks are. References must outlive it.
class Executor {
 public:
  Executor(ApiClient& api, const Clock& clock, const WriteFence& fence, Metrics& metrics,
           OwnWriteSink own_write, MeasurementStarter start_measurement)
      : api_(api),
        clock_(clock),
        fence_(fence),
        metrics_(metrics),
        own_write_(std::move(own_write)),
        start_measurement_(std::move(start_measurement)),
        events_(api, clock) {}

  // Events and measurements never fail a plan. The first error of a write is returned, with what was being written.
  // Each write ends within 10 s, and before the fence closes. Behind a closed fence nothing is sent: Shutdown, because the one
  // who closed it ends this process, there is nothing to try again and nobody to tell.
  Result<void> run(const Plan& plan);

 private:
  Result<void> act(const CreateObject& action);
  Result<void> act(const PatchObject& action);
  Result<void> act(const DeleteObject& action);
  Result<void> act(const PatchStatus& action);
  Result<void> act(const RecordEvent& action);
  Result<void> act(const StartMeasurement& action);
  Result<void> accept_existing(const CreateObject& action, const Error& taken);
  void note_foreign_edit(std::string_view what, const Kind& kind, const ObjectKey& key,
                         const std::string& by) const;
  Result<Deadline> write_deadline() const;

  ApiClient& api_;
  const Clock& clock_;
  const WriteFence& fence_;
  Metrics& metrics_;
  OwnWriteSink own_write_;
  MeasurementStarter start_measurement_;
  EventRecorder events_;
};

}  // namespace weir
