#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The whole way from a correction to a canary, on sample media: server, analyses, feedback, data set, retraining, gate,
# canary (docs/learning.md). It needs a portrait (tools/setup.sh --tests fetches one) and, for the retraining, training/.venv.
#
#   tools/learning_loop.sh [--candidate DIR] [WORK]
#
# --candidate DIR: take this version, NAME/VERSION, instead of retraining; then the shipped face:1 is the one that serves.
# WORK: where everything is written; it must not exist (default: a new temporary folder).
set -euo pipefail
cd "$(dirname "$0")/.."
unmask=${UNMASK:-build/release/unmask}
python=${TRAINING_PYTHON:-training/.venv/bin/python}
portrait=third_party/test_media/astronaut.png
candidate=
if [ "${1:-}" = --candidate ]; then
  candidate=$2
  shift 2
fi
work=${1:-$(mktemp -d)/loop}
[ ! -e "$work" ] || { echo "error: $work exists" >&2; exit 2; }
[ -x "$unmask" ] || { echo "error: $unmask is missing; build it (make build) or set UNMASK" >&2; exit 2; }
[ -f "$portrait" ] || { echo "error: $portrait is missing; run tools/setup.sh --tests" >&2; exit 2; }
mkdir -p "$work/media" "$work/old/real" "$work/old/fake"
say() { printf '\n== %s\n' "$*"; }

say "1. a version that serves"
if [ -n "$candidate" ]; then
  mkdir -p "$work/models/face"
  cp -r models/face/1 "$work/models/face/1"
else
  "$python" training/retrain.py --config training/configs/retrain-sample.toml --steps 0 --run "$work/first" \
    --out "$work/models/face/1"
fi
"$unmask" model promote face:1 --models "$work/models"

say "2. media: views of one portrait; the manipulated ones have strange colours"
for i in $(seq 1 16); do
  side=$((512 - 12 * i))
  view="crop=$side:$side:$((6 * i)):$((2 * i)),scale=512:512"
  ffmpeg -v error -nostdin -i "$portrait" -vf "$view" "$work/media/real-$i.png"
  ffmpeg -v error -nostdin -i "$portrait" -vf "$view,hue=h=150:s=2" "$work/media/fake-$i.png"
done
for i in 13 14 15 16; do  # these are the old data, labelled long ago
  mv "$work/media/real-$i.png" "$work/old/real/"
  mv "$work/media/fake-$i.png" "$work/old/fake/"
done
"$unmask" faces extract --models "$work/models" --split train=1 -o "$work/replay" "$work/old"

say "3. a server, analyses, and what people say of them"
"$unmask" serve --listen 127.0.0.1:0 --models "$work/models" --feedback "$work/feedback" --no-automatic-rollback \
  >"$work/serve.out" 2>"$work/serve.log" &
server=$!
trap 'kill "$server" 2>/dev/null || true' EXIT
until url=$(grep -om1 'http://[^ ]*' "$work/serve.out"); do
  kill -0 "$server" || { cat "$work/serve.log" >&2; exit 3; }
  sleep 0.1
done
for file in "$work"/media/*.png; do
  name=$(basename "$file")
  id=$(curl -sf -F "file=@$file" "$url/v1/analyses?wait=300&stability=off" | sed 's/.*"id":"\([^"]*\)".*/\1/;q')
  curl -sf -d "{\"label\": \"${name%%-*}\", \"note\": \"$name\", \"keep_faces\": true}" \
    "$url/v1/analyses/$id/feedback"
done
curl -sf "$url/metrics" | grep '^unmask_feedback'

say "4. a data set of it"
"$unmask" faces export-feedback "$work/feedback" --models "$work/models" --out "$work/set" --split train=0.5,val=0.5

if [ -z "$candidate" ]; then
  say "5. retraining: feedback and old data"
  candidate=$work/candidates/face/2
  "$python" training/retrain.py --config training/configs/retrain-sample.toml --served "$work/models/face/1" \
    --checkpoint "$work/first/final.pt" --feedback "$work/set" --replay "$work/replay" --run "$work/run" --out "$candidate"
fi

say "6. the gate"
"$unmask" model gate "$candidate" --against face:1 --models "$work/models" --data "$work/set" --split val \
  --least-files 2

say "7. a canary"
version=$(basename "$candidate")
cp -r "$candidate" "$work/models/face/$version.part"
mv "$work/models/face/$version.part" "$work/models/face/$version"
"$unmask" model route "face:$version" --canary 5 --require-gate --reason "learnt from feedback" --models "$work/models"
"$unmask" model log face --models "$work/models"
kill "$server"
wait "$server"
trap - EXIT
say "done: $work"
