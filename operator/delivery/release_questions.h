// What has to be asked of the metric sources to judge a release.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "delivery/release_course.h"
#include "delivery/release_snapshot.h"
#include "runtime/plan.h"

namespace weir {

// The question of one objective, as the measuring threads get it.
struct ReleaseQuestion final : Question {
  EvidenceKey evidence;
  Objective objective;
  MetricSource source;
  std::vector<MetricExpression> expressions;
  // Of stable, with the first question: what is asked of its past.
  std::vector<MetricExpression> past;
  HistorySpan past_span;
  // After a restart: what nobody has read.
  std::optional<HistorySpan> missed;
  milliseconds missed_step{0};
  Asking asking;
  // Not to be asked in one query with others: nobody knows what it costs, or it was refused.
  bool alone = false;

  std::string describe() const override { return objective.name; }
};

// What the source keeps of the time before the question. A part that cannot be read is none: what errors are like is then learned
// during the release, and what was missed stays uncounted.
PastCounts ask_past(const ReleaseQuestion& question, const MetricProvider& provider,
                    HttpClient& http, const Deadline& deadline,
                    const std::function<void(const Error&)>& failed);

// A query as it is asked for one revision.
std::string fill_placeholders(std::string text, const Release& release,
                              const std::string& revision);

// What is asked for one objective, all at one instant. `stable`: the revision whose counters are wanted beside those of `revision`;
// "" = none. Only a ratio's are, and only where its queries tell revisions apart.
std::vector<MetricExpression> expressions_of(const Objective& objective, const Release& release,
                                             const std::string& revision,
                                             const std::string& stable);

// One question per objective, each at its own interval, from the moment the judged revision has a Service.
void add_questions(const ReleaseSnapshot& snapshot, const Course& course, WallTime now, Plan& plan);

}  // namespace weir
