#include "pipeline/run_course.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/hash.h"
#include "base/json.h"
#include "base/time_format.h"
#include "pipeline/concurrency.h"
#include "pipeline/stage_course.h"

namespace weir {
namespace {

constexpr std::size_t kDigestLength = 20;  // symbols
// A Pipeline that is applied together with its run may come a moment later.
constexpr milliseconds kPipelinePatience{300'000};
constexpr std::string_view kTimedOut = "TimedOut";

std::string called(const StageStatus& stage) {
  return stage.combination.empty() ? stage.name
                                   : fmt::format("{} ({})", stage.name, stage.combination);
}

class RunPilot {
 public:
  RunPilot(const RunSnapshot& snapshot, const JobSettings& settings, WallTime now,
           const Error* refused)
      : s_(snapshot), run_(*snapshot.run), settings_(settings), now_(now), refused_(refused) {
    course_.status = run_.status;
  }

  RunCourse chart() && {
    if (run_.meta.deleting) return std::move(course_);
    if (has_ended(run_.status.phase)) {
      for (const auto& job : s_.jobs)
        if (!job->is_quiet() && !job->suspended) course_.stops.push_back(job);
      return std::move(course_);
    }
    course_.status.observed_generation = run_.meta.generation;
    if (run_.status.started)
      go_on();
    else
      begin();
    set_condition();
    add_notices();
    return std::move(course_);
  }

 private:
  PipelineRunStatus& status() { return course_.status; }

  void look_again_at(WallTime at) {
    auto& again = course_.look_again;
    again = again ? std::min(*again, at) : at;
  }

  void end(RunPhase phase, std::string_view reason, std::string message) {
    status().phase = phase;
    status().reason = reason;
    status().message = std::move(message);
    status().ended = now_;
  }

  void begin() {
    if (!run_.spec) return end(RunPhase::Failed, "InvalidRun", run_.spec.error().message);
    if (run_.spec->desired_state != DesiredState::Running)
      return end(RunPhase::Cancelled, to_string(run_.spec->desired_state), "before it had begun");
    const bool is_kept = !s_.kept_spec.empty();
    if (!is_kept && !s_.pipeline) return wait_for_pipeline();
    const auto text = is_kept ? s_.kept_spec : s_.pipeline->spec_text;
    const auto spec = is_kept ? kept() : s_.pipeline->spec;
    if (!spec)
      return end(RunPhase::Failed, "InvalidPipeline",
                 fmt::format("Pipeline {}: {}", run_.spec->pipeline, spec.error().message));
    const auto params = parameters_of(*run_.spec, *spec);
    if (!params) return end(RunPhase::Failed, "InvalidRun", params.error().message);
    if (const auto good = check_commit(*run_.spec, *spec); !good)
      return end(RunPhase::Failed, "InvalidRun", good.error().message);
    if (spec->source && settings_.checkout_image.empty())
      return end(RunPhase::Failed, "NoCheckout",
                 "Pipeline spec.source: this Weir was started without --checkout-image");
    if (!has_place(*spec, *params)) return;
    status().phase = RunPhase::Running;
    status().message = "begins";
    status().started = now_;
    status().spec = spec_digest(text);
    if (s_.kept_spec.empty()) course_.spec_to_keep = text;
    look_again_at(now_);
  }

  Result<PipelineSpec> kept() const {
    ASSIGN_OR_RETURN(const Json json, parse_json(s_.kept_spec));
    return decode_pipeline_spec(json);
  }

  void wait_for_pipeline() {
    const auto until = run_.meta.created.value_or(now_) + kPipelinePatience;
    auto what = fmt::format("there is no Pipeline {}", run_.spec->pipeline);
    if (now_ >= until) return end(RunPhase::Failed, "PipelineNotFound", std::move(what));
    status().message = std::move(what);
    look_again_at(until);
  }

  bool has_place(const PipelineSpec& spec, const std::map<std::string, std::string>& params) {
    if (!spec.concurrency) return true;
    auto values = values_of(run_, run_.spec->pipeline);
    values.params = params;
    const auto group = fill_in(spec.concurrency->group, values.of({}));
    // The empty text is what those have who were not looked at yet.
    status().group = !group || group->empty() ? "-" : *group;
    const auto ruling = place_of(run_, *spec.concurrency, status().group, s_.others);
    const auto by = fmt::format("run {} of group {}", ruling.by, status().group);
    switch (ruling.place) {
      case Place::Free: return true;
      case Place::Queued:
        status().phase = RunPhase::Queued;
        status().message = "waits for " + by;
        return false;
      case Place::Rejected: end(RunPhase::Failed, "Rejected", by + " is under way"); return false;
      case Place::Superseded:
        end(RunPhase::Cancelled, "Superseded", by + " is newer");
        return false;
    }
    return false;
  }

  void go_on() {
    auto text = s_.kept_spec;
    if (text.empty() && s_.pipeline && spec_digest(s_.pipeline->spec_text) == status().spec)
      text = course_.spec_to_keep = s_.pipeline->spec_text;
    if (text.empty())
      return end(RunPhase::Failed, "SpecLost",
                 "somebody deleted the ControllerRevision in which it kept its Pipeline's spec");
    const auto spec = s_.kept_spec.empty() ? s_.pipeline->spec : kept();
    if (!spec) return end(RunPhase::Failed, "InvalidPipeline", spec.error().message);
    set_course(*spec);
    move_stages(*spec);
  }

  // What was once decided stays so.
  void set_course(const PipelineSpec& spec) {
    const auto until = *status().started + spec.timeout;
    if (status().course == DesiredState::Cancelled || status().phase == RunPhase::Finishing) return;
    if (!run_.spec) return steer(DesiredState::Cancelled, "InvalidRun");
    if (run_.spec->desired_state == DesiredState::Cancelled)
      return steer(DesiredState::Cancelled, "Cancelled");
    if (now_ >= until) return steer(DesiredState::Cancelled, kTimedOut);
    look_again_at(until);
    if (is_superseded(spec)) return steer(DesiredState::Cancelled, "Superseded");
    if (run_.spec->desired_state == DesiredState::Stopped &&
        status().course == DesiredState::Running)
      steer(DesiredState::Stopped, "Stopped");
  }

  void steer(DesiredState course, std::string_view reason) {
    status().course = course;
    status().reason = reason;
  }

  bool is_superseded(const PipelineSpec& spec) const {
    return spec.concurrency && spec.concurrency->policy == ConcurrencyPolicy::CancelOld &&
           place_of(run_, *spec.concurrency, run_.status.group, s_.others).place ==
               Place::Superseded;
  }

  void move_stages(const PipelineSpec& spec) {
    std::map<std::string, std::string> params;
    if (run_.spec)
      if (auto known = parameters_of(*run_.spec, spec)) params = *std::move(known);
    const bool cut_off = status().course == DesiredState::Cancelled && status().reason != kTimedOut;
    const StageCourseInput input{s_, spec, settings_, params, now_, refused_, !cut_off};
    StageCourse stages(input, course_);
    stages.take_in();
    stages.begin();
    if (stages.all_have_ended() && course_.stops.empty()) return conclude(spec);
    if (stages.stages_have_ended()) status().phase = RunPhase::Finishing;
    status().message = what_runs();
  }

  std::string what_runs() const {
    std::string running;
    std::size_t ended = 0;
    for (const auto& stage : course_.status.stages) {
      if (has_ended(stage.phase)) ++ended;
      if (stage.phase != StagePhase::Running && stage.phase != StagePhase::Stopping) continue;
      running += running.empty() ? "" : ", ";
      running += called(stage);
    }
    return fmt::format("{} of {} stages have ended; {}", ended, course_.status.stages.size(),
                       running.empty() ? "none runs" : "running: " + running);
  }

  void conclude(const PipelineSpec& spec) {
    std::string failed;
    bool cancelled = false;
    for (const auto& stage : status().stages) {
      cancelled |= stage.phase == StagePhase::Cancelled;
      if (stage.phase != StagePhase::Failed) continue;
      failed += failed.empty() ? "" : "; ";
      failed += called(stage) + ": " + stage.message;
    }
    const auto reason = status().reason;
    const bool whole = failed.empty() && !cancelled;
    if (whole) return end(RunPhase::Succeeded, "", "all stages have succeeded");
    if (reason == kTimedOut)
      return end(RunPhase::Failed, kTimedOut,
                 "did not end within " + format_duration(spec.timeout));
    if (status().course == DesiredState::Cancelled || failed.empty())
      return end(RunPhase::Cancelled, reason.empty() ? "Cancelled" : reason,
                 failed.empty() ? "was stopped" : "was stopped; " + failed);
    end(RunPhase::Failed, "StageFailed", failed);
  }

  void set_condition() {
    const auto phase = status().phase;
    Condition condition{
        "Succeeded",          "Unknown", std::string(to_string(phase)), status().message,
        run_.meta.generation, now_};
    if (has_ended(phase)) condition.status = phase == RunPhase::Succeeded ? "True" : "False";
    if (!status().reason.empty()) condition.reason = status().reason;
    for (const auto& old : run_.status.conditions)
      if (old.type == condition.type && old.status == condition.status)
        condition.last_transition = old.last_transition;
    status().conditions = {condition};
  }

  // By the difference to what status said, so that a crash loses none before status is written.
  void add_notices() {
    const auto& now = status();
    if (now.started && !run_.status.started)
      notice(false, "Started", fmt::format("of Pipeline {}", run_.spec->pipeline));
    for (const auto& stage : now.stages) {
      const auto was = phase_before(stage);
      if (stage.phase == StagePhase::Failed && was != StagePhase::Failed)
        notice(true, "StageFailed", called(stage) + ": " + stage.message);
      if (stage.phase == StagePhase::Waiting && was != StagePhase::Waiting)
        notice(true, "StageRetried", called(stage) + ": " + stage.message);
    }
    if (has_ended(now.phase))
      notice(now.phase == RunPhase::Failed, std::string(to_string(now.phase)), now.message);
  }

  StagePhase phase_before(const StageStatus& stage) const {
    for (const auto& old : run_.status.stages)
      if (old.name == stage.name && old.combination == stage.combination) return old.phase;
    return StagePhase::Waiting;
  }

  void notice(bool warning, std::string reason, std::string message) {
    course_.notices.push_back({warning, std::move(reason), std::move(message)});
  }

  const RunSnapshot& s_;
  const PipelineRun& run_;
  const JobSettings& settings_;
  WallTime now_;
  const Error* refused_;
  RunCourse course_;
};

}  // namespace

std::string spec_digest(const std::string& spec_text) {
  return short_hash(spec_text, kDigestLength);
}

RunCourse chart_run(const RunSnapshot& snapshot, const JobSettings& settings, WallTime now,
                    const Error* refused) {
  return RunPilot(snapshot, settings, now, refused).chart();
}

}  // namespace weir
