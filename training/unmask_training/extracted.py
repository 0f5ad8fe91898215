# SPDX-License-Identifier: Apache-2.0
"""Reads what `unmask faces extract` wrote, and makes a data directory for train.py of it.

    python -m unmask_training.extracted SET --out DATA

SET is a folder or a tar archive. DATA gets dfdc-faces.csv and portraits.csv with their tar files, the layout
that data.py reads: labelled faces, and as portraits the real faces of which there is no fake.
"""

import argparse
import csv
import io
import json
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from . import data

TOLERANCE = 0.02  # seconds between a real face and its fake: less than a frame
MIN_IOU = 0.5  # of their boxes
SIDE = 224  # largest side of a square in a data directory, as in the set that the models were trained on
QUALITY = 95  # of its JPEG files, with full chroma
BORDER = 0.15  # share of a square that may lie outside a fake's crop before the pair is given up


class Set:
    """A set of faces: `rows` of faces.csv, and the picture of each."""

    def __init__(self, path: Path):
        self.folder = None if path.is_file() else path
        self.tar = tarfile.open(path) if path.is_file() else None  # noqa: SIM115
        state = json.loads(self.content("extract.json"))
        if state.get("schema") != "unmask.faces/1":
            raise ValueError(f"{path}: expected a set of unmask.faces/1, found {state.get('schema')}")
        if not state["complete"]:
            raise ValueError(f"{path}: is not finished; run unmask faces extract --resume first")
        self.options = state["options"]
        text = self.content("faces.csv").decode()
        self.rows = list(csv.DictReader(io.StringIO(text, newline="")))

    def content(self, name: str) -> bytes:
        try:
            return (self.folder / name).read_bytes() if self.folder else self.tar.extractfile(name).read()
        except (FileNotFoundError, KeyError):
            raise FileNotFoundError(f"{name} is missing: is this a set of unmask faces extract?") from None

    def pixels(self, row: dict) -> np.ndarray:
        """The saved crop, BGR."""
        image = cv2.imdecode(np.frombuffer(self.content(row["path"]), np.uint8), cv2.IMREAD_COLOR)
        if image is None:
            raise ValueError(f"{row['path']}: not a readable picture")
        return image


@dataclass
class Pair:
    real: dict
    fakes: list[dict]


def box(row: dict) -> tuple[float, float, float, float]:
    return tuple(float(row[f"face_{name}"]) for name in "xywh")


def iou(a: dict, b: dict) -> float:
    (ax, ay, aw, ah), (bx, by, bw, bh) = box(a), box(b)
    width = min(ax + aw, bx + bw) - max(ax, bx)
    height = min(ay + ah, by + bh) - max(ay, by)
    shared = max(0.0, width) * max(0.0, height)
    return shared / (aw * ah + bw * bh - shared)


def square_in_crop(row: dict, face: dict | None = None) -> tuple[int, int, int, int]:
    """Where the model's square around `face` (default: the row's own) lies in the row's saved crop."""
    left, top, side, _ = data.crop_rect(*box(face or row))
    scale = int(row["saved_side"]) / int(row["crop_side"])
    x, y = (left - int(row["crop_x"])) * scale, (top - int(row["crop_y"])) * scale
    return round(x), round(y), max(1, round(side * scale)), max(1, round(side * scale))


def reaches_out(row: dict, face: dict) -> float:
    """How far the square around another face leaves the row's crop, as a share of the square."""
    x, y, side, _ = square_in_crop(row, face)
    saved = int(row["saved_side"])
    return max(0, -x, -y, x + side - saved, y + side - saved) / side


def pair_up(rows: list[dict], tolerance: float = TOLERANCE) -> tuple[list[Pair], list[dict]]:
    """Every real face with the fakes of it, and the fakes without one.

    A fake belongs to the real face of its group and split that is at the same place at the same time.
    """
    pairs = [Pair(row, []) for row in rows if row["label"] == "real"]
    by_group: dict[tuple[str, str], list[Pair]] = {}
    for pair in pairs:
        by_group.setdefault((pair.real["split"], pair.real["group"]), []).append(pair)
    alone = []
    for fake in (row for row in rows if row["label"] == "fake"):
        near = [
            (iou(pair.real, fake), pair)
            for pair in by_group.get((fake["split"], fake["group"]), [])
            if abs(float(pair.real["time"]) - float(fake["time"])) <= tolerance
            and reaches_out(fake, pair.real) <= BORDER
        ]
        best = max(near, key=lambda found: found[0], default=(0.0, None))
        if best[0] >= MIN_IOU:
            best[1].fakes.append(fake)
        else:
            alone.append(fake)
    return pairs, alone


def faces(path: Path, split: str) -> list[data.Face]:
    """The labelled faces of one split, in memory, as data.dfdc_faces() gives them: see data.pairs()."""
    found = Set(path)
    pairs, alone = pair_up([row for row in found.rows if row["split"] == split])

    def face(row: dict, original: dict) -> data.Face:
        rect = square_in_crop(row, original)
        return data.Face(
            row["path"], found.content(row["path"]), row["label"] == "fake", original["id"], rect
        )

    result = [face(row, pair.real) for pair in pairs for row in (pair.real, *pair.fakes)]
    return result + [face(row, row) for row in alone]


class Tar:
    """Writes pictures into a tar file."""

    def __init__(self, file: Path):
        self.tar = tarfile.open(file, "w")  # noqa: SIM115

    def add(self, name: str, image: np.ndarray) -> None:
        flags = [cv2.IMWRITE_JPEG_QUALITY, QUALITY]
        if hasattr(cv2, "IMWRITE_JPEG_SAMPLING_FACTOR"):
            flags += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
        jpeg = cv2.imencode(".jpg", image, flags)[1].tobytes()
        member = tarfile.TarInfo(name)
        member.size = len(jpeg)
        self.tar.addfile(member, io.BytesIO(jpeg))


def write_list(file: Path, rows: list[dict]) -> None:
    with open(file, "w", newline="") as handle:
        writer = csv.DictWriter(handle, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def portrait_row(name: str, row: dict, side: int) -> dict:
    """A line of portraits.csv for a picture that is the model's square already: a box that gives it."""
    size = side / data.CROP["scale"]
    x = side / 2 - data.CROP["dx"] * size - size / 2
    y = side / 2 - data.CROP["dy"] * size - size / 2
    return {"file": name, "source": row["source"], "person": row["group"], "split": row["split"]} | {
        f"face_{key}": f"{value:.4f}" for key, value in zip("xywh", (x, y, size, size), strict=True)
    }


def convert(found: Set, out: Path, tolerance: float = TOLERANCE, mix: bool = False) -> dict:
    """Writes the data directory; returns counts by split.

    All pictures are cut, reduced and encoded alike, whatever their class, so that none of it tells the class;
    the fakes of a pair by the real's box, so that they differ by the manipulation alone. `mix` gives fakes
    without an original some real face of their split for one.
    """
    labelled = [row for row in found.rows if row["label"]]
    pairs, alone = pair_up(labelled, tolerance)
    splits = {row["split"] for row in labelled}
    for split in ("train", "val"):
        kinds = {row["label"] for row in labelled if row["split"] == split}
        if kinds != {"real", "fake"}:
            raise ValueError(
                f"the split {split} needs real and fake faces, found {sorted(kinds) or 'none'} "
                f"(splits: {sorted(splits)}); extract with --split train=0.9,val=0.1 and more groups"
            )
    cut_by = {fake["id"]: pair.real for pair in pairs for fake in pair.fakes}
    if mix:
        for number, fake in enumerate(alone):
            same = [pair for pair in pairs if pair.real["split"] == fake["split"]]
            same[number % len(same)].fakes.append(fake)
        alone = []
    complete = {s for s in splits if all(pair.fakes for pair in pairs if pair.real["split"] == s)}

    out.mkdir(parents=True)
    listed, portraits, counts = [], [], {}
    crops, singles = Tar(out / "dfdc-faces-00.tar"), Tar(out / "portraits-00.tar")

    def count(split: str, what: str) -> None:
        counts.setdefault(split, dict.fromkeys(("real", "fake", "pairs", "portraits"), 0))[what] += 1

    def add(row: dict, original: dict, side: int) -> np.ndarray:
        square = square_in_crop(row, cut_by.get(row["id"]))
        image = data.resize(data.cut(found.pixels(row), square), side)
        crops.add(f"{row['split']}/{row['label']}/{row['id']}.jpg", image)
        keys = {"id": row["id"], "label": row["label"], "original": original["id"], "split": row["split"]}
        listed.append(keys | {"shard": "00", "group": row["group"]})
        count(row["split"], row["label"])
        return image

    for pair in pairs:
        members = [pair.real, *pair.fakes]
        side = min(SIDE, *(square_in_crop(row, cut_by.get(row["id"]))[2] for row in members))
        image = add(pair.real, pair.real, side)
        for fake in pair.fakes:
            add(fake, pair.real, side)
            count(pair.real["split"], "pairs")
        if not pair.fakes or pair.real["split"] in complete:  # a split needs some portraits
            name = f"portraits/{pair.real['id']}.jpg"
            singles.add(name, image)
            portraits.append(portrait_row(name, pair.real, side))
            count(pair.real["split"], "portraits")
    for fake in alone:
        add(fake, fake, min(SIDE, square_in_crop(fake)[2]))
    crops.tar.close()
    singles.tar.close()
    write_list(out / "dfdc-faces.csv", listed)
    write_list(out / "portraits.csv", portraits)
    return counts


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("set", type=Path, help="a folder or tar archive that unmask faces extract wrote")
    parser.add_argument("--out", type=Path, required=True, help="the data directory, which must not exist")
    parser.add_argument(
        "--tolerance", type=float, default=TOLERANCE, help="seconds between a face and its fake (%(default)s)"
    )
    parser.add_argument(
        "--mix",
        action="store_true",
        help="pair fakes that have no original with any real face (do not train a mask head on that)",
    )
    args = parser.parse_args()
    if args.out.exists():
        print(f"error: {args.out} exists\nhint: choose another --out", file=sys.stderr)
        return 2
    try:
        counts = convert(Set(args.set), args.out, args.tolerance, args.mix)
    except (OSError, ValueError, tarfile.TarError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    for split, numbers in sorted(counts.items()):
        print(f"{split}: {', '.join(f'{number} {what}' for what, number in numbers.items())}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
