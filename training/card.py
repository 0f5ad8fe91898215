#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fits calibration and thresholds of an exported model, measures it, writes model.json and CARD.md.

export.py runs this on what it has exported; by itself it does a folder again, e.g. when the words changed.
"""

import argparse
import datetime
import json
import os
import sys
from pathlib import Path

import cv2
import numpy as np
from unmask_training import card, data, measure, metrics, report, tracks
from unmask_training.infer import OpenVinoModel

ROOT = Path(__file__).resolve().parent


def fit(model: Path, folder: Path, stated: dict) -> None:
    """Sets calibration, thresholds and tracks of model.json's content."""
    labels, logits = measure.logits(model, folder)
    stated["calibration"] = report.calibration(labels, logits)
    stated["thresholds"] = report.thresholds(labels, report.scores_of(logits, stated["calibration"]))


def fit_tracks(model: Path, folder: Path, stated: dict, every: int) -> dict:
    """Sets `tracks` where that is worth it, and gives the comparison for `quality`."""
    faces = data.dfdc_faces(folder, "val")[::every]
    network = OpenVinoModel(model / stated["network"]["file"], stated["input"]["width"])
    simulated = tracks.simulate(network, faces)
    labels = np.array([face.fake for face in faces])
    points, compared = tracks.points(labels, simulated, stated, report.thresholds)
    if tracks.worth_it(compared):
        stated["tracks"] = points
    return {"simulated": True, "faces": len(faces), "points": compared}


def write(model: Path, stated: dict) -> None:
    (model / "model.json").write_text(json.dumps(stated, indent=2) + "\n")


def make(
    model: Path,
    words: dict,
    folder: Path,
    facts: dict,
    refit: bool = True,
    degrade: bool = True,
    every: int = 1,
) -> dict:
    """model.json and CARD.md of a folder that has a model.json with all that describes the network."""
    stated = json.loads((model / "model.json").read_text())
    before = stated.pop("quality", {})
    stated["description"], stated["licence"] = words["model"]["description"], words["model"]["licence"]
    stated["data"], stated["limits"] = words["data"], card.limits_of(words)
    if refit:
        stated.pop("tracks", None)
        fit(model, folder, stated)
        compared = fit_tracks(model, folder, stated, every)
    else:
        compared = before.get("tracks")
    write(model, stated)
    stated["quality"] = measure.quality(model, folder, words["validation"], degrade)
    if compared:
        stated["quality"]["tracks"] = compared
    if "mask" in stated:
        faces = data.dfdc_faces(folder, "val")
        network = OpenVinoModel(model / stated["network"]["file"], stated["input"]["width"])
        stated["quality"]["mask"] = report.mask(
            faces, network.outputs(faces)[1], words["validation"]["faces"]
        )
    measured = {"date": facts["date"], "machine": facts["machine"]}
    stated["quality"]["measured"] = measured | {k: facts[k] for k in ("difference",) if k in facts}
    write(model, stated)
    weights = Path(stated["network"]["file"]).with_suffix(".bin")
    facts = facts | {"mib": (model / weights).stat().st_size / 2**20}
    (model / "CARD.md").write_text(card.render(stated, words, facts))
    return stated


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--card", type=Path, default=ROOT / "cards/face.toml", help="the words: description, data, limits"
    )
    parser.add_argument(
        "--data", type=Path, default=Path(os.environ.get("UNMASK_DATA", ROOT.parent / "../shared/data"))
    )
    parser.add_argument("--every", type=int, default=1, help="simulate tracks of each N-th validation face")
    parser.add_argument("--date", default=datetime.date.today().isoformat())
    parser.add_argument("--machine", default=f"{os.cpu_count()} cores")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path, help="e.g. models/face/1")
    parser.add_argument("--keep", action="store_true", help="keep calibration and thresholds, measure only")
    parser.add_argument("--quick", action="store_true", help="leave out the degradations")
    add_arguments(parser)
    args = parser.parse_args()
    cv2.setNumThreads(0)
    try:
        metrics.program()
        words = card.read(args.card)
        facts = {"date": args.date, "machine": args.machine}
        stated = json.loads((args.model / "model.json").read_text())
        difference = stated.get("quality", {}).get("measured", {}).get("difference")
        if difference is not None:
            facts["difference"] = difference
        made = make(args.model.resolve(), words, args.data, facts, not args.keep, not args.quick, args.every)
    except (FileNotFoundError, ValueError, RuntimeError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(json.dumps(made["quality"], indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
