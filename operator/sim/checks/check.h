// The rules that must hold (design: "Rules that must hold"), watched from outside the code under test. One rule or family of rules
// a file, one line in all_checks().
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kube/kinds.h"
#include "runtime/executor.h"
#include "sim/faulty_api.h"
#include "sim/world/world.h"

namespace weir::sim {

class Witness;

// The rule that a false rollback violates.
inline constexpr std::string_view kGoodStays = "a good revision is not taken back";

struct Violation {
  std::string rule;
  std::string what;
};

// One write by anybody; before is null for a create, after for a delete.
struct Write {
  const ObjectRef& ref;
  const Json& before;
  const Json& after;
  const Author& author;  // instance 0: not the operator

  // Of what the operator decides; its Lease is a matter of its own.
  bool by_operator() const {
    return author.instance != 0 && (!after.is_null() || ref == author.deletes) &&
           !to(kinds::kLease);
  }
  bool to(const Kind& kind) const { return ref.plural == kind.plural; }
};

// What every check may look at, and where it reports.
struct Court {
  const World& world;
  const Witness& witness;
  SimTime drawn_staleness;
  const PlannedFault& planned;
  const SimTime& clock_spread;  // by how much the clocks of all instances so far have differed
  std::function<void(std::string rule, std::string what)> fail;

  SimTime now() const { return world.scene().now(); }
  // How old what a writer saw may be, at most: beyond that the operator must have learned of it.
  SimTime staleness() const {
    const bool write_is_late = planned.at_write != 0 && planned.what == PlannedFault::AtWrite::Late;
    return drawn_staleness + (planned.late_event != 0 ? planned.late_by : SimTime(0)) +
           (write_is_late ? SimTime(kWriteDeadline) + kLongestOnTheWay : SimTime(0));
  }
};

class Check {
 public:
  explicit Check(const Court& court) : court_(court) {}
  virtual ~Check() = default;
  virtual void on_write(const Write& write) = 0;
  // After all faults have stopped and time enough has passed.
  virtual void at_end() {}

 protected:
  const Court& court_;
};

std::vector<std::unique_ptr<Check>> all_checks(const Court& court);

// One line each in checks/.
std::unique_ptr<Check> check_weights(const Court& court);
std::unique_ptr<Check> check_holds(const Court& court);
std::unique_ptr<Check> check_readiness(const Court& court);
std::unique_ptr<Check> check_shares(const Court& court);
std::unique_ptr<Check> check_rollback(const Court& court);
std::unique_ptr<Check> check_pods(const Court& court);
std::unique_ptr<Check> check_drain(const Court& court);
std::unique_ptr<Check> check_ownership(const Court& court);
std::unique_ptr<Check> check_status(const Court& court);
std::unique_ptr<Check> check_orders(const Court& court);
std::unique_ptr<Check> check_requests(const Court& court);
std::unique_ptr<Check> check_config(const Court& court);
std::unique_ptr<Check> check_loops(const Court& court);
std::unique_ptr<Check> check_leader(const Court& court);
std::unique_ptr<Check> check_adoption(const Court& court);
std::unique_ptr<Check> check_stage_jobs(const Court& court);
std::unique_ptr<Check> check_stage_order(const Court& court);
std::unique_ptr<Check> check_run_status(const Court& court);

}  // namespace weir::sim
