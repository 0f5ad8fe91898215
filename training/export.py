#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes a model's folder from a checkpoint: networks, golden logits, measured model.json, CARD.md."""

import argparse
import datetime
import json
import os
import sys
import tomllib
from pathlib import Path

import cv2
import numpy as np
from unmask_training import card, data, export, report
from unmask_training.infer import OpenVinoModel, torch_logits

ROOT = Path(__file__).resolve().parent

MAX_DIFFERENCE = 0.02


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path, default=ROOT / "runs/face-1c/final.pt")
    parser.add_argument("--config", type=Path, default=ROOT / "configs/face-1c.toml")
    parser.add_argument(
        "--data", type=Path, default=Path(os.environ.get("UNMASK_DATA", ROOT.parent / "../shared/data"))
    )
    parser.add_argument("--out", type=Path, default=ROOT.parent / "models/face/1")
    parser.add_argument(
        "--astronaut",
        type=Path,
        default=export.ASTRONAUT,
        help="NASA's portrait from Debian's python3-skimage, for the golden logits",
    )
    parser.add_argument("--date", default=datetime.date.today().isoformat())
    parser.add_argument("--machine", default=f"{os.cpu_count()} cores")
    args = parser.parse_args()
    if not args.astronaut.is_file():
        print(
            f"error: {args.astronaut}: not found\nhint: tools/setup.sh fetches it; or give --astronaut",
            file=sys.stderr,
        )
        return 2
    cv2.setNumThreads(0)
    config = tomllib.loads(args.config.read_text())
    second = config["train"]
    settings = tomllib.loads(args.config.with_name(f"{config['after']}.toml").read_text())["train"]
    model = export.load(args.checkpoint)
    args.out.mkdir(parents=True, exist_ok=True)
    export.write_onnx(model, args.out / "face.onnx")
    export.write_ir(args.out / "face.onnx", args.out / "face.xml")
    network = OpenVinoModel(args.out / "face.xml")

    train = data.dfdc_faces(args.data, "train")
    val, real = data.dfdc_faces(args.data, "val"), data.portraits(args.data, "val")
    labels = np.array([f.fake for f in val])
    logits = network.logits(val)
    difference = float(np.abs(logits - torch_logits(model, val)).max())
    print(f"largest difference between the exported network and PyTorch: {difference:.5f}")
    if difference > MAX_DIFFERENCE:
        print(f"error: the difference is above {MAX_DIFFERENCE}", file=sys.stderr)
        return 1

    fitted = report.calibration(labels, logits)
    limits = report.thresholds(labels, report.scores_of(logits, fitted))
    model_json = {
        "schema": "unmask.model/1",
        "name": "face",
        "version": 1,
        "task": "face-manipulation",
        "description": card.DESCRIPTION,
        "created": args.date,
        "network": {
            "file": "face.xml",
            "files": {n: report.sha256(args.out / n) for n in ("face.xml", "face.bin")},
        },
        "input": {
            "name": "image",
            "layout": "NCHW",
            "width": data.SIZE,
            "height": data.SIZE,
            "color": "RGB",
            "mean": [data.MEAN] * 3,
            "scale": [data.SCALE] * 3,
            "resize": "area",
        },
        "crop": data.CROP,
        "output": {"name": "logit", "meaning": "manipulated"},
        "calibration": fitted,
        "thresholds": limits,
        "quality": {
            "validation": report.validation(val, logits),
            "degraded": report.degraded(network, val),
            "portraits": report.portraits(real, report.scores_of(network.logits(real), fitted), limits),
        },
        "data": card.DATA,
        "licence": card.LICENCE,
        "limits": card.LIMITS,
    }
    (args.out / "model.json").write_text(json.dumps(model_json, indent=2) + "\n")
    golden = export.golden(model, export.golden_cases(args.astronaut))
    (args.out / "golden.json").write_text(json.dumps(golden, indent=2) + "\n")
    import openvino

    facts = {
        "ir_mib": (args.out / "face.bin").stat().st_size / 2**20,
        "steps": f"{settings['steps']:,}",
        "second_steps": second["steps"],
        "second_rate": second["rate"],
        "pairs": settings["pairs"],
        "portraits": settings["portraits"],
        "rate": settings["rate"],
        "small_steps": len(range(*settings.get("small_steps", (0, 0)))),
        "small_size": settings.get("small_size", data.SIZE),
        "smoothing": settings["label_smoothing"],
        "train_pairs": f"{len(data.pairs(train)):,}",
        "date": args.date,
        "machine": args.machine,
        "openvino": openvino.__version__.split("-")[0],
        "difference": difference,
    }
    (args.out / "CARD.md").write_text(card.render(model_json, facts))
    print(json.dumps(model_json["quality"], indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
