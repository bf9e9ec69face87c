#include "stats/random_numbers.h"

#include <cmath>

namespace weir {
namespace {

std::uint64_t splitmix(std::uint64_t& state) {
  std::uint64_t z = state += 0x9e3779b97f4a7c15U;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31);
}

std::uint64_t rotate(std::uint64_t x, int by) { return (x << by) | (x >> (64 - by)); }

}  // namespace

double log_factorial(double k) {
  int sign = 0;
  return ::lgamma_r(k + 1, &sign);
}

Rng::Rng(std::uint64_t cell, std::uint64_t run) {
  std::uint64_t seed = cell * 0x100000001b3U + run;
  for (auto& word : state_) word = splitmix(seed);
}

std::uint64_t Rng::next() {
  const std::uint64_t result = rotate(state_[0] + state_[3], 23) + state_[0];
  const std::uint64_t t = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= t;
  state_[3] = rotate(state_[3], 45);
  return result;
}

double Rng::uniform() { return (static_cast<double>(next() >> 11) + 0.5) * 0x1p-53; }

double Rng::exponential(double mean) { return -mean * std::log(uniform()); }

// By inversion when small, else PTRS (Hörmann 1993, "The transformed rejection method").
double Rng::poisson(double mean) {
  if (mean <= 0) return 0;
  if (mean < 10) {
    double k = 0;
    double term = std::exp(-mean);
    for (double u = uniform() - term; u > 0 && k < 100; u -= term) term *= mean / ++k;
    return k;
  }
  const double b = 0.931 + 2.53 * std::sqrt(mean);
  const double a = -0.059 + 0.02483 * b;
  const double inverse_alpha = 1.1239 + 1.1328 / (b - 3.4);
  for (;;) {
    const double u = uniform() - 0.5;
    const double v = uniform();
    const double us = 0.5 - std::fabs(u);
    const double k = std::floor((2 * a / us + b) * u + mean + 0.43);
    if (us >= 0.07 && v <= 0.9277 - 3.6224 / (b - 2)) return k;
    if (k < 0 || (us < 0.013 && v > us)) continue;
    if (std::log(v * inverse_alpha / (a / (us * us) + b)) <=
        k * std::log(mean) - mean - log_factorial(k))
      return k;
  }
}

double Rng::positive_poisson(double mean) {
  double k = 1;
  double term = mean * std::exp(-mean);
  double u = uniform() * -std::expm1(-mean) - term;
  for (; u > 0 && k < 100; u -= term) term *= mean / ++k;
  return k;
}

double Rng::binomial(double trials, double p) {
  double hits = 0;
  for (auto left = std::llround(trials); left > 0; --left) hits += uniform() < p ? 1 : 0;
  return hits;
}

}  // namespace weir
