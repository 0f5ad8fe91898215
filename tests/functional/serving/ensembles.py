# SPDX-License-Identifier: Apache-2.0
"""Makes repositories with ensembles of the shipped models, in a module of its own: a conftest cannot be
imported by name."""

import hashlib
import json
import shutil

from making import ROOT

MODELS = ROOT / "models"
MEAN = {"method": "mean_logit"}


def sha_of(file):
    return hashlib.sha256(file.read_bytes()).hexdigest()


def put_face(models, name, *, version=1, source=1, engine=None, change=None):
    """A copy of a shipped model under another name, or one whose network runs at `engine`."""
    folder = models / name / str(version)
    shutil.copytree(MODELS / "face" / str(source), folder)
    card = json.loads((folder / "model.json").read_text()) | {"name": name, "version": version}
    if engine:
        card["engine"] = {"type": "kserve-v2", "url": engine, "model": "face", "attempts": 1, "pause": 60}
        del card["network"]
        (folder / "golden.json").unlink()
    if change:
        change(card)
    (folder / "model.json").write_text(json.dumps(card))
    return folder


def member(models, name, version=1):
    pinned = {"model": name, "version": version}
    weights = models / name / str(version) / "face.bin"
    card = json.loads((models / name / str(version) / "model.json").read_text())
    return pinned | ({"sha256": sha_of(weights)} if "network" in card else {})


def golden_of(models, members, combination):
    """The combined logits of the synthetic inputs that all members have; None without such."""
    files = [models / m["model"] / str(m["version"]) / "golden.json" for m in members]
    if not all(file.exists() for file in files):
        return None
    stated = [json.loads(file.read_text())["cases"] for file in files]
    logits = [{tuple(c["rect"]): c["logit"] for c in cases if c["source"] == "synthetic"} for cases in stated]
    weights, bias = combination.get("weights", [1 / len(members)] * len(members)), combination.get("bias", 0)
    shared = [rect for rect in logits[0] if all(rect in other for other in logits)]
    cases = [
        {
            "name": f"synthetic {rect}",
            "source": "synthetic",
            "rect": rect,
            "logit": bias + sum(w * found[rect] for w, found in zip(weights, logits, strict=True)),
        }
        for rect in shared
    ]
    return {"tolerance": 0.05, "cases": cases} if cases else None


def put_ensemble(models, members, name="duo", *, version=1, combination=MEAN, golden=None, **more):
    card = json.loads((MODELS / "face" / "1" / "model.json").read_text())
    for key in ("network", "input", "crop", "output", "quality"):
        del card[key]
    card |= {
        "name": name,
        "version": version,
        "ensemble": {"members": members, "combination": combination},
        "calibration": {"slope": 0.9, "intercept": 0.1},
    } | more
    folder = models / name / str(version)
    folder.mkdir(parents=True, exist_ok=True)
    if golden := golden or golden_of(models, members, combination):
        (folder / "golden.json").write_text(json.dumps(golden))
    (folder / "model.json.new").write_text(json.dumps(card))
    (folder / "model.json.new").rename(folder / "model.json")
    return folder


def pair(models):
    return [member(models, "face", 1), member(models, "face", 2)]
