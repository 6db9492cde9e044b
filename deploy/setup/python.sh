#!/usr/bin/env bash
# Makes .venv from requirements.lock, every file checked against its hash, and this project in it, editable.
set -euo pipefail
cd "$(dirname "$0")/../.."

is_new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

# An environment that works is kept: the lock alone decides what is in it.
if ! { [ -x .venv/bin/python ] && is_new_enough .venv/bin/python; }; then
  python=
  for name in python3.11 python3; do
    if command -v "$name" >/dev/null && is_new_enough "$name"; then python="$name"; break; fi
  done
  if [ -z "$python" ]; then
    echo "setup: Python 3.11 or newer is missing; install it (Debian: python3 python3-venv)" >&2; exit 1
  fi
  rm -rf .venv
  if ! "$python" -m venv .venv; then
    rm -rf .venv
    echo "setup: $python cannot make an environment; install its venv module (Debian: python3-venv)" >&2; exit 1
  fi
fi

pip=(.venv/bin/python -m pip --disable-pip-version-check --no-input --quiet)
"${pip[@]}" install --require-hashes -r requirements.lock
"${pip[@]}" install --no-deps --no-build-isolation --editable .
