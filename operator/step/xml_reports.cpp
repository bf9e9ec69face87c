#include "step/xml_reports.h"

#include <cmath>
#include <cstdlib>

namespace weir::step {
namespace {

constexpr std::size_t kMaxFailed = 20;      // names that are kept
constexpr std::size_t kMaxNameBytes = 120;  // of a test

// Not in the middle of a UTF-8 character.
std::string cut(std::string text) {
  if (text.size() <= kMaxNameBytes) return text;
  std::size_t end = kMaxNameBytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return text.substr(0, end);
}

}  // namespace

XmlFile::XmlFile(Counted& counted) : ReportFile(counted), parser_(XML_ParserCreate(nullptr)) {
  if (parser_ == nullptr) return;
  XML_SetUserData(parser_, this);
  XML_SetElementHandler(
      parser_,
      [](void* self, const char* name, const char** attributes) {
        static_cast<XmlFile*>(self)->begin_element(name, attributes);
      },
      [](void* self, const char* name) { static_cast<XmlFile*>(self)->end_element(name); });
}

XmlFile::~XmlFile() {
  if (parser_ != nullptr) XML_ParserFree(parser_);
}

bool XmlFile::read(std::string_view part) { return parse(part, XML_FALSE); }

std::string XmlFile::end() { return error_.empty() && parse("", XML_TRUE) ? lacks() : error_; }

bool XmlFile::parse(std::string_view part, XML_Bool last) {
  if (parser_ == nullptr) {
    error_ = "no memory";
  } else if (XML_Parse(parser_, part.data(), static_cast<int>(part.size()), last) !=
             XML_STATUS_OK) {
    error_ = std::string(XML_ErrorString(XML_GetErrorCode(parser_))) + " in line " +
             std::to_string(XML_GetCurrentLineNumber(parser_));
  }
  return error_.empty();
}

const char* XmlFile::attribute(const char** attributes, std::string_view name) {
  for (; *attributes != nullptr; attributes += 2)
    if (name == attributes[0]) return attributes[1];
  return nullptr;
}

double XmlFile::number(const char** attributes, std::string_view name) {
  const char* text = attribute(attributes, name);
  const double value = text == nullptr ? 0 : std::strtod(text, nullptr);
  return std::isfinite(value) ? value : 0;
}

void JUnitFile::begin_element(std::string_view name, const char** attributes) {
  auto& sums = counted_.sums;
  if (name == "testsuite" || name == "testsuites") {
    is_suite_ = true;
    for (const auto* each : {"tests", "failures", "errors", "skipped", "seconds"}) sums[each] += 0;
  } else if (name == "testcase") {
    in_case_ = true;
    has_failed_ = false;
    ++sums["tests"];
    sums["seconds"] += number(attributes, "time");
    const char* of = attribute(attributes, "classname");
    const char* called = attribute(attributes, "name");
    case_ = of == nullptr || *of == '\0' ? "" : std::string(of) + ".";
    case_ += called == nullptr ? "" : called;
  } else if (in_case_ && (name == "failure" || name == "error")) {
    if (!has_failed_) ++sums[name == "failure" ? "failures" : "errors"];
    if (!has_failed_ && counted_.failed.size() < kMaxFailed) counted_.failed.push_back(cut(case_));
    has_failed_ = true;
  } else if (in_case_ && name == "skipped") {
    ++sums["skipped"];
  }
}

void JUnitFile::end_element(std::string_view name) {
  if (name == "testcase") in_case_ = false;
}

std::string JUnitFile::lacks() const { return is_suite_ ? "" : "it has no testsuite"; }

void CoberturaFile::begin_element(std::string_view name, const char** attributes) {
  if (name != "coverage" || has_totals_) return;
  has_totals_ = attribute(attributes, "lines-valid") != nullptr;
  auto& sums = counted_.sums;
  sums["lines"] += number(attributes, "lines-valid");
  sums["lines hit"] += number(attributes, "lines-covered");
  sums["branches"] += number(attributes, "branches-valid");
  sums["branches hit"] += number(attributes, "branches-covered");
}

std::string CoberturaFile::lacks() const {
  return has_totals_ ? "" : "it has no element coverage with lines-valid";
}

}  // namespace weir::step
