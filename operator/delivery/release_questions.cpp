#include "delivery/release_questions.h"

#include <array>

#include "delivery/revision.h"

namespace weir {
namespace {

// Long enough to have seen some bursts, if there are any: designs/014.
constexpr auto kPast = std::chrono::hours(24);
constexpr auto kMissedAtMost = std::chrono::hours(6);
constexpr int kMissedPoints = 200;  // of one question, a series

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

bool was_refused(const ObjectiveEvidence& seen) {
  return seen.source_error && seen.source_error->kind == ErrorKind::Invalid;
}

// Who serves beside the judged revision; "" = nobody does.
std::string compared_with(const std::string& judged, const Traffic& traffic) {
  return judged == traffic.canary && traffic.weight < 100 ? traffic.stable : "";
}

// Whoever asked until then has stopped: where the counters stood, and how they went on.
void ask_missed(ReleaseQuestion& question, const std::optional<WallTime>& since) {
  const auto& objective = question.objective;
  if (!since || !objective.ratio || *since >= question.asking.at) return;
  const auto now = question.asking.at;
  question.missed = {std::max<WallTime>(*since, now - kMissedAtMost), now};
  const auto span = std::chrono::duration_cast<milliseconds>(now - question.missed->from);
  question.missed_step = std::max<milliseconds>(seconds(1), span / kMissedPoints);
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
  const auto stable = compared_with(snapshot.judged, course.traffic);
  result->expressions = expressions_of(objective, release, snapshot.judged, stable);
  const auto seen = snapshot.evidence.find(objective.name);
  const bool is_first = seen == snapshot.evidence.end();
  if (is_first && result->expressions.size() == 4) {
    result->past.assign(result->expressions.begin() + 2, result->expressions.end());
    result->past_span = {now - kPast, now};
  }
  result->asking = {now, course.judged_from,
                    checkpoint_of(release.status, snapshot.judged, objective.name), stable};
  const auto& checkpoint = result->asking.checkpoint;
  if (!is_first)
    ask_missed(*result, seen->second.unread_since);
  else if (checkpoint)
    ask_missed(*result, unread_since(*checkpoint));
  result->alone = objective.value || is_first || result->missed || was_refused(seen->second);
  return result;
}

}  // namespace

PastCounts ask_past(const ReleaseQuestion& question, const MetricProvider& provider,
                    HttpClient& http, const Deadline& deadline,
                    const std::function<void(const Error&)>& failed) {
  PastCounts past;
  const auto take = [&](auto& into, auto answer) {
    if (answer)
      into = *std::move(answer);
    else
      failed(answer.error());
  };
  if (!question.past.empty())
    take(past.of_stable, provider.history(question.past, question.past_span, http, deadline));
  if (question.missed) {
    past.step = question.missed_step;
    take(past.missed,
         provider.measure_span(question.expressions, *question.missed, past.step, http, deadline));
  }
  return past;
}

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

std::vector<MetricExpression> expressions_of(const Objective& objective, const Release& release,
                                             const std::string& revision,
                                             const std::string& stable) {
  if (objective.value)
    return {
        {std::string(roles::kValue), fill_placeholders(objective.value->query, release, revision)}};
  const auto& queries = objective.ratio->queries;
  const bool by_good = !queries.good.empty();
  const auto& part = by_good ? queries.good : queries.bad;
  std::vector<MetricExpression> result{
      {std::string(by_good ? roles::kGood : roles::kBad),
       fill_placeholders(part, release, revision)},
      {std::string(roles::kTotal), fill_placeholders(queries.total, release, revision)}};
  if (stable.empty()) return result;
  const MetricExpression stable_part{std::string(by_good ? roles::kStableGood : roles::kStableBad),
                                     fill_placeholders(part, release, stable)};
  const MetricExpression stable_total{std::string(roles::kStableTotal),
                                      fill_placeholders(queries.total, release, stable)};
  // The same counters twice would make both revisions equal.
  if (stable_part.text == result[0].text || stable_total.text == result[1].text) return result;
  result.push_back(stable_part);
  result.push_back(stable_total);
  return result;
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
