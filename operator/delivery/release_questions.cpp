#include "delivery/release_questions.h"

#include <array>

#include "delivery/revision.h"

namespace weir {
namespace {

std::vector<MetricExpression> expressions(const Objective& objective, const Release& release,
                                          const std::string& revision) {
  const auto fill = [&](std::string_view role, const std::string& text) {
    return MetricExpression{std::string(role), fill_placeholders(text, release, revision)};
  };
  if (objective.value) return {fill(roles::kValue, objective.value->query)};
  const auto& queries = objective.ratio->queries;
  const auto part =
      queries.good.empty() ? fill(roles::kBad, queries.bad) : fill(roles::kGood, queries.good);
  return {part, fill(roles::kTotal, queries.total)};
}

// Only what status says about the very revision.
std::optional<JudgementStatus> checkpoint_of(const ReleaseStatus& status,
                                             const std::string& revision,
                                             const std::string& objective) {
  const bool is_canary = status.canary && status.canary->revision == revision;
  const bool is_watched = status.promotion && status.promotion->revision == revision;
  if (!is_canary && !is_watched) return std::nullopt;
  for (const auto& judgement : status.judgement) {
    if (judgement.objective == objective) return judgement;
  }
  return std::nullopt;
}

// When the objective may be asked again; nothing while an answer is awaited, which will wake the release by itself.
std::optional<WallTime> next_question(const ReleaseSnapshot& snapshot, const Objective& objective,
                                      WallTime now) {
  const auto seen = snapshot.evidence.find(objective.name);
  if (seen == snapshot.evidence.end() || !seen->second.asked) return now;
  if (seen->second.waiting) return std::nullopt;
  return *seen->second.asked +
         (objective.value ? objective.value->interval : snapshot.policy->spec.judge.interval);
}

std::shared_ptr<const Question> question(const ReleaseSnapshot& snapshot, const Course& course,
                                         const Objective& objective, WallTime now) {
  const Release& release = *snapshot.release;
  auto result = std::make_shared<ReleaseQuestion>();
  result->evidence = {release.meta.uid, snapshot.judged};
  result->objective = objective;
  for (const auto& source : snapshot.policy->spec.sources) {
    if (source.name == objective.source) result->source = source;
  }
  result->expressions = expressions(objective, release, snapshot.judged);
  result->judged_from = course.judged_from;
  result->checkpoint = checkpoint_of(release.status, snapshot.judged, objective.name);
  result->asked = now;
  return result;
}

}  // namespace

std::string fill_placeholders(std::string text, const Release& release,
                              const std::string& revision) {
  // In the order of the table.
  const std::array<std::string, kQueryPlaceholders.size()> values{
      release.meta.key.name, release.meta.key.ns, revision, child_name(release, revision)};
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto name = kQueryPlaceholders[i];
    for (auto at = text.find(name); at != std::string::npos;
         at = text.find(name, at + values[i].size()))
      text.replace(at, name.size(), values[i]);
  }
  return text;
}

void add_questions(const ReleaseSnapshot& snapshot, const Course& course, WallTime now,
                   Plan& plan) {
  const auto& traffic = course.traffic;
  const bool still_judged = snapshot.judged == traffic.canary ||
                            (course.watch_until && snapshot.judged == traffic.stable);
  if (snapshot.judged.empty() || !still_judged || !snapshot.policy ||
      !snapshot.revision(snapshot.judged).service)
    return;
  for (const auto& objective : snapshot.policy->spec.objectives) {
    const auto due = next_question(snapshot, objective, now);
    if (!due) continue;
    if (*due > now)
      plan.look_again_at(*due);
    else
      plan.actions.emplace_back(
          StartMeasurement{snapshot.release->meta.key, question(snapshot, course, objective, now)});
  }
}

}  // namespace weir
