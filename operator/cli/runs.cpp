#include <nlohmann/json.hpp>
#include <ostream>

#include "cli/commands.h"
#include "cli/output.h"
#include "cli/pipeline_runs.h"

namespace weir {
namespace {

std::vector<std::string> row_of(const PipelineRun& run, bool with_namespace, WallTime now) {
  const auto& status = run.status;
  std::vector<std::string> row;
  if (with_namespace) row.push_back(run.meta.key.ns);
  row.push_back(run.meta.key.name);
  row.push_back(run.spec ? run.spec->pipeline : "");
  row.emplace_back(to_string(status.phase));
  row.push_back(time_taken(status.started, status.ended, now));
  row.push_back(run.meta.created ? short_age(*run.meta.created, now) : "");
  row.push_back(status.message);
  return row;
}

Result<int> run(const Invocation& invocation) {
  const auto& operands = invocation.arguments.operands();
  const auto form = invocation.arguments.value("output");
  const bool raw = form == "json" || form == "yaml" || form == "name";
  auto& out = invocation.streams.out;
  ASSIGN_OR_RETURN(const auto session, connect(invocation.arguments));
  if (!operands.empty()) {
    ASSIGN_OR_RETURN(const auto seen, get_run(*session, operands.front()));
    out << (raw ? objects_text({seen.object}, false, form)
                : run_tree(seen.run, session->clock.now()));
    return exit_code::kOk;
  }
  ASSIGN_OR_RETURN(const auto runs, list_runs(*session));
  std::vector<Json> objects;
  const bool with_namespace = session->ns.empty();
  std::vector<std::vector<std::string>> rows{
      {"NAME", "PIPELINE", "PHASE", "TIME", "AGE", "MESSAGE"}};
  if (with_namespace) rows.front().insert(rows.front().begin(), "NAMESPACE");
  for (const auto& seen : runs) {
    objects.push_back(seen.object);
    rows.push_back(row_of(seen.run, with_namespace, session->clock.now()));
  }
  if (raw)
    out << objects_text(objects, true, form);
  else if (runs.empty())
    invocation.streams.err << "no runs found\n";
  else
    out << table_text(rows);
  return exit_code::kOk;
}

}  // namespace

Command runs_command() {
  Command command;
  command.name = "runs";
  command.synopsis = "[NAME]";
  command.summary = "runs of pipelines; one by name with its stages and results";
  command.flags = cluster_flags({kAllNamespaces, kOutput});
  command.max_operands = 1;
  command.run = run;
  return command;
}

}  // namespace weir
