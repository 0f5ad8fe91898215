#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Finds 98 points in every face of the data, and compares them with the five points of the portraits' list.

The network sees a square 1.35 times as large as the face square (1.15 times the larger side of the face box),
and its mirror image; the points are the mean of both. Where the square leaves the picture, its border is
repeated.
"""

import argparse
import os
import sys
from pathlib import Path

import cv2
import numpy as np
import openvino as ov
from unmask_training import data
from unmask_training.families import points as layout

ROOT = Path(__file__).resolve().parent

INPUT = 112
SCALE, UP = (
    1.35,
    0.05,
)  # side of the network's square, and its centre's lift, as shares of the face square's side


class Pfld:
    def __init__(self, model: Path, threads: int = 1):
        core = ov.Core()
        settings = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": threads}
        self.network = core.compile_model(core.read_model(str(model)), "CPU", settings)

    def raw(self, rgb: np.ndarray) -> np.ndarray:
        planes = rgb.astype(np.float32).transpose(2, 0, 1)[None] / 255
        return self.network([planes])[0].reshape(98, 2).copy()

    def find(
        self, image: np.ndarray, rect: tuple[int, int, int, int] | None = None
    ) -> tuple[np.ndarray, float]:
        """Points as shares of the face square (None: all of the picture); doubt, see `points.MAX_DOUBT`."""
        left, top, side = (0, 0, image.shape[1]) if rect is None else rect[:3]
        zoom = INPUT / (SCALE * side)
        x, y = left + side / 2 - SCALE * side / 2, top + side / 2 - (SCALE / 2 + UP) * side
        move = np.float64([[zoom, 0, -x * zoom], [0, zoom, -y * zoom]])
        if zoom < 0.7:  # warpAffine does not average when it shrinks
            image = cv2.GaussianBlur(image, (0, 0), 0.4 / zoom)
        square = cv2.warpAffine(image, move, (INPUT, INPUT), borderMode=cv2.BORDER_REPLICATE)
        rgb = cv2.cvtColor(square, cv2.COLOR_BGR2RGB)
        straight = self.raw(rgb)
        mirrored = self.raw(np.ascontiguousarray(rgb[:, ::-1]))[layout.MIRROR]
        mirrored[:, 0] = 1 - mirrored[:, 0]
        found = (straight + mirrored) / 2 * SCALE + (np.float32([1, 1]) - SCALE) / 2 - np.float32([0, UP])
        doubt = float(np.linalg.norm(straight - mirrored, axis=1).mean() * SCALE)
        return found.astype(np.float32), doubt


def five(points: np.ndarray) -> np.ndarray:
    """The points of portraits.csv: both eyes, nose, both mouth corners; the person's right first."""
    eyes = [points[layout.EYE_LEFT].mean(0), points[layout.EYE_RIGHT].mean(0)]
    return np.array([*eyes, points[54], points[76], points[82]])


def compare(rows: list[dict], found: dict[str, np.ndarray]) -> np.ndarray:
    """Mean distance of the five points from the list's, as shares of the square's side, face by face."""
    errors = []
    for r in rows:
        if r["file"] not in found:
            continue
        box = (float(r["face_x"]), float(r["face_y"]), float(r["face_w"]), float(r["face_h"]))
        x, y, side, _ = data.crop_rect(*box)
        listed = [[float(r[f"{n}_x"]) - x, float(r[f"{n}_y"]) - y] for n in ("re", "le", "nose", "rm", "lm")]
        errors.append(np.linalg.norm(np.array(listed) / side - five(found[r["file"]]), axis=1).mean())
    return np.array(errors)


def skin(image: np.ndarray, rect: tuple[int, int, int, int] | None = None) -> np.ndarray:
    """Mean B, G, R of the middle half of the face square."""
    left, top, side = (0, 0, image.shape[1]) if rect is None else rect[:3]
    middle = image[
        max(0, top + side // 4) : top + 3 * side // 4, max(0, left + side // 4) : left + 3 * side // 4
    ]
    return middle.reshape(-1, 3).mean(0)


def save(file: Path, names: list, points: list, doubts: list, colours: list) -> np.ndarray:
    good = np.array([layout.plausible(p, d) for p, d in zip(points, doubts, strict=True)])
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(".part.npz")
    np.savez(
        part,
        names=np.array(names),
        points=np.stack(points),
        doubt=np.float32(doubts),
        colour=np.float32(colours),
        plausible=good,
    )
    os.replace(part, file)
    print(f"{file}: {len(names)} faces", flush=True)
    return good


def main() -> int:
    repository = ROOT.parent
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--data", type=Path, default=Path(os.environ.get("UNMASK_DATA", repository / "../shared/data"))
    )
    parser.add_argument("--model", type=Path, help="PFLD, ONNX; default: third_party_models beside data")
    parser.add_argument("--out", type=Path, default=ROOT / "runs/landmarks.npz")
    args = parser.parse_args()
    model = args.model or args.data / "../third_party_models/pfld98/PFLD_GhostOne_112_1_opt_sim.onnx"

    cv2.setNumThreads(1)
    pfld = Pfld(model)
    names, points, doubts, colours = [], [], [], []

    def find(faces: list[data.Face]) -> None:
        for face in faces:
            image = cv2.imdecode(np.frombuffer(face.jpeg, np.uint8), cv2.IMREAD_COLOR)
            where, doubt = pfld.find(image, face.rect)
            names.append(face.name)
            points.append(where)
            doubts.append(doubt)
            colours.append(skin(image, face.rect))

    # The real faces first, since the families are made of them.
    splits = ("val", "train")
    dfdc = [face for split in splits for face in data.dfdc_faces(args.data, split)]
    find([face for face in dfdc if not face.fake] + [f for s in splits for f in data.portraits(args.data, s)])
    save(args.out, names, points, doubts, colours)
    find([face for face in dfdc if face.fake])
    good = save(args.out, names, points, doubts, colours)

    for kind in ("real", "fake"):
        mine = np.array([f"/{kind}/" in n for n in names])
        print(f"DFDC {kind}: {(~good[mine]).sum()} of {mine.sum()} implausible")
    mine = np.array(["/" not in n for n in names])
    print(f"portraits: {(~good[mine]).sum()} of {mine.sum()} implausible")
    rows = data.read_rows(args.data / "portraits.csv")
    error = compare(rows, {n: p for n, p, g in zip(names, points, good, strict=True) if g})
    quantiles = ", ".join(
        f"{q:.0%}: {v:.4f}"
        for q, v in zip((0.5, 0.9, 0.99), np.quantile(error, (0.5, 0.9, 0.99)), strict=True)
    )
    print(f"five points against portraits.csv, mean distance / side of the square, quantiles {quantiles}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
