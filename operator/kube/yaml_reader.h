#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace YAML {
class Node;
}

namespace weir {

// Reads single fields of a YAML document and remembers where they stood, for errors that name the field. A value; cheap to
// copy. Its methods do not throw and do not change the document.
class YamlReader {
 public:
  // Error kind: Invalid, with the position. `name` begins the field's path in errors: a file's name, say.
  static Result<YamlReader> parse(const std::string& text, const std::string& name);
  ~YamlReader();
  YamlReader(const YamlReader&);
  YamlReader(YamlReader&&) noexcept;
  YamlReader& operator=(const YamlReader&) = delete;

  bool exists() const;  // and is not null
  // The member of a map; one that does not exist when there is none, or when this is not a map.
  YamlReader at(const std::string& key) const;
  // Invalid, when it exists and is no list.
  Result<std::vector<YamlReader>> list() const;
  // A missing field is "". Invalid, when it is a list or map.
  Result<std::string> text() const;
  // A missing field is false. Invalid, when it is neither true nor false.
  Result<bool> flag() const;

  const std::string& path() const { return path_; }
  Error invalid(std::string_view why) const;

 private:
  YamlReader(const YAML::Node& node, std::string path);

  std::unique_ptr<const YAML::Node> node_;
  std::string path_;
};

}  // namespace weir
