// Readers of one kind of report file each. They add to what other files of the same report have said.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace weir::step {

// What has been counted so far.
struct Counted {
  std::map<std::string, double> sums;
  std::vector<std::string> failed;
};

class ReportFile {
 public:
  explicit ReportFile(Counted& counted) : counted_(counted) {}
  ReportFile(const ReportFile&) = delete;
  ReportFile& operator=(const ReportFile&) = delete;
  virtual ~ReportFile() = default;

  // The next part of the file, in parts of any size; false: it is no such file.
  virtual bool read(std::string_view part) = 0;
  // After the last part; why it is no such file, "" = it is one.
  virtual std::string end() = 0;

 protected:
  Counted& counted_;
};

}  // namespace weir::step
