#!/usr/bin/env bash
# Rewrites requirements.lock from pyproject.toml: every extra, every hash, no address of any registry.
# Needs uv (`python -m pip install uv`). Extra arguments go to uv, e.g. `--upgrade-package httpx`.
set -euo pipefail
cd "$(dirname "$0")/../.."
uv="$(command -v uv || true)"
[ -x .venv/bin/uv ] && uv=.venv/bin/uv
[ -n "$uv" ] || { echo "lock: uv is missing; install it with: python -m pip install uv" >&2; exit 1; }

# --universal: markers for every Python from 3.11 on; setuptools is here for the editable install itself.
{
  echo "# Made by deploy/setup/lock.sh from pyproject.toml. Do not edit."
  "$uv" pip compile pyproject.toml - --all-extras --universal --python-version 3.11 \
    --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate \
    --quiet "$@" <<<"setuptools>=77"
} > requirements.lock.new
if grep -Eq '[a-z]+://' requirements.lock.new; then
  echo "lock: the new lock names an address; requirements.lock is left as it was" >&2; exit 1
fi
mv requirements.lock.new requirements.lock
