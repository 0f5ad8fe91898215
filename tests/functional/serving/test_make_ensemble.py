# SPDX-License-Identifier: Apache-2.0
"""`unmask model ensemble`: makes ensembles, fits them on labelled faces and says how good they are.

The members of the fits run on a stand-in, whose answers are known: `red` and `green` see a sign of
manipulation in that colour's mean, `deaf` sees none. The faces are noise of one colour, of no person.
"""

import csv
import json
import re
import shutil

import numpy as np
import pytest
from engine_stand_in import stand_in
from ensembles import put_face, sha_of
from making import PORTRAIT, ROOT
from PIL import Image

MODELS = ROOT / "models"
FACES = 150  # of each class


def colour_mean(channel, gain):
    """A network that takes RGB in -1..1: `gain` logits for each grey level of a channel above 128."""
    return lambda batch: (
        (gain * 127.5 * batch[:, channel].reshape(len(batch), -1).mean(axis=1, dtype=np.float64))
        .astype(np.float32)
        .reshape(-1, 1)
    )


@pytest.fixture
def models(tmp_path):
    """A repository with face:1 and three members that run elsewhere."""
    models = tmp_path / "models"
    put_face(models, "face")
    with stand_in() as red, stand_in() as green, stand_in() as deaf:
        red.model, green.model = colour_mean(0, 0.2), colour_mean(1, 0.05)
        deaf.model = colour_mean(2, 0.1)
        for name, engine in (("red", red), ("green", green), ("deaf", deaf)):
            put_face(models, name, engine=engine.url)
        yield models


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    """A folder val/real, val/fake and a list of origins: fakes are lighter in red and, less, in green."""
    folder = tmp_path_factory.mktemp("faces")
    random = np.random.default_rng(3)
    with open(folder / "faces.csv", "w", newline="") as handle:
        rows = csv.writer(handle)
        rows.writerow(["id", "origin"])
        for label in ("real", "fake"):
            (folder / "set" / "val" / label).mkdir(parents=True)
            shift = 10 if label == "fake" else -10
            for i in range(FACES):
                level = 128 + np.array([shift, shift, 0]) + random.normal(0, [12, 15, 12])
                noise = random.normal(level, 3, (64, 64, 3))
                file = folder / "set" / "val" / label / f"{label}{i}.png"
                Image.fromarray(noise.clip(0, 255).astype(np.uint8)).save(file)
                rows.writerow([file.stem, f"origin{i // 2}"])
    return folder


@pytest.fixture
def make(run, models):
    def make(*arguments, name="duo", code=0):
        return run("model", "ensemble", name, "--models", models, *arguments, code=code, timeout=600)

    return make


def fit_flags(faces):
    listed = ("--list", faces / "faces.csv", "--cluster-column", "origin", "--split", "val")
    return ("--fit", faces / "set", *listed, "--bootstrap", 200)


def card_of(models, name="duo", version=1):
    return json.loads((models / name / str(version) / "model.json").read_text())


def test_the_mean_needs_no_data_and_judges_nothing(run, make, models):
    shutil.copytree(MODELS / "face" / "2", models / "face" / "2")
    said = make("--members", "face:1,face:2").stdout
    assert "the mean of the logits of" in said and "not_calibrated" in said
    card = card_of(models)
    assert card["ensemble"]["combination"] == {"method": "mean_logit"}
    assert [m["sha256"] for m in card["ensemble"]["members"]] == [
        sha_of(models / "face" / str(v) / "face.bin") for v in (1, 2)
    ]
    golden = models / "duo" / "1" / "golden.json"
    assert card["ensemble"]["files"] == {"golden.json": sha_of(golden)}
    limits = [limit if isinstance(limit, str) else limit["text"] for limit in card["limits"]]
    assert len(limits) == len(set(limits)) > len(card_of(models, "face")["limits"])
    verified = run("model", "verify", "duo", "--models", models, code=0).stdout
    assert "3 checked" in verified
    report = json.loads(
        run("scan", "--models", models, "--model", "duo", "--format", "json", PORTRAIT, code=0).stdout
    )[0]
    assert report["verdict"] == "inconclusive" and "not_calibrated" in report["reasons"]
    assert not list((models / "duo").glob(".*")), "nothing else is left"
    make("--members", "face:1,face:2")
    assert card_of(models, version=2)["version"] == 2


def test_a_fit_weighs_members_by_what_they_know(run, make, models, faces, tmp_path):
    said = make("--members", "red,green,deaf", *fit_flags(faces)).stdout
    card = card_of(models)
    red, green, deaf = card["ensemble"]["combination"]["weights"]
    # A grey level of red is worth 20 / 12^2 log odds, one of green 20 / 15^2; the logits hold 0.2 and 0.05.
    assert red == pytest.approx(20 / 12**2 / 0.2, rel=0.3)
    assert green == pytest.approx(20 / 15**2 / 0.05, rel=0.3)
    assert 0 <= deaf < 0.5  # of chance: two standard errors
    quality = card["quality"]
    assert (quality["real"], quality["fake"], quality["clusters"]) == (FACES, FACES, FACES // 2)
    auc = {name: found["auc"]["value"] for name, found in quality["candidates"].items()}
    assert list(auc) == ["red:1", "green:1", "deaf:1", "mean_logit", "weighted"]
    assert auc["weighted"] > auc["red:1"] > auc["green:1"] > 0.8 > auc["deaf:1"]
    change = quality["candidates"]["weighted"]["auc_change"]
    assert change["value"] == pytest.approx(auc["weighted"] - auc["red:1"], abs=2e-4)
    assert change["interval"][0] <= change["value"] <= change["interval"][1]
    assert quality["best_member"] == "red:1" and quality["chosen"] == "weighted"
    assert [point["faces"] for point in quality["tracks"]["points"]] == [2, 4, 8, 16]
    assert "red:1" in said and "weighted" in said
    text = (models / "duo" / "1" / "CARD.md").read_text()
    assert f"{auc['weighted']:.4f}" in text and "cross-fitted" in text
    for limit in ("manipulated", "clear"):
        assert f"{card['thresholds'][limit]['score']:.4f}" in text

    # The product judges by what the card states.
    file = tmp_path / "evaluation.json"
    flags = (
        "--list",
        faces / "faces.csv",
        "--cluster-column",
        "origin",
        "--input",
        "crops",
        "--bootstrap",
        0,
    )
    run(
        "evaluate", "--models", models, "--model", "duo", "--no-stability", "--json", file, *flags,
        faces / "set", code=0,
    )  # fmt: skip
    figures = json.loads(file.read_text())["figures"]
    assert figures["thresholds"]["manipulated"]["fpr"]["value"] <= 0.01
    assert figures["thresholds"]["clear"]["tpr"]["value"] == pytest.approx(0.96, abs=0.01)
    assert figures["auc"]["value"] == pytest.approx(auc["weighted"], abs=0.02)
    assert figures["ece"]["value"] < 0.08


def test_the_mean_may_be_kept(make, models, faces):
    make("--members", "red,green", "--mean", *fit_flags(faces))
    card = card_of(models)
    assert card["ensemble"]["combination"] == {"method": "mean_logit"}
    assert card["calibration"]["slope"] > 0
    assert card["quality"]["chosen"] == "mean_logit" and "weighted" not in card["quality"]["candidates"]


def test_the_same_faces_give_the_same_card(make, models, faces):
    for _ in range(2):
        make("--members", "red,green", *fit_flags(faces))
    cards = [card_of(models, version=version) for version in (1, 2)]
    for card in cards:
        del card["version"]
    assert cards[0] == cards[1]


@pytest.mark.parametrize(
    "arguments, code, words",
    [
        (("--members", "face:1"), 2, "fewer than two members"),
        (("--members", "face:1,nobody"), 2, "no model 'nobody'"),
        (("--members", "face:1,face:9"), 2, "no version '9'"),
        (("--members", "face:1,face"), 2, "face:1 is named twice"),
        (("--members", "face:1,red", "--version", "1", "--mean"), 2, "with --fit alone"),
        (("--members", "face:1,red", "--fit", "nowhere"), 2, "nowhere"),
    ],
)
def test_it_refuses_what_makes_no_sense(make, models, arguments, code, words):
    assert words in make(*arguments, code=code).stderr
    assert not (models / "duo").exists()


def test_it_refuses_an_ensemble_as_a_member_and_a_version_that_is_there(make, models):
    make("--members", "face,red")
    done = make("--members", "face,duo", name="trio", code=2)
    assert "duo:1 is an ensemble itself" in done.stderr and "face:1, red:1" in done.stderr
    assert "duo:1 exists already" in make("--members", "face,red", "--version", 1, code=2).stderr
    assert sorted(folder.name for folder in models.iterdir()) == ["deaf", "duo", "face", "green", "red"]


def test_labels_the_wrong_way_round_are_no_fit(make, models, faces, tmp_path):
    swapped = tmp_path / "swapped" / "val"
    shutil.copytree(faces / "set" / "val" / "real", swapped / "fake")
    shutil.copytree(faces / "set" / "val" / "fake", swapped / "real")
    done = make("--members", "red,green", "--fit", tmp_path / "swapped", code=2)
    assert "no member's logit is a sign of manipulation" in done.stderr
    assert not (models / "duo").exists()


def test_a_damaged_member_makes_no_ensemble(make, models):
    shutil.copytree(MODELS / "face" / "2", models / "face" / "2")
    weights = models / "face" / "2" / "face.bin"
    weights.write_bytes(weights.read_bytes()[:-1])
    done = make("--members", "face:1,face:2", code=3)
    assert re.search("face:2, a member of duo:1: .*face.bin has the sha256", done.stderr)
    assert not (models / "duo").exists()
