// Anytime-valid tests of a proportion, as a bet against the null hypothesis.
//
// For a bound p0 and an alternative p1, the likelihood ratio (p1/p0)^bad · ((1-p1)/(1-p0))^(total-bad) is a non-negative
// supermartingale under every p on p0's other side, so is any mixture of such ratios, and by Ville's inequality it ever reaches
// 1/alpha with probability at most alpha: it may be looked at after every sample, and acted on at any of them.
// (Ville 1939; Robbins 1970; Howard et al. 2021, "Time-uniform, nonparametric, nonasymptotic confidence sequences".)
// Assumes independent requests; bursts of correlated errors break the bound.
#pragma once

namespace weir {

// Evidence that the true proportion is above `bound`: an e-value, 1 = none. Mixture over 1.25, 1.5, 2, 3, 5 and 10 times the odds.
// Needs 0 ≤ bad ≤ total and 0 < bound < 1. Pure.
double evidence_above(double bad, double total, double bound);

// Evidence that the true proportion is below `bound`; the mirror image.
double evidence_below(double bad, double total, double bound);

}  // namespace weir
