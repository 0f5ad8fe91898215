#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How a model's errors depend on what a face's quality is measured by: where QualityLimits should stand.

Validation faces are made smaller, blurrier, darker and brighter step by step; the faces of all steps are put
in bins of the measure that src/face/quality.cpp takes, and each bin is judged by the model's own threshold.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from unmask_training import augment, data, metrics, report
from unmask_training.infer import OpenVinoModel

ROOT = Path(__file__).resolve().parent


def sharpness(image: np.ndarray) -> float:
    """As MeasureLight() in src/face/quality.cpp."""
    rows, columns = image.shape[:2]
    width = min(96, columns)
    small = cv2.resize(image, (width, max(1, round(rows * width / columns))), interpolation=cv2.INTER_AREA)
    luma = cv2.cvtColor(small, cv2.COLOR_BGR2GRAY)
    contrast = float(luma.std())
    if contrast < 2:
        return 0.0
    edges = cv2.Laplacian(cv2.GaussianBlur(luma, (5, 5), 1.0), cv2.CV_32F)
    ratio = float(edges.std()) ** 2 / contrast**2
    return ratio / (ratio + 0.02)


def brightness(image: np.ndarray) -> float:
    return float(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).mean() / 255)


def lit(gain: float, offset: float = 0.0) -> Callable:
    return lambda image: np.clip(image.astype(np.float32) * gain + offset, 0, 255).astype(np.uint8)


def sized(side: int) -> Callable:
    return lambda image: data.resize(image, side)


# Of each measure: the steps, how to measure, and the bins' ends.
SERIES: dict[str, tuple[list[Callable], Callable, list[float]]] = {
    "size": (
        [sized(side) for side in (24, 32, 40, 48, 64, 80, 112, 160, 224)],
        lambda image: min(image.shape[:2]),
        [0, 28, 36, 44, 56, 72, 96, 136, 192, 999],
    ),
    "sharpness": (
        [lambda image: image]
        + [lambda image, s=s: augment.blur(image, s) for s in (1.5, 2.5, 3.5, 5, 7, 10)],
        sharpness,
        [0, 0.02, 0.04, 0.08, 0.12, 0.16, 0.22, 0.3, 0.4, 0.5, 1.01],
    ),
    "brightness, darker": (
        [lit(gain) for gain in (1, 0.5, 0.25, 0.12, 0.06, 0.03)],
        brightness,
        [0, 0.01, 0.02, 0.03, 0.05, 0.08, 0.12, 0.2, 0.3, 1.01],
    ),
    "brightness, brighter": (
        [lit(gain) for gain in (1, 1.5, 2, 3, 4, 6, 9)],
        brightness,
        [0, 0.4, 0.5, 0.6, 0.7, 0.8, 0.86, 0.92, 0.96, 1.01],
    ),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path, help="e.g. models/face/1")
    parser.add_argument("--every", type=int, default=1, help="take each N-th validation face")
    parser.add_argument(
        "--data", type=Path, default=Path(os.environ.get("UNMASK_DATA", ROOT.parent / "../shared/data"))
    )
    args = parser.parse_args()
    cv2.setNumThreads(0)
    stated = json.loads((args.model / "model.json").read_text())
    network = OpenVinoModel(args.model / stated["network"]["file"], stated["input"]["width"])
    limit = stated["thresholds"]["manipulated"]["score"]
    faces = data.dfdc_faces(args.data, "val")[:: args.every]
    labels = np.array([face.fake for face in faces])
    for name, (steps, measure, ends) in SERIES.items():
        measured, scores = [], []
        for step in steps:
            measured += [measure(step(face.pixels())) for face in faces]
            logits = network.logits(faces, lambda image, seed, step=step: step(image))
            scores.append(report.scores_of(logits, stated["calibration"]))
        place = np.digitize(measured, ends) - 1
        truth, found = np.tile(labels, len(steps)), np.concatenate(scores)
        print(f"\n{name}: from, to | real, fake | AUC | fpr, tpr at the threshold")
        for i in range(len(ends) - 1):
            real, fake = found[(place == i) & ~truth], found[(place == i) & truth]
            if len(real) < 20 or len(fake) < 20:
                continue
            auc = metrics.auc(truth[place == i], found[place == i])
            rates = f"{(real >= limit).mean():.3f}, {(fake >= limit).mean():.3f}"
            print(f"{ends[i]}, {ends[i + 1]} | {len(real)}, {len(fake)} | {auc:.3f} | {rates}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
