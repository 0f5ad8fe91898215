# SPDX-License-Identifier: Apache-2.0
"""The two data sets as lists of JPEG bytes, and the one way in which a face is cropped and resized."""

import csv
import hashlib
import tarfile
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

SIZE = 160
MEAN = SCALE = 127.5

# Where a face's square lies in terms of its YuNet box; measured, see README.md, "Geometry".
CROP = {"box": "yunet", "side_of": "geometric_mean", "scale": 0.97, "dx": 0.0, "dy": 0.066}


@dataclass
class Face:
    """One face: an encoded picture, and the square of it that is the face (None: the whole picture)."""

    name: str
    jpeg: bytes
    fake: bool
    original: str
    rect: tuple[int, int, int, int] | None = None

    def pixels(self) -> np.ndarray:
        """The face's square, BGR, at the picture's own scale."""
        image = cv2.imdecode(np.frombuffer(self.jpeg, np.uint8), cv2.IMREAD_COLOR)
        if image is None:
            raise ValueError(f"{self.name}: not a readable JPEG")
        return image if self.rect is None else cut(image, self.rect)


def crop_rect(x: float, y: float, w: float, h: float, crop: dict = CROP) -> tuple[int, int, int, int]:
    """The integer square (left, top, side, side) that belongs to a YuNet box; it may leave the picture."""
    side = crop["scale"] * float(np.sqrt(w * h))
    cx, cy = x + w / 2 + crop["dx"] * w, y + h / 2 + crop["dy"] * h
    whole = max(1, int(np.floor(side + 0.5)))
    return int(np.floor(cx - side / 2 + 0.5)), int(np.floor(cy - side / 2 + 0.5)), whole, whole


def cut(image: np.ndarray, rect: tuple[int, int, int, int]) -> np.ndarray:
    """The part of a picture; where the rectangle leaves the picture, its border is repeated."""
    x, y, w, h = rect
    rows, columns = image.shape[:2]
    top, left = max(0, -y), max(0, -x)
    bottom, right = max(0, y + h - rows), max(0, x + w - columns)
    if top or left or bottom or right:
        image = cv2.copyMakeBorder(image, top, bottom, left, right, cv2.BORDER_REPLICATE)
    return image[y + top : y + top + h, x + left : x + left + w]


def resize(image: np.ndarray, width: int, height: int | None = None) -> np.ndarray:
    """The resize of the product: area when shrinking, bilinear when enlarging."""
    height = height or width
    rows, columns = image.shape[:2]
    if (columns, rows) == (width, height):
        return image
    shrinks = width * height < columns * rows
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


def to_input(image: np.ndarray, size: int = SIZE) -> np.ndarray:
    """A BGR face of any size as the network's input: RGB, planes first, x / 127.5 - 1."""
    rgb = cv2.cvtColor(resize(image, size), cv2.COLOR_BGR2RGB)
    return np.ascontiguousarray(((rgb.astype(np.float32) - MEAN) / SCALE).transpose(2, 0, 1))


def read_tars(files: list[Path], wanted: set[str]) -> dict[str, bytes]:
    """The wanted members of some tar files."""
    found = {}
    for file in files:
        with tarfile.open(file) as tar:
            for member in tar:
                if member.name in wanted:
                    found[member.name] = tar.extractfile(member).read()
    missing = wanted - found.keys()
    if missing:
        raise FileNotFoundError(
            f"{len(missing)} pictures of the list are in no tar file, e.g. {min(missing)}"
        )
    return found


def read_rows(file: Path) -> list[dict]:
    if not file.is_file():
        raise FileNotFoundError(f"{file}: not found; give the data directory with --data or UNMASK_DATA")
    with open(file, newline="") as handle:
        return list(csv.DictReader(handle))


def dfdc_faces(data: Path, split: str) -> list[Face]:
    """The face crops of one split, in the list's order."""
    rows = [r for r in read_rows(data / "dfdc-faces.csv") if r["split"] == split]
    path = {r["id"]: f"{r['split']}/{r['label']}/{r['id']}.jpg" for r in rows}
    pictures = read_tars(sorted(data.glob("dfdc-faces-*.tar")), set(path.values()))
    return [Face(path[r["id"]], pictures[path[r["id"]]], r["label"] == "fake", r["original"]) for r in rows]


def portraits(data: Path, split: str) -> list[Face]:
    """The portraits of one split, all real. Pictures that the list does not name are for tests: unread."""
    rows = [r for r in read_rows(data / "portraits.csv") if r["split"] == split]
    pictures = read_tars(sorted(data.glob("portraits-*.tar")), {r["file"] for r in rows})
    faces = []
    for r in rows:
        box = (float(r["face_x"]), float(r["face_y"]), float(r["face_w"]), float(r["face_h"]))
        faces.append(Face(r["file"], pictures[r["file"]], False, r["person"], crop_rect(*box)))
    return faces


def pairs(faces: list[Face]) -> list[tuple[Face, list[Face]]]:
    """Each real face that has fakes, with those fakes."""
    fakes: dict[str, list[Face]] = {}
    for face in faces:
        if face.fake:
            fakes.setdefault(face.original, []).append(face)
    return [(f, fakes[f.original]) for f in faces if not f.fake and f.original in fakes]


def check(data: Path) -> dict:
    """Counts, and errors in the data that would spoil a run without a word."""
    report = {}
    dfdc = read_rows(data / "dfdc-faces.csv")
    ids = [r["id"] for r in dfdc]
    if len(set(ids)) != len(ids):
        raise ValueError("dfdc-faces.csv: an id occurs twice")
    splits: dict[str, set[str]] = {}
    for r in dfdc:
        splits.setdefault(r["original"], set()).add(r["split"])
    if any(len(s) > 1 for s in splits.values()):
        raise ValueError("dfdc-faces.csv: a video and its fakes lie in two splits")
    people: dict[str, set[str]] = {}
    for r in read_rows(data / "portraits.csv"):
        people.setdefault(r["person"], set()).add(r["split"])
    if any(len(s) > 1 for s in people.values()):
        raise ValueError("portraits.csv: a person lies in two splits")
    for split in ("train", "val"):
        faces, real = dfdc_faces(data, split), portraits(data, split)
        digests = {}
        for face in faces:
            digests.setdefault(hashlib.sha256(face.jpeg).digest(), []).append(face)
        mixed = sum(len({f.fake for f in same}) > 1 for same in digests.values())
        report[split] = {
            "real": sum(not f.fake for f in faces),
            "fake": sum(f.fake for f in faces),
            "pairs": len(pairs(faces)),
            "portraits": len(real),
            "identical_pictures_of_both_classes": mixed,
        }
    return report
