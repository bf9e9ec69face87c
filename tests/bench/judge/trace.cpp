#include "bench/judge/trace.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace weir::bench {
namespace {

constexpr double kIndexSeconds = 10;
constexpr double kRareBad = 0.2;  // a sample; below, runs of empty samples are worth skipping

// Index of dispersion over 10 s of errors at `rate` during on, for the share of time `on`.
double index_of(const Cell& cell, double rate) {
  const double on = cell.p0 / rate;
  const double memory = cell.bursts.mean_on * (1 - on);  // the chain's correlation time
  const double t = kIndexSeconds;
  const double sum = memory > 0 ? memory - memory * memory / t * -std::expm1(-t / memory) : 0;
  return 1 + 2 * cell.rps * rate * (1 - on) * sum;
}

double rate_of(const Cell& cell) {
  double low = cell.p0, high = 1;
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    (index_of(cell, middle) < cell.bursts.index ? low : high) = middle;
  }
  return high;
}

}  // namespace

std::uint64_t Cell::seed() const {
  std::uint64_t seed = 14695981039346656037U;
  for (const double field : {p0, factor, weight, rps, interval, bursts.mean_on, bursts.index,
                             static_cast<double>(bursts.kind)})
    seed = (seed ^ std::bit_cast<std::uint64_t>(field)) * 1099511628211U;
  return seed;
}

OnOff::OnOff(const Cell& cell, Rng& rng) : mean_on_(cell.bursts.mean_on) {
  if (cell.bursts.kind == Bursts::Kind::None) return;
  rate_ = rate_of(cell);
  const double on = cell.p0 / rate_;
  mean_off_ = mean_on_ * (1 - on) / on;
  on_ = rng.uniform() < on;
  left_ = rng.exponential(on_ ? mean_on_ : mean_off_);
}

double OnOff::share_on(double seconds, Rng& rng) {
  double to_go = seconds, on = 0;
  while (left_ < to_go) {
    if (on_) on += left_;
    to_go -= left_;
    on_ = !on_;
    left_ = rng.exponential(on_ ? mean_on_ : mean_off_);
  }
  left_ -= to_go;
  if (on_) on += to_go;
  return on / seconds;
}

Trace::Trace(const Cell& cell, Rng& rng)
    : cell_(cell), rng_(rng), canary_(cell, rng), stable_(cell, rng) {}

void Trace::set(double weight, double factor) {
  cell_.weight = weight;
  cell_.factor = factor;
}

Sample Trace::next() { return is_bursty() ? bursty() : independent(cell_.interval); }

Sample Trace::independent(double seconds) {
  const double canary = cell_.rps * cell_.weight * seconds;
  const double stable = cell_.rps * (1 - cell_.weight) * seconds;
  const double rate = cell_.p0 * cell_.factor;
  Sample sample;
  sample.canary.bad = rng_.poisson(canary * rate);
  sample.canary.total = sample.canary.bad + rng_.poisson(canary * (1 - rate));
  sample.stable.bad = rng_.poisson(stable * cell_.p0);
  sample.stable.total = sample.stable.bad + rng_.poisson(stable * (1 - cell_.p0));
  return sample;
}

Sample Trace::bursty() {
  const double canary = cell_.rps * cell_.weight * cell_.interval;
  const double stable = cell_.rps * (1 - cell_.weight) * cell_.interval;
  const double on = stable_.share_on(cell_.interval, rng_);
  const double here =
      cell_.bursts.kind == Bursts::Kind::Shared ? on : canary_.share_on(cell_.interval, rng_);
  const double rate = std::min(1.0, stable_.rate() * cell_.factor) * here;
  Sample sample;
  sample.canary.bad = rng_.poisson(canary * rate);
  sample.canary.total = sample.canary.bad + rng_.poisson(canary * (1 - rate));
  sample.stable.bad = rng_.poisson(stable * stable_.rate() * on);
  sample.stable.total = sample.stable.bad + rng_.poisson(stable * (1 - stable_.rate() * on));
  return sample;
}

// How many of the next intervals have no bad request for certain, or by lot.
double Trace::quiet_intervals() {
  if (is_bursty()) {
    double quiet = stable_.quiet_for();
    if (cell_.bursts.kind == Bursts::Kind::Independent)
      quiet = std::min(quiet, canary_.quiet_for());
    return std::floor(quiet / cell_.interval);
  }
  const double bad =
      cell_.rps * cell_.interval * cell_.p0 * (1 - cell_.weight + cell_.weight * cell_.factor);
  return bad < kRareBad ? std::floor(rng_.exponential(1 / bad)) : -1;
}

Sample Trace::next_bad() {
  const double quiet = quiet_intervals();
  if (quiet < 0) return next();
  const double seconds = quiet * cell_.interval;
  const double canary = cell_.rps * cell_.weight;
  const double stable = cell_.rps * (1 - cell_.weight);
  Sample last;
  if (is_bursty()) {
    stable_.share_on(seconds, rng_);
    canary_.share_on(seconds, rng_);
    last = bursty();
    last.canary.total += rng_.poisson(canary * seconds);
    last.stable.total += rng_.poisson(stable * seconds);
  } else {
    const double rate = cell_.p0 * cell_.factor;
    const double canary_bad = canary * rate;
    const double stable_bad = stable * cell_.p0;
    const double bad = rng_.positive_poisson((canary_bad + stable_bad) * cell_.interval);
    last.canary.bad = rng_.binomial(bad, canary_bad / (canary_bad + stable_bad));
    last.stable.bad = bad - last.canary.bad;
    const double all = seconds + cell_.interval;
    last.canary.total = last.canary.bad + rng_.poisson((canary - canary_bad) * all);
    last.stable.total = last.stable.bad + rng_.poisson((stable - stable_bad) * all);
  }
  last.intervals = quiet + 1;
  return last;
}

Counts Trace::minute_before() {
  const double requests = cell_.rps * 60;
  const double rate = is_bursty() ? stable_.rate() * stable_.share_on(60, rng_) : cell_.p0;
  return {std::min(requests, rng_.poisson(requests * rate)), requests};
}

}  // namespace weir::bench
