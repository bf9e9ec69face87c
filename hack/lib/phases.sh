# Runs the phases of hack/test: each in a process group of its own, its output in a log, its time and
# result in a table at the end; sourced after common.sh.
# shellcheck shell=bash

# What a script of hack/ exits with when this machine cannot do what it is asked for.
CANNOT=77
TAIL_LINES=60

declare -A phase_pid=() phase_result=() phase_counts=() phase_reason=()
phase_order=()

# start_phases FOLDER: logs go there.
start_phases() {
  logs=$1
  rm -rf "$logs"
  mkdir -p "$logs"
}

# begin_phase NAME starts the function phase_NAME in the background.
begin_phase() {
  # Job control gives it a process group of its own, so that all of it can be ended.
  set -m
  (
    name=$1 since=${EPOCHREALTIME/[.,]/}
    trap 'elapsed "$since" >"$logs/$name.seconds"' EXIT
    "phase_$name"
  ) >"$logs/$1.log" 2>&1 </dev/null 9>&- &
  phase_pid[$1]=$!
  set +m
}

# end_phase NAME waits for it and says how it went.
end_phase() {
  local name=$1 status=0
  printf '==> %s\n' "$name"
  wait "${phase_pid[$name]}" || status=$?
  unset "phase_pid[$name]"
  phase_order+=("$name")
  case $status in
    0) phase_result[$name]=ok ;;
    "$CANNOT") cannot "$name" ;;
    *) phase_result[$name]=FAILED ;;
  esac
  count_phase "$name"
  tell_phase "$name"
}

run_phase() {
  begin_phase "$1"
  end_phase "$1"
}

cannot() {
  phase_reason[$1]=$(tail -n 3 "$logs/$1.log")
  phase_result[$1]=skipped
  # Nobody reads that something was skipped there.
  [[ ${CI:-} != true ]] || phase_result[$1]=FAILED
}

# What a phase says when it cannot run here: why, and what to install.
skip() {
  printf '%s\n' "$*"
  exit "$CANNOT"
}

# needs NAME: skips the phase unless an earlier one went well.
needs() { [[ ${phase_result[$1]:-} == ok ]] || skip "needs the phase $1: ${phase_result[$1]:-not run}"; }

count_phase() {
  phase_counts[$1]="0 0"
  if [[ ${phase_result[$1]} != skipped ]]; then
    phase_counts[$1]=$(hack/lib/count-results "${phase_result[$1]}" "$logs/$1")
  fi
}

tell_phase() {
  local name=$1 passed failed
  read -r passed failed <<<"${phase_counts[$name]}"
  printf '    %s in %s s, %s passed, %s failed\n' "${phase_result[$name]}" \
    "$(seconds_of "$name")" "$passed" "$failed"
  if [[ ${phase_result[$name]} == skipped ]]; then
    printf '    %s\n' "${phase_reason[$name]}"
  elif [[ ${phase_result[$name]} == FAILED ]]; then
    hack/lib/failed-tests "$logs/$name" | sed 's/^/    failed: /'
    printf '    the end of %s:\n' "$logs/$name.log"
    tail -n "$TAIL_LINES" "$logs/$name.log" | sed 's/^/    | /'
  fi
}

seconds_of() { cat "$logs/$1.seconds" 2>/dev/null || echo 0; }

# Ends what still runs: asks first, so that it can put away its own things.
end_running() {
  local pid
  for pid in "${phase_pid[@]}"; do
    kill -TERM -- "-$pid" 2>/dev/null || continue
    wait_for 20 group_is_gone "$pid" || kill -KILL -- "-$pid" 2>/dev/null || true
  done
  phase_pid=()
}

group_is_gone() { ! kill -0 -- "-$1" 2>/dev/null; }

# summary prints the table and the totals; 1 if anything failed.
summary() {
  local name passed failed all_passed=0 all_failed=0
  printf '\n%-14s %-8s %9s %7s %7s\n' phase result seconds passed failed
  for name in "${phase_order[@]}"; do
    read -r passed failed <<<"${phase_counts[$name]}"
    printf '%-14s %-8s %9s %7s %7s\n' "$name" "${phase_result[$name]}" "$(seconds_of "$name")" \
      "$passed" "$failed"
    all_passed=$((all_passed + passed))
    all_failed=$((all_failed + failed))
  done
  for name in "${!phase_reason[@]}"; do
    printf 'skipped %s: %s\n' "$name" "${phase_reason[$name]}"
  done
  printf '%d passed, %d failed\n' "$all_passed" "$all_failed"
  [[ $all_failed -eq 0 ]]
}
