# SPDX-License-Identifier: Apache-2.0
"""From feedback to a canary, and what the gate lets pass."""

import csv
import hashlib
import json
import os
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from making import PORTRAIT, ROOT, ffmpeg

FACE = ROOT / "models" / "face" / "1"
TRAINING = ROOT / "training" / ".venv" / "bin" / "python"


def copy_version(models, version, change=None):
    folder = models / "face" / str(version)
    shutil.copytree(FACE, folder)
    card = json.loads((folder / "model.json").read_text())
    card["version"] = version
    if change:
        change(folder, card)
    (folder / "model.json").write_text(json.dumps(card))
    return folder


def add_noise(folder, card):
    """To every kernel in half precision, as much as it scatters itself."""
    rng = np.random.default_rng(1)
    weights = bytearray((folder / "face.bin").read_bytes())
    for data in ET.parse(folder / "face.xml").getroot().iter("data"):
        if data.get("element_type") != "f16":
            continue
        begin, size = int(data.get("offset")), int(data.get("size"))
        values = np.frombuffer(bytes(weights[begin : begin + size]), np.float16).astype(np.float32)
        values = values + rng.normal(0, values.std(), values.shape)
        weights[begin : begin + size] = values.astype(np.float16).tobytes()
    (folder / "face.bin").write_bytes(weights)
    card["network"]["files"]["face.bin"] = hashlib.sha256(weights).hexdigest()
    (folder / "golden.json").unlink()


@pytest.fixture(scope="module")
def labelled(unmask, clean_environment, tmp_path_factory):
    """Faces whose labels are what face:1 says of them, a few apart: on these it is a good model."""
    folder = tmp_path_factory.mktemp("gate")
    flat = folder / "flat"
    flat.mkdir()
    drift = "crop=98+n*2:98+n*2:175-n:79-n,scale=160:160,hue=h=n*7:s=1+0.02*n,gblur=sigma=0.3+mod(n\\,5)/3"
    for n in range(48):
        view = drift.replace("n*", f"{n}*").replace("-n", f"-{n}").replace("*n", f"*{n}")
        ffmpeg("-i", PORTRAIT, "-vf", view.replace("mod(n", f"mod({n}"), flat / f"{n:02}.png")
    scores = folder / "scores.csv"
    subprocess.run(
        [unmask, "evaluate", "--input", "crops", "--label", "real", "--no-stability", "--model", "face:1",
         "--scores", scores, "--bootstrap", "0", flat],
        check=True, env=clean_environment, capture_output=True, timeout=300,
    )  # fmt: skip
    with open(scores, newline="") as handle:
        rows = sorted(csv.DictReader(handle), key=lambda row: float(row["logit"]))
    assert len(rows) == 48
    table = folder / "faces.csv"
    with open(table, "w", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(["path", "label"])
        for rank, row in enumerate(rows):
            fake = (rank >= 24) != (rank in (20, 27))
            writer.writerow([f"flat/{os.path.basename(row['path'])}", "fake" if fake else "real"])
    return table


@pytest.fixture
def gate(run, labelled):
    def gate(candidate, models, code, *flags, least=20):
        return run("model", "gate", candidate, "--against", "face:1", "--models", models, "--data", labelled,
                   "--bootstrap", 400, "--least-files", least, *flags, code=code, timeout=600)  # fmt: skip

    return gate


def log_of(run, models):
    out = run("model", "log", "face", "--json", "--models", models, code=0).stdout
    return [json.loads(line) for line in out.splitlines()]


def test_the_gate_passes_an_equal_version_and_refuses_a_worse_one(run, gate, tmp_path):
    models, candidates = tmp_path / "models", tmp_path / "candidates"
    copy_version(models, 1)
    equal = copy_version(candidates, 2)
    worse = copy_version(candidates, 3, add_noise)
    run("model", "promote", "face:1", "--models", models, code=0)

    passed = gate(equal, models, 0)
    assert "passed" in passed.stdout and "+0.0000 to +0.0000" in passed.stdout
    refused = json.loads(gate(worse, models, 1, "--format", "json").stdout)
    assert refused["passed"] is False
    assert any(line.startswith("auc is worse") for line in refused["refusals"])
    figures = {figure["name"]: figure for figure in refused["figures"]}
    assert set(figures) == {"auc", "tpr_at_fpr_1", "ece", "worst_group_auc", "auc_jpeg_40", "auc_scale_0.5",
                            "auc_h264_crf_32"}  # fmt: skip
    assert figures["auc"]["interval"][1] < 0 and "no group" in figures["worst_group_auc"]["reason"]
    events = [event for event in log_of(run, models) if event["action"] == "gate"]
    assert [event["gate"]["passed"] for event in events] == [True, False]
    assert [event["version"] for event in events] == [2, 3]

    # What the gate said decides what may become a canary.
    for version in (equal, worse):
        shutil.copytree(version, models / "face" / version.name)
    route = ("model", "route", "--canary", 5, "--require-gate", "--models", models)
    held = run(*route, "face:3", code=3)
    assert "refused by its last gate" in held.stderr and "unmask model gate face:3" in held.stderr
    run(*route, "face:2", code=0)
    copy_version(models, 4, lambda folder, card: card["network"]["files"].update({"face.bin": "0" * 64}))
    assert "has not passed a gate" in run(*route, "face:4", code=3).stderr


def test_the_gate_says_what_is_missing(run, gate, tmp_path):
    models = tmp_path / "models"
    copy_version(models, 1)
    copy_version(models, 2)
    few = gate("face:2", models, 1, least=500)
    assert "too few to decide on" in few.stdout
    assert "no version to compare" in run("model", "gate", "face:2", "--data", models, code=2).stderr
    assert "no validation data" in run("model", "gate", "face:2", "--against", "face:1", code=2).stderr
    gate("face:9", models, 2)
    gate(tmp_path / "none", models, 2)


def loop(unmask, environment, *arguments):
    done = subprocess.run(
        [ROOT / "tools" / "learning_loop.sh", *map(str, arguments)],
        capture_output=True, text=True, env=environment | {"UNMASK": str(unmask)}, timeout=1500,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def check_loop(run, out, models):
    assert re.search(r'unmask_feedback_total\{[^}]*label="fake"', out)
    assert "passed" in out
    labels = json.loads(run("model", "labels", "face", "--json", "--models", models, code=0).stdout)
    assert labels == {
        "stable": 1,
        "canary": 2,
        "previous": labels["previous"],
        "percent": 5.0,
        "shadow": False,
    }
    assert [event["action"] for event in log_of(run, models)] == ["promote", "gate", "route"]


def test_the_loop_with_a_made_model(unmask, clean_environment, run, tmp_path):
    candidate = copy_version(tmp_path / "made", 2)
    out = loop(unmask, clean_environment, "--candidate", candidate, tmp_path / "work")
    check_loop(run, out, tmp_path / "work" / "models")


def test_the_loop_with_a_retrained_model(unmask, clean_environment, run, tmp_path):
    if not TRAINING.exists():
        pytest.skip(f"{TRAINING} is missing: make train-setup (PyTorch, about 6 GB)")
    out = loop(unmask, clean_environment, tmp_path / "work")
    check_loop(run, out, tmp_path / "work" / "models")
    card = json.loads((tmp_path / "work/models/face/2/model.json").read_text())
    assert card["retrained"]["from"]["version"] == 1 and card["retrained"]["feedback"]["faces"] > 0
