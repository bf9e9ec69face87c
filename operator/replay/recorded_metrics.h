#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "replay/recording.h"
#include "replay/staged_release.h"

namespace weir {

// A recording in the place of Prometheus: what it would have answered then. The share of the traffic is the one that was recorded.
// `recording` must outlive it. Not thread-safe.
class RecordedMetrics final : public StagedMetrics {
 public:
  RecordedMetrics(const Recording& recording, std::string canary, std::string stable)
      : recording_(recording), canary_(std::move(canary)), stable_(std::move(stable)) {}

  void pass(WallTime until, int /*weight*/) override { now_ = until; }
  Result<std::vector<MetricSample>> answer(const ReleaseQuestion& question) override;
  std::vector<MetricSample> past(const ReleaseQuestion& question) override;

 private:
  struct Wanted {
    const std::vector<RecordedSeries>* series;  // null: nothing is recorded in this role
    const std::string* revision;
  };
  Wanted wanted(const ReleaseQuestion& question, std::string_view role) const;

  const Recording& recording_;
  const std::string canary_;
  const std::string stable_;
  WallTime now_{};
};

}  // namespace weir
