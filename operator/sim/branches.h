// Runs that branch off another one: each goes on in a copy of this process (fork(2)), so what they share is computed once.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <functional>
#include <map>
#include <string>

#include "base/clock.h"

namespace weir::sim {

// A branch that takes longer is killed.
inline constexpr seconds kLongestBranch{300};

// What is left of a branch.
struct BranchEnd {
  std::size_t index = 0;
  std::string said;     // what it left with
  std::string trouble;  // why it left without a word; empty: it did not
};

// For a process of one thread. `on_end` is called in the original, from branch() and join().
class Branches {
 public:
  Branches(int most, std::function<void(const BranchEnd&)> on_end)
      : most_(static_cast<std::size_t>(most)), on_end_(std::move(on_end)) {}
  Branches(const Branches&) = delete;
  Branches& operator=(const Branches&) = delete;
  ~Branches() { join(); }

  // Returns twice: true in the copy, which must leave(), false in the original. Waits while as many run as may.
  bool branch(std::size_t index);
  // In the copy only: ends it at once, without destructors and without what stands in buffers of streams.
  [[noreturn]] void leave(const std::string& word) const;
  // Until all have ended.
  void join();

 private:
  struct Running {
    std::size_t index;
    pid_t pid;
    SteadyTime until;
    std::string said{};
  };

  void wait_for_some();
  bool read_from(int pipe, Running& branch) const;
  void end(int pipe, std::string trouble);

  const SystemClock clock_;  // the machine's, not the simulation's
  std::size_t most_;
  std::function<void(const BranchEnd&)> on_end_;
  std::map<int, Running> running_;  // by the end of the pipe that we read
  int our_pipe_ = -1;               // in a copy: where its word goes
};

}  // namespace weir::sim
