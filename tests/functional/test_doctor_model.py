# SPDX-License-Identifier: Apache-2.0
"""`unmask doctor` and `unmask model`."""

import json
import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

MODELS = ROOT / "models"


def test_doctor_finds_nothing_missing_here(run):
    done = run("doctor", code=0)
    states = [line.split()[0] for line in done.stdout.splitlines() if not line.startswith(" ")]
    assert states and set(states) <= {"ok", "warning"}


def test_doctor_speaks_json(run):
    answer = json.loads(run("doctor", "--format", "json", code=0).stdout)
    assert answer["ok"] is True
    names = [check["name"] for check in answer["checks"]]
    assert {"processor", "model", "engine", "detectors", "decoder", "seccomp", "disk"} <= set(names)


def test_doctor_says_what_is_missing_and_what_to_do(run, tmp_path):
    done = run("doctor", "--format", "json", "--models", tmp_path, "--decoder", tmp_path / "none", code=1)
    failed = {c["name"]: c for c in json.loads(done.stdout)["checks"] if c["state"] == "fail"}
    assert {"model", "decoder"} <= set(failed)
    assert all(check["advice"] for check in failed.values())


def test_doctor_finds_a_changed_model(run, tmp_path):
    shutil.copytree(MODELS, tmp_path / "models")
    weights = sorted((tmp_path / "models").rglob("*.bin"))[-1]  # of the version that judges, the newest
    data = bytearray(weights.read_bytes())
    data[len(data) // 2] ^= 1
    weights.write_bytes(data)
    done = run("doctor", "--models", tmp_path / "models", code=1)
    assert any(line.startswith("fail") and "model" in line for line in done.stdout.splitlines())


def test_model_list_names_every_version(run):
    lines = run("model", "list", code=0).stdout.splitlines()
    folders = {f"{card.parent.parent.name}:{card.parent.name}" for card in MODELS.glob("*/*/model.json")}
    assert {line.split()[0] for line in lines} == folders
    assert isinstance(json.loads(run("model", "list", "--json", code=0).stdout), list)


def test_model_show_prints_the_card(run):
    text = run("model", "show", "face", code=0).stdout
    for word in ("face:", "licence", "calibrated", "manipulated", "limits", "sha256 checked"):
        assert word in text
    card = json.loads(run("model", "show", "face", "--json", code=0).stdout)
    version = sorted(Path(MODELS / "face").iterdir(), key=lambda folder: int(folder.name))[-1]
    assert card == json.loads((version / "model.json").read_text())


def test_model_show_of_an_unknown_one_says_so(run):
    done = run("model", "show", "nosuch", code=2)
    assert done.stdout == "" and "nosuch" in done.stderr
