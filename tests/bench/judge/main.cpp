// hack/bench judge: prints the tables of the judge's statistics. Exit code 1 when a bound was broken.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "bench/judge/tables.h"

namespace {

constexpr const char* kUsage =
    "usage: bench_judge [--short] [--independent] [--tables false,detection,late,margins,peers]\n"
    "                   [--healthy-runs N] [--runs N] [--threads N] [--history HOURS]\n"
    "--independent: false rollbacks without the bursty cells\n";

struct Table {
  const char* name;
  bool (*print)(const weir::bench::Options&);
};

constexpr Table kTables[] = {{"false", weir::bench::print_false_rollbacks},
                             {"detection", weir::bench::print_detection},
                             {"late", weir::bench::print_late},
                             {"margins", weir::bench::print_margins},
                             {"peers", weir::bench::print_peers}};

struct Arguments {
  weir::bench::Options options;
  std::string_view tables;  // empty: all
  bool valid = true;
};

Arguments parse(int count, char** values) {
  Arguments parsed;
  auto& options = parsed.options;
  for (int i = 1; i < count; ++i) {
    const std::string_view flag = values[i];
    if (flag == "--short") {
      options.few_cells = true;
      options.healthy_runs = 1'000;
      options.runs = 300;
      continue;
    }
    if (flag == "--independent") {
      options.bursts = false;
      continue;
    }
    const char* value = ++i < count ? values[i] : nullptr;
    if (value && flag == "--tables")
      parsed.tables = value;
    else if (value && flag == "--history" && std::atof(value) >= 0)
      options.history_hours = std::atof(value);
    else if (value && flag == "--healthy-runs" && std::atoi(value) > 0)
      options.healthy_runs = std::atoi(value);
    else if (value && flag == "--runs" && std::atoi(value) > 0)
      options.runs = std::atoi(value);
    else if (value && flag == "--threads" && std::atoi(value) > 0)
      options.threads = std::atoi(value);
    else
      parsed.valid = false;
  }
  return parsed;
}

}  // namespace

int main(int count, char** values) {
  const auto arguments = parse(count, values);
  if (!arguments.valid) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  bool kept = true;
  for (const auto& table : kTables) {
    if (!arguments.tables.empty() && arguments.tables.find(table.name) == std::string_view::npos)
      continue;
    const auto since = std::chrono::steady_clock::now();
    kept = table.print(arguments.options) && kept;
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - since;
    std::printf("(%.0f s)\n", took.count());
  }
  return kept ? 0 : 1;
}
