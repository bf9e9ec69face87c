#include "pipeline/run_plan.h"

#include <fmt/format.h>

#include "api/codec.h"
#include "base/hash.h"
#include "base/json.h"
#include "pipeline/run_course.h"

namespace weir {
namespace {

constexpr std::size_t kNamePart = 50;
constexpr std::size_t kHashPart = 8;

class RunPlan {
 public:
  RunPlan(const RunSnapshot& snapshot, RunCourse course)
      : run_(*snapshot.run), course_(std::move(course)) {}

  Plan build() && {
    if (!course_.spec_to_keep.empty()) keep_spec();
    for (auto& job : course_.starts)
      plan_.actions.emplace_back(CreateObject{
          kinds::kJob, {run_.meta.key.ns, job.name}, std::move(job.body), run_.meta.uid});
    // As text: what is too long is cut there.
    auto status = encode_pipeline_run_status(course_.status);
    if (status != encode_pipeline_run_status(run_.status))
      plan_.actions.emplace_back(
          PatchStatus{kinds::kPipelineRun, run_.meta.key, run_.meta.uid, std::move(status)});
    for (const auto& job : course_.stops) stop(*job);
    for (const auto& notice : course_.notices)
      plan_.actions.emplace_back(RecordEvent{kinds::kPipelineRun, run_.meta.key, run_.meta.uid,
                                             notice.warning, notice.reason, notice.message});
    plan_.look_again = course_.look_again;
    return std::move(plan_);
  }

 private:
  void keep_spec() {
    auto spec = parse_json(course_.spec_to_keep);
    if (!spec) return;
    Json body{{"apiVersion", kinds::kControllerRevision.api_version()},
              {"kind", kinds::kControllerRevision.name},
              {"metadata",
               {{"name", kept_spec_name(run_)},
                {"namespace", run_.meta.key.ns},
                {"labels", {{marks::kRun, run_.meta.key.name}}},
                {"ownerReferences", Json::array({owner_reference(run_)})}}},
              {"data", *std::move(spec)},
              {"revision", 1}};
    plan_.actions.emplace_back(CreateObject{kinds::kControllerRevision,
                                            {run_.meta.key.ns, kept_spec_name(run_)},
                                            std::move(body),
                                            run_.meta.uid});
  }

  // Suspended, not deleted: the Job stays as a witness that this attempt has been, its pod gets its time to end.
  void stop(const JobView& job) {
    const Json body{{"metadata", {{"labels", job.meta.labels}}}, {"spec", {{"suspend", true}}}};
    plan_.actions.emplace_back(PatchObject{kinds::kJob, job.meta.key, body, job.meta.uid});
  }

  const PipelineRun& run_;
  RunCourse course_;
  Plan plan_;
};

}  // namespace

std::string kept_spec_name(const PipelineRun& run) {
  auto name = run.meta.key.name.substr(0, kNamePart);
  while (name.ends_with('-')) name.pop_back();
  return fmt::format("{}-{}", name, short_hash(run.meta.uid, kHashPart));
}

Result<KeptSpec> decode_kept_spec(const Json& object) {
  KeptSpec kept;
  ASSIGN_OR_RETURN(kept.meta, decode_meta(object));
  const Json& data = json_at(object, {"data"});
  if (data.is_object()) kept.text = dump_json(data);
  return kept;
}

bool is_kept_for(const KeptSpec& kept, const PipelineRun& run) {
  return kept.meta.key.name == kept_spec_name(run) && kept.meta.owner_uid == run.meta.uid;
}

Plan decide_run(const RunSnapshot& snapshot, const JobSettings& settings, WallTime now,
                const Error* refused) {
  return RunPlan(snapshot, chart_run(snapshot, settings, now, refused)).build();
}

}  // namespace weir
