#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>

#include "api/job_views.h"
#include "cli/commands.h"
#include "cli/pipeline_runs.h"
#include "kube/kinds.h"
#include "kube/paths.h"
#include "kube/status_error.h"

namespace weir {
namespace {

constexpr std::string_view kStep = "step-";
constexpr const char* kMaxLogBytes = "4194304";  // of one step

struct PodOfStage {
  StagePodView pod;
  std::string stage;
  int attempt = 0;
};

std::string label(const ObjectMeta& meta, std::string_view name) {
  const auto found = meta.labels.find(name);
  return found == meta.labels.end() ? "" : found->second;
}

// In the order in which they were made.
Result<std::vector<PodOfStage>> pods_of(Session& session, const std::string& run,
                                        const std::string& stage) {
  auto labels = fmt::format("{}={}", marks::kRun, run);
  if (!stage.empty()) labels += fmt::format(",{}={}", marks::kStage, stage);
  std::vector<PodOfStage> pods;
  std::string next;
  do {
    ASSIGN_OR_RETURN(const auto page, session.api->list(kinds::kPod, {session.ns, labels}, next,
                                                        session.deadline()));
    for (const auto& item : page.items) {
      ASSIGN_OR_RETURN(auto pod, decode_stage_pod(item));
      const auto name = label(pod.meta, marks::kStage);
      pods.push_back({std::move(pod), name, 0});
    }
    next = page.next;
  } while (!next.empty());
  std::stable_sort(pods.begin(), pods.end(), [](const PodOfStage& a, const PodOfStage& b) {
    return a.pod.meta.created < b.pod.meta.created;
  });
  return pods;
}

Result<std::string> log_of(Session& session, const ObjectKey& pod, const std::string& container) {
  ASSIGN_OR_RETURN(const auto path, object_path(kinds::kPod, pod, "log"));
  HttpRequest request;
  request.target = path + query_string({{"container", container}, {"limitBytes", kMaxLogBytes}});
  ASSIGN_OR_RETURN(auto response, session.http->send(request, session.deadline()));
  if (response.status != 200) return response_error(response);
  return std::move(response.body);
}

Result<int> print_logs(const Invocation& invocation, Session& session, const PodOfStage& of) {
  auto& out = invocation.streams.out;
  for (const auto& container : of.pod.containers) {
    if (!container.name.starts_with(kStep)) continue;
    if (container.state == ContainerView::State::Waiting) continue;
    const bool failed = container.state == ContainerView::State::Ended && container.exit_code != 0;
    if (invocation.arguments.has("failed") && !failed) continue;
    ASSIGN_OR_RETURN(const auto text, log_of(session, of.pod.meta.key, container.name));
    out << fmt::format("==> {} {} ({}){}\n", of.stage, container.name.substr(kStep.size()),
                       of.pod.meta.key.name,
                       failed ? fmt::format(", exit code {}", container.exit_code) : "");
    out << text << (text.empty() || text.ends_with('\n') ? "" : "\n");
  }
  return exit_code::kOk;
}

Result<int> run(const Invocation& invocation) {
  const auto& operands = invocation.arguments.operands();
  ASSIGN_OR_RETURN(const auto session, connect(invocation.arguments));
  const auto seen = get_run(*session, operands.front());
  if (!seen) return seen.error();
  ASSIGN_OR_RETURN(const auto pods, pods_of(*session, operands.front(),
                                            operands.size() > 1 ? operands[1] : std::string()));
  if (pods.empty()) invocation.streams.err << "no pod of it is there (any more)\n";
  for (const auto& pod : pods)
    if (auto printed = print_logs(invocation, *session, pod); !printed) return printed;
  return exit_code::kOk;
}

}  // namespace

Command logs_command() {
  Command command;
  command.name = "logs";
  command.synopsis = "RUN [STAGE]";
  command.summary = "what the steps of a run have written, as long as their pods are there";
  command.more =
      "Pods of ended stages stay until their run goes (spec.retention of the pipeline); those of\n"
      "cancelled ones do not. At most 4 MiB of each step.\n";
  command.flags = cluster_flags({{"failed", 0, "", "only of steps that failed"}});
  command.min_operands = 1;
  command.max_operands = 2;
  command.run = run;
  return command;
}

}  // namespace weir
