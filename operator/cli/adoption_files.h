// What one commits to have a live Deployment adopted, made from the live objects. Pure.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace weir {

// As the cluster has them: lists of the Deployment's namespace.
struct LiveObjects {
  Json deployment;
  std::vector<Json> services;
  std::vector<Json> routes;       // HTTPRoutes; none where there is no Gateway API
  std::vector<Json> autoscalers;  // HorizontalPodAutoscalers
};

// What the caller said; "" = it is found out, or made.
struct AdoptionChoice {
  std::string service;
  std::string policy;
  std::string gateway;  // NAME or NAMESPACE/NAME
  std::string prometheus = "http://prometheus.monitoring:9090";
};

struct AdoptionFiles {
  Json release;
  Json policy;                     // null: one was named
  std::vector<std::string> notes;  // what its author must know or do, a sentence each
};

// Errors: Invalid, saying which flag decides it, or which field no Release can have.
Result<AdoptionFiles> adoption_files(const LiveObjects& live, const AdoptionChoice& choice);

}  // namespace weir
