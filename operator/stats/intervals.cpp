#include "stats/intervals.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace weir {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr int kMostTrials = 10'000'000;

Result<void> check_alpha(double alpha) {
  if (alpha > 0 && alpha < 1) return {};
  return Error{ErrorKind::Invalid,
               fmt::format("alpha is {:g}: allowed is above 0 and below 1", alpha)};
}

// Not std::lgamma, which writes the sign to a global variable.
double log_gamma(double x) {
  int sign = 0;
  return ::lgamma_r(x, &sign);
}

double log_beta(double a, double b) { return log_gamma(a) + log_gamma(b) - log_gamma(a + b); }

double times_log(double count, double p) { return count > 0 ? count * std::log(p) : 0; }

double log_likelihood(double bad, double good, double rate) {
  return times_log(bad, rate) + times_log(good, 1 - rate);
}

// Where the likelihood crosses `level` between a rate whose likelihood is below it and one above. Closes in on the former.
double crossing(double bad, double good, double below, double above, double level) {
  for (int i = 0; i < 200; ++i) {
    const double middle = (below + above) / 2;
    if (middle == below || middle == above) break;
    (log_likelihood(bad, good, middle) < level ? below : above) = middle;
  }
  return below;
}

// P(at least so many hits) of a binomial distribution, for hits above its mean: from there on terms fall.
double tail_from(int hits, int trials, double chance) {
  double sum = 0;
  for (int k = hits; k <= trials; ++k) {
    const double log_choices =
        log_gamma(trials + 1.0) - log_gamma(k + 1.0) - log_gamma(trials - k + 1.0);
    const double term =
        std::exp(log_choices + k * std::log(chance) + times_log(trials - k, 1 - chance));
    sum += term;
    if (term <= sum * 1e-16) break;
  }
  return sum;
}

}  // namespace

Result<Interval> rate_interval(const Counts& sum, double alpha, double dispersion) {
  if (auto checked = check_counts("sum", sum); !checked) return std::move(checked).error();
  if (auto checked = check_dispersion(dispersion); !checked) return std::move(checked).error();
  if (auto checked = check_alpha(alpha); !checked) return std::move(checked).error();
  if (sum.total <= 0) return Interval{0, 1};
  const double bad = sum.bad / dispersion;
  const double good = (sum.total - sum.bad) / dispersion;
  const double level = log_beta(bad + 0.5, good + 0.5) - log_beta(0.5, 0.5) + std::log(alpha);
  const double best = sum.bad / sum.total;
  return Interval{bad > 0 ? crossing(bad, good, 0, best, level) : 0,
                  good > 0 ? crossing(bad, good, 1, best, level) : 1};
}

Result<double> least_chance(int hits, int trials, double alpha) {
  if (auto checked = check_alpha(alpha); !checked) return std::move(checked).error();
  if (trials < 0 || trials > kMostTrials)
    return Error{ErrorKind::Invalid,
                 fmt::format("trials is {}: allowed is 0 to {}", trials, kMostTrials)};
  if (hits < 0 || hits > trials)
    return Error{ErrorKind::Invalid,
                 fmt::format("hits is {}: allowed is 0 to the trials, {}", hits, trials)};
  if (hits == 0) return 0.0;
  double low = 0, high = static_cast<double>(hits) / trials;
  for (int i = 0; i < 100; ++i) {
    const double middle = (low + high) / 2;
    if (middle == low || middle == high) break;
    (tail_from(hits, trials, middle) < alpha ? low : high) = middle;
  }
  return low;
}

double RatioInterval::ratio(int point) {
  return std::exp2(static_cast<double>(point) / kPerOctave - kOctaves);
}

Result<void> RatioInterval::add(const Counts& canary, const Counts& stable, double dispersion) {
  if (auto checked = check_counts("canary", canary); !checked) return checked;
  if (auto checked = check_counts("stable", stable); !checked) return checked;
  if (auto checked = check_dispersion(dispersion); !checked) return checked;
  sample_.add(canary, stable);
  if (sample_.bad() <= 0) return {};
  for (int i = 0; i < kPoints; ++i) {
    const double expected = ratio(i) * sample_.canary.total;
    const double share = expected / (expected + sample_.stable.total);
    log_likelihood_[i] +=
        (times_log(sample_.canary.bad, share) + times_log(sample_.stable.bad, 1 - share)) /
        dispersion;
  }
  sample_ = {};
  return {};
}

Result<Interval> RatioInterval::interval(double alpha) const {
  if (auto checked = check_alpha(alpha); !checked) return std::move(checked).error();
  const double most = *std::max_element(log_likelihood_.begin(), log_likelihood_.end());
  double sum = 0;
  for (const double value : log_likelihood_) sum += std::exp(value - most);
  const double level = most + std::log(sum / kPoints) + std::log(alpha);
  int first = 0, last = kPoints - 1;
  while (first < last && log_likelihood_[first] <= level) ++first;
  while (last > first && log_likelihood_[last] <= level) --last;
  return Interval{first == 0 ? 0 : ratio(first - 1),
                  last == kPoints - 1 ? kInfinity : ratio(last + 1)};
}

}  // namespace weir
