# SPDX-License-Identifier: Apache-2.0
"""The figures by which a checkpoint is chosen: validation faces, clean and degraded, portraits, masks."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from . import augment, data, families, masks, metrics, pseudo
from .infer import torch_outputs

DEGRADED = ("jpeg40", "half", "blur", "noise", "crf32")
PAIRS_OF_A_FAMILY = 100


def every_third(faces: list[data.Face]) -> list[data.Face]:
    """A third of the videos, each with its fakes."""
    originals = sorted({face.original for face in faces})
    kept = set(originals[::3])
    return [face for face in faces if face.original in kept]


def mask_iou(pairs, predicted: dict[str, np.ndarray]) -> tuple[float, float]:
    """Mean over the fakes of the IoU with where each differs from its original: the masks', the ellipse's.

    A fake that hardly differs, so that no place does, is left out.
    """
    found, guessed = [], []
    for real, fakes in pairs:
        for fake in fakes:
            mask = predicted[fake.name]
            truth = masks.difference(real.pixels(), fake.pixels(), mask.shape[0]) > 0.5
            if truth.any():
                found.append(masks.iou(masks.most(mask), truth))
                guessed.append(masks.iou(masks.ellipse(mask.shape[0]), truth))
    return float(np.mean(found)), float(np.mean(guessed))


class Examiner:
    """Measures a network on the validation data, read once; with landmarks also on pseudo-manipulations."""

    def __init__(self, folder: Path, size: int = data.SIZE, landmarks: Path | None = None):
        self.faces, self.real = data.dfdc_faces(folder, "val"), data.portraits(folder, "val")
        self.few, self.size, self.families = every_third(self.faces), size, {}
        if landmarks is not None and landmarks.is_file():
            shares = dict.fromkeys(families.NAMES, 1.0)
            made = pseudo.load(self.faces + self.real, landmarks, shares)
            self.families = {name: made.faces_of(name, PAIRS_OF_A_FAMILY) for name in families.NAMES}

    def __call__(self, model, device="cpu") -> dict[str, str]:
        labels = np.array([f.fake for f in self.faces])
        logits, predicted = torch_outputs(model, self.faces, device, size=self.size)
        limit = metrics.threshold_at_fpr(labels, logits, 0.01)
        ranked = metrics.figures(labels, logits)
        row = {"val_auc": ranked["auc"]["value"], "val_tpr_at_fpr_1": ranked["tpr_at_fpr_1"]["value"]}
        few, kept = np.array([f.fake for f in self.few]), {f.name for f in self.few}
        row["auc_clean"] = metrics.auc(few, logits[[f.name in kept for f in self.faces]])
        for name in DEGRADED:
            row[f"auc_{name}"] = self.auc(model, device, augment.DEGRADATIONS[name], few)
        row["auc_degraded"] = float(np.mean([row[f"auc_{name}"] for name in DEGRADED]))
        for name, faces in self.families.items():
            truth = np.array([f.fake for f in faces])
            row[f"family_{name}"] = metrics.auc(truth, torch_outputs(model, faces, device, size=self.size)[0])
        real, _ = torch_outputs(model, self.real, device, size=self.size)
        row["portraits_called"] = float((real >= limit).mean())
        if predicted is not None:
            by_name = {f.name: m for f, m in zip(self.faces, predicted, strict=True)}
            row["mask_iou"], row["ellipse_iou"] = mask_iou(data.pairs(self.faces), by_name)
        return {key: f"{value:.4f}" for key, value in row.items()}

    def auc(self, model, device, degrade: Callable, labels) -> float:
        return metrics.auc(labels, torch_outputs(model, self.few, device, degrade, self.size)[0])
