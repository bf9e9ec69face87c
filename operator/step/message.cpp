#include "step/message.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

namespace weir::step {
namespace {

constexpr std::size_t kMaxResultBytes = 1024;  // as kMaxResultBytes of api/pipeline.h
constexpr std::size_t kMaxRead = 64UL * 1024;  // of a result: enough to say that it is too long
constexpr std::size_t kMaxErrorBytes = 400;

std::string read_file(const std::string& path, bool& there) {
  std::string text;
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  there = fd >= 0;
  if (!there) return text;
  std::array<char, 4096> buffer{};
  while (text.size() < kMaxRead) {
    const auto got = read(fd, buffer.data(), buffer.size());
    if (got <= 0) break;
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  close(fd);
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  return text;
}

// Bytes of the UTF-8 character at `at`; 0: it is none.
std::size_t character_at(const std::string& text, std::size_t at) {
  const auto first = static_cast<unsigned char>(text[at]);
  std::size_t length = 0;
  if (first < 0x80U) return 1;
  if (first >= 0xC2U && first < 0xE0U) length = 2;
  if (first >= 0xE0U && first < 0xF0U) length = 3;
  if (first >= 0xF0U && first < 0xF5U) length = 4;
  if (length == 0 || at + length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((static_cast<unsigned char>(text[at + i]) & 0xC0U) != 0x80U) return 0;
  const auto second = static_cast<unsigned char>(text[at + 1]);
  const bool overlong = (first == 0xE0U && second < 0xA0U) || (first == 0xF0U && second < 0x90U);
  const bool beyond = (first == 0xEDU && second > 0x9FU) || (first == 0xF4U && second > 0x8FU);
  return overlong || beyond ? 0 : length;
}

bool is_text(const std::string& text) {
  for (std::size_t at = 0; at < text.size();) {
    const auto length = character_at(text, at);
    if (length == 0 || text[at] == '\0') return false;
    at += length;
  }
  return true;
}

void put_quoted(std::string& json, const std::string& text) {
  static constexpr std::array<char, 17> kHex{"0123456789abcdef"};
  json += '"';
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      json += '\\';
      json += c;
    } else if (code < 0x20U) {
      json += "\\u00";
      json += kHex[code >> 4U];
      json += kHex[code & 0xFU];
    } else {
      json += c;
    }
  }
  json += '"';
}

void put_member(std::string& json, const char* name, const std::string& text) {
  if (text.empty()) return;
  if (json.size() > 1) json += ',';
  put_quoted(json, name);
  json += ':';
  put_quoted(json, text);
}

void put_list(std::string& json, const std::vector<std::string>& texts) {
  json += '[';
  for (const auto& text : texts) {
    if (json.back() != '[') json += ',';
    put_quoted(json, text);
  }
  json += ']';
}

// As encode_reports of api/report.h.
void put_report(std::string& json, const Report& report) {
  std::string object = "{";
  put_member(object, "name", report.name);
  if (!report.figures.empty()) {
    object += ",\"figures\":{";
    for (const auto& [name, number] : report.figures) {
      if (object.back() != '{') object += ',';
      std::array<char, 40> text{};
      std::snprintf(text.data(), text.size(), "%.6g", number);
      put_quoted(object, name);
      object += ':';
      put_quoted(object, text.data());
    }
    object += '}';
  }
  if (!report.failed.empty()) {
    object += ",\"failed\":";
    put_list(object, report.failed);
  }
  put_member(object, "error",
             is_text(report.error) ? report.error : "its file has no name in UTF-8");
  json += object + "}";
}

void put_reports(std::string& json, const std::vector<Report>& reports) {
  if (reports.empty()) return;
  if (json.size() > 1) json += ',';
  json += "\"reports\":[";
  for (const auto& report : reports) {
    if (json.back() != '[') json += ',';
    put_report(json, report);
  }
  json += ']';
}

Message refused(std::string error) {
  Message message;
  message.failure = "Config";
  message.error = std::move(error);
  return message;
}

std::string too_long(std::size_t found, std::size_t max) {
  return "found " + std::to_string(found) + " bytes, must be at most " + std::to_string(max);
}

}  // namespace

Results read_results(const std::vector<std::string>& names) {
  Results results;
  const char* folder = std::getenv("RESULTS");
  if (folder == nullptr) return results;
  for (const auto& name : names) {
    bool there = false;
    auto text = read_file(std::string(folder) + "/" + name, there);
    if (there) results[name] = std::move(text);
  }
  return results;
}

Message message_of(const Results& before, const Results& after, std::size_t max_bytes) {
  Message message;
  for (const auto& [name, text] : after) {
    const auto old = before.find(name);
    if (old != before.end() && old->second == text) continue;
    if (text.size() > kMaxResultBytes)
      return refused("result " + name + ": " + too_long(text.size(), kMaxResultBytes));
    if (!is_text(text)) return refused("result " + name + ": found bytes that are no UTF-8 text");
    message.results[name] = text;
  }
  const auto size = to_json(message).size();
  if (size > max_bytes)
    return refused("the results of this step, as JSON: " + too_long(size, max_bytes));
  return message;
}

std::string to_json(const Message& message) {
  std::string json = "{";
  if (!message.results.empty()) {
    json += "\"results\":{";
    bool first = true;
    for (const auto& [name, text] : message.results) {
      if (!first) json += ',';
      first = false;
      put_quoted(json, name);
      json += ':';
      put_quoted(json, text);
    }
    json += '}';
  }
  put_reports(json, message.reports);
  put_member(json, "timeout", message.timeout);
  put_member(json, "class", message.failure);
  put_member(json, "error", message.error.substr(0, kMaxErrorBytes));
  return json + "}";
}

void make_fit(Message& message, std::size_t max_bytes) {
  auto& reports = message.reports;
  const auto fits = [&] { return to_json(message).size() <= max_bytes; };
  while (!fits()) {
    const auto most = std::max_element(
        reports.begin(), reports.end(),
        [](const auto& a, const auto& b) { return a.failed.size() < b.failed.size(); });
    if (most == reports.end() || most->failed.empty()) break;
    most->failed.pop_back();
  }
  for (auto& report : reports) {
    if (fits()) return;
    report.figures.clear();
    report.error = "left out: no room in the termination message";
  }
  while (!reports.empty() && !fits()) reports.pop_back();
}

bool write_all(int fd, const char* data, std::size_t size) {
  while (size > 0) {
    const auto written = write(fd, data, size);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    data += written;
    size -= static_cast<std::size_t>(written);
  }
  return true;
}

bool leave(const Message& message, const RunOptions& options) {
  if (message.empty()) return true;
  const int fd = open(options.message_path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) return false;
  const auto json = to_json(message);
  const bool written = write_all(fd, json.data(), json.size());
  return close(fd) == 0 && written;
}

}  // namespace weir::step
