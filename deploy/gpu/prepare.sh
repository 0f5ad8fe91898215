#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes what compose.yaml and unmask need from a model of this repository:
#   triton/face/3/model.onnx    the network, for Triton
#   models/face/3/              golden inputs, and the card: the network runs at $1 (default http://127.0.0.1:8000)
set -euo pipefail
cd "$(dirname "$0")"
url=${1:-http://127.0.0.1:8000}
source=../../models/face/3
mkdir -p triton/face/3 models/face/3
cp "$source/face.onnx" triton/face/3/model.onnx
cp "$source/golden.json" models/face/3/  # what the engine must compute before a server uses it
python3 - "$source/model.json" models/face/3/model.json "$url" <<'PY'
import json, sys
card = json.load(open(sys.argv[1]))
del card["network"]
card["engine"] = {"type": "kserve-v2", "url": sys.argv[3], "model": "face", "version": "3", "max_batch": 16}
json.dump(card, open(sys.argv[2], "w"), indent=2)
PY
echo "ready: docker compose up --detach --wait, then unmask serve --models $PWD/models"
