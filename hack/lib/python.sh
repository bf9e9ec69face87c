# A Python for the tests on a cluster; sourced after common.sh.
# shellcheck shell=bash

# stories_python prints a Python with what the stories require, made once.
stories_python() {
  local wanted=tests/cluster/requirements.txt folder
  folder=$WEIR_CACHE/python-$({ python3 --version && cat "$wanted"; } | sha256sum | head -c 12)
  if [[ ! -e $folder/complete ]]; then
    python3 -m venv --clear "$folder" >&2
    "$folder/bin/pip" install --quiet --disable-pip-version-check -r "$wanted" >&2
    touch "$folder/complete"
  fi
  echo "$folder/bin/python"
}
