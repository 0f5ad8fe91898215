#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes a model's folder from a checkpoint: networks, golden logits, measured model.json, CARD.md."""

import argparse
import datetime
import json
import os
import sys
from pathlib import Path

import cv2
import numpy as np
from unmask_training import card, data, export, report
from unmask_training.batches import at
from unmask_training.config import load as load_config
from unmask_training.infer import OpenVinoModel, torch_logits

ROOT = Path(__file__).resolve().parent

MAX_DIFFERENCE = 0.02


def facts_of_1(config: dict, folder: Path) -> dict:
    """What only version 1's card says: it was trained in two cycles."""
    settings = load_config(folder / f"{config['after']}.toml")["train"]
    second = config["train"]
    (_, size), (first, small_size), (last, _) = settings["sizes"]
    assert small_size < size
    return {
        "steps": f"{settings['steps']:,}",
        "second_steps": second["steps"],
        "second_rate": second["rate"],
        "pairs": settings["pairs"],
        "portraits": settings["portraits"],
        "rate": settings["rate"],
        "small_steps": last - first,
        "small_size": small_size,
        "smoothing": settings["label_smoothing"],
    }


def facts_of_2(config: dict, steps: int) -> dict:
    settings = config["train"]
    starts = [first for first, _ in settings["sizes"]] + [max(steps, settings["sizes"][-1][0])]
    sizes = [
        f"{min(last, steps) - first:,} at {size} pixels"
        for (first, size), last in zip(settings["sizes"], starts[1:], strict=True)
        if first < steps
    ]
    return {
        "after": config["after"],
        "steps": f"{steps:,}",
        "sizes": ", ".join(sizes),
        "cool": f"{settings['cool']:,}",
        "pairs": settings["pairs"],
        "families": at(steps, settings["families"]),
        "family_names": ", ".join(config.get("families", {})) or "none",
        "portraits": settings["portraits"],
        "rate": at(steps, settings["rate"]),
        "ema": at(steps, settings["ema"]),
        "mask_weight": settings["mask_weight"],
        "smoothing": settings["label_smoothing"],
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, default=ROOT / "configs/face-2.toml")
    parser.add_argument("--checkpoint", type=Path, help="default: final.pt of the configuration's run")
    parser.add_argument(
        "--data", type=Path, default=Path(os.environ.get("UNMASK_DATA", ROOT.parent / "../shared/data"))
    )
    parser.add_argument("--out", type=Path, help="default: models/face/VERSION")
    parser.add_argument("--size", type=int, help="pixels of the input; default: the configuration's")
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
    config = load_config(args.config)
    exported = config.get("export", {})
    version, size = exported.get("version", 1), args.size or exported.get("size", data.SIZE)
    checkpoint = args.checkpoint or ROOT / "runs" / config["name"] / "final.pt"
    out = args.out or ROOT.parent / f"models/face/{version}"
    mirrored = exported.get("mirrored", False)
    model = export.load(checkpoint, config["train"].get("network", "plain"), mirrored)
    out.mkdir(parents=True, exist_ok=True)
    export.write_onnx(model, out / "face.onnx", size)
    export.write_ir(out / "face.onnx", out / "face.xml")
    network = OpenVinoModel(out / "face.xml", size)

    train = data.dfdc_faces(args.data, "train")
    val, real = data.dfdc_faces(args.data, "val"), data.portraits(args.data, "val")
    labels = np.array([f.fake for f in val])
    logits, predicted = network.outputs(val)
    difference = float(np.abs(logits - torch_logits(model, val, size=size)).max())
    print(f"largest difference between the exported network and PyTorch: {difference:.5f}")
    if difference > MAX_DIFFERENCE:
        print(f"error: the difference is above {MAX_DIFFERENCE}", file=sys.stderr)
        return 1

    fitted = report.calibration(labels, logits)
    limits = report.thresholds(labels, report.scores_of(logits, fitted))
    quality = {
        "validation": report.validation(val, logits),
        "degraded": report.degraded(network, val),
        "portraits": report.portraits(real, report.scores_of(network.logits(real), fitted), limits),
    }
    model_json = {
        "schema": "unmask.model/1",
        "name": "face",
        "version": version,
        "task": "face-manipulation",
        "description": card.DESCRIPTION[version],
        "created": args.date,
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
        "calibration": fitted,
        "thresholds": limits,
        "quality": quality,
        "data": card.DATA,
        "licence": card.LICENCE,
        "limits": card.LIMITS[version],
    }
    if predicted is not None:
        height, width = predicted.shape[1:]
        quality["mask"] = report.mask(val, predicted)
        model_json["mask"] = {"name": "mask", "width": width, "height": height, "meaning": "changed"}
    (out / "model.json").write_text(json.dumps(model_json, indent=2) + "\n")
    golden = export.golden(model, export.golden_cases(args.astronaut), size)
    (out / "golden.json").write_text(json.dumps(golden, indent=2) + "\n")
    import openvino

    steps = export.steps_of(checkpoint)
    facts = facts_of_1(config, args.config.parent) if version == 1 else facts_of_2(config, steps)
    facts |= {
        "ir_mib": (out / "face.bin").stat().st_size / 2**20,
        "train_pairs": f"{len(data.pairs(train)):,}",
        "date": args.date,
        "machine": args.machine,
        "openvino": openvino.__version__.split("-")[0],
        "difference": difference,
    }
    (out / "CARD.md").write_text(card.render(model_json, facts))
    print(json.dumps(quality, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
