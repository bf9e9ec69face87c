#include "pipeline/stage_course.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "api/stage_graph.h"
#include "base/time_format.h"

namespace weir {
namespace {

// Between attempts that the infrastructure ended: a node that is ill needs time to be known as such.
constexpr milliseconds kFirstBackoff{10'000};
constexpr milliseconds kMaxBackoff{300'000};

milliseconds backoff_after(int lost) {
  auto backoff = kFirstBackoff;
  for (int i = 1; i < lost && backoff < kMaxBackoff; ++i) backoff *= 2;
  return std::min(backoff, kMaxBackoff);
}

std::string mark(const ObjectMeta& meta, std::string_view name) {
  const auto found = meta.labels.find(name);
  return found == meta.labels.end() ? "" : found->second;
}

int attempt_of(const JobView& job) {
  const auto text = mark(job.meta, marks::kAttempt);
  int attempt = 0;
  std::from_chars(text.data(), text.data() + text.size(), attempt);
  return attempt;
}

}  // namespace

StageCourse::StageCourse(const StageCourseInput& input, RunCourse& course)
    : in_(input), course_(course) {
  lay_out();
}

void StageCourse::lay_out() {
  const auto known = std::move(course_.status.stages);
  std::vector<StageStatus> all;
  for (const auto* list : {&in_.spec.stages, &in_.spec.finally})
    for (const auto& stage : *list)
      for (const auto& combination : combinations(stage.matrix.value_or(Matrix{}))) {
        const auto text = to_string(combination);
        const auto found = std::find_if(known.begin(), known.end(), [&](const auto& status) {
          return status.name == stage.name && status.combination == text;
        });
        instances_.push_back({&stage, combination, list == &in_.spec.finally, all.size()});
        if (found != known.end()) {
          all.push_back(*found);
          continue;
        }
        all.emplace_back();
        all.back().name = stage.name;
        all.back().combination = text;
      }
  course_.status.stages = std::move(all);
}

bool StageCourse::goes_on(const Instance& i) const {
  return i.final ? in_.runs_finally : course_.status.course == DesiredState::Running;
}

StageCourse::Job StageCourse::job_of(const Instance& i, int attempt) const {
  const auto label = combination_label(to_string(i.combination));
  for (const auto& job : in_.snapshot.jobs)
    if (mark(job->meta, marks::kStage) == i.stage->name &&
        mark(job->meta, marks::kCombination) == label && attempt_of(*job) == attempt)
      return job;
  return nullptr;
}

int StageCourse::newest_attempt(const Instance& i) const {
  const auto label = combination_label(to_string(i.combination));
  int newest = 0;
  for (const auto& job : in_.snapshot.jobs)
    if (mark(job->meta, marks::kStage) == i.stage->name &&
        mark(job->meta, marks::kCombination) == label)
      newest = std::max(newest, attempt_of(*job));
  return newest;
}

std::vector<std::shared_ptr<const StagePodView>> StageCourse::pods_of(const JobView& job) const {
  std::vector<std::shared_ptr<const StagePodView>> pods;
  for (const auto& pod : in_.snapshot.pods)
    if (pod->meta.owner_uid == job.meta.uid) pods.push_back(pod);
  return pods;
}

void StageCourse::take_in() {
  for (const auto& i : instances_) {
    adopt(i);
    if (status(i).phase == StagePhase::Running)
      look(i);
    else if (status(i).phase == StagePhase::Stopping)
      settle(i);
    stop_leftovers(i);
  }
  fail_fast();
  refresh_values();
}

// We made it and did not come to write it down, or status was lost with all its counts: then every attempt counts.
void StageCourse::adopt(const Instance& i) {
  auto& stage = status(i);
  const int newest = newest_attempt(i);
  if (newest <= stage.attempt || has_ended(stage.phase)) return;
  if (stage.attempt == 0) stage.failures = newest - 1;
  if (stage.phase != StagePhase::Waiting) count_ended(i);
  const auto job = job_of(i, newest);
  stage.attempt = newest;
  stage.phase = StagePhase::Running;
  stage.end = StagePhase::Waiting;
  stage.job = job->meta.key.name;
  stage.started = job->meta.created.value_or(in_.now);
  stage.retry_at.reset();
  stage.ended.reset();
}

// The attempt that status knows; there is another one, so it had failed.
void StageCourse::count_ended(const Instance& i) {
  auto& stage = status(i);
  auto failure = FailureClass::Infrastructure;
  const auto job = job_of(i, stage.attempt);
  if (stage.phase == StagePhase::Stopping && stage.failure) {
    failure = *stage.failure;
  } else if (job) {
    const auto view =
        look_at_attempt(*i.stage, *job, pods_of(*job), stage.started.value_or(in_.now), in_.now);
    if (view.end && view.end->failure) failure = *view.end->failure;
  }
  stage.failure = failure;
  ++(failure == FailureClass::Infrastructure ? stage.lost : stage.failures);
}

void StageCourse::look(const Instance& i) {
  auto& stage = status(i);
  const auto job = job_of(i, stage.attempt);
  if (!job) return look_for_orphan(i);
  const auto view =
      look_at_attempt(*i.stage, *job, pods_of(*job), stage.started.value_or(in_.now), in_.now);
  if (view.end && job->has_ended()) return conclude(i, *view.end);
  if (view.look_again) {
    auto& again = course_.look_again;
    again = again ? std::min(*again, *view.look_again) : *view.look_again;
  }
  const bool stops = cancelled() && !(i.final && in_.runs_finally);
  if (view.end && view.must_stop) {
    stage.phase = StagePhase::Stopping;
    stage.end = StagePhase::Failed;
    stage.failure = view.end->failure;
    stage.message = view.end->message;
  } else if (stops) {
    stage.phase = StagePhase::Stopping;
    stage.end = StagePhase::Cancelled;
    stage.message = "told to stop";
  } else if (view.end) {
    stage.message = view.end->message + "; its pod is ending";
  } else {
    stage.message = job->suspended ? "its Job was suspended by somebody else" : view.waiting;
  }
  if (stage.phase == StagePhase::Stopping) stop(job);
}

// Pods outlive their Job by their grace period; the next attempt must not meet them.
bool StageCourse::has_living_pod(const Instance& i) const {
  const auto label = combination_label(to_string(i.combination));
  return std::any_of(in_.snapshot.pods.begin(), in_.snapshot.pods.end(), [&](const auto& pod) {
    return mark(pod->meta, marks::kStage) == i.stage->name &&
           mark(pod->meta, marks::kCombination) == label && !pod->succeeded && !pod->failed;
  });
}

void StageCourse::look_for_orphan(const Instance& i) {
  if (has_living_pod(i)) {
    status(i).message = "its Job was deleted; its pod is ending";
    return;
  }
  conclude(i, {FailureClass::Infrastructure, "its Job was deleted"});
}

void StageCourse::settle(const Instance& i) {
  auto& stage = status(i);
  const auto job = job_of(i, stage.attempt);
  if (job && !job->is_quiet()) return stop(job);
  const auto end = stage.end;
  stage.end = StagePhase::Waiting;
  if (job && job->completed) {
    const auto view =
        look_at_attempt(*i.stage, *job, pods_of(*job), stage.started.value_or(in_.now), in_.now);
    if (view.end) return conclude(i, *view.end);
  }
  if (end == StagePhase::Cancelled) return finish(i, StagePhase::Cancelled, "was stopped");
  conclude(i, {stage.failure.value_or(FailureClass::Infrastructure), stage.message});
}

// Attempts that are over for us, whatever they do.
void StageCourse::stop_leftovers(const Instance& i) {
  const auto& stage = status(i);
  const bool lives = stage.phase == StagePhase::Running || stage.phase == StagePhase::Stopping;
  const int newest = newest_attempt(i);
  for (int attempt = 1; attempt <= newest; ++attempt) {
    if (lives && attempt == stage.attempt) continue;
    const auto job = job_of(i, attempt);
    if (job && !job->is_quiet()) stop(job);
  }
}

void StageCourse::stop(const Job& job) {
  if (!job->suspended) course_.stops.push_back(job);
}

void StageCourse::conclude(const Instance& i, const AttemptEnd& end) {
  add_reports(i, end);
  if (!end.failure) return succeed(i, end);
  auto& stage = status(i);
  stage.failure = end.failure;
  if (*end.failure == FailureClass::Infrastructure) return lose(i, end);
  ++stage.failures;
  const auto& retry = i.stage->retry;
  const bool again =
      goes_on(i) && stage.failures < retry.attempts &&
      std::find(retry.classes.begin(), retry.classes.end(), *end.failure) != retry.classes.end();
  if (!again) return finish(i, StagePhase::Failed, end.message);
  finish(i, StagePhase::Waiting, end.message + "; it is tried again");
  stage.retry_at = in_.now;
}

// What has no room is said.
void StageCourse::add_reports(const Instance& i, const AttemptEnd& end) {
  status(i).reports = end.reports;
  const auto bytes = [this] {
    std::size_t sum = 0;
    for (const auto& stage : course_.status.stages)
      if (!stage.reports.empty()) sum += dump_json(encode_reports(stage.reports)).size();
    return sum;
  };
  if (bytes() <= kMaxRunReportBytes) return;
  for (auto& report : status(i).reports) report.failed.clear();
  if (bytes() <= kMaxRunReportBytes) return;
  for (auto& report : status(i).reports)
    report = {report.name,
              {},
              {},
              fmt::format("left out: a run has room for {} bytes of reports", kMaxRunReportBytes)};
}

void StageCourse::succeed(const Instance& i, const AttemptEnd& end) {
  std::size_t bytes = 0;
  for (const auto& stage : course_.status.stages)
    for (const auto& [name, value] : stage.results) bytes += name.size() + value.size();
  for (const auto& [name, value] : end.results) bytes += name.size() + value.size();
  if (bytes > kMaxRunResultBytes) {
    status(i).failure = FailureClass::Config;
    return finish(i, StagePhase::Failed,
                  fmt::format("its results: found {} bytes with those of the stages before, must "
                              "be at most {}",
                              bytes, kMaxRunResultBytes));
  }
  status(i).results = end.results;
  status(i).failure.reset();
  finish(i, StagePhase::Succeeded, "");
}

// The infrastructure uses up no retry, but it has no endless credit either.
void StageCourse::lose(const Instance& i, const AttemptEnd& end) {
  auto& stage = status(i);
  ++stage.lost;
  if (!i.stage->restartable)
    return finish(i, StagePhase::Failed,
                  end.message + "; restartable is false: see what it has done, then run it again");
  if (stage.lost >= kMaxLost)
    return finish(i, StagePhase::Failed,
                  fmt::format("{}; that was the {}th time", end.message, stage.lost));
  if (!goes_on(i)) return finish(i, StagePhase::Cancelled, end.message);
  finish(i, StagePhase::Waiting, end.message + "; it is begun again");
  stage.retry_at = in_.now + backoff_after(stage.lost);
}

void StageCourse::finish(const Instance& i, StagePhase phase, std::string message) {
  auto& stage = status(i);
  stage.phase = phase;
  stage.message = std::move(message);
  stage.ended = in_.now;
  stage.retry_at.reset();
}

// Of a matrix in which one has failed for good.
void StageCourse::fail_fast() {
  for (const auto& failed : instances_) {
    const auto& matrix = failed.stage->matrix;
    if (!matrix || !matrix->fail_fast || status(failed).phase != StagePhase::Failed) continue;
    for (const auto& i : instances_) {
      if (i.stage != failed.stage) continue;
      const auto why = fmt::format("{} failed", to_string(failed.combination));
      auto& other = status(i);
      if (other.phase == StagePhase::Waiting) finish(i, StagePhase::Cancelled, why);
      if (other.phase != StagePhase::Running) continue;
      other.phase = StagePhase::Stopping;
      other.end = StagePhase::Cancelled;
      other.message = why;
      if (const auto job = job_of(i, other.attempt)) stop(job);
    }
  }
}

bool StageCourse::stages_have_ended() const {
  return std::all_of(instances_.begin(), instances_.end(),
                     [&](const Instance& i) { return i.final || has_ended(status(i).phase); });
}

bool StageCourse::all_have_ended() const {
  return std::all_of(instances_.begin(), instances_.end(),
                     [&](const Instance& i) { return has_ended(status(i).phase); });
}

void StageCourse::refresh_values() {
  const auto& run = *in_.snapshot.run;
  PipelineRun now{run.meta, run.spec, course_.status};
  values_ = values_of(now, run.spec ? run.spec->pipeline : "");
  values_.params = in_.params;
  if (!stages_have_ended()) return;
  values_.outcome = "Succeeded";
  for (const auto& i : instances_) {
    if (i.final) continue;
    if (status(i).phase == StagePhase::Failed) values_.outcome = "Failed";
    if (status(i).phase == StagePhase::Cancelled && values_.outcome == "Succeeded")
      values_.outcome = "Cancelled";
  }
}

void StageCourse::begin() {
  if (!course_.stops.empty()) {
    course_.look_again = in_.now;
    return;
  }
  begin_stages();
  refresh_values();
  if (stages_have_ended()) begin_final();
}

// A stage that ends without a Job (skipped, reused) may let others begin in the same pass.
void StageCourse::begin_stages() {
  bool changed = true;
  while (changed) {
    changed = false;
    for (const auto& i : instances_) {
      if (i.final || status(i).phase != StagePhase::Waiting) continue;
      StageGates gates(in_.spec.stages, course_.status.stages);
      if (!try_begin(i, gates.gate(*i.stage))) continue;
      changed = true;
      refresh_values();
    }
  }
}

void StageCourse::begin_final() {
  for (const auto& i : instances_) {
    if (!i.final || status(i).phase != StagePhase::Waiting) continue;
    StageGates gates(in_.spec.stages, course_.status.stages);
    try_begin(i, gates.final_gate(*i.stage));
  }
}

// True: it has ended without having begun.
bool StageCourse::try_begin(const Instance& i, const Gate& gate) {
  auto& stage = status(i);
  if (!goes_on(i)) {
    finish(i, stage.failure ? StagePhase::Failed : StagePhase::Cancelled, "was not begun");
  } else if (!gate.blocked.empty() && gate.waits_for.empty()) {
    finish(i, StagePhase::Skipped, gate.blocked);
  } else if (!gate.open) {
    stage.message = "waits for " + gate.waits_for;
    return false;
  } else if (stage.retry_at && in_.now < *stage.retry_at) {
    auto& again = course_.look_again;
    again = again ? std::min(*again, *stage.retry_at) : *stage.retry_at;
    return false;
  } else if (stage.attempt > 0 && has_living_pod(i)) {
    // Nobody knew of it when the attempt was given up.
    stage.message = "its Job was deleted; its pod is ending";
    return false;
  } else if (when_holds(i) && !reuse(i)) {
    if (is_full(i))
      stage.message = "waits for others of its matrix";
    else
      start(i);
  }
  return has_ended(stage.phase);
}

bool StageCourse::when_holds(const Instance& i) {
  for (const auto& rule : i.stage->when) {
    const auto input = fill_in(rule.input, values_.of({}));
    if (!input) {
      status(i).failure = FailureClass::Config;
      finish(i, StagePhase::Failed, "when: " + input.error().message);
      return false;
    }
    const bool in = std::find(rule.values.begin(), rule.values.end(), *input) != rule.values.end();
    if (in != rule.negated) continue;
    finish(i, StagePhase::Skipped, fmt::format("when: {} is \"{}\"", rule.input, *input));
    return false;
  }
  return true;
}

std::string StageCourse::digest(const Instance& i) const {
  std::map<std::string, std::string> needs;
  for (const auto& name : stages_before(*i.stage))
    for (const auto& stage : course_.status.stages)
      if (stage.name == name) needs[name] += stage.combination + " " + stage.input + "\n";
  return input_digest(*i.stage, i.combination, values_, needs);
}

bool StageCourse::reuse(const Instance& i) {
  auto& stage = status(i);
  stage.input = digest(i);
  const auto& run = *in_.snapshot.run;
  if (i.final || stage.attempt > 0 || !run.spec || run.spec->rerun_of.empty()) return false;
  for (const auto& other : in_.snapshot.others) {
    if (other->meta.key.name != run.spec->rerun_of) continue;
    for (const auto& done : other->status.stages) {
      const bool same = done.name == stage.name && done.combination == stage.combination &&
                        done.input == stage.input && done.phase == StagePhase::Succeeded;
      if (!same) continue;
      stage.reused_from = done.reused_from.empty() ? other->meta.key.name : done.reused_from;
      stage.results = done.results;
      stage.reports = done.reports;
      finish(i, StagePhase::Succeeded, "nothing that it is made of has changed");
      return true;
    }
  }
  return false;
}

bool StageCourse::is_full(const Instance& i) const {
  if (!i.stage->matrix || i.stage->matrix->max_parallel == 0) return false;
  const auto running = std::count_if(instances_.begin(), instances_.end(), [&](const auto& other) {
    const auto phase = status(other).phase;
    return other.stage == i.stage &&
           (phase == StagePhase::Running || phase == StagePhase::Stopping);
  });
  return running >= i.stage->matrix->max_parallel;
}

void StageCourse::start(const Instance& i) {
  auto& stage = status(i);
  const auto& run = *in_.snapshot.run;
  const int attempt = stage.attempt + 1;
  const auto name = job_name(run, stage.name, stage.combination, attempt);
  if (was_refused(i, name)) return;
  auto body = job_body({run, in_.spec, *i.stage, i.combination, attempt, values_}, in_.settings);
  if (!body) {
    stage.failure = FailureClass::Config;
    return finish(i, StagePhase::Failed, body.error().message);
  }
  stage.phase = StagePhase::Running;
  stage.attempt = attempt;
  stage.job = name;
  stage.message.clear();
  stage.started = in_.now;
  stage.ended.reset();
  stage.retry_at.reset();
  course_.starts.push_back({name, *std::move(body)});
}

// Invalid stays so; what is forbidden (a quota, a policy) may be allowed a moment later.
bool StageCourse::was_refused(const Instance& i, const std::string& job) {
  if (!in_.refused || in_.refused->message.find(job) == std::string::npos) return false;
  auto& stage = status(i);
  stage.message = "the API server refuses its Job: " + in_.refused->message;
  if (in_.refused->kind == ErrorKind::Invalid) {
    stage.failure = FailureClass::Config;
    finish(i, StagePhase::Failed, stage.message);
    return true;
  }
  const auto again = in_.now + kFirstBackoff;
  course_.look_again = course_.look_again ? std::min(*course_.look_again, again) : again;
  return true;
}

}  // namespace weir
