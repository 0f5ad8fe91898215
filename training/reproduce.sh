#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes models/face/4 from the data, or measures the committed newest model.
#
#   training/reproduce.sh [--data DIR] [--evaluate-only]
#
# Training takes minutes on a GPU and days on two cores; stopped, it goes on from its last checkpoint in training/runs.
set -eu
usage() { sed -n '3,7s/^# \{0,1\}//p' "$0"; }
here=$(cd "$(dirname "$0")" && pwd)
data=${UNMASK_DATA:-$here/../../shared/data}
evaluate_only=
while [ $# -gt 0 ]; do
  case $1 in
    --data) data=${2:?--data needs a directory}; shift 2 ;;
    --evaluate-only) evaluate_only=yes; shift ;;
    -h|--help) usage; exit 0 ;;
    *) echo "error: unknown argument $1" >&2; usage >&2; exit 2 ;;
  esac
done
[ -f "$data/dfdc-faces.csv" ] || { echo "error: $data has no dfdc-faces.csv; give --data or UNMASK_DATA" >&2; exit 2; }
python=${TRAINING_PYTHON:-$here/.venv/bin/python}
[ -x "$python" ] || { echo "error: $python not found; run training/setup.sh first" >&2; exit 2; }

if [ -z "$evaluate_only" ]; then
  "$python" "$here/check_data.py" --data "$data"
  "$python" "$here/landmarks.py" --data "$data"
  # A GPU waits for its batches unless many processes make them; numeric libraries' own threads would be in their way.
  workers=0
  if "$python" -c 'import sys, torch; sys.exit(not torch.cuda.is_available())'; then
    workers=$(($(nproc) - 1))
    export OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1
  fi
  "$python" "$here/train.py" --data "$data" --workers "$workers"
  "$python" "$here/train_outline.py" --data "$data"
  "$python" "$here/export.py" --data "$data"
fi
exec "$python" "$here/evaluate.py" --data "$data"
