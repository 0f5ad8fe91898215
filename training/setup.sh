#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes training/.venv from requirements.txt. About 3 minutes and 6 GB: PyPI's torch brings its GPU libraries along.
set -eu
cd "$(dirname "$0")"
python=${PYTHON:-python3.11}
if [ -f .venv/.ready ] && cmp -s requirements.txt .venv/.ready; then
  echo "training/.venv is up to date"
  exit 0
fi
command -v "$python" >/dev/null || { echo "error: $python not found; set PYTHON to a Python 3.11" >&2; exit 2; }
"$python" -m venv .venv
.venv/bin/python -m pip install --disable-pip-version-check --require-hashes -r requirements.txt
cp requirements.txt .venv/.ready
