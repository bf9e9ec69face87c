#pragma once

#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>

#include "api/canary_policy.h"
#include "cli/arguments.h"
#include "cli/command.h"

namespace weir {

struct NamedPolicy {
  std::string name;
  CanaryPolicySpec spec;
};

inline constexpr Flag kPolicyFile{"filename", 'f', "FILE",
                                  "with the CanaryPolicy (YAML or JSON); - is standard input"};
inline constexpr Flag kPolicyName{"policy", 0, "NAME", "of several in the file"};

// The CanaryPolicy of --filename, checked as the API server and the operator would. Errors: Invalid or Parse, naming file and field.
Result<NamedPolicy> read_policy_file(const Invocation& invocation);

// The number of a flag; nothing when it was not given. Error: Invalid, for anything but a finite number.
Result<std::optional<double>> read_number(const Arguments& arguments, std::string_view flag);

// "45s", "3m20s", "2h5m": to whole seconds below an hour, to minutes above.
std::string rough_duration(double in_seconds);

}  // namespace weir
