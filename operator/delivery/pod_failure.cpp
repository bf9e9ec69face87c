#include "delivery/pod_failure.h"

#include <fmt/format.h>

#include "base/time_format.h"

namespace weir {
namespace {

using Kind = ContainerTrouble::Kind;

// A registry may be away for a moment; the kubelet tries at once, after 10 s and after 30 s.
constexpr milliseconds kPullTries{30'000};
// As long as the kubelet remembers a crash: a container that runs for so long has left its loop.
constexpr milliseconds kLongRun{600'000};

// What one pod says.
struct Finding {
  enum class What { Nothing, Infrastructure, Held, Failure };  // the worst is the last
  What what = What::Nothing;
  PodFailure failure;  // of Held and Failure; of Infrastructure only the message
  std::optional<WallTime> look_again;
};

// "exit code 1 (Error), 3 restarts". The kubelet's message is about how long it backs off.
std::string of_crashes(const ContainerTrouble& trouble) {
  return fmt::format("exit code {} ({}), {} restart{}", trouble.exit_code, trouble.exit_reason,
                     trouble.restarts, trouble.restarts == 1 ? "" : "s");
}

// `lasted`: " for 10m", when that is the point.
std::string sentence(const PodView& pod, const ContainerTrouble& trouble,
                     const std::string& lasted = "") {
  std::string text = fmt::format("container {} of pod {} ", trouble.container, pod.meta.key.name);
  if (trouble.kind == Kind::CrashLoop)
    return text + "crashes again and again: " + of_crashes(trouble);
  text += (trouble.kind == Kind::ImagePull ? "has no image" : "is not ready") + lasted;
  if (!trouble.reason.empty()) text += ": " + trouble.reason;
  if (!trouble.message.empty()) text += ": " + trouble.message;
  if (!trouble.exit_reason.empty()) text += "; it ended with " + of_crashes(trouble);
  return text;
}

Finding infrastructure(const PodView& pod, const std::string& what) {
  return {Finding::What::Infrastructure,
          {"Infrastructure", fmt::format("pod {} {}", pod.meta.key.name, what), std::nullopt},
          std::nullopt};
}

// The infrastructure's part in a pod that does not serve; nothing when it has none.
std::optional<Finding> blame_infrastructure(const PodView& pod) {
  if (!pod.disruption.empty())
    return infrastructure(pod, fmt::format("is being taken away ({})", pod.disruption));
  if (!pod.unschedulable.empty())
    return infrastructure(pod, fmt::format("cannot be scheduled: {}", pod.unschedulable));
  if (!pod.ready && pod.containers_ready)
    return infrastructure(
        pod, fmt::format("is not ready though its containers are{}",
                         pod.not_ready.empty() ? "" : fmt::format(" ({})", pod.not_ready)));
  return std::nullopt;
}

class PodJudge {
 public:
  PodJudge(const PodFailureRules& rules, const RevisionView& revision, WallTime now)
      : rules_(rules), now_(now) {
    // Two watches, of different age perhaps: a pod that became ready long ago may not look so here.
    const auto& set = revision.replica_set;
    all_ready_ = set && set->current > 0 && set->ready >= set->current;
  }

  Finding judge(const PodView& pod) const {
    if (pod.meta.deleting || pod.finished) return {};
    if (auto blamed = blame_infrastructure(pod)) return *std::move(blamed);
    if (!pod.trouble) return {};
    switch (pod.trouble->kind) {
      case Kind::CrashLoop: return crash_loop(pod, *pod.trouble);
      case Kind::ImagePull: return image_pull(pod, *pod.trouble);
      case Kind::NotReady: return not_ready(pod, *pod.trouble);
    }
    return {};
  }

 private:
  Finding crash_loop(const PodView& pod, const ContainerTrouble& trouble) const {
    if (trouble.running_since && now_ - *trouble.running_since >= kLongRun) return {};
    return fails(rules_.crash_loop, {"CrashLoop", sentence(pod, trouble), trouble.ended});
  }

  Finding image_pull(const PodView& pod, const ContainerTrouble& trouble) const {
    const PodFailure failure{"ImagePull", sentence(pod, trouble), pod.containers_unready_since};
    // No later try can mend these.
    if (trouble.reason == "InvalidImageName" || trouble.reason == "ErrImageNeverPull")
      return fails(rules_.image_pull, failure);
    return after(kPullTries, rules_.image_pull, failure);
  }

  Finding not_ready(const PodView& pod, const ContainerTrouble& trouble) const {
    PodFailure failure{"NotReady", sentence(pod, trouble), pod.containers_unready_since};
    auto finding = after(rules_.not_ready_for, OnPodFailure::Rollback, failure);
    if (finding.what == Finding::What::Failure)
      finding.failure.message =
          sentence(pod, trouble, fmt::format(" for {}", format_duration(rules_.not_ready_for)));
    // A pod that is just starting is nothing to speak of.
    const bool starts = trouble.reason.empty() || trouble.reason == "PodInitializing" ||
                        trouble.reason == "ContainerCreating";
    if (finding.what == Finding::What::Held && starts) finding.what = Finding::What::Nothing;
    return finding;
  }

  static Finding fails(OnPodFailure rule, PodFailure failure) {
    const bool back = rule == OnPodFailure::Rollback;
    return {back ? Finding::What::Failure : Finding::What::Held, std::move(failure), std::nullopt};
  }

  // A failure once it has lasted; until then it only holds.
  Finding after(milliseconds patience, OnPodFailure rule, const PodFailure& failure) const {
    Finding finding{Finding::What::Held, failure, std::nullopt};
    if (!failure.since || all_ready_ || rule == OnPodFailure::Hold) return finding;
    if (now_ >= *failure.since + patience) return fails(rule, failure);
    finding.look_again = *failure.since + patience;
    return finding;
  }

  const PodFailureRules& rules_;
  WallTime now_;
  bool all_ready_ = false;
};

}  // namespace

PodRuling judge_pods(const PodFailureRules& rules, const RevisionView& revision, WallTime now) {
  const PodJudge judge(rules, revision, now);
  PodRuling ruling;
  Finding worst;
  for (const auto& pod : revision.pods) {
    auto finding = judge.judge(*pod);
    if (finding.look_again && (!ruling.look_again || *finding.look_again < *ruling.look_again))
      ruling.look_again = finding.look_again;
    if (finding.what > worst.what) worst = std::move(finding);
  }
  if (worst.what == Finding::What::Failure)
    ruling.failure = std::move(worst.failure);
  else
    ruling.holding = std::move(worst.failure.message);
  return ruling;
}

}  // namespace weir
