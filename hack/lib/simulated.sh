# A cluster with simulated nodes for as long as a script runs; sourced after common.sh.
# shellcheck shell=bash

# free_cluster_id prints a number that no cluster of this machine has; people use the low ones.
free_cluster_id() {
  local id=$((101 + $$ % 90))
  while [[ -e $WEIR_CACHE/clusters/$id || -e /sys/class/net/weir$id ]]; do id=$((id + 1)); done
  echo "$id"
}

# Starts one, puts its environment into ours, and removes it when the script ends.
# WEIR_SIMULATED_CLUSTER=N takes that number instead of a free one.
start_simulated_cluster() {
  simulated_id=${WEIR_SIMULATED_CLUSTER:-$(free_cluster_id)}
  trap stop_simulated_cluster EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  hack/cluster up --no-node --id "$simulated_id"
  eval "$(hack/cluster env --id "$simulated_id")"
}

# with_simulated_cluster COMMAND... runs it there. In the background, since bash runs traps only between commands:
# whoever stops the script must not wait for the command.
with_simulated_cluster() {
  start_simulated_cluster
  "$@" &
  simulated_user=$!
  wait "$simulated_user"
}

stop_simulated_cluster() {
  trap '' INT TERM
  [[ ! ${simulated_user:-} ]] || kill -TERM "$simulated_user" 2>/dev/null || true
  wait
  hack/cluster down --id "$simulated_id"
}

# need_binary sets WEIR_BINARY, unless it names one already: the operator, built.
need_binary() {
  if [[ ! ${WEIR_BINARY:-} ]]; then
    hack/dev build release weir
    WEIR_BINARY=$PWD/build/release/weir
  fi
  export WEIR_BINARY
}
