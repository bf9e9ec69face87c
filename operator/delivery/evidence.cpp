#include "delivery/evidence.h"

#include <algorithm>

namespace weir {
namespace {

struct Increment {
  double sum = 0;
  std::optional<WallTime> newest;
};

// Adds up what each counter of a role has grown by since the last answer, and remembers where it stands.
Increment increments(const std::vector<MetricSample>& samples, std::string_view role,
                     bool has_baseline, std::map<std::string, double>& last) {
  Increment result;
  for (const auto& sample : samples) {
    if (sample.role != role || sample.value < 0) continue;
    const auto [known, fresh] = last.emplace(sample.series, sample.value);
    if (!fresh) {
      const bool reset = sample.value < known->second;
      result.sum += reset ? sample.value : sample.value - known->second;
      known->second = sample.value;
    } else if (has_baseline) {
      result.sum += sample.value;
    }
    if (!result.newest || sample.at > *result.newest) result.newest = sample.at;
  }
  return result;
}

bool is_judged(const ObjectiveEvidence& evidence, WallTime at) {
  return evidence.judged_from && at >= *evidence.judged_from;
}

bool has_role(const std::vector<MetricSample>& samples, std::string_view role) {
  return std::any_of(samples.begin(), samples.end(),
                     [&](const auto& sample) { return sample.role == role; });
}

void fold_ratio(ObjectiveEvidence& evidence, bool by_good,
                const std::vector<MetricSample>& samples) {
  // Looked at first: an evaluation in which no counter's own time has moved says nothing new, whatever its numbers.
  std::optional<WallTime> newest;
  for (const auto& sample : samples) {
    if (sample.role == roles::kTotal && (!newest || sample.at > *newest)) newest = sample.at;
  }
  if (newest && evidence.sampled && *newest <= *evidence.sampled) return;
  evidence.good_is_missing = by_good && newest && !has_role(samples, roles::kGood);
  if (evidence.good_is_missing) return;
  const auto total = increments(samples, roles::kTotal, evidence.has_baseline, evidence.last_total);
  const auto part = increments(samples, by_good ? roles::kGood : roles::kBad, evidence.has_baseline,
                               evidence.last_part);
  evidence.has_baseline = true;
  if (!newest) return;
  evidence.sampled = newest;
  // Counters of one scrape agree; two rules of the user's may not. A bad request is at least a request.
  const double bad = by_good ? total.sum - part.sum : part.sum;
  const double new_bad = std::clamp(bad, 0.0, total.sum);
  evidence.total += total.sum;
  evidence.bad += new_bad;
  if (new_bad > 0 && !evidence.bad_since) evidence.bad_since = newest;
  if (!is_judged(evidence, *newest)) return;
  evidence.judged_total += total.sum;
  evidence.judged_bad += new_bad;
  evidence.judged_here += total.sum;
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

ObjectiveEvidence fold_answer(ObjectiveEvidence evidence, const Objective& objective,
                              const Result<std::vector<MetricSample>>& answer) {
  evidence.waiting = false;
  if (!answer) {
    evidence.source_error = answer.error();
    return evidence;
  }
  evidence.source_error.reset();
  if (objective.ratio)
    fold_ratio(evidence, !objective.ratio->queries.good.empty(), *answer);
  else
    fold_value(evidence, *objective.value, *answer);
  return evidence;
}

ObjectiveEvidence evidence_from(const JudgementStatus& checkpoint) {
  ObjectiveEvidence evidence;
  evidence.total = static_cast<double>(checkpoint.total);
  evidence.bad = static_cast<double>(checkpoint.bad);
  evidence.judged_total = static_cast<double>(checkpoint.judged_total);
  evidence.judged_bad = static_cast<double>(checkpoint.judged_bad);
  return evidence;
}

Evidence EvidenceBook::read(const EvidenceKey& key) const {
  Lock lock(mutex_);
  const auto found = evidence_.find(key);
  return found == evidence_.end() ? Evidence{} : found->second;
}

bool EvidenceBook::begin(const EvidenceKey& key, const std::string& objective, WallTime now,
                         const std::optional<WallTime>& judged_from,
                         const std::optional<JudgementStatus>& checkpoint) {
  Lock lock(mutex_);
  std::erase_if(evidence_, [&](const auto& item) {
    return item.first.release_uid == key.release_uid && item.first.revision != key.revision;
  });
  auto& of_revision = evidence_[key];
  const auto [found, fresh] = of_revision.try_emplace(objective);
  auto& evidence = found->second;
  if (fresh && checkpoint) evidence = evidence_from(*checkpoint);
  if (evidence.waiting) return false;
  if (evidence.judged_from != judged_from) evidence.judged_here = 0;
  evidence.judged_from = judged_from;
  evidence.asked = now;
  evidence.waiting = true;
  return true;
}

void EvidenceBook::fold(const EvidenceKey& key, const Objective& objective,
                        const Result<std::vector<MetricSample>>& answer) {
  Lock lock(mutex_);
  const auto of_revision = evidence_.find(key);
  if (of_revision == evidence_.end()) return;  // forgotten since
  auto& evidence = of_revision->second[objective.name];
  evidence = fold_answer(std::move(evidence), objective, answer);
}

void EvidenceBook::forget(const std::string& release_uid) {
  Lock lock(mutex_);
  std::erase_if(evidence_, [&](const auto& item) { return item.first.release_uid == release_uid; });
}

}  // namespace weir
