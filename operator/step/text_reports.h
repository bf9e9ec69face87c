// Reports of lines: LCOV's trace files (geninfo(1)) and figures, "name number" a line.
#pragma once

#include "step/report_file.h"

namespace weir::step {

class LineFile : public ReportFile {
 public:
  using ReportFile::ReportFile;
  bool read(std::string_view part) override;
  std::string end() override;

 protected:
  // Of a line without its end; false: it does not belong there.
  virtual bool take(const std::string& line) = 0;

 private:
  bool take_line();

  std::string line_;
  long number_ = 1;
  bool wrong_ = false;
};

// LF and LH are lines found and hit, BRF and BRH branches.
class LcovFile final : public LineFile {
 public:
  using LineFile::LineFile;

 private:
  bool take(const std::string& line) override;
};

class FiguresFile final : public LineFile {
 public:
  using LineFile::LineFile;

 private:
  bool take(const std::string& line) override;
};

}  // namespace weir::step
