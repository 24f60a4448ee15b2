#!/bin/sh
# Starts the four agents of mesh.yaml, and a proxy for each of the two peers that can set a URL alone. Ctrl-C stops them all.
# Run `a2a-totp mesh apply` first.
set -eu
cd "$(dirname "$0")"

jobs=
start() {
  a2a-totp --quiet "$@" &
  jobs="$jobs $!"
}
# shellcheck disable=SC2086 # a list
trap 'kill $jobs 2>/dev/null || true; wait' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# The agents: each follows the server file that mesh apply writes for it.
start demo --bindings jsonrpc,rest --server-file server/billing.json --port 4101
start demo --bindings jsonrpc,rest --server-file server/stock.json --port 4102
start demo --bindings jsonrpc,rest --server-file server/orders.json --port 4103
start demo --bindings jsonrpc,rest --server-file server/search.json --port 4104

# The proxies: dave calls orders at 4201 and search at 4202, erin billing at 4301 and stock at 4302.
start proxy --client-file clients/dave.json --listen 127.0.0.1:4201
start proxy --client-file clients/erin.json --listen 127.0.0.1:4301

wait
