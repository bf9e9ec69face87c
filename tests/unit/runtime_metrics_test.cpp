#include <gtest/gtest.h>

#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "runtime/metrics.h"

namespace weir {
namespace {

// Sample → value, as "name{labels}"; fails on a line that is not of the text format.
// https://prometheus.io/docs/instrumenting/exposition_formats/
std::map<std::string, double> parse(const std::string& text) {
  static const std::regex kComment(R"(# (HELP|TYPE) [a-z_:]+ .+)");
  static const std::regex kSample(
      R"(([a-z_:]+(?:\{(?:[a-z_]+="(?:[^"\\]|\\.)*",?)+\})?) ([0-9.eE+-]+|\+Inf|NaN))");
  std::map<std::string, double> samples;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::smatch match;
    if (std::regex_match(line, kComment)) continue;
    if (!std::regex_match(line, match, kSample)) {
      ADD_FAILURE() << "not the text format: " << line;
      continue;
    }
    EXPECT_EQ(samples.count(match[1]), 0U) << "twice: " << line;
    samples[match[1]] = std::stod(match[2]);
  }
  EXPECT_TRUE(text.ends_with("\n"));
  return samples;
}

TEST(Metrics, TellsTheVersionFromTheStart) {
  EXPECT_EQ(parse(Metrics("v1.2.3").text()).at(R"(weir_build_info{version="v1.2.3"})"), 1);
}

TEST(Metrics, EscapesWhatALabelCannotHold) {
  const auto samples = parse(Metrics("a\"b\\c\nd").text());
  EXPECT_EQ(samples.count(R"(weir_build_info{version="a\"b\\c\nd"})"), 1U);
}

TEST(Metrics, TellsMemoryAndTimeOfTheProcess) {
  const auto samples = parse(Metrics("v").text());
  EXPECT_GT(samples.at("process_resident_memory_bytes"), 1e5);
  EXPECT_GE(samples.at("process_cpu_seconds_total"), 0);
}

TEST(Metrics, CountsPassesByControllerAndOutcomeAndMeasuresTheirTime) {
  Metrics metrics("v");
  metrics.count_reconcile("release", "done", 50);
  metrics.count_reconcile("release", "done", 5'000);
  metrics.count_reconcile("release", "Conflict", 2'000'000);
  const auto samples = parse(metrics.text());
  EXPECT_EQ(samples.at(R"(weir_reconciles_total{controller="release",outcome="done"})"), 2);
  EXPECT_EQ(samples.at(R"(weir_reconciles_total{controller="release",outcome="Conflict"})"), 1);
  const std::string name = "weir_reconcile_duration_seconds";
  EXPECT_EQ(samples.at(name + R"(_count{controller="release"})"), 3);
  EXPECT_NEAR(samples.at(name + R"(_sum{controller="release"})"), 2.00505, 1e-9);
  EXPECT_EQ(samples.at(name + R"(_bucket{controller="release",le="0.0001"})"), 1);
  EXPECT_EQ(samples.at(name + R"(_bucket{controller="release",le="0.01"})"), 2);
  EXPECT_EQ(samples.at(name + R"(_bucket{controller="release",le="+Inf"})"), 3);
}

TEST(Metrics, CountsWritesAndMeasurements) {
  Metrics metrics("v");
  metrics.count_write("create", "Service");
  metrics.count_write("create", "Service");
  metrics.count_measurement("prometheus", "ok");
  const auto samples = parse(metrics.text());
  EXPECT_EQ(samples.at(R"(weir_writes_total{kind="Service",verb="create"})"), 2);
  EXPECT_EQ(samples.at(R"(weir_measurements_total{outcome="ok",provider="prometheus"})"), 1);
}

TEST(Metrics, GaugesShowTheLastValue) {
  Metrics metrics("v");
  metrics.set_objects("Release", 10);
  metrics.set_objects("Release", 7);
  metrics.set_queue_depth("release", 3);
  const auto samples = parse(metrics.text());
  EXPECT_EQ(samples.at(R"(weir_cached_objects{kind="Release"})"), 7);
  EXPECT_EQ(samples.at(R"(weir_queue_depth{controller="release"})"), 3);
}

TEST(Metrics, TellsWhoLeads) {
  Metrics metrics("v");
  EXPECT_EQ(parse(metrics.text()).at("weir_leader"), 0);
  metrics.set_leader(true);
  metrics.set_lease_transitions(7);
  EXPECT_EQ(parse(metrics.text()).at("weir_leader"), 1);
  EXPECT_EQ(parse(metrics.text()).at("weir_lease_transitions"), 7);
}

TEST(Metrics, EveryFamilySaysWhatItIs) {
  Metrics metrics("v");
  metrics.count_write("create", "Service");
  metrics.count_reconcile("release", "done", 1);
  const auto text = metrics.text();
  for (const std::string family :
       {"weir_build_info", "weir_writes_total", "weir_reconciles_total",
        "weir_reconcile_duration_seconds", "process_cpu_seconds_total"}) {
    EXPECT_NE(text.find("# HELP " + family + " "), std::string::npos) << family;
    EXPECT_NE(text.find("# TYPE " + family + " "), std::string::npos) << family;
  }
}

TEST(Metrics, ThreadsCountTogether) {
  Metrics metrics("v");
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (int n = 0; n < 250; ++n) metrics.count_write("patch", "HTTPRoute");
        EXPECT_FALSE(metrics.text().empty());
      });
    }
  }
  EXPECT_EQ(parse(metrics.text()).at(R"(weir_writes_total{kind="HTTPRoute",verb="patch"})"), 1000);
}

}  // namespace
}  // namespace weir
