#include "api/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "api/text_rules.h"

namespace weir {
namespace {

constexpr std::size_t kMaxName = 63;         // bytes
constexpr std::size_t kMaxFailedName = 160;  // bytes
constexpr std::size_t kMaxFailedNames = 20;
constexpr std::size_t kMaxReportError = 256;  // bytes

std::optional<double> number_in(const std::string& text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole && std::isfinite(number) ? std::optional(number) : std::nullopt;
}

std::string number_text(double number) { return fmt::format("{:.6g}", number); }

Report decode_report(const Json& json) {
  Report report;
  report.name = clip(json_text(json, {"name"}), kMaxName);
  report.error = clip(json_text(json, {"error"}), kMaxReportError);
  const Json& figures = json_at(json, {"figures"});
  if (figures.is_object())
    for (const auto& [name, value] : figures.items()) {
      const auto number = value.is_string() ? number_in(value.get<std::string>()) : std::nullopt;
      if (number && report.figures.size() < kMaxFigures)
        report.figures[clip(name, kMaxName)] = *number;
    }
  for (const auto& name : json_at(json, {"failed"}))
    if (name.is_string() && report.failed.size() < kMaxFailedNames)
      report.failed.push_back(clip(name.get<std::string>(), kMaxFailedName));
  return report;
}

std::string broken(const StageReport& wanted, const FigureBound& bound, const Report* report) {
  const auto about = fmt::format("report {}: ", wanted.name);
  if (!report) return fmt::format("{}$REPORTS/{} was not written", about, wanted.path);
  const auto found = report->figures.find(bound.figure);
  if (found == report->figures.end())
    return about + (report->error.empty() ? "it has no " + bound.figure : report->error);
  const auto says =
      fmt::format("{}{} is {}, must be ", about, bound.figure, number_text(found->second));
  if (bound.at_least && found->second < *bound.at_least)
    return fmt::format("{}at least {}", says, number_text(*bound.at_least));
  if (bound.at_most && found->second > *bound.at_most)
    return fmt::format("{}at most {}", says, number_text(*bound.at_most));
  return "";
}

}  // namespace

std::string_view to_string(ReportKind kind) {
  switch (kind) {
    case ReportKind::JUnit: return "JUnit";
    case ReportKind::Cobertura: return "Cobertura";
    case ReportKind::Lcov: return "LCOV";
    case ReportKind::Figures: return "Figures";
  }
  return "Figures";
}

std::vector<Report> decode_reports(const Json& list) {
  std::vector<Report> reports;
  for (const auto& json : list)
    if (json.is_object() && reports.size() < kMaxReports) reports.push_back(decode_report(json));
  return reports;
}

Json encode_reports(const std::vector<Report>& reports) {
  Json list = Json::array();
  for (const auto& report : reports) {
    Json json{{"name", report.name}};
    for (const auto& [name, number] : report.figures) json["figures"][name] = number_text(number);
    if (!report.failed.empty()) json["failed"] = report.failed;
    if (!report.error.empty()) json["error"] = report.error;
    list.push_back(std::move(json));
  }
  return list;
}

std::string figures_text(const Report& report) {
  std::string text;
  for (const auto& [name, number] : report.figures)
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", name, number_text(number));
  return text;
}

std::string broken_bound(const std::vector<StageReport>& wanted,
                         const std::vector<Report>& reports) {
  for (const auto& each : wanted) {
    const auto found = std::find_if(reports.begin(), reports.end(),
                                    [&](const Report& report) { return report.name == each.name; });
    for (const auto& bound : each.bounds) {
      auto text = broken(each, bound, found == reports.end() ? nullptr : &*found);
      if (!text.empty()) return text;
    }
  }
  return "";
}

}  // namespace weir
