// The commands of `kubectl weir`. Data goes to standard output, errors to standard error.
#pragma once

#include <string>
#include <vector>

namespace weir {

// Exit codes, the same for every command.
namespace exit_code {
inline constexpr int kOk = 0;
inline constexpr int kFailed = 1;
inline constexpr int kUsage = 2;
inline constexpr int kNotFound = 6;
inline constexpr int kForbidden = 7;
}  // namespace exit_code

// weir get [NAME | release/NAME] [-n NS | -A] [-w]: a tree with a weight bar for each Release; with --watch one line per change,
// until interrupted. Returns an exit code.
int run_get(const std::vector<std::string>& words);

// weir sim [--seeds N | N..M] [--trace]: runs of the simulator; 1 when a rule was violated.
int run_sim(const std::vector<std::string>& words);

// weir demo --serve --bare [--listen 127.0.0.1:PORT]: the simulator's API server, empty, in real time, for kubectl; prints the
// kubeconfig to use. Until SIGTERM or SIGINT.
int run_demo(const std::vector<std::string>& words);

}  // namespace weir
