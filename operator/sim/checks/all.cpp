#include "sim/checks/check.h"

namespace weir::sim {

std::vector<std::unique_ptr<Check>> all_checks(const Court& court) {
  std::vector<std::unique_ptr<Check>> checks;
  checks.push_back(check_weights(court));
  checks.push_back(check_holds(court));
  checks.push_back(check_readiness(court));
  checks.push_back(check_shares(court));
  checks.push_back(check_rollback(court));
  checks.push_back(check_pods(court));
  checks.push_back(check_drain(court));
  checks.push_back(check_ownership(court));
  checks.push_back(check_status(court));
  checks.push_back(check_orders(court));
  checks.push_back(check_requests(court));
  checks.push_back(check_config(court));
  checks.push_back(check_loops(court));
  checks.push_back(check_leader(court));
  checks.push_back(check_adoption(court));
  checks.push_back(check_stage_jobs(court));
  checks.push_back(check_stage_order(court));
  checks.push_back(check_run_status(court));
  return checks;
}

}  // namespace weir::sim
