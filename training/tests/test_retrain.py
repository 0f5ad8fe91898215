# SPDX-License-Identifier: Apache-2.0
"""Going on with a version: replay, the draws of a step, and the whole script on made-up faces."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from unmask_training import augment, replay

ROOT = Path(__file__).resolve().parents[1]
SETTINGS = {"batch": 8, "feedback": 0.25, "size": 64}
SIDE = 80


def make_set(folder: Path, faces: dict[tuple[str, str], int], seed: int = 0, mark: bool = True) -> Path:
    """A set as unmask faces writes it: `faces` has counts by (split, label). Fakes have a bright square."""
    rng = np.random.default_rng(seed)
    rows = []
    for (split, label), count in faces.items():
        for i in range(count):
            name = f"{seed:02}{split}{label}{i:04}"
            image = cv2.GaussianBlur(rng.integers(0, 200, (SIDE, SIDE, 3), np.uint8), (0, 0), 3)
            if label == "fake" and mark:
                image[24:56, 24:56] = 255
            path = f"{split}/{label}/{name}.jpg"
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(folder / path), image)
            # A box whose square by the crop rule is the whole picture.
            size = SIDE / 0.97
            y = SIDE / 2 - 0.066 * size - size / 2
            rows.append(
                {"id": name, "path": path, "label": label, "group": name, "split": split, "source": "x",
                 "time": i, "face_x": SIDE / 2 - size / 2, "face_y": y, "face_w": size, "face_h": size,
                 "crop_x": 0, "crop_y": 0, "crop_side": SIDE, "saved_side": SIDE}
            )  # fmt: skip
    with open(folder / "faces.csv", "w", newline="") as handle:
        writer = csv.DictWriter(handle, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    (folder / "extract.json").write_text(
        json.dumps({"schema": "unmask.faces/1", "complete": True, "options": {}})
    )
    return folder


BOTH = {(split, label): 6 for split in ("train", "val") for label in ("real", "fake")}


def test_a_batch_holds_the_stated_share_of_feedback_and_repeats(tmp_path):
    new = replay.read(make_set(tmp_path / "new", {("train", "real"): 3}), "train")
    old = replay.read(make_set(tmp_path / "old", BOTH, seed=1), "train")
    assert (len(new), len(new.real), len(old.fake)) == (3, 3, 6)
    batches = replay.Batches(new, old, SETTINGS, augment.Ranges(p_clean=1.0), seed=5)
    images, labels = batches.batch(7)
    assert images.shape == (8, 3, 64, 64) and images.dtype == np.float32
    assert list(labels[:2]) == [0, 0], "a quarter is feedback, all of it real"
    assert labels[2:].sum() == 3, "of the replayed ones half are fake"
    again, _ = replay.Batches(new, old, SETTINGS, augment.Ranges(p_clean=1.0), seed=5).batch(7)
    assert np.array_equal(images, again)
    assert not np.array_equal(images, batches.batch(8)[0])


class Pairs:
    """Pseudo-manipulations as the batches see them: a black face, and a white one for its fake."""

    def pair(self, rng):
        return np.zeros((SIDE, SIDE, 3), np.uint8), np.full((SIDE, SIDE, 3), 255, np.uint8)


def test_a_share_of_what_is_replayed_are_pseudo_manipulations(tmp_path):
    new = replay.read(make_set(tmp_path / "new", {("train", "real"): 3}), "train")
    old = replay.read(make_set(tmp_path / "old", BOTH, seed=1), "train")
    plain = augment.Ranges(p_clean=1.0)
    for share, expected in ((1.0, 6), (0.0, 0)):
        settings = SETTINGS | {"families": share}
        images, labels = replay.Batches(new, old, settings, plain, 5, Pairs()).batch(3)
        flat = images[2:].std(axis=(1, 2, 3)) < 0.01
        assert flat.sum() == expected
        assert labels[2:].sum() == 3
    images, _ = replay.Batches(new, old, SETTINGS | {"families": 1.0}, plain, 5).batch(3)
    assert not (images[2:].std(axis=(1, 2, 3)) < 0.01).any(), "without landmarks there are none"


@pytest.mark.parametrize("share, words", [(0.5, "no face of feedback"), (2, "share"), (0, "no old face")])
def test_what_is_missing_is_said(share, words):
    nothing = replay.Source([], [], [])
    with pytest.raises(ValueError, match=words):
        replay.Batches(nothing, nothing, SETTINGS | {"feedback": share}, augment.Ranges(), 1)


def retrain(*arguments, code=0):
    done = subprocess.run(
        [sys.executable, ROOT / "retrain.py", "--config", ROOT / "configs/retrain-sample.toml",
         *map(str, arguments)],
        capture_output=True, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_the_whole_way_from_nothing_to_a_candidate(tmp_path):
    pytest.importorskip("openvino")
    served, candidate = tmp_path / "face/1", tmp_path / "face/2"
    run = tmp_path / "run"
    retrain("--steps", 0, "--out", served, "--run", tmp_path / "first")
    old = make_set(tmp_path / "old", {k: 24 for k in BOTH}, seed=1)
    new = make_set(tmp_path / "new", BOTH, seed=2)
    common = ("--served", served, "--checkpoint", tmp_path / "first/final.pt", "--feedback", new)
    common += ("--replay", old, "--out", candidate, "--run", run)
    retrain(*common, "--stop-at", 20)
    assert not candidate.exists()
    assert "resumed at step 20" in retrain(*common)
    card = json.loads((candidate / "model.json").read_text())
    assert (card["name"], card["version"]) == ("face", 2)
    assert card["retrained"]["from"]["version"] == 1
    assert card["retrained"]["feedback"]["faces"] == 12 and card["retrained"]["replay"]["faces"] == 48
    assert card["calibration"]["slope"] > 0, "it tells the marked faces from the others"
    assert sorted(f.name for f in candidate.iterdir()) == [
        "face.bin",
        "face.xml",
        "golden.json",
        "model.json",
    ]
    assert "exists" in retrain(*common, code=2)
    # Weights of another version are refused.
    wrong = [run / "final.pt" if a == tmp_path / "first/final.pt" else a for a in common]
    wrong[wrong.index(candidate)] = tmp_path / "face/3"
    assert "not those of" in retrain(*wrong, code=1)
