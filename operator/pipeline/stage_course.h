// Moves the stages of a run that has begun. Pure.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "api/pipeline.h"
#include "pipeline/attempt_view.h"
#include "pipeline/run_course.h"
#include "pipeline/run_snapshot.h"
#include "pipeline/run_values.h"
#include "pipeline/stage_gate.h"

namespace weir {

inline constexpr int kMaxLost = 5;  // attempts of a stage that the infrastructure may end
inline constexpr std::size_t kMaxRunResultBytes = 16U << 10U;  // all results of a run together
inline constexpr std::size_t kMaxRunReportBytes = 16U << 10U;  // all reports, as JSON

struct StageCourseInput {
  const RunSnapshot& snapshot;
  const PipelineSpec& spec;
  const JobSettings& settings;
  std::map<std::string, std::string> params;
  WallTime now;
  const Error* refused = nullptr;
  bool runs_finally = true;
};

// Changes course.status.stages, and adds to the course what is to be stopped and begun. `course.status.course` is what was decided.
class StageCourse {
 public:
  StageCourse(const StageCourseInput& input, RunCourse& course);

  void take_in();  // what Jobs and pods say
  void begin();    // what may begin now

  bool stages_have_ended() const;  // without those of `finally`
  bool all_have_ended() const;

 private:
  struct Instance {
    const Stage* stage;
    Combination combination;
    bool final;
    std::size_t at;  // in course.status.stages
  };
  using Job = std::shared_ptr<const JobView>;

  void lay_out();
  StageStatus& status(const Instance& i) { return course_.status.stages[i.at]; }
  const StageStatus& status(const Instance& i) const { return course_.status.stages[i.at]; }
  bool cancelled() const { return course_.status.course == DesiredState::Cancelled; }
  bool goes_on(const Instance& i) const;

  Job job_of(const Instance& i, int attempt) const;
  int newest_attempt(const Instance& i) const;
  std::vector<std::shared_ptr<const StagePodView>> pods_of(const JobView& job) const;

  void adopt(const Instance& i);
  void count_ended(const Instance& i);
  void look(const Instance& i);
  bool has_living_pod(const Instance& i) const;
  void look_for_orphan(const Instance& i);
  void settle(const Instance& i);
  void stop_leftovers(const Instance& i);
  void stop(const Job& job);
  void conclude(const Instance& i, const AttemptEnd& end);
  void add_reports(const Instance& i, const AttemptEnd& end);
  void succeed(const Instance& i, const AttemptEnd& end);
  void lose(const Instance& i, const AttemptEnd& end);
  void finish(const Instance& i, StagePhase phase, std::string message);
  void fail_fast();

  void begin_stages();
  void begin_final();
  bool try_begin(const Instance& i, const Gate& gate);
  bool when_holds(const Instance& i);
  bool reuse(const Instance& i);
  bool is_full(const Instance& i) const;
  void start(const Instance& i);
  bool was_refused(const Instance& i, const std::string& job);
  std::string digest(const Instance& i) const;
  void refresh_values();

  const StageCourseInput& in_;
  RunCourse& course_;
  RunValues values_;
  std::vector<Instance> instances_;
};

}  // namespace weir
