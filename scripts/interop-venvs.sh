#!/usr/bin/env bash
# Makes the Python environments that the interop suite needs, side by side under .venvs/. Does nothing for one that is
# as listed here already. Needs python3 (3.10 or newer) with venv.
set -euo pipefail
cd "$(dirname "$0")/.."

tools='pytest==9.2.0 uvicorn==0.54.0 types-grpcio==1.85.0.20261028 pyotp==2.12.0'

make_venv() {
  local name=$1 packages=$2
  local venv=.venvs/$name
  [ "$(cat "$venv/packages.txt" 2>/dev/null || true)" = "$packages" ] && return
  rm -rf "$venv"
  python3 -m venv "$venv"
  # shellcheck disable=SC2086
  "$venv/bin/pip" install --quiet --disable-pip-version-check $packages
  printf '%s' "$packages" >"$venv/packages.txt"
  echo "made $venv"
}

mkdir -p .venvs
make_venv a2a-0.3 "a2a-sdk[http-server,grpc]==0.3.26 $tools" &
made=($!)
make_venv a2a-1 "a2a-sdk[http-server,grpc]==1.3.0 $tools ruff==0.17.6 mypy==2.4.1 kubernetes-validate==1.37.0 check-jsonschema==0.39.0" &
made+=($!)
make_venv crewai "crewai[a2a]==1.15.30 $tools" &
made+=($!)
for job in "${made[@]}"; do wait "$job"; done
