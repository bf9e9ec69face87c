// Runs of pipelines, as people see them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "api/pipeline_run.h"
#include "cli/session.h"

namespace weir {

struct SeenRun {
  PipelineRun run;
  Json object;  // as the server has it
};

// Those of the session's namespace, the newest first. Errors: all of ApiClient.
Result<std::vector<SeenRun>> list_runs(Session& session);

// Errors: NotFound in words for people, and all of ApiClient.
Result<SeenRun> get_run(Session& session, const std::string& name);

// "2m5s" from its beginning to its end, or to now; "" when it has not begun.
std::string time_taken(const std::optional<WallTime>& started, const std::optional<WallTime>& ended,
                       WallTime now);

// A line for the run and one for each stage, with its results below it.
std::string run_tree(const PipelineRun& run, WallTime now);

// The exit code of a run that has ended.
std::optional<int> outcome_of(const PipelineRun& run);

// Prints each change until the run has ended; the exit code. Timeout: kTimedOut.
Result<int> follow_run(Session& session, const Streams& streams, const std::string& name,
                       milliseconds timeout);

}  // namespace weir
