#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <ostream>

#include "base/time_format.h"
#include "cli/command_line.h"
#include "cli/commands.h"
#include "cli/pipeline_runs.h"

namespace weir {
namespace {

constexpr milliseconds kDefaultTimeout = std::chrono::hours(24);
constexpr std::size_t kMaxOperands = 33;  // the pipeline and 32 parameters
constexpr std::size_t kNamePart = 56;     // leaves room for what the server adds

// "level=debug" as {"name", "value"}; Invalid for another word.
Result<Json> parameter(const std::string& word) {
  const auto equals = word.find('=');
  if (equals == std::string::npos || equals == 0)
    return Error{ErrorKind::Invalid, fmt::format("{}: a parameter is given as NAME=VALUE", word)};
  return Json{{"name", word.substr(0, equals)}, {"value", word.substr(equals + 1)}};
}

Result<Json> object_for(const Arguments& arguments) {
  const auto& operands = arguments.operands();
  const auto& pipeline = operands.front();
  Json params = Json::array();
  for (std::size_t i = 1; i < operands.size(); ++i) {
    ASSIGN_OR_RETURN(auto one, parameter(operands[i]));
    params.push_back(std::move(one));
  }
  Json spec{{"pipelineRef", {{"name", pipeline}}}};
  if (!params.empty()) spec["params"] = std::move(params);
  if (arguments.has("commit")) spec["commit"] = arguments.value("commit");
  if (arguments.has("rerun-of")) spec["rerunOf"] = Json{{"name", arguments.value("rerun-of")}};
  Json metadata = Json::object();
  if (arguments.has("name"))
    metadata["name"] = arguments.value("name");
  else
    metadata["generateName"] = pipeline.substr(0, kNamePart) + "-";
  return Json{{"apiVersion", kinds::kPipelineRun.api_version()},
              {"kind", kinds::kPipelineRun.name},
              {"metadata", std::move(metadata)},
              {"spec", std::move(spec)}};
}

// Before anything is made: a word that is wrong would be a failed run.
Result<void> check(Session& session, const Json& object) {
  const auto name = json_text(object, {"spec", "pipelineRef", "name"});
  auto found = session.api->get(kinds::kPipeline, {session.ns, name}, session.deadline());
  if (!found && found.error().kind == ErrorKind::NotFound)
    return Error{ErrorKind::NotFound,
                 fmt::format("no pipeline \"{}\" in namespace {}", name, session.ns)};
  if (!found) return std::move(found).error();
  ASSIGN_OR_RETURN(const auto pipeline, decode_pipeline(*found));
  if (!pipeline.spec) return pipeline.spec.error();
  ASSIGN_OR_RETURN(const auto run, decode_pipeline_run_spec(object.at("spec")));
  const auto params = parameters_of(run, *pipeline.spec);
  if (!params) return params.error();
  return check_commit(run, *pipeline.spec);
}

Result<int> run(const Invocation& invocation) {
  const auto& arguments = invocation.arguments;
  const auto object = object_for(arguments);
  if (!object) return usage_error(invocation, object.error().message);
  milliseconds timeout = kDefaultTimeout;
  if (arguments.has("timeout")) {
    const auto given = parse_duration(arguments.value("timeout"));
    if (!given) return usage_error(invocation, "--timeout: " + given.error().message);
    timeout = *given;
  }
  ASSIGN_OR_RETURN(const auto session, connect(arguments));
  if (const auto good = check(*session, *object); !good) return good.error();
  ASSIGN_OR_RETURN(const auto made, session->api->create(kinds::kPipelineRun, session->ns, *object,
                                                         false, session->deadline()));
  const auto name = json_text(made, {"metadata", "name"});
  if (!arguments.has("watch")) {
    invocation.streams.out << fmt::format("pipelinerun.weir.dev/{}\n", name);
    return exit_code::kOk;
  }
  return follow_run(*session, invocation.streams, name, timeout);
}

}  // namespace

Command run_command() {
  Command command;
  command.name = "run";
  command.synopsis = "PIPELINE [NAME=VALUE]...";
  command.summary = "starts a run of a pipeline; --watch follows it to its end";
  command.more =
      "With --watch the exit code tells how it ended: 0 it succeeded, 1 it failed, 3 the time is\n"
      "over, 5 it was cancelled.\n"
      "\n"
      "  kubectl weir run hello whom=Ada --watch\n"
      "  kubectl weir run shop --commit $(git rev-parse HEAD)\n"
      "  kubectl weir run shop --rerun-of shop-x7k2p   what has not changed is taken over\n";
  command.flags = cluster_flags({{"name", 0, "NAME", "of the run; the pipeline's and some letters"},
                                 {"commit", 0, "HASH", "of the pipeline's source, in whole"},
                                 {"rerun-of", 0, "RUN", "take over what has not changed"},
                                 {"watch", 'w', "", "print each change until the run has ended"},
                                 {"timeout", 0, "DURATION", "of --watch (exit code 3); 24h"}});
  command.min_operands = 1;
  command.max_operands = kMaxOperands;
  command.run = run;
  return command;
}

}  // namespace weir
