// What to ask Prometheus for, so that its answers are a recording of one Release's past: the policy's own queries, filled in as the
// operator does, for every revision that there was. Pure.
//
// Which revisions there were is told by Prometheus itself: names of revisions look like nothing else (delivery/revision.h), so the place of
// $(revision) or $(service) in a label of the total query finds them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "api/canary_policy.h"
#include "base/json.h"
#include "base/result.h"
#include "delivery/ports.h"
#include "kube/object.h"

namespace weir {

// Prometheus itself refuses more than 11,000 points a series; fewer keep an answer of many series small.
inline constexpr int kPointsAQuery = 5000;
inline constexpr std::size_t kRevisionsAQuery = 50;
// The label that the questions put each revision's name into: `revisionLabel` of the recording.
inline constexpr std::string_view kAskedRevision = "weir_revision";

// Finds the revisions that some query has ever counted.
struct RevisionSearch {
  std::string selector;  // of series, for /api/v1/series
  std::string label;     // whose value has the name of a revision
  std::string before;    // in front of it, in that value
};

// One for each different total query of the ratio objectives. Error: Invalid, when a query does not tell where its revision stands.
Result<std::vector<RevisionSearch>> revision_searches(const CanaryPolicySpec& policy,
                                                      const ObjectKey& release);

// The names in an answer of /api/v1/series, sorted. Error: Parse.
Result<std::vector<std::string>> revisions_in(const Json& answer, const RevisionSearch& search);

struct PastQuestion {
  std::string objective;
  std::string role;  // as in a recording
  std::string query;
};
std::vector<PastQuestion> past_questions(const CanaryPolicySpec& policy, const ObjectKey& release,
                                         const std::vector<std::string>& revisions);

// The span in parts of at most kPointsAQuery points, each beginning one step after the end of the one before. `step` above 0.
std::vector<HistorySpan> parts_of(const HistorySpan& span, milliseconds step);

}  // namespace weir
