// Which run of a group may begin, and which has to make room. Pure.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "api/pipeline.h"
#include "api/pipeline_run.h"

namespace weir {

enum class Place { Free, Queued, Rejected, Superseded };

struct PlaceRuling {
  Place place = Place::Free;
  std::string by;  // the run that is in the way
};

// Two runs that are looked at one after the other, whatever the order, never both get the last place.
PlaceRuling place_of(const PipelineRun& run, const Concurrency& concurrency,
                     const std::string& group,
                     const std::vector<std::shared_ptr<const PipelineRun>>& others);

}  // namespace weir
