// users[].user.exec of a kubeconfig.
#pragma once

#include <filesystem>

#include "base/result.h"
#include "kube/exec_credentials.h"
#include "kube/yaml_reader.h"
#include "net/httplib_client.h"

namespace weir {

// `folder`: where relative commands begin. `cluster` and what was read of it: for plugins that want to know. Error kind: Invalid,
// names the field.
Result<ExecPlugin> read_exec(const YamlReader& exec, const std::filesystem::path& folder,
                             const YamlReader& cluster, const HttpClientOptions& http);

}  // namespace weir
