# SPDX-License-Identifier: Apache-2.0
"""The figures of an exported model, all by `unmask evaluate`: what model.json and the card state."""

import csv
import json
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from . import calibrate, metrics

FIGURES = ("auc", "average_precision", "eer", "tpr_at_fpr_1", "tpr_at_fpr_01")
PROBABLE = ("log_loss", "brier", "ece")
COVERAGES = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1)
DIGITS = 4


def evaluate(model: Path, arguments: list) -> tuple[dict, list[dict]]:
    """The JSON of one evaluation of models/NAME/VERSION, and each file's line of --scores."""
    name = f"{model.parent.name}:{model.name}"
    with tempfile.TemporaryDirectory() as folder:
        answer, scores = Path(folder) / "answer.json", Path(folder) / "scores.csv"
        command = [metrics.program(), "evaluate", "--models", model.parent.parent, "--model", name]
        command += ["--json", answer, "--scores", scores, *arguments]
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
        if done.returncode not in (0, 3):
            raise RuntimeError(f"{' '.join(map(str, command))} ended with {done.returncode}: {done.stderr}")
        with open(scores, newline="") as handle:
            return json.loads(answer.read_text()), list(csv.DictReader(handle))


def validation_arguments(data: Path) -> list:
    tars = sorted(data.glob("dfdc-faces-*.tar"))
    faces = ["--input", "crops", "--split", "val", "--list", data / "dfdc-faces.csv"]
    return [*faces, "--cluster-column", "original", *tars]


def portrait_arguments(data: Path) -> list:
    tars = sorted(data.glob("portraits-*.tar"))
    listed = ["--label", "real", "--split", "val", "--list", data / "portraits.csv"]
    return [*listed, "--cluster-column", "person", "--group-column", "source", *tars]


def scored(rows: list[dict], data: Path) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Labels, logits and origins of validation faces, from the lines of --scores."""
    rows = [row for row in rows if row["logit"]]
    with open(data / "dfdc-faces.csv", newline="") as handle:
        origin = {row["id"]: row["original"] for row in csv.DictReader(handle)}
    return (
        np.array([row["label"] == "fake" for row in rows]),
        np.array([float(row["logit"]) for row in rows]),
        [origin[Path(row["path"]).stem] for row in rows],
    )


def logits(model: Path, data: Path) -> tuple[np.ndarray, np.ndarray]:
    """Labels and the program's logits of the validation faces."""
    arguments = ["--bootstrap", "0", "--no-stability", *validation_arguments(data)]
    return scored(evaluate(model, arguments)[1], data)[:2]


def short(figure: dict) -> dict:
    """A figure with fewer digits; what has no value keeps its reason."""
    if figure["value"] is None:
        return figure
    rounded = {"value": round(figure["value"], DIGITS)}
    if figure.get("interval"):
        rounded["interval"] = [round(end, DIGITS) for end in figure["interval"]]
    return rounded


def risk_at(curve: dict, coverage: float) -> float | None:
    """Share of wrong answers when the surest `coverage` of the files are answered."""
    reached = [p["risk"] for p in curve["points"] if p["coverage"] >= coverage - 1e-9]
    return round(reached[0], DIGITS) if reached else None


def of_validation(result: dict, name: str, out_of_fold: dict) -> dict:
    figures = result["figures"]
    counts = figures["counts"]
    real, fake = counts["real"]["scored"], counts["fake"]["scored"]
    return {
        "data": name,
        "faces": real + fake,
        "real": real,
        "fake": fake,
        **{key: short(figures[key]) for key in FIGURES},
        **{key: short(out_of_fold[key]) for key in PROBABLE},
        "thresholds": {
            key: {rate: short(at[rate]) for rate in ("fpr", "tpr", "precision")}
            for key, at in figures["thresholds"].items()
        },
        "verdicts": {key: short(figure) for key, figure in figures["verdicts"].items()},
        "risk_coverage": [
            {"coverage": share, "risk": risk_at(result["curves"]["risk_coverage"], share)}
            for share in COVERAGES
        ],
    }


def of_degradation(degraded: dict) -> dict:
    figures = degraded["figures"]
    return {
        "description": degraded["description"],
        **{key: short(figures[key]) for key in ("auc", "tpr_at_fpr_1")},
        "real_called_manipulated": short(figures["verdicts"]["real_called_manipulated"]),
        **{key: short(degraded[key]) for key in ("auc_change", "flips", "opposite_flips")},
    }


def of_portraits(result: dict, name: str) -> dict:
    figures = result["figures"]
    return {
        "data": name,
        "faces": figures["counts"]["real"]["scored"],
        "called_manipulated": short(figures["verdicts"]["real_called_manipulated"]),
        "inconclusive": short(figures["verdicts"]["inconclusive"]),
        "groups": {
            group["group"]: {
                "faces": group["counts"]["real"]["scored"],
                "called_manipulated": short(group["fpr_at_manipulated"]),
            }
            for group in sorted(result["groups"], key=lambda group: group["group"])
        },
    }


def quality(model: Path, data: Path, names: dict, degrade: bool = True) -> dict:
    """All that `quality` of model.json states, measured on a model whose thresholds are set.

    Verdicts are those of a scan. Degradations are measured without its check under re-encodings, which would
    take four times as long.
    """
    faces = validation_arguments(data)
    result, rows = evaluate(model, faces)
    labels, raw, origins = scored(rows, data)
    held_out = calibrate.out_of_fold(labels, raw, origins)
    out_of_fold = metrics.figures(labels, held_out, origins, rounds=2000)
    found = {"validation": of_validation(result, names["faces"], out_of_fold)}
    if degrade:
        passes = evaluate(model, ["--degrade", "--no-stability", *faces])[0]["degraded"]
        found["degraded"] = {one["name"]: of_degradation(one) for one in passes}
    if sorted(data.glob("portraits-*.tar")):
        found["portraits"] = of_portraits(evaluate(model, portrait_arguments(data))[0], names["portraits"])
    found["software"] = result["run"]["software"]
    return found
