// From evidence to verdicts. Pure functions of counts; a stronger judge takes this file's place without touching its callers.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "api/canary_policy.h"
#include "base/clock.h"
#include "delivery/evidence.h"

namespace weir {

enum class Verdict { Pass, Unsure, NoData, SourceError, Warning, Breach };
std::string_view to_string(Verdict verdict);

struct Judgement {
  std::string objective;  // its name
  Verdict verdict = Verdict::NoData;
  std::string value;    // what was measured, as text
  std::string bound;    // what it is held against
  std::string message;  // one sentence with the numbers
};

// What the judgements of all objectives mean together.
struct Ruling {
  std::vector<Judgement> judgements;
  std::optional<Judgement>
      breach;  // Critical and broken, or NoData where the user said Rollback and the hold is over
  bool may_advance = false;  // after the hold
  std::string holding;       // why not, when it may not
};

// `judged_from`: from when samples tell of the present weight. What was counted for another one may still break an objective, but
// lets nothing go on. `hold_over`: the weight has been held for its time; only then does NoData with onNoData: Rollback break anything.
Ruling judge(const CanaryPolicySpec& policy, const Evidence& evidence,
             const std::optional<WallTime>& judged_from, WallTime now, bool hold_over);

}  // namespace weir
