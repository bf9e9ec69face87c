// Where a run goes next. Pure.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "api/pipeline_run.h"
#include "pipeline/run_snapshot.h"
#include "pipeline/stage_job.h"

namespace weir {

struct StartedJob {
  std::string name;
  Json body;
};

struct RunNotice {
  bool warning = false;
  std::string reason;
  std::string message;
};

struct RunCourse {
  PipelineRunStatus status;  // as it is to be when everything below is done
  std::string spec_to_keep;  // "" = it is kept, or not needed
  std::vector<std::shared_ptr<const JobView>> stops;
  std::vector<StartedJob> starts;  // none while there are stops, which must not wait for them
  std::vector<RunNotice> notices;
  std::optional<WallTime> look_again;
};

// `refused`: the last write that the server refused for this run.
RunCourse chart_run(const RunSnapshot& snapshot, const JobSettings& settings, WallTime now,
                    const Error* refused);

// Of a Pipeline's spec, as in status.spec.
std::string spec_digest(const std::string& spec_text);

}  // namespace weir
