# Where the tools built by hack/tools/build are; sourced after common.sh.
# shellcheck shell=bash

tools_source=$(cd "$(dirname "${BASH_SOURCE[0]}")/../tools" && pwd)

# gateway-api last: it holds no program, only resource definitions.
TOOL_MODULES=(kubernetes others traefik gateway-api)

# Of Prometheus' two dozen ways to discover targets we need one.
TOOL_BUILD_FLAGS=(-trimpath -buildvcs=false "-tags=remove_all_sd,enable_kubernetes_sd")
# Without debugging tables: half the size.
TOOL_LINK_FLAGS="-s -w"

# tool_dir MODULE prints the folder that holds the module's programs. Its name
# is a hash of all that decides what they are, so a stale one is never used.
tool_dir() {
  local hash
  hash=$(cat "$tools_source/$1/go.mod" "$tools_source/$1/go.sum" - \
    <<<"${TOOL_BUILD_FLAGS[*]} $TOOL_LINK_FLAGS" | sha256sum)
  echo "$WEIR_CACHE/tools/$1-${hash:0:12}"
}

# tools_path prints the folders of all tools in the form of PATH.
tools_path() {
  local module path=
  for module in "${TOOL_MODULES[@]}"; do path+=:$(tool_dir "$module"); done
  echo "${path#:}"
}

# tool_version PROGRAM prints the version of a program.
tool_version() {
  local module
  for module in kubernetes others traefik; do cat "$(tool_dir "$module")/VERSIONS"; done |
    awk -v program="$1" '$1 == program { print $2 }'
}
