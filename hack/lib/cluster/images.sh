# Images for a cluster without a registry; sourced after names.sh.
# shellcheck shell=bash disable=SC2154  # id, data, addresses: names.sh

# Otherwise every call warns that containerd will drop version 1 cgroups one day.
export CONTAINERD_SUPPRESS_DEPRECATION_WARNINGS=1

containerd_images() { inside "$(tool_dir others)/ctr" --namespace k8s.io images "$@"; }

# The image under every pod: one static program of a few lines. Prints its archive.
pause_archive() {
  local source="$cluster_lib/pause.c" hash archive work container
  hash=$(sha256sum <"$source")
  archive="$WEIR_CACHE/pause-${hash:0:12}.tar"
  echo "$archive"
  [[ ! -e $archive ]] || return 0
  work=$(mktemp -d)
  gcc -static -Os -s -o "$work/pause" "$source"
  container=$(buildah from scratch)
  buildah copy --quiet "$container" "$work/pause" /pause >/dev/null
  buildah config --entrypoint '["/pause"]' "$container"
  buildah commit --quiet --rm "$container" localhost/pause:1 >/dev/null
  buildah push --quiet localhost/pause:1 "oci-archive:$work/pause.tar:localhost/pause:1"
  mv "$work/pause.tar" "$archive"
  rm -rf "$work"
}

# load_image IMAGE copies an image of buildah's into the cluster, unless the same
# is there already.
load_image() {
  local image_id name record archive="$data/image.tar"
  image_id=$(buildah inspect --type image --format '{{.FromImageID}}' "$1") || die "buildah has no image $1"
  name=$(buildah inspect --type image --format '{{.FromImage}}' "$1")
  record="$data/images/${name//\//_}"
  if [[ $(cat "$record" 2>/dev/null) == "$image_id" ]]; then
    log "$name is there already"
    return
  fi
  rm -f "$archive"
  buildah push --quiet --disable-compression "$image_id" "oci-archive:$archive:$name"
  containerd_images import "$archive" >/dev/null
  rm -f "$archive"
  mkdir -p "${record%/*}"
  echo "$image_id" >"$record"
  log "loaded $name"
}
