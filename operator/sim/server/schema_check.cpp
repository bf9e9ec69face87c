#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "base/time_format.h"
#include "sim/server/schema.h"

namespace weir::sim {
namespace {

std::string_view go_type(const Json& value) {
  switch (value.type()) {
    case Json::value_t::object: return "object";
    case Json::value_t::array: return "array";
    case Json::value_t::string: return "string";
    case Json::value_t::boolean: return "boolean";
    case Json::value_t::null: return "null";
    case Json::value_t::number_float: return "number";
    default: return "integer";
  }
}

bool is_whole(const Json& value) {
  return value.is_number_integer() ||
         (value.is_number_float() && std::trunc(value.get<double>()) == value.get<double>());
}

bool has_type(const Schema& schema, const Json& value) {
  if (schema.int_or_string) return value.is_string() || is_whole(value);
  switch (schema.type) {
    case Schema::Type::Any: return true;
    case Schema::Type::Object: return value.is_object();
    case Schema::Type::Array: return value.is_array();
    case Schema::Type::String: return value.is_string();
    case Schema::Type::Integer: return is_whole(value);
    case Schema::Type::Number: return value.is_number();
    case Schema::Type::Boolean: return value.is_boolean();
  }
  return true;
}

std::string_view type_name(const Schema& schema) {
  if (schema.int_or_string) return "integer,string";
  switch (schema.type) {
    case Schema::Type::Object: return "object";
    case Schema::Type::Array: return "array";
    case Schema::Type::String: return "string";
    case Schema::Type::Integer: return "integer";
    case Schema::Type::Number: return "number";
    case Schema::Type::Boolean: return "boolean";
    case Schema::Type::Any: break;
  }
  return "";
}

// Code points, as the real one counts.
std::size_t length_of(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

class Check {
 public:
  Check(const Schema& schema, const std::string& path, std::vector<Cause>& causes)
      : schema_(schema), path_(path), causes_(causes) {}

  void value(const Json& value, const Json* old) {
    if (value.is_null() && schema_.nullable) return;
    if (!has_type(schema_, value)) {
      add("FieldValueTypeInvalid",
          fmt::format("Invalid value: \"{}\": {} in body must be of type {}: \"{}\"",
                      go_type(value), path_, type_name(schema_), go_type(value)));
      return;
    }
    if (value.is_string()) text(value.get_ref<const std::string&>());
    if (value.is_number()) number(value);
    if (value.is_array()) list(value, old);
    if (value.is_object()) object(value, old);
  }

 private:
  void add(std::string reason, std::string message) {
    causes_.push_back({path_, std::move(reason), std::move(message)});
  }

  void broken(const Json& found, const std::string& rule) {
    add("FieldValueInvalid",
        fmt::format("Invalid value: {}: {} in body {}", dump_json(found), path_, rule));
  }

  void text(const std::string& value) {
    const auto length = length_of(value);
    if (schema_.max_length && length > *schema_.max_length) {
      add("FieldValueTooLong",
          fmt::format("Too long: may not be more than {} bytes", *schema_.max_length));
      return;  // a pattern over a text without bound would cost as it likes
    }
    if (schema_.min_length && length < *schema_.min_length)
      broken(value, fmt::format("should be at least {} chars long", *schema_.min_length));
    if (schema_.regex && !std::regex_search(value, *schema_.regex))
      broken(value, fmt::format("should match '{}'", schema_.pattern));
    if (schema_.date_time && !parse_time(value))
      broken(value, fmt::format("must be of type date-time: \"{}\"", value));
    if (!schema_.enumeration.empty()) enumerated(value);
  }

  void enumerated(const std::string& value) {
    const auto& allowed = schema_.enumeration;
    if (std::find(allowed.begin(), allowed.end(), value) != allowed.end()) return;
    std::string supported;
    for (const auto& each : allowed)
      supported += fmt::format("{}\"{}\"", supported.empty() ? "" : ", ", each);
    add("FieldValueNotSupported", fmt::format("Unsupported value: {}: supported values: {}",
                                              dump_json(Json(value)), supported));
  }

  void number(const Json& value) {
    const auto found = value.get<double>();
    if (schema_.minimum && found < static_cast<double>(*schema_.minimum))
      broken(value, fmt::format("should be greater than or equal to {}", *schema_.minimum));
    if (schema_.maximum && found > static_cast<double>(*schema_.maximum))
      broken(value, fmt::format("should be less than or equal to {}", *schema_.maximum));
  }

  void list(const Json& value, const Json* old) {
    const auto size = value.size();
    if (schema_.max_items && size > *schema_.max_items) {
      add("FieldValueTooMany",
          fmt::format("Too many: {}: must have at most {} items", size, *schema_.max_items));
    }
    if (schema_.min_items && size < *schema_.min_items)
      broken(size, fmt::format("should have at least {} items", *schema_.min_items));
    if (!schema_.items) return;
    for (std::size_t i = 0; i < size; ++i) {
      const Json* before = old && old->is_array() && i < old->size() ? &(*old)[i] : nullptr;
      check_value(*schema_.items, value[i], before, fmt::format("{}[{}]", path_, i), causes_);
    }
    if (schema_.list != Schema::List::Atomic) unique(value);
  }

  void unique(const Json& list) {
    std::set<Json> seen;
    for (std::size_t i = 0; i < list.size(); ++i) {
      Json key = list[i];
      if (schema_.list == Schema::List::Map) {
        if (!list[i].is_object()) continue;
        key = Json::object();
        for (const auto& name : schema_.list_keys) {
          if (list[i].contains(name)) key[name] = list[i][name];
        }
        if (key.empty()) continue;
      }
      if (!seen.insert(key).second)
        causes_.push_back({fmt::format("{}[{}]", path_, i), "FieldValueDuplicate",
                           "Duplicate value: " + dump_json(key)});
    }
  }

  void object(const Json& value, const Json* old) {
    if (schema_.max_properties && value.size() > *schema_.max_properties)
      add("FieldValueTooMany", fmt::format("Too many: {}: must have at most {} items", value.size(),
                                           *schema_.max_properties));
    for (const auto& name : schema_.required) {
      if (!value.contains(name))
        causes_.push_back({member_path(path_, name), "FieldValueRequired", "Required value"});
    }
    for (const auto& item : value.items()) {
      const auto* member = schema_.member(item.key());
      if (!member) continue;
      const Json* before = nullptr;
      if (old && old->is_object()) {
        const auto found = old->find(item.key());
        if (found != old->end()) before = &*found;
      }
      check_value(*member, item.value(), before, member_path(path_, item.key()), causes_);
    }
  }

  const Schema& schema_;
  const std::string& path_;
  std::vector<Cause>& causes_;
};

}  // namespace

void check_value(const Schema& schema, const Json& value, const Json* old, const std::string& path,
                 std::vector<Cause>& causes) {
  if (old && *old == value) return;
  Check(schema, path, causes).value(value, old);
}

}  // namespace weir::sim
