// What has become of one attempt, from its Job and pods. Pure.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/job_views.h"
#include "api/pipeline.h"
#include "base/clock.h"

namespace weir {

struct AttemptEnd {
  std::optional<FailureClass> failure{};  // none: it succeeded
  std::string message{};                  // one sentence: which step, which code, whose words
  std::map<std::string, std::string> results{};
  std::vector<Report> reports{};
};

struct AttemptView {
  std::optional<AttemptEnd> end{};  // known, though its pod may still be ending
  bool must_stop = false;           // its Job would not end by itself
  std::string waiting{};            // what it waits for; "" = for its steps
  std::optional<WallTime> look_again{};
};

// `started`: when the attempt's Job was made. `pods`: the Job's, of which only the newest counts.
AttemptView look_at_attempt(const Stage& stage, const JobView& job,
                            const std::vector<std::shared_ptr<const StagePodView>>& pods,
                            WallTime started, WallTime now);

}  // namespace weir
