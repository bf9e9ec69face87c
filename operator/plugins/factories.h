// One line per plug-in; each is defined in the file of its name.
#pragma once

#include "delivery/ports.h"

namespace weir {

const TrafficRouter& gateway_api_router();
const TrafficRouter& replicas_router();
const MetricProvider& prometheus_provider();

}  // namespace weir
