#!/usr/bin/env bash
# Makes a Python environment for each stack of test/stacks/pins.json, or for those that are named, under .venvs/stacks/,
# with our own package in it, editable. Does nothing for one that is as listed there already. Needs python3 and node.
#
#   scripts/stacks-venvs.sh            all of them
#   scripts/stacks-venvs.sh adk        one
#   scripts/stacks-venvs.sh --ci       those that every run of CI tests
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/venvs.sh
. scripts/venvs.sh

if [ "${1-}" = --one ]; then
  packages=$(node scripts/stacks.mjs --packages "$2")
  # By its absolute path, so that a copy of .venvs in another checkout counts as old.
  [ ! -f python/pyproject.toml ] || packages="$packages --editable $PWD/python"
  mkdir -p .venvs/stacks
  make_venv "stacks/$2" "$packages"
else
  names=$(node scripts/stacks.mjs "$@")
  xargs -r -P 2 -n 1 scripts/stacks-venvs.sh --one <<<"$names"
fi
