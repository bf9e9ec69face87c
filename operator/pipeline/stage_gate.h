// Which stages may begin: by what has become of those before them. Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "api/pipeline.h"
#include "api/pipeline_run.h"

namespace weir {

// What a stage, with all its combinations, is for those that wait for it.
enum class StageOutcome {
  Open,
  Succeeded,
  Failed,
  Cancelled,
  PassedOver,  // by its `when`: who only waits for it goes on
  Blocked,     // skipped for what became of another
};

struct Gate {
  bool open = false;
  std::string waits_for;  // "" = nothing
  std::string blocked;    // why it never opens; "" = it may
};

class StageGates {
 public:
  // Both must outlive this object, which is about the moment.
  StageGates(const std::vector<Stage>& stages, const std::vector<StageStatus>& statuses)
      : stages_(stages), statuses_(statuses) {}

  StageOutcome outcome(const std::string& stage);
  Gate gate(const Stage& stage);
  // Of a stage of `finally`, when all others have ended: it waits for nobody, but cannot do without what it uses.
  Gate final_gate(const Stage& stage);

 private:
  const Stage* find(const std::string& name) const;
  StageOutcome look(const std::string& name);

  const std::vector<Stage>& stages_;
  const std::vector<StageStatus>& statuses_;
  std::map<std::string, StageOutcome> known_;
};

}  // namespace weir
