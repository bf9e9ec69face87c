#include <fmt/format.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <ostream>

#include "api/workload.h"
#include "cli/adoption_files.h"
#include "cli/command_line.h"
#include "cli/commands.h"
#include "cli/session.h"
#include "kube/kinds.h"
#include "kube/yaml_json.h"

namespace weir {
namespace {

constexpr Kind kAutoscaler{"autoscaling", "v2", "HorizontalPodAutoscaler",
                           "horizontalpodautoscalers"};

// "shop" of "shop", "deployment/shop", "deploy/shop".
Result<std::string> deployment_name(const std::string& operand) {
  const auto slash = operand.find('/');
  if (slash == std::string::npos) return operand;
  constexpr std::array<std::string_view, 4> kWords{"deployment", "deployments", "deploy",
                                                   "deployments.apps"};
  const auto kind = operand.substr(0, slash);
  for (const auto word : kWords)
    if (kind == word && slash + 1 < operand.size()) return operand.substr(slash + 1);
  return Error{
      ErrorKind::Invalid,
      fmt::format("found \"{}\", must be deployment/NAME: nothing else can be adopted", operand)};
}

Result<std::vector<Json>> list(Session& session, const Kind& kind) {
  std::vector<Json> all;
  std::string next;
  do {
    ASSIGN_OR_RETURN(auto page, session.api->list(kind, {session.ns}, next, session.deadline()));
    for (auto& item : page.items) all.push_back(std::move(item));
    next = page.next;
  } while (!next.empty());
  return all;
}

// None of a kind that the cluster does not have, or that the caller may not list: only a note less.
Result<std::vector<Json>> list_if_any(Session& session, const Kind& kind) {
  auto all = list(session, kind);
  const bool without =
      !all && (all.error().kind == ErrorKind::NotFound || all.error().kind == ErrorKind::Forbidden);
  return without ? Result<std::vector<Json>>(std::vector<Json>()) : std::move(all);
}

Result<LiveObjects> look(Session& session, const std::string& name) {
  LiveObjects live;
  ASSIGN_OR_RETURN(live.deployment,
                   session.api->get(kinds::kDeployment, {session.ns, name}, session.deadline()));
  ASSIGN_OR_RETURN(live.services, list(session, kinds::kService));
  ASSIGN_OR_RETURN(live.routes, list_if_any(session, kinds::kHttpRoute));
  ASSIGN_OR_RETURN(live.autoscalers, list_if_any(session, kAutoscaler));
  return live;
}

Result<void> write(const std::filesystem::path& folder, const std::string& file, const Json& object,
                   const Streams& streams) {
  if (object.is_null()) return {};
  const auto path = folder / file;
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (!error && std::filesystem::exists(path, error))
    return Error{ErrorKind::Invalid, fmt::format("{}: exists", path.string())};
  std::ofstream out(path);
  out << dump_yaml(object);
  out.close();
  if (!out) return Error{ErrorKind::Invalid, fmt::format("{}: cannot be written", path.string())};
  streams.err << "wrote " << path.string() << "\n";
  return {};
}

Result<void> tell(const AdoptionFiles& files, const std::string& folder, const Streams& streams) {
  if (folder.empty()) {
    if (!files.policy.is_null()) streams.out << dump_yaml(files.policy) << "---\n";
    streams.out << dump_yaml(files.release);
    return {};
  }
  if (auto written = write(folder, "policy.yaml", files.policy, streams); !written) return written;
  return write(folder, "release.yaml", files.release, streams);
}

Result<int> run(const Invocation& invocation) {
  const auto& arguments = invocation.arguments;
  const auto name = deployment_name(arguments.operands().front());
  if (!name) return usage_error(invocation, name.error().message);
  ASSIGN_OR_RETURN(const auto session, connect(arguments));
  ASSIGN_OR_RETURN(const auto live, look(*session, *name));
  AdoptionChoice choice{arguments.value("service"), arguments.value("policy"),
                        arguments.value("gateway")};
  choice.prometheus = arguments.value("prometheus", choice.prometheus);
  ASSIGN_OR_RETURN(const auto files, adoption_files(live, choice));
  if (auto told = tell(files, arguments.value("output"), invocation.streams); !told)
    return told.error();
  for (const auto& note : files.notes) invocation.streams.err << "note: " << note << "\n";
  return exit_code::kOk;
}

}  // namespace

Command adopt_command() {
  Command command;
  command.name = "adopt";
  command.synopsis = "deployment/NAME";
  command.summary = "writes the Release that adopts a live Deployment, without a restart";
  command.more =
      "From the live objects; nothing in the cluster changes. What it prints is applied, or\n"
      "committed: its pods become the first revision, and its Service is taken over. What must be\n"
      "done besides is said on standard error.\n"
      "\n"
      "  kubectl weir adopt deployment/shop | kubectl apply -f -\n"
      "  kubectl weir adopt deployment/shop --policy standard -o deploy/shop   for a commit\n";
  command.flags = cluster_flags({
      {"service", 0, "NAME", "that callers use; the one that selects its pods"},
      {"policy", 0, "NAME", "of a CanaryPolicy that exists; a new one is written"},
      {"gateway", 0, "[NAMESPACE/]NAME", "whose traffic is shared out; that of the HTTPRoute"},
      {"prometheus", 0, "URL", "of the new policy; http://prometheus.monitoring:9090"},
      {"output", 'o', "DIRECTORY", "write release.yaml and policy.yaml there"},
  });
  command.min_operands = command.max_operands = 1;
  command.run = run;
  return command;
}

}  // namespace weir
