#include "step/reports.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "step/text_reports.h"
#include "step/xml_reports.h"

namespace weir::step {
namespace {

constexpr std::size_t kMaxFiles = 1000;                  // of a report
constexpr long long kMaxFileBytes = 64LL * 1024 * 1024;  // of each
constexpr std::size_t kMaxFigures = 16;                  // as kMaxFigures of api/report.h
constexpr std::size_t kBlock = 65536;

bool add_state(const std::string& path, std::vector<FileState>& files) {
  struct stat found {};
  if (stat(path.c_str(), &found) != 0 || !S_ISREG(found.st_mode)) return false;
  files.push_back({path, static_cast<long long>(found.st_ino), found.st_size,
                   found.st_mtim.tv_sec * 1'000'000'000LL + found.st_mtim.tv_nsec});
  return true;
}

// '*' stands for any text, but not for a '.' at the beginning. Not fnmatch, which would bring the C library's tables of characters along.
bool fits(std::string_view pattern, std::string_view name) {
  if (name.starts_with('.') && !pattern.starts_with('.')) return false;
  std::size_t at = 0;
  std::size_t from = 0;  // of what the last '*' stands for
  std::size_t star = std::string_view::npos;
  std::size_t i = 0;
  while (at < name.size()) {
    if (i < pattern.size() && pattern[i] == '*') {
      star = i++;
      from = at;
    } else if (i < pattern.size() && pattern[i] == name[at]) {
      ++i;
      ++at;
    } else if (star != std::string_view::npos) {
      i = star + 1;
      at = ++from;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', i) == std::string_view::npos;
}

// By name, so that what is read first does not depend on the file system.
std::vector<FileState> files_of(const std::string& path) {
  std::vector<FileState> files;
  const auto slash = path.rfind('/');
  const auto folder = path.substr(0, slash);
  const auto pattern = path.substr(slash + 1);
  if (pattern.find('*') == std::string::npos) {
    add_state(path, files);
    return files;
  }
  DIR* opened = opendir(folder.c_str());
  if (opened == nullptr) return files;
  for (const dirent* entry = readdir(opened); entry != nullptr && files.size() < kMaxFiles;
       entry = readdir(opened))
    if (fits(pattern, entry->d_name)) add_state(folder + "/" + entry->d_name, files);
  closedir(opened);
  std::sort(files.begin(), files.end(),
            [](const auto& a, const auto& b) { return a.path < b.path; });
  return files;
}

std::unique_ptr<ReportFile> reader_of(const std::string& kind, Counted& counted) {
  if (kind == "JUnit") return std::make_unique<JUnitFile>(counted);
  if (kind == "Cobertura") return std::make_unique<CoberturaFile>(counted);
  if (kind == "LCOV") return std::make_unique<LcovFile>(counted);
  return std::make_unique<FiguresFile>(counted);
}

// Why it could not be read; "" = it was.
std::string read_file(const FileState& file, const std::string& kind, Counted& counted) {
  if (file.size > kMaxFileBytes)
    return "found " + std::to_string(file.size) + " bytes, must be at most " +
           std::to_string(kMaxFileBytes);
  const int fd = open(file.path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return "it cannot be opened";
  const auto reader = reader_of(kind, counted);
  std::array<char, kBlock> block{};
  long long left = kMaxFileBytes;
  ssize_t got = 0;
  while (left > 0 && (got = ::read(fd, block.data(), block.size())) > 0) {
    left -= got;
    if (!reader->read({block.data(), static_cast<std::size_t>(got)})) break;
  }
  close(fd);
  return reader->end();
}

// Of what there is nothing of there is no share.
void add_percent(const Counted& counted, const std::string& name, Report& report) {
  const auto all = counted.sums.find(name);
  const auto hit = counted.sums.find(name + " hit");
  if (all == counted.sums.end() || hit == counted.sums.end() || all->second <= 0) return;
  report.figures.push_back({name, 100 * hit->second / all->second});
}

void add_figures(const std::string& kind, const Counted& counted, Report& report) {
  if (kind == "Cobertura" || kind == "LCOV") {
    add_percent(counted, "lines", report);
    add_percent(counted, "branches", report);
    return;
  }
  for (const auto& [name, number] : counted.sums)
    if (report.figures.size() < kMaxFigures) report.figures.push_back({name, number});
  if (counted.sums.size() > kMaxFigures)
    report.error = "found " + std::to_string(counted.sums.size()) + " figures, must be at most " +
                   std::to_string(kMaxFigures);
}

Report read_report(const WantedReport& wanted, const std::vector<FileState>& files) {
  Report report;
  report.name = wanted.name;
  Counted counted;
  for (const auto& file : files) {
    const auto error = read_file(file, wanted.kind, counted);
    if (error.empty()) continue;
    report.error = file.path.substr(file.path.rfind('/') + 1) + ": " + error;
    return report;
  }
  add_figures(wanted.kind, counted, report);
  report.failed = std::move(counted.failed);
  return report;
}

}  // namespace

ReportFiles find_reports(const std::vector<WantedReport>& wanted) {
  ReportFiles found(wanted.size());
  const char* folder = std::getenv("REPORTS");
  if (folder == nullptr) return found;
  for (std::size_t i = 0; i < wanted.size(); ++i)
    found[i] = files_of(std::string(folder) + "/" + wanted[i].path);
  return found;
}

std::vector<Report> read_reports(const std::vector<WantedReport>& wanted,
                                 const ReportFiles& before) {
  std::vector<Report> reports;
  const auto after = find_reports(wanted);
  for (std::size_t i = 0; i < wanted.size(); ++i)
    if (!after[i].empty() && after[i] != before[i])
      reports.push_back(read_report(wanted[i], after[i]));
  return reports;
}

}  // namespace weir::step
