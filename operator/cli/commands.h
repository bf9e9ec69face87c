// One line per command; each is defined in the file of its name.
#pragma once

#include "cli/command.h"

namespace weir {

Command list_command();
Command get_command();
Command watch_command();
Command explain_command();
Command promote_command();
Command pause_command();
Command resume_command();
Command abort_command();
Command retry_command();
Command rollback_command();
Command lint_command();
Command adopt_command();
Command plan_command();
Command backtest_command();
Command run_command();
Command runs_command();
Command logs_command();
Command cancel_command();
Command sim_command();
Command demo_command();
Command completion_command();
Command complete_command();
Command version_command();

}  // namespace weir
