// The rules that must hold (design: "Rules that must hold"), watched from outside the code under test.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "api/canary_policy.h"
#include "sim/world.h"

namespace weir::sim {

struct Violation {
  std::string rule;
  std::string what;
};

class Checks {
 public:
  Checks(const World& world, const SimClock& clock, CanaryPolicySpec policy)
      : world_(world), clock_(clock), policy_(std::move(policy)) {}

  // Every write by anybody; `by_operator` tells whose it is.
  void on_write(const ObjectRef& ref, const Json& before, const Json& after, bool by_operator);
  void on_tick();
  // The revision that the spec asks for, and whether it is a good one.
  void wants(const std::string& revision, bool good);
  void fail(const std::string& rule, const std::string& what);

  const std::vector<Violation>& violations() const { return violations_; }

 private:
  void check_route(const Json& before, const Json& after);
  void check_rise(const std::string& revision, int from, int to, const std::string& stable);
  void check_replica_set(const Json& before, const Json& after);
  void check_owner(const ObjectRef& ref, const Json& object);

  const World& world_;
  const SimClock& clock_;
  CanaryPolicySpec policy_;
  std::string wanted_;
  std::map<std::string, bool> good_;
  std::set<std::string> taken_back_;  // since the spec last changed
  std::map<std::string, int> served_;
  std::map<std::string, WallTime> served_since_;  // each revision's present weight
  std::set<std::string> ever_served_;
  double lost_ = 0;
  std::vector<Violation> violations_;
};

}  // namespace weir::sim
