# SPDX-License-Identifier: Apache-2.0
"""Detection metrics by `unmask evaluate`: one definition for training, card and users (docs/evaluation.md).

Labels are 1 for manipulated; a higher score means more likely manipulated. The program is $UNMASK, else
build/release/unmask of this repository.
"""

import csv
import json
import os
import subprocess
import tempfile
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]


def program() -> Path:
    path = Path(os.environ.get("UNMASK", ROOT / "build/release/unmask"))
    if not path.is_file():
        raise FileNotFoundError(
            f"{path} is missing: metrics are computed by the program itself. Build it with `make build`, "
            "or set UNMASK to its path"
        )
    return path


def figures(labels, scores, groups=None, rounds: int = 0) -> dict[str, dict]:
    """Every figure by name: {"value": v, "interval": [low, high] or None}, or {"value": None, "reason": ...}.

    Those that need probabilities have a value if all scores are in 0..1. With `rounds`, 95 % intervals by a
    bootstrap that draws whole `groups`: a real face and its fakes are not independent.
    """
    labels, scores = np.asarray(labels, bool), np.asarray(scores, float)
    groups = np.arange(len(labels)) if groups is None else np.asarray(groups)
    with tempfile.TemporaryDirectory() as folder:
        table, answer = Path(folder) / "scores.csv", Path(folder) / "figures.json"
        with open(table, "w", newline="") as handle:
            writer = csv.writer(handle)
            writer.writerow(["path", "label", "score", "cluster"])
            for i, (fake, score, group) in enumerate(zip(labels, scores, groups, strict=True)):
                writer.writerow([i, "fake" if fake else "real", repr(float(score)), group])
        command = [
            program(),
            "evaluate",
            "--input",
            "scores",
            "--bootstrap",
            str(rounds),
            "--thresholds",  # of no figure below, but else those of a model would be read
            "0.5,0.5",
            "--json",
            answer,
            table,
        ]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(map(str, command))} ended with {done.returncode}: {done.stderr}")
        return json.loads(answer.read_text())["figures"]


def value(name: str, labels, scores) -> float:
    """One figure. ValueError with the reason when it cannot be computed."""
    figure = figures(labels, scores)[name]
    if figure["value"] is None:
        raise ValueError(f"{name}: {figure['reason']}")
    return figure["value"]


def auc(labels, scores) -> float:
    return value("auc", labels, scores)


def threshold_at_fpr(labels, scores, fpr: float) -> float:
    """The lowest score at which at most `fpr` of the reals are called manipulated (score >= threshold).

    It is put halfway to the highest real score below it, so that rounding moves no picture across. An
    operating point, not a figure: what it gives is measured by figures().
    """
    labels, scores = np.asarray(labels, bool), np.asarray(scores, float)
    reals = np.sort(scores[~labels])[::-1]
    allowed = int(np.floor(fpr * len(reals) + 1e-9))
    if allowed >= len(reals):
        return float(-np.inf)
    excluded = reals[allowed]
    above = scores[scores > excluded]
    if not len(above):
        return float(np.nextafter(excluded, np.inf))
    return float(excluded + (above.min() - excluded) / 2)
