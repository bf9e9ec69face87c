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

// How long a write is waited for; less near the end of the Lease.
inline constexpr milliseconds kWriteDeadline{10'000};

// Takes questions for metric sources; must not block. The answer arrives as a later observation of the key.
using MeasurementStarter = std::function<void(const StartMeasurement&)>;
// What a LookUp found; must not block.
using FoundSink = std::function<void(const LookUp&, std::vector<Json>)>;
// The object that a write returned, to be put into the store of its kind at once.
using OwnWriteSink = std::function<void(const Kind&, const Json&)>;

// Thread-safe, as far as the callbacks are. References must outlive it.
class Executor {
 public:
  Executor(
      ApiClient& api, const Clock& clock, const WriteFence& fence, Metrics& metrics,
      OwnWriteSink own_write, MeasurementStarter start_measurement,
      FoundSink found = [](const LookUp&, const std::vector<Json>&) {})
      : api_(api),
        clock_(clock),
        fence_(fence),
        metrics_(metrics),
        own_write_(std::move(own_write)),
        start_measurement_(std::move(start_measurement)),
        found_(std::move(found)),
        events_(api, clock) {}

  // Events and measurements never fail a plan. The first error of a write or a look-up is returned, with what it was about.
  // Each write ends within 10 s, and before the fence closes. Behind a closed fence nothing is sent: Shutdown, because the one
  // who closed it ends this process, there is nothing to try again and nobody to tell.
  Result<void> run(const Plan& plan);

 private:
  Result<void> act(const CreateObject& action);
  Result<void> act(const PatchObject& action);
  Result<void> act(const DeleteObject& action);
  Result<void> act(const ApplyMarks& action);
  Result<void> act(const PatchStatus& action);
  Result<void> act(const RecordEvent& action);
  Result<void> act(const StartMeasurement& action);
  Result<void> act(const LookUp& action);
  Result<Json> apply(const Kind& kind, const ObjectKey& key, Json body,
                     const std::string& subresource);
  Result<std::vector<Json>> list(const LookUp& action);
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
  FoundSink found_;
  EventRecorder events_;
};

}  // namespace weir
