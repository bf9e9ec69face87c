// What people do to a pipeline and its runs, with kubectl: drawn or told before a run of the simulator, so that the same can be
// done with and without faults.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/random.h"
#include "sim/actor.h"
#include "sim/server/api_server.h"
#include "sim/world/scene.h"

namespace weir::sim {

inline constexpr std::string_view kPipelineName = "build";

struct RunInput {
  enum class What {
    Create,
    Cancel,
    Stop,
    Delete,
    LoseStatus,    // somebody deletes .status
    DeleteJob,     // the newest of a stage, with its pods
    DeletePod,     // the living one of a stage
    EditPipeline,  // one stage more
  };
  SimTime at{0};
  What what = What::Create;
  std::string run = "one";
  std::string stage{};
};

struct PipelineOptions {
  std::string spec{};  // of the Pipeline, as JSON; "" = there is none
  std::vector<RunInput> inputs{};
};

// Each input at its time.
class PipelinePeople final : public Actor {
 public:
  using Tell = std::function<void(const std::string&)>;

  // References must outlive it.
  PipelinePeople(ApiServer& server, const SimClock& clock, const PipelineOptions& options,
                 Tell tell);

  // Makes the Pipeline.
  void begin();
  bool done() const { return next_ == options_.inputs.size(); }
  std::optional<SimTime> due() const override;
  void act() override;

  // Each run that was ever made, in order.
  const std::vector<std::string>& runs() const { return runs_; }
  // What the inputs met: who meets something else may rightly come to another end.
  const std::vector<std::string>& met(const std::string& run) { return met_[run]; }

 private:
  void apply(const RunInput& input);
  void create_run(const std::string& name);
  void edit_pipeline();
  void note(const RunInput& input);
  std::string standing(const std::string& run) const;
  const Json* job_of(const RunInput& input) const;
  const Json* pod_of(const RunInput& input) const;

  ApiServer& server_;
  const SimClock& clock_;
  const PipelineOptions& options_;
  Tell tell_;
  std::size_t next_ = 0;
  std::vector<std::string> runs_;
  std::map<std::string, std::vector<std::string>> met_;
};

// One line without times, numbers of attempts and words for people. Of a run that was told to end only that it has ended: how far it
// came is a matter of moments.
std::string end_of_run(const ApiServer& server, const std::string& run);

}  // namespace weir::sim
