# The components' configuration files; sourced after names.sh.
# shellcheck shell=bash disable=SC2154  # id, data, addresses: names.sh

# write_config DIR
write_config() (
  cd "$1" || exit
  mkdir -p cni
  write_containerd_config >containerd.toml
  write_pod_network >cni/weir.conflist
  write_kubelet_config >kubelet.yaml
  write_dns_config >Corefile
  write_prometheus_config >prometheus.yml
  write_audit_policy >audit.yaml
)

# restrict_oom_score_adj: without CAP_SYS_RESOURCE, as in many containers and
# virtual machines, lowering the score fails, and with it every pod, saying only
# "can't get final child's PID from pipe".
write_containerd_config() {
  cat <<EOF
version = 3
root = "$data/containerd"
state = "/run/containerd"
[plugins.'io.containerd.cri.v1.images']
  snapshotter = "overlayfs"
[plugins.'io.containerd.cri.v1.images'.pinned_images]
  sandbox = "localhost/pause:1"
[plugins.'io.containerd.cri.v1.runtime']
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
[plugins.'io.containerd.cri.v1.runtime'.cni]
  bin_dirs = ["/usr/lib/cni"]
  conf_dir = "$data/config/cni"
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
  SystemdCgroup = false
EOF
}

# A cable of its own per pod instead of a bridge: on a bridge, answers from pod to
# pod bypass the Service's address translation unless br_netfilter is loaded.
write_pod_network() {
  cat <<EOF
{"cniVersion": "1.0.0", "name": "weir", "plugins": [{"type": "ptp", "ipam": {
  "type": "host-local", "ranges": [[{"subnet": "10.244.0.0/16"}]], "routes": [{"dst": "0.0.0.0/0"}]}}]}
EOF
}

# Nothing is evicted and no image dropped for a full disk: it is the host's.
# resolvConf is empty so that pods do not inherit the host's search domains.
write_kubelet_config() {
  cat <<EOF
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: $node_ip
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: $data/config/ca.crt}}
authorization: {mode: Webhook}
tlsCertFile: $data/config/kubelet-server.crt
tlsPrivateKeyFile: $data/config/kubelet-server.key
containerRuntimeEndpoint: unix:///run/containerd/containerd.sock
clusterDNS: [$node_ip]
clusterDomain: cluster.local
resolvConf: ""
cgroupDriver: cgroupfs
cgroupRoot: /$cgroup
failCgroupV1: false
failSwapOn: false
volumePluginDir: $data/volume-plugins
imageGCHighThresholdPercent: 100
evictionHard: {memory.available: 100Mi, nodefs.available: 0%, nodefs.inodesFree: 0%, imagefs.available: 0%, imagefs.inodesFree: 0%}
EOF
}

# Names outside the cluster fail at once instead of waiting for a server that is not there.
write_dns_config() {
  cat <<EOF
cluster.local:53 {
  bind $node_ip
  errors
  ready $node_ip:8181
  kubernetes cluster.local {
    kubeconfig $data/config/coredns.conf
    pods insecure
    ttl 5
  }
}
.:53 {
  bind $node_ip
  template ANY ANY {
    rcode NXDOMAIN
  }
}
EOF
}

write_prometheus_config() {
  cat <<EOF
global: {scrape_interval: 1s, scrape_timeout: 900ms}
scrape_configs:
- job_name: traefik
  static_configs: [{targets: ["$node_ip:8082"]}]
- job_name: pods
  kubernetes_sd_configs: [{role: pod, kubeconfig_file: $data/config/prometheus.conf}]
  relabel_configs:
  - {action: keep, source_labels: [__meta_kubernetes_pod_annotation_prometheus_io_scrape], regex: "true"}
  - {action: keep, source_labels: [__meta_kubernetes_pod_phase], regex: Running}
  - action: replace
    source_labels: [__meta_kubernetes_pod_ip, __meta_kubernetes_pod_annotation_prometheus_io_port]
    regex: (.+);(.+)
    replacement: \$1:\$2
    target_label: __address__
  - {action: labelmap, regex: __meta_kubernetes_pod_label_(.+)}
  - {source_labels: [__meta_kubernetes_namespace], target_label: namespace}
  - {source_labels: [__meta_kubernetes_pod_name], target_label: pod}
EOF
}

# With simulated nodes only the operator's: those of the rest are many, and nobody reads them.
audit_rules() {
  if is_simulated; then
    echo '[{level: Metadata, userGroups: ["system:serviceaccounts:weir-system"]}, {level: None}]'
  else
    echo '[{level: Metadata}]'
  fi
}

# One line per request, so that tests can count who asks how often.
write_audit_policy() {
  cat <<EOF
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules: $(audit_rules)
EOF
}
