# What a cluster has on the host outside its namespaces: cgroups, a network cable
# and the namespaces themselves; sourced after names.sh.
# shellcheck shell=bash disable=SC2154  # id, data, addresses: names.sh

# One folder per version 1 hierarchy, or the one of version 2.
cgroup_hierarchies() { awk '$3 ~ /^cgroup2?$/ { print $2 }' /proc/mounts; }

# The kubelet expects its root in every hierarchy; a fresh cpuset allows no CPU at
# all until it is told which.
create_cgroups() {
  local hierarchy file
  for hierarchy in $(cgroup_hierarchies); do
    mkdir -p "$hierarchy/$cgroup"
    for file in cpuset.cpus cpuset.mems; do
      [[ ! -s $hierarchy/$file ]] || cat "$hierarchy/$file" >"$hierarchy/$cgroup/$file"
    done
  done
}

remove_cgroups() {
  local folders=() hierarchy
  for hierarchy in $(cgroup_hierarchies); do
    [[ ! -d $hierarchy/$cgroup ]] || folders+=("$hierarchy/$cgroup")
  done
  # The kernel lets go of a folder only some time after its last process.
  ((${#folders[@]} == 0)) || wait_for 20 remove_folders "${folders[@]}" || log "left behind: ${folders[*]}"
}

remove_folders() {
  find "$@" -depth -type d -exec rmdir {} + || true
  local folder
  for folder in "$@"; do [[ ! -d $folder ]] || return 1; done
}

# Starts the process that holds the namespaces and connects them to the host.
# It dies with them, and they with it, however it ends (--kill-child).
start_namespaces() {
  # shellcheck disable=SC2016
  setsid bash -c 'echo $$ >"$1/outer.pid"; shift; exec "$@"' start "$data" \
    unshare --net --mount --pid --fork --kill-child=KILL --mount-proc \
    "$cluster_lib/init" "$id" "$data" >"$data/log/init.log" 2>&1 </dev/null 9>&- &
  disown
  wait_for 30 test -e "$data/namespaces-ready" && find_cluster || return 1
  ip link add "$veth" type veth peer name "${veth}i" netns "$init"
  ip address add "$host_ip/30" dev "$veth"
  ip link set "$veth" up
  inside ip address add "$edge_ip/30" dev "${veth}i"
  inside ip link set "${veth}i" up
  inside ip route add default via "$host_ip"
  ip route add "$node_ip/32" via "$edge_ip"
}

# Ends the cluster whatever its state and removes all that it left. With the outer
# process dies the first one within, and with that the kernel kills and unmounts
# everything else there.
stop_cluster() {
  if find_cluster; then
    kill -KILL "$outer"
    wait_for 30 has_ended "$outer" || die "process $outer does not end"
    wait_for 30 has_ended "${init:-0}" || die "process $init does not end"
  fi
  ip link delete "$veth" 2>/dev/null || true
  remove_cgroups
  # Twice if need be: the last of the dying may still write.
  wait_for 10 rm -rf "$data" || die "cannot remove $data"
}

has_ended() { [[ ! -e /proc/$1 || $(ps -o stat= -p "$1") == Z* ]]; }
