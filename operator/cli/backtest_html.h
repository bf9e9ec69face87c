#pragma once

#include <string>
#include <string_view>

#include "replay/backtest.h"

namespace weir {

// One page with nothing from elsewhere: figures, and of each release a chart of both versions' bad answers, of the policy's weight and of
// the evidence. Pure.
std::string backtest_html(std::string_view policy, const Backtest& result);

// "promoted after 12m", "taken back after 41s at 5 % by errors": what the policy would have done, of two versions' names nothing.
std::string decision_text(const ReplayedRelease& release);

// "2 of 34 releases of stable against itself …": with what that means for a year.
std::string trials_text(const Backtest& result);

}  // namespace weir
