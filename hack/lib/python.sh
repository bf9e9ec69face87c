# Pythons for the tests that need packages; sourced after common.sh.
# shellcheck shell=bash

# stories_python prints a Python with what the stories require, made once.
stories_python() { python_with tests/cluster/requirements.txt; }

# python_with FILE prints a Python with what the file requires, made once.
python_with() {
  local wanted=$1 folder
  folder=$WEIR_CACHE/python-$({ python3 --version && cat "$wanted"; } | sha256sum | head -c 12)
  if [[ ! -e $folder/complete ]]; then
    python3 -m venv --clear "$folder" >&2
    "$folder/bin/pip" install --quiet --disable-pip-version-check -r "$wanted" >&2
    touch "$folder/complete"
  fi
  echo "$folder/bin/python"
}
