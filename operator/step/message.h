// What a step leaves for the operator: the container's termination message.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "step/options.h"

namespace weir::step {

using Results = std::map<std::string, std::string>;

struct Message {
  Results results;
  std::vector<Report> reports;
  std::string timeout;  // "Step", "NoOutput"; "" = none
  std::string failure;  // class that the exit code does not tell: "Config"; "" = none
  std::string error;    // for people

  bool empty() const {
    return results.empty() && reports.empty() && timeout.empty() && failure.empty() &&
           error.empty();
  }
};

// Files of $RESULTS without line ends at their end; those that are not there are left out.
Results read_results(const std::vector<std::string>& names);

// Those of `after` that differ from `before`; what is too long, or no text, goes to `error` instead.
Message message_of(const Results& before, const Results& after, std::size_t max_bytes);

std::string to_json(const Message& message);

// Names of failed tests go first, then figures, until the message fits.
void make_fit(Message& message, std::size_t max_bytes);

// Whether it could be written. An empty one is not.
bool leave(const Message& message, const RunOptions& options);

// The whole of it, as far as the kernel takes it.
bool write_all(int fd, const char* data, std::size_t size);

}  // namespace weir::step
