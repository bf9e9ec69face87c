// Reports of a step: what its files below $REPORTS say, in a few numbers.
#pragma once

#include <string>
#include <vector>

namespace weir::step {

struct WantedReport {
  std::string name;
  std::string kind;  // JUnit, Cobertura, LCOV, Figures
  std::string path;  // below $REPORTS; '*' in its last part
};

struct Figure {
  std::string name;
  double number = 0;
};

struct Report {
  std::string name;
  std::vector<Figure> figures;
  std::vector<std::string> failed;  // tests, the first of them
  std::string error;
};

// A file as it is now: one that is another later has been written in between.
struct FileState {
  std::string path;
  long long inode = 0;
  long long size = 0;
  long long changed = 0;  // ns
  bool operator==(const FileState&) const = default;
};

// Of each wanted report, in their order.
using ReportFiles = std::vector<std::vector<FileState>>;
ReportFiles find_reports(const std::vector<WantedReport>& wanted);

// Those whose files are not as they were `before`.
std::vector<Report> read_reports(const std::vector<WantedReport>& wanted,
                                 const ReportFiles& before);

}  // namespace weir::step
