// ConfigMaps and Secrets whose content belongs to a revision (designs/012): what they hold, and where a pod template names them.
#pragma once

#include <cstddef>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "api/release.h"
#include "base/result.h"
#include "kube/object.h"

namespace weir {

namespace kinds {
inline constexpr Kind kConfigMap{"", "v1", "ConfigMap", "configmaps"};
}  // namespace kinds

inline constexpr std::size_t kMaxConfigBytes = 1U << 20U;  // of all objects of one revision

// One object that spec.config names; its namespace is the Release's.
struct ConfigRef {
  bool secret = false;
  std::string name;

  auto operator<=>(const ConfigRef&) const = default;
};

const Kind& kind_of(const ConfigRef& ref);

// All of them, ConfigMaps first, in the order of the lists.
std::vector<ConfigRef> refs_of(const ReleaseConfig& config);

// "spec.config.configMapRefs[0].name".
std::string field_of(const ReleaseConfig& config, const ConfigRef& ref);

// Of a Secret perhaps: never logged, never part of an error, an Event or a status.
struct ConfigContent {
  Json parts;             // type, data and binaryData, as far as they are there
  std::string hash;       // of kind and parts
  std::size_t bytes = 0;  // keys and values, as they are stored
};
ConfigContent content_of(const ConfigRef& ref, const Json& object);

using ConfigAnswers = std::map<ConfigRef, Result<ConfigContent>>;
using ConfigNames = std::map<ConfigRef, std::string>;

// Puts other names in the place of those that the template names: volumes, envFrom and env of all containers.
Json with_names(Json pod_template, const ConfigNames& names);

// Error: Invalid, when a listed object is not named by the template.
Result<void> check_config_is_used(const ReleaseConfig& config, const Json& pod_template);

}  // namespace weir
