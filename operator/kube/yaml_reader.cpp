#include "kube/yaml_reader.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

namespace weir {

YamlReader::YamlReader(const YAML::Node& node, std::string path)
    : node_(std::make_unique<const YAML::Node>(node)), path_(std::move(path)) {}

YamlReader::YamlReader(const YamlReader& other)
    : node_(std::make_unique<const YAML::Node>(*other.node_)), path_(other.path_) {}

YamlReader::YamlReader(YamlReader&&) noexcept = default;

YamlReader::~YamlReader() = default;

Result<YamlReader> YamlReader::parse(const std::string& text, const std::string& name) {
  try {
    return YamlReader(YAML::Load(text), name);
  } catch (const std::exception& e) {
    return Error{ErrorKind::Invalid, fmt::format("{}: {}", name, e.what())};
  }
}

Error YamlReader::invalid(std::string_view why) const {
  return Error{ErrorKind::Invalid, fmt::format("{}: {}", path_, why)};
}

bool YamlReader::exists() const { return node_->IsDefined() && !node_->IsNull(); }

YamlReader YamlReader::at(const std::string& key) const {
  auto path = fmt::format("{}{}{}", path_, path_.ends_with(':') ? " " : ".", key);
  // Not node[key]: on a scalar it throws, and on a missing member its result cannot be asked further.
  if (node_->IsDefined() && node_->IsMap()) {
    for (const auto& member : *node_) {
      if (member.first.IsScalar() && member.first.Scalar() == key)
        return {member.second, std::move(path)};
    }
  }
  return {YAML::Node(), std::move(path)};
}

Result<std::vector<YamlReader>> YamlReader::list() const {
  std::vector<YamlReader> items;
  if (!exists()) return items;
  if (!node_->IsSequence()) return invalid("must be a list");
  for (const auto& item : *node_)
    items.push_back(YamlReader(item, fmt::format("{}[{}]", path_, items.size())));
  return items;
}

Result<std::string> YamlReader::text() const {
  if (!exists()) return std::string();
  if (!node_->IsScalar()) return invalid("must be text");
  return node_->Scalar();
}

Result<bool> YamlReader::flag() const {
  ASSIGN_OR_RETURN(const auto word, text());
  if (word == "true") return true;
  if (word.empty() || word == "false") return false;
  return invalid(fmt::format("\"{}\" is neither true nor false", word));
}

}  // namespace weir
