# SPDX-License-Identifier: Apache-2.0
import csv
import json
import subprocess
import sys
import tarfile
from pathlib import Path

import cv2
import numpy as np
import pytest
from unmask_training import data, extracted

RNG = np.random.default_rng(0)
PICTURE = cv2.GaussianBlur(RNG.integers(0, 256, (300, 400, 3), np.uint8), (0, 0), 3)
CHANGED = cv2.rectangle(PICTURE.copy(), (140, 130), (170, 150), (0, 0, 255), -1)


def row(
    name, label="real", split="train", group="g", time=0.0, box=(100, 80, 90, 110), margin=0.4, saved=None
):
    """A line of faces.csv, cut with a margin; as `unmask faces extract` computes it."""
    x, y, w, h = box
    side = int(np.floor((1 + 2 * margin) * np.sqrt(w * h) + 0.5))
    left = int(np.floor(x + w / 2 - side / 2 + 0.5))
    top = int(np.floor(y + h / 2 - side / 2 + 0.5))
    return {
        "id": name,
        "path": f"{split}/{label or 'unlabelled'}/{name}.jpg",
        "label": label,
        "group": group,
        "split": split,
        "source": "a, b.mp4",
        "time": time,
        "face_x": x,
        "face_y": y,
        "face_w": w,
        "face_h": h,
        "crop_x": left,
        "crop_y": top,
        "crop_side": side,
        "saved_side": saved or side,
    }


def write_set(folder: Path, rows, complete=True) -> Path:
    for r in rows:
        picture = CHANGED if r["label"] == "fake" else PICTURE
        image = data.cut(picture, (r["crop_x"], r["crop_y"], r["crop_side"], r["crop_side"]))
        (folder / r["path"]).parent.mkdir(parents=True, exist_ok=True)
        (folder / r["path"]).write_bytes(
            cv2.imencode(".png", data.resize(image, r["saved_side"]))[1].tobytes()
        )
    with open(folder / "faces.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    state = {"schema": "unmask.faces/1", "complete": complete, "options": {}}
    (folder / "extract.json").write_text(json.dumps(state))
    return folder


ROWS = [
    row("r1"),
    row("f1", "fake", box=(103, 78, 92, 108)),  # the detector's box jumps a little
    row("r2", group="h"),
    row("u", ""),
    row("r3", split="val", group="v"),
    row("f3", "fake", split="val", group="v"),
    row("f4", "fake", split="val", group="w"),
]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "set").mkdir()
    return write_set(tmp_path / "set", ROWS)


def test_fakes_belong_to_the_real_face_of_their_group_time_and_place():
    rows = [
        row("r1"),
        row("r2", time=0.5),
        row("r3", box=(300, 80, 90, 110)),
        row("same", "fake"),
        row("later", "fake", time=0.51),
        row("between", "fake", time=0.25),
        row("elsewhere", "fake", box=(300, 90, 90, 110)),
        row("stranger", "fake", group="other"),
        row("other split", "fake", split="val"),
    ]
    pairs, alone = extracted.pair_up(rows)
    assert [[fake["id"] for fake in pair.fakes] for pair in pairs] == [["same"], ["later"], ["elsewhere"]]
    assert [fake["id"] for fake in alone] == ["between", "stranger", "other split"]
    assert len(extracted.pair_up(rows, tolerance=0.3)[1]) == 2


def test_fake_whose_crop_ends_too_early_is_no_partner():
    moved = {"box": (125, 80, 90, 110)}
    assert extracted.pair_up([row("r"), row("f", "fake", margin=0.4, **moved)])[1] == []
    assert len(extracted.pair_up([row("r"), row("f", "fake", margin=0.0, **moved)])[1]) == 1


@pytest.mark.parametrize("saved", [None, 90])
def test_square_in_a_crop_is_the_square_in_the_picture(saved):
    r = row("r", saved=saved)
    x, y, side, _ = extracted.square_in_crop(r)
    left, top, whole, _ = data.crop_rect(100, 80, 90, 110)
    scale = r["saved_side"] / r["crop_side"]
    assert (x, y, side) == pytest.approx(
        ((left - r["crop_x"]) * scale, (top - r["crop_y"]) * scale, whole * scale), abs=0.5
    )


def test_faces_are_read_with_their_squares(folder):
    faces = extracted.faces(folder, "train")
    assert [(face.name, face.fake, face.original) for face in faces] == [
        ("train/real/r1.jpg", False, "r1"),
        ("train/fake/f1.jpg", True, "r1"),
        ("train/real/r2.jpg", False, "r2"),
    ]
    expected = data.cut(PICTURE, data.crop_rect(100, 80, 90, 110))
    np.testing.assert_array_equal(faces[0].pixels(), expected)
    apart = np.abs(faces[1].pixels().astype(int) - expected).max(axis=2) > 0
    assert apart.any() and not apart[:20].any(), "the fake is cut by the real's box: only the change differs"
    assert [(real.name, len(fakes)) for real, fakes in data.pairs(faces)] == [("train/real/r1.jpg", 1)]


def test_data_directory_is_what_training_reads(folder, tmp_path):
    counts = extracted.convert(extracted.Set(folder), tmp_path / "data")
    assert counts == {
        "train": {"real": 2, "fake": 1, "pairs": 1, "portraits": 1},
        "val": {"real": 1, "fake": 2, "pairs": 1, "portraits": 1},
    }
    report = data.check(tmp_path / "data")
    assert report["train"]["pairs"] == 1 and report["val"]["fake"] == 2
    groups = {row["id"]: row["group"] for row in data.read_rows(tmp_path / "data" / "dfdc-faces.csv")}
    assert groups == {row["id"]: row["group"] for row in ROWS if row["label"]}
    train = data.dfdc_faces(tmp_path / "data", "train")
    [(real, [fake])] = data.pairs(train)
    assert real.pixels().shape == fake.pixels().shape
    assert np.abs(real.pixels().astype(int) - data.cut(PICTURE, data.crop_rect(100, 80, 90, 110))).mean() < 4
    [portrait] = data.portraits(tmp_path / "data", "train")
    assert portrait.rect[:2] == (0, 0) and portrait.pixels().shape == real.pixels().shape


def test_archive_gives_the_same_as_a_folder(folder, tmp_path):
    with tarfile.open(tmp_path / "set.tar", "w") as tar:
        for path in folder.rglob("*"):
            if path.is_file():
                tar.add(path, path.relative_to(folder).as_posix())
    for split in ("train", "val"):
        assert extracted.faces(tmp_path / "set.tar", split) == extracted.faces(folder, split)


def test_fakes_without_an_original_are_mixed_when_asked(folder, tmp_path):
    counts = extracted.convert(extracted.Set(folder), tmp_path / "data", mix=True)
    assert counts["val"]["pairs"] == 2
    [(_, fakes)] = data.pairs(data.dfdc_faces(tmp_path / "data", "val"))
    assert len(fakes) == 2


def test_all_classes_are_encoded_alike(folder, tmp_path):
    extracted.convert(extracted.Set(folder), tmp_path / "data")
    tables = set()
    for face in data.dfdc_faces(tmp_path / "data", "val") + data.portraits(tmp_path / "data", "val"):
        tables.add(face.jpeg[: face.jpeg.index(b"\xff\xc0")])  # up to the size: the quantisation
    assert len(tables) == 1


def test_says_what_is_wrong_with_a_set(tmp_path):
    with pytest.raises(FileNotFoundError, match="extract.json is missing"):
        extracted.Set(tmp_path)
    write_set(tmp_path, ROWS[:4], complete=False)
    with pytest.raises(ValueError, match="not finished"):
        extracted.Set(tmp_path)
    write_set(tmp_path, ROWS[:4])
    with pytest.raises(ValueError, match="split val needs real and fake faces, found none"):
        extracted.convert(extracted.Set(tmp_path), tmp_path / "data")
    assert not (tmp_path / "data").exists()
    (tmp_path / "train/real/r1.jpg").write_bytes(b"no picture")
    with pytest.raises(ValueError, match="r1.jpg: not a readable picture"):
        extracted.Set(tmp_path).pixels(ROWS[0])


def test_command_prints_counts_and_never_overwrites(folder, tmp_path):
    command = [sys.executable, "-m", "unmask_training.extracted", folder, "--out", tmp_path / "data"]
    place = Path(extracted.__file__).parents[1]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == "train: 2 real, 1 fake, 1 pairs, 1 portraits"
    done = subprocess.run(command, cwd=place, capture_output=True, text=True)
    assert done.returncode == 2 and done.stderr.startswith("error: ")
