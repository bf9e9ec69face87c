// From evidence to verdicts: pure functions of what was counted.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "api/canary_policy.h"
#include "base/clock.h"
#include "delivery/evidence.h"

namespace weir {

enum class Verdict { Pass, Unsure, NoData, SourceError, Warning, BothBreach, Breach };
std::string_view to_string(Verdict verdict);

struct Judgement {
  std::string objective;  // its name
  Verdict verdict = Verdict::NoData;
  std::string value;    // what was measured, as text
  std::string bound;    // what it is held against
  std::string message;  // one sentence with the numbers
  // Of a ratio that something was judged of.
  std::string interval{};          // where the true ratio is
  double evidence = 0;             // of the bound that is nearest to a breach; 0 = none is judged
  double needed = 0;               // from here on it is one
  bool lacks_only_stable = false;  // NoData, but not of the judged revision
  bool kept_here = false;          // Pass, and what was served at this weight alone shows it
};

// What the judgements of all objectives mean together.
struct Ruling {
  std::vector<Judgement> judgements;
  std::optional<Judgement>
      breach;  // Critical and broken, or NoData where the user said Rollback and the hold is over
  bool may_advance = false;  // after the hold
  bool may_advance_early =
      false;  // before its end: the policy says Early, and each Critical objective is kept_here
  std::string holding;  // why not, when it may not
};

// The moment that is judged.
struct Occasion {
  WallTime now{};
  // From when samples tell of the present weight. What was counted for another one may still break an objective, but lets nothing go on.
  std::optional<WallTime> judged_from{};
  // The weight has been held for its time; only then does NoData with onNoData: Rollback break anything.
  bool hold_over = false;
  // All traffic is the judged revision's: there is nothing to compare it with.
  bool alone = false;
};

// An objective that only compares is left out where there is nothing to compare with.
Ruling judge(const CanaryPolicySpec& policy, const Evidence& evidence, const Occasion& occasion);

// The evidence from which on one test is a breach: maxFalseRollback is shared evenly among all tests of the Critical ratio objectives.
double needed_evidence(const CanaryPolicySpec& policy);

// "at most 5%; no more than 1.5 times stable's"
std::string bound_text(const RatioObjective& ratio);

}  // namespace weir
