#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes a model's folder from a checkpoint: networks, golden logits, measured model.json, CARD.md."""

import argparse
import json
import sys
from pathlib import Path

import card as card_step
import cv2
import numpy as np
from unmask_training import card, data, export, quantise, report
from unmask_training.config import load as load_config
from unmask_training.infer import OpenVinoModel, torch_logits

ROOT = Path(__file__).resolve().parent

# By what logits may differ from PyTorch's: at most, and on average. Int8 moves single faces far.
DIFFERENCE = {"fp16": (0.02, 0.02), "int8": (float("inf"), 0.1)}


def describe(out: Path, size: int, mask: np.ndarray | None, date: str) -> dict:
    """What model.json says of the network; calibration and thresholds are card.py's to set."""
    described = {
        "schema": "unmask.model/1",
        "name": out.parent.name,
        "version": int(out.name),
        "task": "face-manipulation",
        "description": "",
        "created": date,
        "network": {
            "file": "face.xml",
            "files": {n: report.sha256(out / n) for n in ("face.xml", "face.bin")},
        },
        "input": {
            "name": "image",
            "layout": "NCHW",
            "width": size,
            "height": size,
            "color": "RGB",
            "mean": [data.MEAN] * 3,
            "scale": [data.SCALE] * 3,
            "resize": "area",
        },
        "crop": data.CROP,
        "output": {"name": "logit", "meaning": "manipulated"},
        "calibration": None,
        "thresholds": {"manipulated": {"score": 1, "fpr": 0}, "clear": {"score": 0, "fpr": 1, "miss": 0}},
    }
    if mask is not None:
        height, width = mask.shape[1:]
        described["mask"] = {"name": "mask", "width": width, "height": height, "meaning": "changed"}
    return described


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, default=ROOT / "configs/face-4.toml")
    parser.add_argument("--checkpoint", type=Path, help="default: final.pt of the configuration's run")
    parser.add_argument("--out", type=Path, help="NAME/VERSION; default: models/face/VERSION")
    parser.add_argument("--size", type=int, help="pixels of the input; default: the configuration's")
    card_step.add_arguments(parser)
    args = parser.parse_args()
    if not export.ASTRONAUT.is_file():
        print(
            f"error: {export.ASTRONAUT}: not found\nhint: tools/setup.sh fetches it, for the golden logits",
            file=sys.stderr,
        )
        return 2
    cv2.setNumThreads(0)
    config = load_config(args.config)
    exported = config.get("export", {})
    version, size = exported.get("version", 1), args.size or exported.get("size", data.SIZE)
    checkpoint = args.checkpoint or ROOT / "runs" / config["name"] / "final.pt"
    out = (args.out or ROOT.parent / f"models/face/{version}").resolve()
    try:
        words = card.read(args.card)
        if not out.name.isdecimal():
            raise ValueError(f"--out {out}: expected a folder NAME/VERSION, e.g. my-models/mine/1")
        card_step.metrics.program()
    except (FileNotFoundError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    model = export.load(checkpoint, config["train"].get("network", "plain"), exported.get("mirrored", False))
    out.mkdir(parents=True, exist_ok=True)
    precision, inputs = exported.get("precision", "fp16"), None
    if precision == "int8":
        faces = data.dfdc_faces(args.data, "train") + data.portraits(args.data, "train")
        inputs = quantise.examples(faces, config, size)
    export.write_networks(model, out, size, inputs)
    network = OpenVinoModel(out / "face.xml", size)

    val = data.dfdc_faces(args.data, "val")
    logits, predicted = network.outputs(val)
    apart = np.abs(logits - torch_logits(model, val, size=size))
    difference, mean = float(apart.max()), float(apart.mean())
    print(f"exported network and PyTorch differ by {mean:.5f} on average, by {difference:.5f} at most")
    most, most_mean = DIFFERENCE[precision]
    if difference > most or mean > most_mean:
        print(f"error: expected at most {most_mean} on average, {most} at most", file=sys.stderr)
        return 1
    card_step.write(out, describe(out, size, predicted, args.date))
    facts = {"date": args.date, "machine": args.machine, "difference": round(difference, 5)}
    print(json.dumps(card_step.make(out, words, args.data, facts, every=args.every)["quality"], indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
