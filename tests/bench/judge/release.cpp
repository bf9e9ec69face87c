#include "bench/judge/release.h"

#include <cmath>
#include <limits>
#include <memory>

#include "stats/at_most.h"
#include "stats/dispersion.h"

namespace weir::bench {
namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();

// The judge's test, whichever question it is; aborts on refused input, which a trace never gives.
class Judge {
 public:
  Judge(const Options& options, const Question& question, Trace& trace) {
    for (double minute = 0; minute < options.history_hours * 60; ++minute)
      dispersion_.add(trace.minute_before(), 60).has_value();
    if (question.bound > 0)
      at_most_ =
          std::make_unique<AtMost>(AtMost::create(question.bound, AtMost::Claim::Above).value());
    else
      versus_ = std::make_unique<VersusStable>(
          VersusStable::create(question.margin, weir::Claim::Worse).value());
    threshold_ = 1 / options.alpha;
  }

  bool breaches(const Sample& sample, double seconds) {
    const double dispersion = dispersion_.value();
    if (versus_)
      versus_->add(sample.canary, sample.stable, dispersion).has_value();
    else
      at_most_->add(sample.canary, dispersion).has_value();
    dispersion_.add(sample.stable, seconds).has_value();
    return (versus_ ? versus_->evidence() : at_most_->evidence()) >= threshold_;
  }

  void begin_step() {
    if (versus_)
      versus_->begin_step();
    else
      at_most_->begin_step();
  }

 private:
  std::unique_ptr<VersusStable> versus_;
  std::unique_ptr<AtMost> at_most_;
  Dispersion dispersion_;
  double threshold_;
};

Limit limit_of(const Question& question, const Cell& cell) {
  return question.bound > 0 ? Limit::at_most(cell, question.bound)
                            : Limit::versus_stable(cell, question.margin);
}

}  // namespace

bool Question::is_broken_by(const Cell& cell) const {
  const double canary = cell.p0 * cell.factor;
  if (bound > 0) return canary > bound * (1 + 1e-9);
  return canary > margin.times * cell.p0 * (1 + 1e-9) &&
         canary > (cell.p0 + margin.plus) * (1 + 1e-9);
}

bool rolls_back(const Options& options, const Question& question, const Cell& cell, Rng& rng) {
  Trace trace(cell, rng);
  Judge judge(options, question, trace);
  for (double now = 0;;) {
    const Sample sample = trace.next_bad();
    const double seconds = sample.intervals * cell.interval;
    now += seconds;
    if (now > options.horizon) return false;
    if (judge.breaches(sample, seconds)) return true;
  }
}

Found find(const Options& options, const Question& question, const Cell& cell, const Course& course,
           Rng& rng) {
  constexpr double kStepSeconds = 120;
  Trace trace(cell, rng);
  Judge judge(options, question, trace);
  Found found{kNever, kNever};
  double now = 0;
  const auto healthy_until = [&](double end) {
    while (now < end && !found.early) {
      now += cell.interval;
      found.early = judge.breaches(trace.next(), cell.interval);
    }
  };
  for (const double weight : course.steps) {
    trace.set(weight, 1);
    healthy_until(now + kStepSeconds);
    judge.begin_step();
  }
  trace.set(cell.weight, 1);
  healthy_until(now + course.change);
  trace.set(cell.weight, cell.factor);
  Limit limit = limit_of(question, cell);
  double requests = 0;
  while (now < options.horizon && (found.judge == kNever || found.limit == kNever)) {
    now += cell.interval;
    const Sample sample = trace.next();
    requests += sample.canary.total;
    if (found.judge == kNever && judge.breaches(sample, cell.interval)) found.judge = requests;
    if (found.limit == kNever) {
      limit.add(sample);
      if (limit.log_evidence() >= -std::log(options.alpha)) found.limit = requests;
    }
  }
  return found;
}

}  // namespace weir::bench
