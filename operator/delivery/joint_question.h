// Questions of several releases to one source, asked as one query: a thousand releases are not a thousand queries an interval.
#pragma once

#include <memory>
#include <vector>

#include "delivery/release_questions.h"

namespace weir {

using Questions = std::vector<std::shared_ptr<const ReleaseQuestion>>;

// The expressions of all of them, for one call of MetricProvider::measure. Their roles tell whose they are.
std::vector<MetricExpression> joined(const Questions& questions);

// What each of them would have been told alone, in their order. Pure. Error: Invalid, for a question with more than kMaxSeries series
// of a revision; the others keep their answers.
std::vector<Result<std::vector<MetricSample>>> parted(std::vector<MetricSample> answer,
                                                      const Questions& questions);

}  // namespace weir
