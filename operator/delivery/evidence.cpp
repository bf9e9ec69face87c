#include "delivery/evidence.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace weir {
namespace {

// Counters that have stood still for longer than this, and than nobody asked, are not waited for, and when they move again it is not of
// the same time.
constexpr auto kSameTime = std::chrono::minutes(2);

// Adds up what each counter of a role has grown by since the last answer, and remembers where it stands.
double increments(const std::vector<MetricSample>& samples, std::string_view role,
                  bool has_baseline, std::map<std::string, double>& last) {
  double sum = 0;
  for (const auto& sample : samples) {
    if (sample.role != role || sample.value < 0) continue;
    const auto [known, fresh] = last.emplace(sample.series, sample.value);
    if (!fresh) {
      const bool reset = sample.value < known->second;
      sum += reset ? sample.value : sample.value - known->second;
      known->second = sample.value;
    } else if (has_baseline) {
      sum += sample.value;
    }
  }
  return sum;
}

bool is_judged(const ObjectiveEvidence& evidence, WallTime at) {
  return evidence.judged_from && at >= *evidence.judged_from;
}

// One revision's roles in an answer.
struct Roles {
  std::string_view part;
  std::string_view total;
  bool by_good = false;
};

std::optional<WallTime> newest_of(const std::vector<MetricSample>& samples, std::string_view role) {
  std::optional<WallTime> newest;
  for (const auto& sample : samples) {
    if (sample.role == role && (!newest || sample.at > *newest)) newest = sample.at;
  }
  return newest;
}

bool has_role(const std::vector<MetricSample>& samples, std::string_view role) {
  return std::any_of(samples.begin(), samples.end(),
                     [&](const auto& sample) { return sample.role == role; });
}

// What was served since the last reading; nothing when no counter's own time has moved, whatever the numbers. Bad ones may be more
// than all, or less than none.
std::optional<Counts> read(CounterReading& reading, const std::vector<MetricSample>& samples,
                           const Roles& roles) {
  const auto newest = newest_of(samples, roles.total);
  const double total = increments(samples, roles.total, reading.has_baseline, reading.last_total);
  const double part = increments(samples, roles.part, reading.has_baseline, reading.last_part);
  if (newest || !reading.is_old) reading.has_baseline = true;
  if (!newest) return std::nullopt;
  reading.sampled = newest;
  return Counts{roles.by_good ? total - part : part, total};
}

// Counters of one scrape agree; two rules of the user's may not. A bad request is at least a request.
Counts in_bounds(const Counts& counts) {
  return {std::clamp(counts.bad, 0.0, counts.total), counts.total};
}

bool agree(const Counts& counts) { return counts.bad >= 0 && counts.bad <= counts.total; }

// Its last reading is too old for what both have served since to be of the same time.
bool is_late(const std::optional<WallTime>& last, const CounterReading& reading,
             const ObjectiveEvidence& evidence) {
  return !last || *reading.sampled - *last > kSameTime + evidence.unasked;
}

bool is_new(const CounterReading& reading, const std::vector<MetricSample>& samples,
            const Roles& roles) {
  const auto newest = newest_of(samples, roles.total);
  return !newest || !reading.sampled || *newest > *reading.sampled;
}

void add(std::optional<Counts>& sum, const Counts& more) {
  if (!sum) sum = Counts{};
  sum->bad += more.bad;
  sum->total += more.total;
}

void read_canary(ObjectiveEvidence& evidence, const std::vector<MetricSample>& samples,
                 bool by_good) {
  const Roles roles{by_good ? roles::kGood : roles::kBad, roles::kTotal, by_good};
  if (!is_new(evidence.canary, samples, roles)) return;
  evidence.good_is_missing =
      by_good && has_role(samples, roles.total) && !has_role(samples, roles.part);
  if (evidence.good_is_missing) return;
  const auto last = evidence.canary.sampled;
  const auto counts = read(evidence.canary, samples, roles);
  if (!counts) return;
  if (is_late(last, evidence.canary, evidence)) evidence.pending.stable.reset();
  evidence.sampled = evidence.canary.sampled;
  const auto plausible = in_bounds(*counts);
  if (auto checked = check_counts("the canary's", plausible); !checked) {
    evidence.source_error = checked.error();
    return;
  }
  evidence.total += plausible.total;
  evidence.bad += plausible.bad;
  if (plausible.bad > 0 && !evidence.bad_since) evidence.bad_since = evidence.sampled;
  if (is_judged(evidence, *evidence.sampled)) add(evidence.pending.canary, *counts);
}

// Its counters are older than the release: nothing is known of what a first answer does not tell.
void read_stable(ObjectiveEvidence& evidence, const std::vector<MetricSample>& samples,
                 bool by_good) {
  const Roles roles{by_good ? roles::kStableGood : roles::kStableBad, roles::kStableTotal, by_good};
  if (evidence.compared_with.empty() || !has_role(samples, roles.total)) return;
  if (by_good && !has_role(samples, roles.part)) return;
  if (!is_new(evidence.stable, samples, roles)) return;
  const auto last = evidence.stable.sampled;
  const auto counts = read(evidence.stable, samples, roles);
  if (!counts || is_late(last, evidence.stable, evidence) ||
      !check_counts("stable's", in_bounds(*counts)))
    return;
  if (is_judged(evidence, *evidence.stable.sampled)) add(evidence.pending.stable, *counts);
}

// Whether the canary's counts wait for stable's of the same time.
bool awaits_stable(const ObjectiveEvidence& evidence, const std::vector<MetricSample>& samples) {
  if (evidence.compared_with.empty() || evidence.pending.stable) return false;
  const auto& newest = evidence.stable.sampled;
  return newest && has_role(samples, roles::kStableTotal) &&
         *evidence.canary.sampled - *newest <= kSameTime + evidence.unasked;
}

// What waits, with what was held back before. Of one version alone and of two it is not of the same requests.
PendingCounts taken(ObjectiveEvidence& evidence) {
  PendingCounts taken = std::exchange(evidence.pending, {});
  const auto held = std::exchange(evidence.held, {});
  if (!held.canary || held.stable.has_value() != taken.stable.has_value()) return taken;
  add(taken.canary, *held.canary);
  if (held.stable) add(taken.stable, *held.stable);
  return taken;
}

// Why counts are no sample; nothing when they are one.
std::optional<Error> disagreement(const PendingCounts& counts, bool by_good) {
  const auto fault = [&](std::string_view whose, const Counts& of) -> std::optional<Error> {
    if (agree(of)) return std::nullopt;
    return Error{ErrorKind::Invalid,
                 fmt::format("{}{} ({:.0f}) is above total ({:.0f}): the two queries do not count "
                             "the same requests",
                             whose, by_good ? "good" : "bad", by_good ? of.total - of.bad : of.bad,
                             of.total)};
  };
  auto found = fault("", *counts.canary);
  return found || !counts.stable ? found : fault("stable's ", *counts.stable);
}

// The first time it waits for the next sample; the second time it is given up, and told.
void put_back(ObjectiveEvidence& evidence, const PendingCounts& counts, bool waited, Error fault) {
  if (!waited) {
    evidence.held = counts;
    return;
  }
  evidence.disagreement = std::move(fault);
  evidence.judged_until = evidence.canary.sampled;
}

void fold_ratio(ObjectiveEvidence& evidence, const RatioObjective& objective,
                const std::vector<MetricSample>& samples) {
  const bool by_good = !objective.queries.good.empty();
  read_canary(evidence, samples, by_good);
  read_stable(evidence, samples, by_good);
  if (!evidence.pending.canary || awaits_stable(evidence, samples)) return;
  const bool waited = evidence.held.canary.has_value();
  const auto counts = taken(evidence);
  if (auto fault = disagreement(counts, by_good))
    return put_back(evidence, counts, waited, *std::move(fault));
  evidence.disagreement.reset();
  const auto now = *evidence.canary.sampled;
  const auto since = evidence.judged_until.value_or(now);
  const double span = std::max(0.0, std::chrono::duration<double>(now - since).count());
  const RatioSample sample{*counts.canary, counts.stable, span};
  evidence.judged_until = now;
  if (auto counted = count(evidence, objective, sample); !counted)
    evidence.source_error = counted.error();
}

void fold_value(ObjectiveEvidence& evidence, const ValueObjective& objective,
                const std::vector<MetricSample>& samples) {
  const auto found = std::find_if(samples.begin(), samples.end(),
                                  [](const auto& s) { return s.role == roles::kValue; });
  if (found == samples.end() || (evidence.sampled && found->at <= *evidence.sampled)) return;
  if (samples.size() > 1) {
    evidence.source_error =
        Error{ErrorKind::Invalid, "the query gives " + std::to_string(samples.size()) +
                                      " series, must give one: aggregate it"};
    return;
  }
  evidence.sampled = found->at;
  evidence.value = found->value;
  const bool failed = found->value > objective.at_most;
  if (failed && !evidence.bad_since) evidence.bad_since = found->at;
  if (!is_judged(evidence, found->at)) return;
  evidence.judged_here += 1;
  evidence.failing = failed ? evidence.failing + 1 : 0;
}

}  // namespace

void begin_question(ObjectiveEvidence& evidence, const Asking& asking) {
  if (evidence.judged_from != asking.judged_from) {
    evidence.judged_here = evidence.stable_here = 0;
    evidence.pending = evidence.held = {};
    if (asking.judged_from && evidence.tests) evidence.tests->begin_step();
  }
  if (evidence.compared_with != asking.compared_with) {
    evidence.stable = {};
    evidence.pending.stable.reset();
    evidence.held = {};
  }
  evidence.unasked = evidence.asked ? asking.at - *evidence.asked : WallTime::duration(0);
  evidence.judged_from = asking.judged_from;
  evidence.compared_with = asking.compared_with;
  evidence.asked = asking.at;
  evidence.waiting = true;
}

ObjectiveEvidence fold_answer(ObjectiveEvidence evidence, const Objective& objective,
                              const Result<std::vector<MetricSample>>& answer) {
  evidence.waiting = false;
  if (!answer) {
    evidence.source_error = answer.error();
    return evidence;
  }
  evidence.source_error.reset();
  evidence.unread_since.reset();
  if (!objective.ratio) {
    fold_value(evidence, *objective.value, *answer);
    return evidence;
  }
  fold_ratio(evidence, *objective.ratio, *answer);
  if (!evidence.source_error) evidence.source_error = evidence.disagreement;
  return evidence;
}

ObjectiveEvidence fold_missed(ObjectiveEvidence evidence, const Objective& objective,
                              const std::vector<std::vector<MetricSample>>& missed,
                              milliseconds step) {
  evidence.unasked = step;
  for (const auto& answer : missed) evidence = fold_answer(std::move(evidence), objective, answer);
  return evidence;
}

Result<void> count(ObjectiveEvidence& evidence, const RatioObjective& objective,
                   const RatioSample& sample) {
  if (!evidence.tests) evidence.tests.emplace(objective);
  if (auto added = evidence.tests->add(sample); !added) return added;
  evidence.judged_bad += sample.canary.bad;
  evidence.judged_total += sample.canary.total;
  evidence.judged_here += sample.canary.total;
  const auto stable = sample.stable.value_or(Counts{});
  evidence.stable_bad += stable.bad;
  evidence.stable_total += stable.total;
  evidence.stable_here += stable.total;
  return {};
}

void learn(ObjectiveEvidence& evidence, const Objective& objective,
           const std::vector<MetricSample>& history) {
  if (!objective.ratio || history.empty()) return;
  const bool by_good = !objective.ratio->queries.good.empty();
  const auto part_role = by_good ? roles::kStableGood : roles::kStableBad;
  std::map<WallTime, double> totals;
  std::map<WallTime, double> parts;
  for (const auto& point : history) {
    if (point.role == roles::kStableTotal) totals[point.at] = point.value;
    if (point.role == part_role) parts[point.at] = point.value;
  }
  if (!evidence.tests) evidence.tests.emplace(*objective.ratio);
  // Counters of errors are not there before the first one.
  const auto part_at = [&](WallTime at) { return parts.count(at) != 0 ? parts.at(at) : 0; };
  std::optional<std::pair<WallTime, double>> before;
  for (const auto& [at, value] : totals) {
    if (before && at - before->first == std::chrono::minutes(1)) {
      const double total = value - before->second;
      const double part = part_at(at) - part_at(before->first);
      const Counts minute{by_good ? total - part : part, total};
      if (part >= 0 && check_counts("stable's", minute)) evidence.tests->learn(minute);
    }
    before = {at, value};
  }
}

// Status tells whole seconds: what was scraped within this one is in its sums.
std::optional<WallTime> unread_since(const JudgementStatus& checkpoint) {
  if (!checkpoint.sampled) return std::nullopt;
  return *checkpoint.sampled + std::chrono::seconds(1);
}

ObjectiveEvidence evidence_from(const JudgementStatus& checkpoint, const Objective& objective) {
  ObjectiveEvidence evidence;
  evidence.total = static_cast<double>(checkpoint.total);
  evidence.bad = static_cast<double>(checkpoint.bad);
  evidence.judged_total = static_cast<double>(checkpoint.judged_total);
  evidence.judged_bad = static_cast<double>(checkpoint.judged_bad);
  evidence.stable_bad = static_cast<double>(checkpoint.stable_bad);
  evidence.stable_total = static_cast<double>(checkpoint.stable_total);
  evidence.canary.is_old = checkpoint.total > 0;
  evidence.unread_since = unread_since(checkpoint);
  if (!objective.ratio) return evidence;
  evidence.tests.emplace(*objective.ratio);
  // What another version of us has written may tell only the sums.
  if (!evidence.tests->recall(checkpoint.checkpoint) && evidence.judged_total > 0)
    (void)evidence.tests->add({{evidence.judged_bad, evidence.judged_total}, std::nullopt, 0});
  return evidence;
}

Evidence EvidenceBook::read(const EvidenceKey& key) const {
  Lock lock(mutex_);
  const auto found = evidence_.find(key);
  return found == evidence_.end() ? Evidence{} : found->second;
}

bool EvidenceBook::begin(const EvidenceKey& key, const Objective& objective, const Asking& asking) {
  Lock lock(mutex_);
  std::erase_if(evidence_, [&](const auto& item) {
    return item.first.release_uid == key.release_uid && item.first.revision != key.revision;
  });
  auto& of_revision = evidence_[key];
  const auto [found, fresh] = of_revision.try_emplace(objective.name);
  auto& evidence = found->second;
  if (fresh && asking.checkpoint) evidence = evidence_from(*asking.checkpoint, objective);
  if (evidence.waiting) return false;
  begin_question(evidence, asking);
  return true;
}

void EvidenceBook::fold(const EvidenceKey& key, const Objective& objective,
                        const Result<std::vector<MetricSample>>& answer, const PastCounts& past) {
  Lock lock(mutex_);
  const auto of_revision = evidence_.find(key);
  if (of_revision == evidence_.end()) return;  // forgotten since
  auto& evidence = of_revision->second[objective.name];
  learn(evidence, objective, past.of_stable);
  if (answer && !past.missed.empty())
    evidence = fold_missed(std::move(evidence), objective, past.missed, past.step);
  evidence = fold_answer(std::move(evidence), objective, answer);
}

void EvidenceBook::forget(const std::string& release_uid) {
  Lock lock(mutex_);
  std::erase_if(evidence_, [&](const auto& item) { return item.first.release_uid == release_uid; });
}

}  // namespace weir
