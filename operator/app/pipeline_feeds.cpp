#include "app/pipeline_feeds.h"

#include "base/json.h"
#include "kube/kinds.h"

namespace weir {
namespace {

template <typename T>
typename StoreSink<T>::OnChange wake_run(const PipelineFeeds::Enqueue& enqueue) {
  return [enqueue](const T* before, const T* after) {
    const ObjectMeta& meta = after ? after->meta : before->meta;
    const auto run = meta.labels.find(marks::kRun);
    if (run != meta.labels.end()) enqueue({meta.key.ns, run->second});
  };
}

StoreSink<Pipeline>::OnChange on_pipeline(const PipelineCaches& caches,
                                          const PipelineFeeds::Enqueue& enqueue_run,
                                          const PipelineFeeds::Enqueue& enqueue_pipeline) {
  return [=, &caches](const Pipeline* before, const Pipeline* after) {
    const ObjectKey& key = (after ? after : before)->meta.key;
    enqueue_pipeline(key);
    for (const auto& run : caches.runs.in_group(to_string(key)))
      if (!has_ended(run->status.phase)) enqueue_run(run->meta.key);
  };
}

// Whether others of its group may now begin, or have to make room.
bool changes_places(const PipelineRun* before, const PipelineRun* after) {
  if (!before || !after) return true;
  return has_ended(before->status.phase) != has_ended(after->status.phase) ||
         before->status.group != after->status.group ||
         before->status.started != after->status.started;
}

// Whom a run's beginning or end concerns.
struct WakeOthers {
  const PipelineCaches& caches;
  PipelineFeeds::Enqueue enqueue_run;
  PipelineFeeds::Enqueue enqueue_pipeline;

  void operator()(const PipelineRun* before, const PipelineRun* after) const {
    const PipelineRun& run = after ? *after : *before;
    if (!run.spec || !changes_places(before, after)) return;
    if (!after || has_ended(after->status.phase))
      enqueue_pipeline({run.meta.key.ns, run.spec->pipeline});
    for (const auto& other : caches.runs.in_group(pipeline_group(run)))
      if (!has_ended(other->status.phase)) enqueue_run(other->meta.key);
  }
};

StoreSink<PipelineRun>::OnChange on_run(WakeOthers wake) {
  return [wake = std::move(wake)](const PipelineRun* before, const PipelineRun* after) {
    wake.enqueue_run((after ? after : before)->meta.key);
    wake(before, after);
  };
}

}  // namespace

PipelineFeeds::PipelineFeeds(PipelineCaches& caches, const Enqueue& enqueue_run,
                             const Enqueue& enqueue_pipeline)
    : pipelines_(caches.pipelines, decode_pipeline,
                 on_pipeline(caches, enqueue_run, enqueue_pipeline)),
      runs_(caches.runs, decode_pipeline_run, on_run({caches, enqueue_run, enqueue_pipeline})),
      jobs_(caches.jobs, decode_job, wake_run<JobView>(enqueue_run)),
      pods_(caches.pods, decode_stage_pod, wake_run<StagePodView>(enqueue_run)),
      kept_specs_(caches.kept_specs, decode_kept_spec, wake_run<KeptSpec>(enqueue_run)) {
  const std::string ours(marks::kRun);
  add(kinds::kPipeline, "", pipelines_);
  add(kinds::kPipelineRun, "", runs_);
  // The watch will bring what the cache has by then: others have to hear of it now.
  feeds_.back().put_own =
      [this, wake = WakeOthers{caches, enqueue_run, enqueue_pipeline}](const Json& object) {
        const ObjectKey key{json_text(object, {"metadata", "namespace"}),
                            json_text(object, {"metadata", "name"})};
        const auto before = wake.caches.runs.find(key);
        runs_.put_own(object);
        const auto after = wake.caches.runs.find(key);
        if (after) wake(before.get(), after.get());
      };
  add(kinds::kJob, ours, jobs_);
  add(kinds::kPod, ours, pods_);
  add(kinds::kControllerRevision, ours, kept_specs_);
}

template <typename T>
void PipelineFeeds::add(const Kind& kind, const std::string& labels, StoreSink<T>& sink) {
  feeds_.push_back({kind, labels, &sink, [&sink](const Json& object) { sink.put_own(object); }});
}

void PipelineFeeds::put_own(const Kind& kind, const Json& object) const {
  for (const auto& feed : feeds_) {
    if (feed.kind == kind) feed.put_own(object);
  }
}

}  // namespace weir
