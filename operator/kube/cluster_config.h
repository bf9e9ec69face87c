// Where the API server is and who we are: from a kubeconfig file or from inside a pod.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "net/httplib_client.h"

namespace weir {

struct ClusterConfig {
  HttpClientOptions http{};
  std::string ns = "default";  // of the context or the pod
};

// https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/ : clusters, users, contexts; inline data and
// files (relative to the kubeconfig's folder), token and tokenFile (re-read when older than a minute), exec credential plugins,
// tls-server-name, proxy-url or else the proxy that the environment asks for. `path` may be a list with ':' as KUBECONFIG is; the
// first file that sets a value wins. `context` "" = current-context.
// Errors: NotFound (none of the files exists), Invalid (names the field; also for what is not supported: auth-provider users,
// basic authentication, impersonation). `clock` must outlive the result.
Result<ClusterConfig> load_kubeconfig(const std::string& path, const std::string& context,
                                      const Clock& clock);

// From the pod's projected service account: token re-read when older than a minute, ca.crt, namespace;
// KUBERNETES_SERVICE_HOST and _PORT. Error: NotFound outside a pod.
inline constexpr const char* kServiceAccountFolder =
    "/var/run/secrets/kubernetes.io/serviceaccount";
Result<ClusterConfig> load_in_cluster_config(const Clock& clock,
                                             const std::string& folder = kServiceAccountFolder);

}  // namespace weir
