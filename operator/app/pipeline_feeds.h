// Which kinds feed the caches of pipelines, and whom a change concerns. Passive, as Feeds.
#pragma once

#include <functional>
#include <vector>

#include "app/feeds.h"
#include "pipeline/pipeline_caches.h"

namespace weir {

// References must outlive it.
class PipelineFeeds {
 public:
  using Enqueue = std::function<void(const ObjectKey&)>;

  PipelineFeeds(PipelineCaches& caches, const Enqueue& enqueue_run,
                const Enqueue& enqueue_pipeline);

  const std::vector<Feed>& all() const { return feeds_; }

  // The object that a write of ours returned. Thread-safe.
  void put_own(const Kind& kind, const Json& object) const;

 private:
  template <typename T>
  void add(const Kind& kind, const std::string& labels, StoreSink<T>& sink);

  StoreSink<Pipeline> pipelines_;
  StoreSink<PipelineRun> runs_;
  StoreSink<JobView> jobs_;
  StoreSink<StagePodView> pods_;
  StoreSink<KeptSpec> kept_specs_;
  std::vector<Feed> feeds_;
};

}  // namespace weir
