// Weir's own metrics, in Prometheus' text format. Labels are bounded: kinds, verbs, outcomes; never an object's name.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace weir {

// Thread-safe.
class Metrics {
 public:
  explicit Metrics(std::string_view version);
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  void count_write(std::string_view verb, std::string_view kind);
  // `what`: "edited" or "deleted" by somebody else, and put right by us.
  void count_foreign_edit(std::string_view kind, std::string_view what);
  void count_reconcile(std::string_view controller, std::string_view outcome, seconds::rep micros);
  void count_measurement(std::string_view provider, std::string_view outcome);
  void set_objects(std::string_view kind, std::size_t count);
  void set_queue_depth(std::string_view controller, std::size_t depth);
  void set_leader(bool leads);
  void set_lease_transitions(std::int64_t transitions);

  std::string text()
      const;  // the /metrics page; includes resident memory and CPU seconds of the process

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace weir
