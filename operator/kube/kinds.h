// Every kind that Weir reads or writes, once.
#pragma once

#include "kube/object.h"

namespace weir::kinds {

inline constexpr Kind kRelease{"weir.dev", "v1alpha1", "Release", "releases"};
inline constexpr Kind kCanaryPolicy{"weir.dev", "v1alpha1", "CanaryPolicy", "canarypolicies"};
inline constexpr Kind kReplicaSet{"apps", "v1", "ReplicaSet", "replicasets"};
inline constexpr Kind kService{"", "v1", "Service", "services"};
inline constexpr Kind kPod{"", "v1", "Pod", "pods"};
inline constexpr Kind kSecret{"", "v1", "Secret", "secrets"};
inline constexpr Kind kLease{"coordination.k8s.io", "v1", "Lease", "leases"};
inline constexpr Kind kEvent{"", "v1", "Event", "events"};
inline constexpr Kind kEndpointSlice{"discovery.k8s.io", "v1", "EndpointSlice", "endpointslices"};
inline constexpr Kind kHttpRoute{"gateway.networking.k8s.io", "v1", "HTTPRoute", "httproutes"};

}  // namespace weir::kinds
