# SPDX-License-Identifier: Apache-2.0
"""What is fitted on validation faces, calibration and thresholds; and what the program does not measure."""

from pathlib import Path

import numpy as np

from . import calibrate, metrics, validate
from .data import Face, pairs

FPR_MANIPULATED = 0.01  # share of the reals that may be called manipulated
MISS_CLEAR = 0.04  # share of the fakes that may be cleared; 0.10 for versions 1 and 2, see EXPERIMENTS.md


def calibration(labels, logits) -> dict:
    slope, intercept = calibrate.fit_platt(labels, logits)
    return {"method": "platt", "slope": round(slope, 6), "intercept": round(intercept, 6)}


def scores_of(logits, fitted: dict) -> np.ndarray:
    return calibrate.sigmoid(fitted["slope"] * np.asarray(logits, float) + fitted["intercept"])


def threshold_at_miss(labels, scores, miss: float) -> float:
    """The highest score below which at most `miss` of the fakes lie, halfway to the next lower score."""
    labels, scores = np.asarray(labels, bool), np.asarray(scores, float)
    fakes = np.sort(scores[labels])
    kept = fakes[int(np.floor(miss * len(fakes) + 1e-9))]
    below = scores[scores < kept]
    return float(kept if not len(below) else (kept + below.max()) / 2)


def thresholds(labels, scores) -> dict:
    """`manipulated` at a false-positive rate, `clear` at a miss rate."""
    labels, scores = np.asarray(labels, bool), np.asarray(scores, float)
    manipulated = round(metrics.threshold_at_fpr(labels, scores, FPR_MANIPULATED), 6)
    clear = min(round(threshold_at_miss(labels, scores, MISS_CLEAR), 6), manipulated)
    return {
        "manipulated": {"score": manipulated, "fpr": FPR_MANIPULATED},
        "clear": {
            "score": clear,
            "fpr": round(float((scores[~labels] >= clear).mean()), 4),
            "miss": MISS_CLEAR,
        },
    }


def mask(faces: list[Face], predicted: np.ndarray, name: str) -> dict:
    """Mean IoU with where each fake differs from its original, and that of a centred ellipse."""
    by_name = {face.name: m for face, m in zip(faces, predicted, strict=True)}
    found, guessed = validate.mask_iou(pairs(faces), by_name)
    return {"data": name, "iou": round(found, 4), "ellipse_iou": round(guessed, 4)}


def sha256(file: Path) -> str:
    import hashlib

    return hashlib.sha256(file.read_bytes()).hexdigest()
