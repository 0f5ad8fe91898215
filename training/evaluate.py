#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures a committed model on the validation data, and compares with what its model.json states.

Exit status 1 when a figure differs by more than rounding and a face or two at the threshold explain.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

import cv2
import numpy as np
from unmask_training import data, report
from unmask_training.infer import OpenVinoModel

ROOT = Path(__file__).resolve().parent

# A JPEG decoder or processor that rounds differently moves a few faces across a threshold.
TOLERANCE = {
    "auc": 0.002,
    "ap": 0.002,
    "eer": 0.005,
    "tpr_at_fpr_1": 0.01,
    "log_loss": 0.005,
    "brier": 0.002,
    "ece": 0.01,
    "called_manipulated": 0.01,
    "iou": 0.005,
    "ellipse_iou": 0.005,
}


def measure(model: Path, folder: Path, with_degradations: bool = True) -> dict:
    stated = json.loads((model / "model.json").read_text())
    for name, digest in stated["network"]["files"].items():
        if report.sha256(model / name) != digest:
            raise ValueError(
                f"{name}: its sha256 is not the one in model.json; restore the file or export again"
            )
    network = OpenVinoModel(model / stated["network"]["file"], stated["input"]["width"])
    val, real = data.dfdc_faces(folder, "val"), data.portraits(folder, "val")
    logits, predicted = network.outputs(val)
    quality = {"validation": report.validation(val, logits)}
    if predicted is not None:
        quality["mask"] = report.mask(val, predicted)
    if with_degradations:
        quality["degraded"] = report.degraded(network, val)
    scores = report.scores_of(network.logits(real), stated["calibration"])
    quality["portraits"] = report.portraits(real, scores, stated["thresholds"])
    labels = np.array([f.fake for f in val])
    calibrated = report.scores_of(logits, stated["calibration"])
    quality["at_threshold"] = {
        name: {
            "fpr": round(float((calibrated[~labels] >= t["score"]).mean()), 4),
            "tpr": round(float((calibrated[labels] >= t["score"]).mean()), 4),
        }
        for name, t in stated["thresholds"].items()
    }
    return quality


def differences(stated: dict, measured: dict, path: str = "") -> list[str]:
    found = []
    for key, value in stated.items():
        here = f"{path}.{key}" if path else key
        if key not in measured:
            continue
        if isinstance(value, dict):
            found += differences(value, measured[key], here)
        elif isinstance(value, list):
            if any(abs(a - b) > 0.02 for a, b in zip(value, measured[key], strict=True)):
                found.append(f"{here}: stated {value}, measured {measured[key]}")
        elif isinstance(value, str) or key not in TOLERANCE:
            if value != measured[key]:
                found.append(f"{here}: stated {value}, measured {measured[key]}")
        elif abs(value - measured[key]) > TOLERANCE[key]:
            found.append(f"{here}: stated {value}, measured {measured[key]}")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    newest = max((ROOT.parent / "models/face").glob("[0-9]*"), key=lambda folder: int(folder.name))
    parser.add_argument("--model", type=Path, default=newest, help="default: the newest face model")
    parser.add_argument(
        "--data", type=Path, default=Path(os.environ.get("UNMASK_DATA", ROOT.parent / "../shared/data"))
    )
    parser.add_argument("--quick", action="store_true", help="leave out the degradations")
    args = parser.parse_args()
    cv2.setNumThreads(0)
    began = time.monotonic()
    try:
        measured = measure(args.model, args.data, not args.quick)
    except (FileNotFoundError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    stated = json.loads((args.model / "model.json").read_text())["quality"]
    print(json.dumps(measured, indent=2))
    wrong = differences(stated, measured)
    for line in wrong:
        print(f"differs: {line}", file=sys.stderr)
    print(
        f"{'the figures differ' if wrong else 'the figures of model.json are reproduced'} "
        f"({time.monotonic() - began:.0f} s)",
        file=sys.stderr,
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
