# The names and addresses of cluster N, and the way into it; sourced after
# common.sh and tools.sh.
# shellcheck shell=bash disable=SC2034  # the variables are for the scripts that source this

cluster_lib=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# In the order in which they are started.
REAL_COMPONENTS=(etcd kube-apiserver containerd prometheus kube-controller-manager
  kube-scheduler kubelet kube-proxy coredns traefik)
# Without a node: stubs play nodes and pods, and accept routes.
SIMULATED_COMPONENTS=(etcd kube-apiserver kube-controller-manager kube-scheduler stub-nodes stub-gateway)

# cluster_names N sets the variables that differ between clusters. Only what is
# visible outside the cluster's namespaces does: ports, bridge and ranges within
# are the same in all of them.
cluster_names() {
  [[ $1 =~ ^[1-9][0-9]{0,2}$ && $1 -le 200 ]] || die "--id takes a number from 1 to 200, not '$1'"
  id=$1
  node=weir-$id
  data=$WEIR_CACHE/clusters/$id
  veth=weir$id       # the host's end of the cable; the cluster's is ${veth}i
  cgroup=weir$id
  host_ip=10.251.$id.1 # the host's end
  edge_ip=10.251.$id.2 # the cluster's end
  node_ip=10.250.$id.1 # the node, on the cluster's loopback
  COMPONENTS=("${REAL_COMPONENTS[@]}")
  ! is_simulated || COMPONENTS=("${SIMULATED_COMPONENTS[@]}")
}

# A cluster remembers in its data that it has no node.
is_simulated() { [[ -e $data/no-node ]]; }

# find_cluster sets outer, the process on the host that holds the cluster, and
# init, the first process within; fails if the cluster does not run. The command
# line is compared because a number in an old file may be anyone's by now.
find_cluster() {
  local command
  init=
  outer=$(cat "$data/outer.pid" 2>/dev/null) || return 1
  command=$(tr '\0' ' ' 2>/dev/null <"/proc/$outer/cmdline") || return 1
  [[ $command == *"$cluster_lib/init $id $data "* ]] || return 1
  read -r init _ <"/proc/$outer/task/$outer/children" || true
}

# inside COMMAND... runs it in the cluster's namespaces.
inside() { nsenter --target "$init" --mount --net --pid -- "$@" 9>&-; }

# start_component NAME starts it and returns at once.
start_component() { inside "$cluster_lib/component" "$id" "$1"; }

kube() {
  KUBECONFIG="$data/config/admin.conf" KUBECACHEDIR="$data/kubectl" \
    "$(tool_dir kubernetes)/kubectl" "$@"
}
