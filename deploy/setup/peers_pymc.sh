#!/usr/bin/env bash
# Makes .local/peers-pymc: PyMC-Marketing, beside which `make bench-value` times scoring when it is there. About a
# minute and 800 MB; nothing else needs it. Another folder can be named as the first argument.
set -euo pipefail
cd "$(dirname "$0")/../.."
into="${1:-.local/peers-pymc}"

packages=(
  annotated-types==0.8.0 arviz==0.23.4 arviz-stats==0.8.0 better_optimize==0.3.2 cachetools==6.2.6
  cloudpickle==3.1.3 cons==0.4.7 contourpy==1.3.3 cycler==0.12.1 etuples==0.3.10 filelock==4.3.1
  fonttools==4.68.0 h5netcdf==1.8.2 h5py==3.16.0 joblib==1.6.0 kiwisolver==1.5.1 llvmlite==0.47.0
  logical-unification==0.4.7 markdown-it-py==4.3.0 matplotlib==3.11.2 mdurl==0.1.2 miniKanren==1.0.5
  multipledispatch==1.0.0 narwhals==2.29.0 numba==0.65.1 numpy==2.4.6 packaging==26.4 pandas==3.1.1
  pillow==13.0.0 platformdirs==4.14.8 preliz==0.24.0 pydantic==2.14.4 pydantic_core==2.50.5 Pygments==2.21.0
  pymc==5.28.5 pymc-extras==0.10.0 pymc-marketing==0.19.2 pyparsing==3.3.3 pyprojroot==0.3.0 pytensor==2.38.3
  pytensor-distributions==0.1.3 python-dateutil==4.0.0 PyYAML==6.0.4 rich==15.0.0 scikit-learn==1.9.1
  scipy==1.17.1 seaborn==0.13.2 threadpoolctl==3.8.0 toolz==1.2.0 tqdm==4.70.1 typing-inspection==0.4.5
  typing_extensions==4.16.0 tzdata==2026.6 xarray==2026.9.0 xarray-einstats==0.9.1
)

python=.venv/bin/python
[ -x "$python" ] || python=python3
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
  { echo "peers: Python 3.11 or newer is missing" >&2; exit 1; }
[ -x "$into/bin/python" ] || "$python" -m venv "$into"
"$into/bin/python" -m pip --disable-pip-version-check --no-input --quiet install --no-deps "${packages[@]}"
"$into/bin/python" -W ignore -c 'import pymc_marketing'
