// YAML 1.2 (core schema) to JSON and back. Reading is strict: a key twice, a number or tag that JSON has no word for, and an alias
// that explodes are faults with their line. Unlike in YAML 1.2, `<<` merges, as everywhere around Kubernetes.
#pragma once

#include <cstddef>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace weir {

inline constexpr std::size_t kMaxYamlBytes = 4U << 20U;
inline constexpr std::size_t kMaxYamlNodes =
    100'000;  // of one document, aliases and merges counted in full

struct YamlDocument {
  Json json{};  // null when there is nothing in the document
  int line = 1;
  std::map<std::string, int, std::less<>>
      lines{};  // "spec.steps[0].weight" → where the key or item stands
  // Paths of plain scalars, and keys, that YAML 1.1 reads otherwise, and with it kubectl: yes, off, 017.
  std::vector<std::string> doubts{};

  // Of the nearest part of the path that stands in the text.
  int line_of(std::string_view path) const;
};

struct YamlFault {
  int line = 0;
  std::string what;
};

// Appends what stands before the first fault. Does not throw.
std::optional<YamlFault> read_yaml(std::string_view text, std::vector<YamlDocument>& documents);

// The same, all or nothing. Error kind: Parse, "line N: …".
Result<std::vector<YamlDocument>> parse_yaml(std::string_view text);
// Where one document is meant: a second one is a fault too; null when there is none.
Result<Json> parse_single_yaml(std::string_view text);

// Block style; text is quoted where any reader could take it for something else.
std::string dump_yaml(const Json& json);

}  // namespace weir
