#include "runtime/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>

namespace weir {
namespace {

using prometheus::BuildCounter;
using prometheus::BuildGauge;
using prometheus::BuildHistogram;

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto of = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return of(usage.ru_utime) + of(usage.ru_stime);
}

double resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::int64_t size = 0;
  std::int64_t resident = 0;
  statm >> size >> resident;
  return static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE));
}

}  // namespace

struct Metrics::Impl {
  prometheus::Registry registry;
  prometheus::Family<prometheus::Counter>& writes =
      BuildCounter()
          .Name("weir_writes_total")
          .Help("Writes to the Kubernetes API that succeeded")
          .Register(registry);
  prometheus::Family<prometheus::Counter>& foreign_edits =
      BuildCounter()
          .Name("weir_foreign_edits_total")
          .Help("Changes of our children by others that were put right")
          .Register(registry);
  prometheus::Family<prometheus::Counter>& reconciles =
      BuildCounter()
          .Name("weir_reconciles_total")
          .Help("Passes over an object, by outcome")
          .Register(registry);
  prometheus::Family<prometheus::Histogram>& durations =
      BuildHistogram()
          .Name("weir_reconcile_duration_seconds")
          .Help("Time of one pass, writes included")
          .Register(registry);
  prometheus::Family<prometheus::Counter>& measurements =
      BuildCounter()
          .Name("weir_measurements_total")
          .Help("Queries to metric sources, by outcome")
          .Register(registry);
  prometheus::Family<prometheus::Gauge>& objects =
      BuildGauge().Name("weir_cached_objects").Help("Objects in the caches").Register(registry);
  prometheus::Family<prometheus::Gauge>& queue_depth =
      BuildGauge()
          .Name("weir_queue_depth")
          .Help("Keys that wait for a worker or a time")
          .Register(registry);
  prometheus::Gauge& leader = BuildGauge()
                                  .Name("weir_leader")
                                  .Help("1: this process acts; 0: it stands by")
                                  .Register(registry)
                                  .Add({});
  prometheus::Gauge& lease_transitions =
      BuildGauge()
          .Name("weir_lease_transitions")
          .Help("How often the lease has changed hands, as it says itself")
          .Register(registry)
          .Add({});
  prometheus::Gauge& cpu = BuildGauge()
                               .Name("process_cpu_seconds_total")
                               .Help("CPU time of the process")
                               .Register(registry)
                               .Add({});
  prometheus::Gauge& memory = BuildGauge()
                                  .Name("process_resident_memory_bytes")
                                  .Help("Resident memory of the process")
                                  .Register(registry)
                                  .Add({});
};

Metrics::Metrics(std::string_view version) : impl_(std::make_unique<Impl>()) {
  BuildGauge()
      .Name("weir_build_info")
      .Help("1; the version is a label")
      .Register(impl_->registry)
      .Add({{"version", std::string(version)}})
      .Set(1);
}

Metrics::~Metrics() = default;

void Metrics::count_write(std::string_view verb, std::string_view kind) {
  impl_->writes.Add({{"verb", std::string(verb)}, {"kind", std::string(kind)}}).Increment();
}

void Metrics::count_foreign_edit(std::string_view kind, std::string_view what) {
  impl_->foreign_edits.Add({{"kind", std::string(kind)}, {"what", std::string(what)}}).Increment();
}

void Metrics::count_reconcile(std::string_view controller, std::string_view outcome,
                              seconds::rep micros) {
  static const prometheus::Histogram::BucketBoundaries kBounds{0.0001, 0.001, 0.01, 0.1, 1, 10};
  impl_->reconciles
      .Add({{"controller", std::string(controller)}, {"outcome", std::string(outcome)}})
      .Increment();
  impl_->durations.Add({{"controller", std::string(controller)}}, kBounds)
      .Observe(static_cast<double>(micros) / 1e6);
}

void Metrics::count_measurement(std::string_view provider, std::string_view outcome) {
  impl_->measurements.Add({{"provider", std::string(provider)}, {"outcome", std::string(outcome)}})
      .Increment();
}

void Metrics::set_objects(std::string_view kind, std::size_t count) {
  impl_->objects.Add({{"kind", std::string(kind)}}).Set(static_cast<double>(count));
}

void Metrics::set_queue_depth(std::string_view controller, std::size_t depth) {
  impl_->queue_depth.Add({{"controller", std::string(controller)}}).Set(static_cast<double>(depth));
}

void Metrics::set_leader(bool leads) { impl_->leader.Set(leads ? 1 : 0); }

void Metrics::set_lease_transitions(std::int64_t transitions) {
  impl_->lease_transitions.Set(static_cast<double>(transitions));
}

std::string Metrics::text() const {
  impl_->cpu.Set(cpu_seconds());
  impl_->memory.Set(resident_bytes());
  return prometheus::TextSerializer().Serialize(impl_->registry.Collect());
}

}  // namespace weir
