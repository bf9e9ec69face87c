// What `weir lint` has to say about YAML texts. Pure: offline, from the texts alone.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace weir {

struct LintText {
  std::string name;  // of the file; "-" is standard input
  std::string text;
};

enum class LintLevel { Error, Warning, Note };  // notes are no reason to change anything

struct LintFinding {
  LintLevel level = LintLevel::Error;
  std::string file{};
  int line = 0;
  std::string kind{};  // and name, of the object; "" when there is none yet
  std::string name{};
  std::string path{};  // of the field
  std::string message{};
};

struct LintResult {
  std::vector<LintFinding> findings;  // by text, then by line
  std::size_t objects = 0;            // of our group
};

// Schema and meaning of each object of ours, and what they mean together; objects of others are only looked at where one of
// ours would be in their way.
LintResult lint_texts(const std::vector<LintText>& texts);

std::string_view to_string(LintLevel level);

}  // namespace weir
