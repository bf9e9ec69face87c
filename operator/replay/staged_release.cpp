#include "replay/staged_release.h"

#include <algorithm>

#include "kube/kinds.h"

namespace weir {
namespace {

constexpr const char* kStable = "stable";
constexpr const char* kCanary = "canary";
// Of one moment: begin, first weight, its acceptance, and what people have never been seen to need.
constexpr int kLooksAtOnce = 6;

// Takes up whatever it is told.
class StagedRouter final : public TrafficRouter {
 public:
  TrafficType type() const override { return TrafficType::GatewayApi; }
  Kind kind() const override { return kinds::kHttpRoute; }
  RouteState state(const RawObject* /*route*/) const override { return {}; }
  Result<std::optional<Action>> plan(const Release& /*release*/, const RouteGoal& /*goal*/,
                                     const RawObject* /*route*/, bool /*guarded*/) const override {
    return std::optional<Action>();
  }
};

RevisionView ready_revision() {
  auto set = std::make_shared<ReplicaSetView>();
  set->replicas = set->current = set->ready = set->available = 1;
  RevisionView view;
  view.replica_set = std::move(set);
  view.service = std::make_shared<RawObject>();
  view.ready_endpoints = view.endpoints = 1;
  return view;
}

std::shared_ptr<const Release> staged_release() {
  auto release = std::make_shared<Release>();
  release->meta.key = {"replay", "replay"};
  release->meta.uid = "replay";
  ReleaseSpec spec;
  spec.template_text = "{}";
  spec.policy = "replay";
  release->spec = std::move(spec);
  return release;
}

}  // namespace

StagedRelease::StagedRelease(const CanaryPolicySpec& policy, WallTime begins)
    : release_(staged_release()), begun_(begins), now_(begins), next_(begins) {
  static const StagedRouter kRouter;
  snapshot_.release = release_;
  snapshot_.pod_template = Json::object();
  snapshot_.wanted = snapshot_.first = kCanary;
  snapshot_.router = &kRouter;
  snapshot_.policy = PinnedPolicy{"replay", 1, policy, ""};
  snapshot_.revisions[kStable] = ready_revision();
  snapshot_.revisions[kCanary] = ready_revision();
  snapshot_.traffic.stable = kStable;
  show_route();
}

void StagedRelease::show_route() {
  auto& state = snapshot_.route_state;
  state.exists = state.accepted = true;
  state.backends.clear();
  const auto& traffic = snapshot_.traffic;
  for (const auto* name : {kStable, kCanary})
    state.backends.push_back({name, name, traffic.weight_of(name)});
  if (!traffic.canary.empty())
    snapshot_.judged = traffic.canary;
  else if (traffic.promoted && !traffic.previous.empty())
    snapshot_.judged = traffic.stable;
  else
    snapshot_.judged.clear();
}

// What status would say of the canary: the memory of the hold.
void StagedRelease::remember() {
  if (course_.canary == release_->status.canary) return;
  auto release = std::make_shared<Release>(*release_);
  release->status.canary = course_.canary;
  release_ = snapshot_.release = std::move(release);
}

// True when it has moved traffic.
bool StagedRelease::look() {
  course_ = chart_course(snapshot_, now_);
  const bool moved = course_.traffic != snapshot_.traffic;
  snapshot_.traffic = course_.traffic;
  remember();
  const auto& traffic = snapshot_.traffic;
  if (moved) show_route();
  if (traffic.weight > 0 && (stays_.empty() || stays_.back().weight != traffic.weight))
    stays_.push_back({traffic.weight, now_});
  const auto& watch = snapshot_.policy->spec.watch;
  if (traffic.rollback)
    ending_ = Ending::RolledBack;
  else if (traffic.promoted && now_ >= *traffic.promoted + watch)
    ending_ = Ending::Promoted;
  else if (course_.phase == Phase::AwaitingApproval)
    ending_ = Ending::AwaitsPerson;
  return moved && ending_ == Ending::UnderWay;
}

void StagedRelease::settle() {
  for (int looks = 0; looks < kLooksAtOnce && look(); ++looks) continue;
}

// Answers what is due; false: nothing is. Sets the time of the next question.
bool StagedRelease::ask(StagedMetrics& metrics) {
  Plan plan;
  add_questions(snapshot_, course_, now_, plan);
  for (const auto& action : plan.actions) {
    const auto& measurement = std::get<StartMeasurement>(action);
    const auto& question = static_cast<const ReleaseQuestion&>(*measurement.question);
    auto& evidence = snapshot_.evidence[question.objective.name];
    if (!question.past.empty()) learn(evidence, question.objective, metrics.past(question));
    begin_question(evidence, question.asking);
    evidence = fold_answer(std::move(evidence), question.objective, metrics.answer(question));
  }
  const auto soon = now_ + snapshot_.policy->spec.judge.interval;
  next_ = plan.look_again.value_or(soon);
  if (course_.look_again) next_ = std::min(next_, *course_.look_again);
  if (next_ <= now_) next_ = soon;
  return !plan.actions.empty();
}

void StagedRelease::go_on(StagedMetrics& metrics) {
  metrics.pass(next_, snapshot_.traffic.weight_of(kCanary));
  now_ = next_;
  const bool is_due = stays_.empty() || (course_.look_again && *course_.look_again <= now_);
  if (is_due) settle();
  for (int asked = 0; asked < kLooksAtOnce && ending_ == Ending::UnderWay; ++asked) {
    if (!ask(metrics)) break;
    settle();
  }
}

}  // namespace weir
