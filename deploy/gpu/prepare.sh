#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes what compose.yaml and unmask need from a model of this repository:
#   triton/face/4/model.onnx    the network, for Triton
#   models/face/4/              golden inputs, and the card: the network runs at $1 (default http://127.0.0.1:8000)
set -euo pipefail
cd "$(dirname "$0")"
url=${1:-http://127.0.0.1:8000}
source=../../models/face/4
mkdir -p triton/face/4 models/face/4
cp "$source/face.onnx" triton/face/4/model.onnx
cp "$source/golden-fp32.json" models/face/4/golden.json  # what this network gives; face.xml is in int8
python3 - "$source/model.json" models/face/4/model.json "$url" <<'PY'
import json, sys
card = json.load(open(sys.argv[1]))
del card["network"]
card["engine"] = {"type": "kserve-v2", "url": sys.argv[3], "model": "face", "version": "4", "max_batch": 16}
json.dump(card, open(sys.argv[2], "w"), indent=2)
PY
echo "ready: docker compose up --detach --wait, then unmask serve --models $PWD/models"
