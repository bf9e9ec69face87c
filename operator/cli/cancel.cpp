#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <ostream>

#include "cli/commands.h"
#include "cli/pipeline_runs.h"

namespace weir {
namespace {

Result<int> run(const Invocation& invocation) {
  const auto& name = invocation.arguments.operands().front();
  const auto state =
      invocation.arguments.has("graceful") ? DesiredState::Stopped : DesiredState::Cancelled;
  ASSIGN_OR_RETURN(const auto session, connect(invocation.arguments));
  ASSIGN_OR_RETURN(const auto seen, get_run(*session, name));
  if (has_ended(seen.run.status.phase)) {
    invocation.streams.err << fmt::format("{} has ended already: {}\n", name,
                                          to_string(seen.run.status.phase));
    return exit_code::kFailed;
  }
  const Json body{{"metadata", {{"uid", seen.run.meta.uid}}},
                  {"spec", {{"desiredState", to_string(state)}}}};
  const Patch patch{Patch::Type::JsonMerge, dump_json(body)};
  ASSIGN_OR_RETURN(const auto done, session->api->patch(kinds::kPipelineRun, seen.run.meta.key,
                                                        patch, session->deadline()));
  invocation.streams.out << fmt::format("{}: {}\n", name,
                                        json_text(done, {"spec", "desiredState"}));
  return exit_code::kOk;
}

}  // namespace

Command cancel_command() {
  Command command;
  command.name = "cancel";
  command.synopsis = "RUN";
  command.summary = "stops a run of a pipeline; --graceful lets what runs end";
  command.more =
      "Without --graceful nothing more begins, `finally` neither. With it the stages that run may\n"
      "end, no other begins, and then `finally` runs.\n";
  command.flags = cluster_flags({{"graceful", 0, "", "what runs may end, and finally runs"}});
  command.min_operands = command.max_operands = 1;
  command.run = run;
  return command;
}

}  // namespace weir
