// Chance for rehearsals and measurements, never for a decision: small, fast, and the same numbers with every compiler.
#pragma once

#include <cstdint>

namespace weir {

// xoshiro256++ (Blackman, Vigna), seeded by splitmix64.
class Rng {
 public:
  // Runs of one cell are independent of each other whichever thread makes them.
  Rng(std::uint64_t cell, std::uint64_t run);

  double uniform();  // in (0, 1)
  double exponential(double mean);
  double poisson(double mean);
  // Of at least one.
  double positive_poisson(double mean);
  double binomial(double trials, double p);  // one draw a trial

 private:
  std::uint64_t next();
  std::uint64_t state_[4];
};

double log_factorial(double k);

}  // namespace weir
