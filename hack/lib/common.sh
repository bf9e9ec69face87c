# Helpers shared by the scripts in hack/; sourced, not run.
# shellcheck shell=bash

# Without it a failure inside $(...) goes unnoticed.
shopt -s inherit_errexit

# Everything the scripts keep between runs lives here, never in the work tree.
WEIR_CACHE="${WEIR_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/weir}"

# log MESSAGE... prints it with the seconds since the script started.
log() { printf '[%6s s] %s\n' "$(elapsed "$started_us")" "$*" >&2; }

die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

started_us=${EPOCHREALTIME/[.,]/}

# elapsed SINCE_US prints the seconds since then.
elapsed() {
  local us=$((${EPOCHREALTIME/[.,]/} - $1))
  printf '%d.%d' $((us / 1000000)) $((us / 100000 % 10))
}

need_root() { [[ $EUID -eq 0 ]] || die "${0##*/} needs root: namespaces, mounts and cgroups"; }

# lock NAME: waits until no other script holds NAME, then holds it until exit.
# Children that outlive the script must close file descriptor 9 (9>&-).
lock() {
  mkdir -p "$WEIR_CACHE/locks"
  exec 9>"$WEIR_CACHE/locks/$1"
  flock -n 9 || { log "waiting for another run that holds the lock $1"; flock 9; }
}

# wait_for SECONDS COMMAND...: tries the command until it succeeds; 1 when time is up.
wait_for() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < deadline)) || return 1
    sleep 0.1
  done
}

# need_packages PACKAGE...: installs the Debian packages that are missing.
need_packages() {
  local missing=() package
  for package in "$@"; do
    [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] ||
      missing+=("$package")
  done
  ((${#missing[@]})) || return 0
  need_root
  log "installing ${missing[*]}"
  # Fresh lists first: those of an old image name files that are no longer there.
  apt_get update && apt_get install "${missing[@]}"
}

# Quiet unless it fails; waits for another apt instead of failing at once.
apt_get() {
  local output
  output=$(DEBIAN_FRONTEND=noninteractive apt-get -y -o DPkg::Lock::Timeout=300 \
    --no-install-recommends "$@" 2>&1 </dev/null) || die "apt-get $*: $output"
}
