#include "kube/yaml_reader.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "kube/yaml_json.h"

namespace weir {

Result<YamlReader> YamlReader::parse(const std::string& text, const std::string& name) {
  auto document = parse_single_yaml(text);
  if (!document)
    return Error{ErrorKind::Invalid, fmt::format("{} {}", name, document.error().message)};
  return YamlReader(std::make_shared<const Json>(std::move(document).value()), name);
}

Error YamlReader::invalid(std::string_view why) const {
  return Error{ErrorKind::Invalid, fmt::format("{}: {}", path_, why)};
}

bool YamlReader::exists() const { return !node_->is_null(); }

YamlReader YamlReader::at(const std::string& key) const {
  auto path = fmt::format("{}{}{}", path_, path_.ends_with(':') ? " " : ".", key);
  return {std::shared_ptr<const Json>(node_, &json_at(*node_, {key})), std::move(path)};
}

Result<std::vector<YamlReader>> YamlReader::list() const {
  std::vector<YamlReader> items;
  if (!exists()) return items;
  if (!node_->is_array()) return invalid("must be a list");
  for (const Json& item : *node_)
    items.push_back(YamlReader(std::shared_ptr<const Json>(node_, &item),
                               fmt::format("{}[{}]", path_, items.size())));
  return items;
}

Result<std::string> YamlReader::text() const {
  if (!exists()) return std::string();
  if (!node_->is_string()) return invalid("must be text");
  return node_->get<std::string>();
}

Result<bool> YamlReader::flag() const {
  if (!exists()) return false;
  if (node_->is_boolean()) return node_->get<bool>();
  return invalid(fmt::format("{} is neither true nor false", dump_json(*node_)));
}

}  // namespace weir
