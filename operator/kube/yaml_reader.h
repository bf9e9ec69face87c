#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace weir {

// Reads single fields of a YAML document and remembers where they stood, for errors that name the field. A value; cheap to
// copy. Its methods do not throw.
class YamlReader {
 public:
  // One document. Error kind: Invalid, with the line. `name` begins the field's path in errors: a file's name, say.
  static Result<YamlReader> parse(const std::string& text, const std::string& name);

  bool exists() const;  // and is not null
  // The member of a map; one that does not exist when there is none, or when this is not a map.
  YamlReader at(const std::string& key) const;
  // Invalid, when it exists and is no list.
  Result<std::vector<YamlReader>> list() const;
  // A missing field is "". Invalid, when it is anything but text, a number without quotes for example.
  Result<std::string> text() const;
  // A missing field is false. Invalid, when it is neither true nor false.
  Result<bool> flag() const;

  const Json& json() const {
    return *node_;
  }  // null when it does not exist; lives as long as the reader
  const std::string& path() const { return path_; }
  Error invalid(std::string_view why) const;

 private:
  YamlReader(std::shared_ptr<const Json> node, std::string path)
      : node_(std::move(node)), path_(std::move(path)) {}

  std::shared_ptr<const Json> node_;  // a part of the document, which it keeps alive
  std::string path_;
};

}  // namespace weir
