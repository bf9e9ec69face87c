// Reports of a stage: numbers by name ("figures"), read from what its steps write below $REPORTS, and the bounds that they must keep.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace weir {

inline constexpr std::size_t kMaxReports = 8;  // of a stage
inline constexpr std::size_t kMaxReportBounds = 16;
inline constexpr std::size_t kMaxFigures = 16;  // of a report

enum class ReportKind {
  JUnit,      // figures tests, failures, errors, skipped, seconds; and the names of failed tests
  Cobertura,  // figures lines, branches: percent
  Lcov,       // the same
  Figures,    // one "name number" a line
};
std::string_view to_string(ReportKind kind);

// At least one of the two.
struct FigureBound {
  std::string figure;
  std::optional<double> at_least{};
  std::optional<double> at_most{};
};

struct StageReport {
  std::string name;
  ReportKind kind = ReportKind::JUnit;
  std::string path;  // below $REPORTS; '*' in its last part stands for any text
  std::vector<FigureBound> bounds{};
};

// What was read.
struct Report {
  std::string name;
  std::map<std::string, double> figures{};
  std::vector<std::string> failed{};  // tests
  std::string error{};                // why there are no figures, or not all
  bool operator==(const Report&) const = default;
};

// Lenient: what is unreadable is as if absent.
std::vector<Report> decode_reports(const Json& list);
Json encode_reports(const std::vector<Report>& reports);

// "tests 41, failures 2, seconds 3.5"
std::string figures_text(const Report& report);

// "report load: p99_ms is 31, must be at most 20": the first bound that is broken, or that nothing was written for; "" = all are kept.
std::string broken_bound(const std::vector<StageReport>& wanted,
                         const std::vector<Report>& reports);

}  // namespace weir
