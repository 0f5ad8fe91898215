# SPDX-License-Identifier: Apache-2.0
"""The figures of a model: what model.json and the card state, measured through the exported network."""

from pathlib import Path

import numpy as np

from . import augment, calibrate, metrics, validate
from .data import Face, pairs

FPR_MANIPULATED, FPR_CLEAR = 0.01, 0.10


def calibration(labels, logits) -> dict:
    slope, intercept = calibrate.fit_platt(labels, logits)
    return {
        "method": "platt",
        "slope": round(slope, 6),
        "intercept": round(intercept, 6),
        "data": "dfdc-faces val",
    }


def scores_of(logits, fitted: dict) -> np.ndarray:
    return calibrate.sigmoid(fitted["slope"] * np.asarray(logits, float) + fitted["intercept"])


def thresholds(labels, scores) -> dict:
    at = {"manipulated": FPR_MANIPULATED, "clear": FPR_CLEAR}
    return {
        name: {"score": round(metrics.threshold_at_fpr(labels, scores, fpr), 6), "fpr": fpr}
        for name, fpr in at.items()
    }


def validation(faces: list[Face], logits) -> dict:
    labels = np.array([f.fake for f in faces])
    groups = np.array([f.original for f in faces])
    held_out = calibrate.out_of_fold(labels, logits, groups)

    ranked = metrics.figures(labels, logits, groups, rounds=2000)
    probable = metrics.figures(labels, held_out)

    def interval(name):
        return [round(v, 4) for v in ranked[name]["interval"]]

    return {
        "data": "dfdc-faces val",
        "faces": len(faces),
        "real": int((~labels).sum()),
        "fake": int(labels.sum()),
        "auc": round(ranked["auc"]["value"], 4),
        "auc_interval": interval("auc"),
        "ap": round(ranked["average_precision"]["value"], 4),
        "eer": round(ranked["eer"]["value"], 4),
        "tpr_at_fpr_1": round(ranked["tpr_at_fpr_1"]["value"], 4),
        "tpr_at_fpr_1_interval": interval("tpr_at_fpr_1"),
        "log_loss": round(probable["log_loss"]["value"], 4),
        "brier": round(probable["brier"]["value"], 4),
        "ece": round(probable["ece"]["value"], 4),
    }


def degraded(network, faces: list[Face]) -> dict:
    labels, result = np.array([f.fake for f in faces]), {}
    for name, degrade in augment.DEGRADATIONS.items():
        ranked = metrics.figures(labels, network.logits(faces, degrade))
        result[name] = {key: round(ranked[key]["value"], 4) for key in ("auc", "tpr_at_fpr_1")}
    return result


def portraits(faces: list[Face], scores, limits: dict) -> dict:
    called = float((np.asarray(scores) >= limits["manipulated"]["score"]).mean())
    return {"data": "portraits val", "faces": len(faces), "called_manipulated": round(called, 4)}


def mask(faces: list[Face], predicted: np.ndarray) -> dict:
    """Mean IoU with where each fake differs from its original, and that of a centred ellipse."""
    by_name = {face.name: m for face, m in zip(faces, predicted, strict=True)}
    found, guessed = validate.mask_iou(pairs(faces), by_name)
    return {"data": "dfdc-faces val", "iou": round(found, 4), "ellipse_iou": round(guessed, 4)}


def sha256(file: Path) -> str:
    import hashlib

    return hashlib.sha256(file.read_bytes()).hexdigest()
