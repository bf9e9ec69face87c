#include "kube/yaml_json.h"

#include <yaml-cpp/yaml.h>

#include <charconv>
#include <nlohmann/json.hpp>

namespace weir {
namespace {

// Plain scalars by YAML 1.2 rules; what is quoted stays text.
Json scalar(const YAML::Node& node) {
  const auto& text = node.Scalar();
  if (node.Tag() == "!") return text;
  if (text == "null" || text == "~" || text.empty()) return nullptr;
  if (text == "true" || text == "false") return text == "true";
  const char* end = text.data() + text.size();
  std::int64_t whole = 0;
  if (const auto read = std::from_chars(text.data(), end, whole);
      read.ec == std::errc() && read.ptr == end)
    return whole;
  double number = 0;
  const bool looks_numeric = text.find_first_not_of("0123456789+-.eE") == std::string::npos;
  if (const auto read = std::from_chars(text.data(), end, number);
      looks_numeric && read.ec == std::errc() && read.ptr == end)
    return number;
  return text;
}

// Counts what it makes: a few aliases of aliases would make more than fits.
class Converter {
 public:
  Result<Json> convert(const YAML::Node& node, int depth) {
    if (++nodes_ > kYamlMaxNodes || depth > kJsonMaxDepth)
      return Error{ErrorKind::Parse, "YAML with too many or too deeply nested nodes"};
    if (node.IsMap()) {
      Json object = Json::object();
      for (const auto& item : node) {
        if (!item.first.IsScalar())
          return Error{ErrorKind::Parse, "YAML with a key that is no text"};
        ASSIGN_OR_RETURN(object[item.first.Scalar()], convert(item.second, depth + 1));
      }
      return object;
    }
    if (node.IsSequence()) {
      Json list = Json::array();
      for (const auto& item : node) {
        ASSIGN_OR_RETURN(auto value, convert(item, depth + 1));
        list.push_back(std::move(value));
      }
      return list;
    }
    return node.IsScalar() ? scalar(node) : Json();
  }

 private:
  int nodes_ = 0;
};

}  // namespace

Result<Json> parse_yaml(const std::string& text) {
  try {
    return Converter().convert(YAML::Load(text), 0);
  } catch (const std::exception& e) {
    return Error{ErrorKind::Parse, e.what()};
  }
}

}  // namespace weir
