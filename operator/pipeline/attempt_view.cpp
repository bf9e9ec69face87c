#include "pipeline/attempt_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/time_format.h"
#include "pipeline/step_contract.h"

namespace weir {
namespace {

using State = ContainerView::State;

// A registry may be away for a moment; the kubelet tries at once, after 10 s, 30 s and 70 s.
constexpr milliseconds kPullPatience{120'000};
// A Secret that is applied together with the run may come a moment later.
constexpr milliseconds kConfigPatience{30'000};
constexpr milliseconds kPodPatience{30'000};
// The watch of pods may be behind that of Jobs.
constexpr milliseconds kWordsPatience{60'000};
// What the pod has to end by itself, so that its messages stay, before its Job is stopped.
constexpr milliseconds kEndingTime{90'000};

// Why a container waits while its image is not there (pkg/kubelet/images).
constexpr std::array<std::string_view, 7> kImageReasons{
    "ErrImagePull",      "ImagePullBackOff",    "InvalidImageName",         "ErrImageNeverPull",
    "ImageInspectError", "RegistryUnavailable", "SignatureValidationFailed"};
constexpr std::array<std::string_view, 2> kHopelessImages{"InvalidImageName", "ErrImageNeverPull"};
constexpr std::array<std::string_view, 4> kConfigReasons{
    "CreateContainerConfigError", "CreateContainerError", "PreCreateHookError",
    "PostStartHookError"};
// How a container ended whose command could not be begun.
constexpr std::array<std::string_view, 2> kStartReasons{"StartError", "ContainerCannotRun"};
// How a container ended whose node was lost to it.
constexpr std::array<std::string_view, 2> kLostReasons{"ContainerStatusUnknown", "Unknown"};

template <std::size_t N>
bool is_one_of(std::string_view text, const std::array<std::string_view, N>& words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

// "step test", "service redis", "container weir-tools"
std::string called(const ContainerView& container) {
  const std::string_view name = container.name;
  if (name.starts_with(contract::kStepPrefix))
    return fmt::format("step {}", name.substr(contract::kStepPrefix.size()));
  if (name.starts_with(contract::kServicePrefix))
    return fmt::format("service {}", name.substr(contract::kServicePrefix.size()));
  if (name == contract::kCheckout) return "the checkout";
  return fmt::format("container {}", name);
}

std::string with_words(std::string text, const std::string& words) {
  return words.empty() ? text : std::move(text) + ": " + words;
}

// Those whose end ends the pod.
bool is_sidecar(const ContainerView& container) {
  return container.name.starts_with(contract::kServicePrefix);
}

const StagePodView* newest(const std::vector<std::shared_ptr<const StagePodView>>& pods) {
  const StagePodView* result = nullptr;
  for (const auto& pod : pods)
    if (!result || std::pair(result->meta.created, result->meta.key.name) <
                       std::pair(pod->meta.created, pod->meta.key.name))
      result = pod.get();
  return result;
}

class AttemptJudge {
 public:
  AttemptJudge(const Stage& stage, const JobView& job, const StagePodView* pod, WallTime started,
               WallTime now)
      : stage_(stage), job_(job), pod_(pod), started_(started), now_(now) {}

  AttemptView judge() && {
    if (job_.completed && awaits_results()) {
      wait("its pod has not told its results yet", *job_.completed + kWordsPatience);
    } else if (job_.completed) {
      view_.end = lacks_results()
                      ? failed(FailureClass::Infrastructure, "its results were lost with its pod")
                      : success();
    } else if (job_.failed && awaits_reason()) {
      wait("its pod has not told why it failed yet", *job_.failed + kWordsPatience);
    } else if (job_.failed) {
      view_.end = failure_of_job();
    } else if (auto known = failure_of_pod()) {
      judge_living(*std::move(known));
    } else if (pod_) {
      judge_waiting();
    } else if (!job_.suspended && now_ - started_ >= kPodPatience) {
      view_.waiting = fmt::format("no pod has been made for Job {}: its Events say why (a quota?)",
                                  job_.meta.key.name);
    }
    if (!view_.end && !job_.has_ended()) judge_time();
    if (view_.end) add_reports(*view_.end);
    return std::move(view_);
  }

 private:
  // The Job has not said so yet.
  void judge_living(AttemptEnd known) {
    const bool lost = known.failure == FailureClass::Infrastructure;
    if (lost && stage_.restartable)
      view_.waiting = known.message + "; its Job makes another";
    else
      view_.end = std::move(known);
  }

  bool is_told() const { return pod_ && pod_->succeeded; }
  bool awaits_results() const {
    const bool says_something = !stage_.results.empty() || !stage_.reports.empty();
    return says_something && !is_told() && now_ < *job_.completed + kWordsPatience;
  }
  // What nobody needs may be lost.
  bool lacks_results() const {
    const bool has_bounds =
        std::any_of(stage_.reports.begin(), stage_.reports.end(),
                    [](const StageReport& report) { return !report.bounds.empty(); });
    return (!stage_.results.empty() || has_bounds) && !is_told();
  }

  // Else a step that failed would count as a pod that was taken away, and be begun again. Of a pod that is not there nothing comes.
  bool awaits_reason() const {
    return pod_ && !pod_->failed && !pod_->succeeded && !failure_of_pod() &&
           now_ < *job_.failed + kWordsPatience;
  }

  AttemptEnd success() const {
    AttemptEnd end;
    if (!pod_) return end;
    for (const auto& container : pod_->containers) {
      if (!container.name.starts_with(contract::kStepPrefix)) continue;
      const auto message = decode_step_message(container.message);
      for (const auto& [name, value] : message.results)
        if (std::find(stage_.results.begin(), stage_.results.end(), name) != stage_.results.end())
          end.results[name] = value;
    }
    for (const auto& [name, value] : end.results)
      if (value.size() > kMaxResultBytes)
        return failed(FailureClass::Config,
                      fmt::format("result {}: found {} bytes, must be at most {}", name,
                                  value.size(), kMaxResultBytes));
    return end;
  }

  // A later step may write one anew. They may fail an attempt that succeeded, and tell why one failed.
  void add_reports(AttemptEnd& end) const {
    if (!pod_) return;
    for (const auto& container : pod_->containers) {
      if (!container.name.starts_with(contract::kStepPrefix)) continue;
      for (auto& report : decode_step_message(container.message).reports) {
        std::erase_if(end.reports, [&](const Report& old) { return old.name == report.name; });
        end.reports.push_back(std::move(report));
      }
    }
    if (!end.failure) {
      end.message = broken_bound(stage_.reports, end.reports);
      if (!end.message.empty()) end.failure = FailureClass::Test;
    } else if (*end.failure == FailureClass::Test) {
      end.message += and_failed_tests(end.reports);
    }
  }

  // "; 3 tests failed: a, b, c"
  static std::string and_failed_tests(const std::vector<Report>& reports) {
    std::vector<std::string> names;
    for (const auto& report : reports)
      names.insert(names.end(), report.failed.begin(), report.failed.end());
    return names.empty() ? "" : fmt::format("; failed: {}", fmt::join(names, ", "));
  }

  static AttemptEnd failed(FailureClass failure, std::string message) {
    AttemptEnd end;
    end.failure = failure;
    end.message = std::move(message);
    return end;
  }

  AttemptEnd failure_of_job() const {
    if (auto known = failure_of_pod()) return *std::move(known);
    if (job_.reason == "DeadlineExceeded")
      return failed(FailureClass::Timeout, with_words("its Job had a deadline", job_.message));
    return failed(
        FailureClass::Infrastructure,
        with_words(fmt::format("its pod was taken away ({})", job_.reason), job_.message));
  }

  std::optional<AttemptEnd> failure_of_pod() const {
    if (!pod_) return std::nullopt;
    if (pod_->reason == "DeadlineExceeded")
      return failed(FailureClass::Timeout, fmt::format("did not end within {}{}",
                                                       format_duration(stage_.timeout), where()));
    if (const auto blamed = infrastructure(); !blamed.empty())
      return failed(FailureClass::Infrastructure, blamed);
    for (const auto& container : pod_->containers) {
      const bool fails = container.state == State::Ended && !is_sidecar(container) &&
                         (container.exit_code != 0 || is_one_of(container.reason, kLostReasons));
      if (fails) return failure_of(container);
    }
    if (!pod_->failed) return std::nullopt;
    return failed(FailureClass::Infrastructure,
                  with_words(fmt::format("pod {} failed", pod_->meta.key.name), pod_->message));
  }

  // ", in step test"
  std::string where() const {
    for (const auto& container : pod_->containers)
      if (!is_sidecar(container) && (container.state == State::Running ||
                                     (container.state == State::Ended && container.exit_code != 0)))
        return ", in " + called(container);
    return "";
  }

  // In words; "" = it has no part in it.
  std::string infrastructure() const {
    const auto& name = pod_->meta.key.name;
    if (!pod_->disruption.empty())
      return fmt::format("pod {} was taken away ({})", name, pod_->disruption);
    // Evicted, Shutdown, UnexpectedAdmissionError, NodeAffinity …: all of them by nodes.
    if (pod_->failed && !pod_->reason.empty())
      return with_words(fmt::format("pod {} was ended by its node ({})", name, pod_->reason),
                        pod_->message);
    if (pod_->meta.deleting && !pod_->succeeded && !step_failed_by_itself())
      return fmt::format("pod {} was deleted", name);
    return "";
  }

  // 137 and 143 are what a deletion makes of a step.
  bool step_failed_by_itself() const {
    return std::any_of(pod_->containers.begin(), pod_->containers.end(), [](const auto& c) {
      return c.state == State::Ended && !is_sidecar(c) && c.exit_code != 0 && c.exit_code != 137 &&
             c.exit_code != 143;
    });
  }

  AttemptEnd failure_of(const ContainerView& container) const {
    const auto name = called(container);
    if (container.reason == "OOMKilled")
      return failed(FailureClass::OutOfMemory, name + " used more memory than its limit");
    if (is_one_of(container.reason, kLostReasons))
      return failed(FailureClass::Infrastructure, name + " was lost with its node");
    if (is_one_of(container.reason, kStartReasons))
      return failed(FailureClass::Config,
                    with_words(name + " could not be begun", container.message));
    const auto message = decode_step_message(container.message);
    if (container.name == contract::kCheckout)
      return failure_of_checkout(container.exit_code, message);
    if (message.timeout == "NoOutput")
      return failed(FailureClass::Timeout,
                    with_words(name + " wrote nothing for too long", message.error));
    if (!message.timeout.empty())
      return failed(FailureClass::Timeout, with_words(name + " took too long", message.error));
    return failed(message.failure.value_or(FailureClass::Test),
                  with_words(fmt::format("{} failed with exit code {}", name, container.exit_code),
                             message.error));
  }

  // What is wrong stays wrong; a server that is away comes back.
  static AttemptEnd failure_of_checkout(int exit_code, const StepMessage& message) {
    if (exit_code == contract::kNoSuchCommit)
      return failed(FailureClass::Config, "spec.commit: the source has no such commit");
    if (exit_code == contract::kSourceRefused)
      return failed(FailureClass::Config,
                    "the source refuses the checkout: credentials, host key or address are wrong");
    return failed(message.failure.value_or(FailureClass::Infrastructure),
                  with_words("the source could not be fetched", message.error));
  }

  // The pod is not there yet, or a container of it cannot begin.
  void judge_waiting() {
    if (!pod_->unschedulable.empty()) view_.waiting = "not scheduled: " + pod_->unschedulable;
    for (const auto& container : pod_->containers) {
      if (container.state != State::Waiting || container.reason.empty()) continue;
      const bool image = is_one_of(container.reason, kImageReasons);
      if (!image && !is_one_of(container.reason, kConfigReasons)) continue;
      auto text =
          with_words(fmt::format("{} has {} ({})", called(container),
                                 image ? "no image" : "no usable configuration", container.reason),
                     container.message);
      const bool hopeless = is_one_of(container.reason, kHopelessImages);
      const auto until = since() + (hopeless ? milliseconds(0)
                                    : image  ? kPullPatience
                                             : kConfigPatience);
      if (now_ >= until)
        stop(image ? FailureClass::ImagePull : FailureClass::Config, std::move(text));
      else
        wait(std::move(text), until);
      return;
    }
  }

  // When the container that waits may have begun to: what came before it in the pod ended.
  WallTime since() const {
    auto latest = pod_->meta.created.value_or(started_);
    for (const auto& container : pod_->containers)
      for (const auto& time : {container.started, container.ended})
        if (time && *time > latest) latest = *time;
    return latest;
  }

  void judge_time() {
    if (pod_) judge_steps();
    if (view_.end) return;
    // The pod has this deadline as well, from its own start on, and keeps its messages when it strikes.
    const bool runs = pod_ && std::any_of(pod_->containers.begin(), pod_->containers.end(),
                                          [](const auto& c) { return c.state != State::Waiting; });
    const auto until = started_ + stage_.timeout + (runs ? kEndingTime : milliseconds(0));
    if (now_ < until)
      look_again_at(until);
    else
      stop(FailureClass::Timeout,
           with_words(fmt::format("did not end within {}", format_duration(stage_.timeout)),
                      view_.waiting));
  }

  // weir-step ends a step in time; this is for the case that it cannot.
  void judge_steps() {
    for (const auto& step : stage_.steps) {
      if (!step.timeout) continue;
      for (const auto& container : pod_->containers) {
        const bool runs = container.state == State::Running && container.started &&
                          container.name == std::string(contract::kStepPrefix) + step.name;
        if (!runs) continue;
        const auto until = *container.started + *step.timeout + kEndingTime;
        if (now_ >= until)
          return stop(FailureClass::Timeout, fmt::format("step {} did not end within {}", step.name,
                                                         format_duration(*step.timeout)));
        look_again_at(until);
      }
    }
  }

  void stop(FailureClass failure, std::string message) {
    view_.end = failed(failure, std::move(message));
    view_.must_stop = true;
  }

  void wait(std::string what, WallTime until) {
    view_.waiting = std::move(what);
    look_again_at(until);
  }

  void look_again_at(WallTime at) {
    if (!view_.look_again || at < *view_.look_again) view_.look_again = at;
  }

  const Stage& stage_;
  const JobView& job_;
  const StagePodView* pod_;
  WallTime started_;
  WallTime now_;
  AttemptView view_;
};

}  // namespace

AttemptView look_at_attempt(const Stage& stage, const JobView& job,
                            const std::vector<std::shared_ptr<const StagePodView>>& pods,
                            WallTime started, WallTime now) {
  return AttemptJudge(stage, job, newest(pods), started, now).judge();
}

}  // namespace weir
