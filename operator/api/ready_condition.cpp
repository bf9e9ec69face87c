#include "api/ready_condition.h"

namespace weir {

Condition ready_condition(const Error* refusal, std::int64_t generation,
                          const std::vector<Condition>& before, WallTime now) {
  Condition ready{"Ready",
                  refusal ? "False" : "True",
                  refusal ? "InvalidSpec" : "Usable",
                  refusal ? refusal->message : "",
                  generation,
                  now};
  for (const auto& old : before) {
    if (old.type == ready.type && old.status == ready.status)
      ready.last_transition = old.last_transition;
  }
  return ready;
}

}  // namespace weir
