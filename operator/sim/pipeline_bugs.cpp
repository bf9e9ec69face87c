#include "sim/pipeline_bugs.h"

#include <fmt/format.h>

#include "base/json.h"
#include "pipeline/run_plan.h"

namespace weir::sim {
namespace {

// ---- between observe and decide ----

void drop_needs(RunSnapshot& snapshot) {
  auto spec = parse_json(snapshot.kept_spec);
  if (!spec) return;
  for (auto& stage : (*spec)["stages"]) stage.erase("needs");
  snapshot.kept_spec = dump_json(*spec);
}

void overlook_cancel(RunSnapshot& snapshot) {
  auto run = *snapshot.run;
  if (has_ended(run.status.phase)) return;
  run.status.course = DesiredState::Running;
  if (run.spec && run.status.started) run.spec->desired_state = DesiredState::Running;
  snapshot.run = std::make_shared<PipelineRun>(std::move(run));
}

void take_edit(RunSnapshot& snapshot) {
  if (!snapshot.kept_spec.empty() && snapshot.pipeline && snapshot.pipeline->spec)
    snapshot.kept_spec = snapshot.pipeline->spec_text;
}

// As if each Job stood still, whether it was told to or not.
void believe_stopped(RunSnapshot& snapshot) {
  for (auto& entry : snapshot.jobs) {
    auto job = *entry;
    job.suspended = true;
    job.active = job.terminating = 0;
    entry = std::make_shared<JobView>(std::move(job));
  }
}

void twist(RunSnapshot& snapshot, Bug bug) {
  if (bug == Bug::StopsForgotten) believe_stopped(snapshot);
  if (bug == Bug::NeedsIgnored) drop_needs(snapshot);
  if (bug == Bug::CancelIgnored) overlook_cancel(snapshot);
  if (bug == Bug::EditTaken) take_edit(snapshot);
  if (bug == Bug::EndingPodsIgnored) snapshot.pods.clear();
}

// ---- between the plan and its execution ----

void forget_results(PatchStatus& patch) {
  if (!patch.status.contains("stages")) return;
  for (auto& stage : patch.status["stages"])
    if (json_text(patch.status, {"phase"}) == "Succeeded") stage.erase("results");
}

void rename(CreateObject& create, WallTime now) {
  if (!(create.kind == kinds::kJob)) return;
  create.key.name += fmt::format(
      "-{}", std::chrono::duration_cast<milliseconds>(now.time_since_epoch()).count() % 100'000);
  create.body["metadata"]["name"] = create.key.name;
}

void twist(Plan& plan, const PipelineRun& run, WallTime now, Bug bug) {
  for (auto& action : plan.actions) {
    auto* status = std::get_if<PatchStatus>(&action);
    auto* create = std::get_if<CreateObject>(&action);
    if (status && bug == Bug::ResultsForgotten) forget_results(*status);
    if (status && bug == Bug::CancelIgnored && run.spec &&
        run.spec->desired_state == DesiredState::Cancelled)
      status->status["course"] = "Cancelled";
    if (create && bug == Bug::JobNamesDiffer) rename(*create, now);
  }
}

class BuggyRunReconciler final : public Reconciler {
 public:
  BuggyRunReconciler(const RunObserver& observer, JobSettings settings, Bug bug)
      : observer_(observer), settings_(std::move(settings)), bug_(bug) {}

  std::string_view name() const override { return "pipelinerun"; }

  Plan plan(const ObjectKey& key, WallTime now, const Error* refused) const override {
    auto snapshot = observer_.observe(key);
    if (!snapshot || snapshot->run->meta.deleting) return {};
    const auto run = snapshot->run;
    twist(*snapshot, bug_);
    Plan plan = decide_run(*snapshot, settings_, now, refused);
    twist(plan, *run, now, bug_);
    return plan;
  }

 private:
  const RunObserver& observer_;
  JobSettings settings_;
  Bug bug_;
};

}  // namespace

std::unique_ptr<Reconciler> buggy_run_reconciler(const RunObserver& observer,
                                                 const JobSettings& settings, Bug bug) {
  return std::make_unique<BuggyRunReconciler>(observer, settings, bug);
}

}  // namespace weir::sim
