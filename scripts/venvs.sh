# Sourced by the scripts that make Python environments under .venvs/.

# A registry that does not answer must not hold everything up: each try has its time, and there are two. With
# several at once, the largest takes five minutes. In the foreground it stays in the group of processes that .ci/run ends.
again() { timeout --foreground 600 "$@" || timeout --foreground 600 "$@"; }

# make_venv NAME PACKAGES: does nothing for one that is as listed already.
make_venv() {
  local name=$1 packages=$2
  local venv=.venvs/$name
  [ "$(cat "$venv/packages.txt" 2>/dev/null || true)" = "$packages" ] && return
  rm -rf "$venv"
  python3 -m venv "$venv"
  # shellcheck disable=SC2086
  again "$venv/bin/pip" install --quiet --disable-pip-version-check $packages
  printf '%s' "$packages" >"$venv/packages.txt"
  echo "made $venv"
}
