#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What ordinary edits do to the verdict on real faces: validation portraits, edited as whole pictures.

No face in them was manipulated, so whatever is called so is a false alarm. Prints a table in Markdown.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from unmask_training import augment, data, metrics

ROOT = Path(__file__).resolve().parent


def levels(image: np.ndarray) -> np.ndarray:
    return np.clip(image, 0, 255).astype(np.uint8)


def without_colour(image: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)


def sharpened(image: np.ndarray) -> np.ndarray:
    return cv2.addWeighted(image, 2.5, cv2.GaussianBlur(image, (0, 0), 2), -1.5, 0)


def equalised(image: np.ndarray) -> np.ndarray:
    lab = cv2.cvtColor(image, cv2.COLOR_BGR2LAB)
    lab[..., 0] = cv2.createCLAHE(4, (8, 8)).apply(lab[..., 0])
    return cv2.cvtColor(lab, cv2.COLOR_LAB2BGR)


def shaken(image: np.ndarray) -> np.ndarray:
    kernel = np.zeros((9, 9), np.float32)
    kernel[4] = 1 / 9
    return cv2.filter2D(image, -1, kernel)


def captioned(image: np.ndarray) -> np.ndarray:
    image = image.copy()
    height, width = image.shape[:2]
    cv2.rectangle(image, (0, int(0.8 * height)), (width, int(0.93 * height)), (0, 0, 0), -1)
    white, font = (255, 255, 255), cv2.FONT_HERSHEY_SIMPLEX
    cv2.putText(image, "BREAKING NEWS", (5, int(0.9 * height)), font, width / 320, white, 2)
    return image


def enlarged(image: np.ndarray) -> np.ndarray:
    small = cv2.resize(image, None, fx=1 / 3, fy=1 / 3, interpolation=cv2.INTER_AREA)
    return cv2.resize(small, None, fx=6, fy=6, interpolation=cv2.INTER_LANCZOS4)


def webp(image: np.ndarray) -> np.ndarray:
    return cv2.imdecode(cv2.imencode(".webp", image, [cv2.IMWRITE_WEBP_QUALITY, 10])[1], cv2.IMREAD_COLOR)


def turned(degrees: float) -> Callable:
    def turn(image: np.ndarray) -> np.ndarray:
        if degrees % 90 == 0:
            return np.ascontiguousarray(np.rot90(image, int(degrees / 90)))
        height, width = image.shape[:2]
        matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
        return cv2.warpAffine(
            image, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101
        )

    return turn


def screen(ink: np.ndarray, degrees: float, pitch: float) -> np.ndarray:
    """Dots of one ink, larger where there is more of it."""
    y, x = np.mgrid[: ink.shape[0], : ink.shape[1]].astype(np.float32) * np.float32(2 * np.pi / pitch)
    sine, cosine = np.sin(np.deg2rad(degrees)), np.cos(np.deg2rad(degrees))
    return ink > (np.cos(x * cosine + y * sine) + np.cos(y * cosine - x * sine)) / 4 + 0.5


def printed(pitch: float, blur: float) -> Callable:
    """In four colours, twice as large, with dots of `pitch` pixels, scanned with a blur (sigma, pixels)."""

    def print_(image: np.ndarray) -> np.ndarray:
        fine = 4  # the press is finer than the scan
        large = cv2.resize(image, None, fx=2 * fine, fy=2 * fine, interpolation=cv2.INTER_CUBIC)
        inks = 1 - large.astype(np.float32) / 255
        black = 0.7 * inks.min(axis=2)
        paper = 1 - screen(black, 45, pitch * fine).astype(np.float32)
        planes = [
            paper * (1 - screen(inks[..., c] - black, angle, pitch * fine))
            for c, angle in ((0, 0), (1, 75), (2, 15))
        ]
        scan = cv2.GaussianBlur(np.dstack(planes), (0, 0), blur * fine)
        scan = cv2.resize(scan, None, fx=1 / fine, fy=1 / fine, interpolation=cv2.INTER_AREA)
        return levels(255 * (0.92 * scan + 0.06))

    return print_


EDITS: dict[str, Callable] = {
    "nothing": lambda image: image,
    "JPEG 10": lambda image: augment.jpeg(image, 10),
    "WebP 10": webp,
    "noise of 20 levels": lambda image: augment.noise(image, 20, 1),
    "enlarged twice from a third of the size": enlarged,
    "wider by a third": lambda image: cv2.resize(image, None, fx=4 / 3, fy=1, interpolation=cv2.INTER_CUBIC),
    "higher by a third": lambda image: cv2.resize(image, None, fx=1, fy=4 / 3, interpolation=cv2.INTER_CUBIC),
    "sharpened": sharpened,
    "local contrast (CLAHE)": equalised,
    "smoothed (bilateral)": lambda image: cv2.bilateralFilter(image, 9, 60, 9),
    "median of 5": lambda image: cv2.medianBlur(image, 5),
    "motion blur of 9 pixels": shaken,
    "without colour": without_colour,
    "sepia": lambda image: levels(without_colour(image) * np.array([0.7, 0.9, 1.1])),
    "gamma 2.5": lambda image: levels(255 * (image / 255) ** 2.5),
    "gamma 0.45": lambda image: levels(255 * (image / 255) ** 0.45),
    "eight levels a channel": lambda image: (image // 32 * 32 + 16).astype(np.uint8),
    "caption over the chin": captioned,
    "turned by 20 degrees": turned(20),
    "turned by 45 degrees": turned(45),
    "on its side": turned(90),
    "upside down": turned(180),
    "printed, dots of 3 pixels": printed(3, 0.5),
    "printed, dots of 5 pixels": printed(5, 0.7),
    "printed, dots of 8 pixels": printed(8, 2.0),
}


def scan(folder: Path, options: list[str]) -> list[dict]:
    command = [metrics.program(), "scan", "--format", "jsonl", *options, folder]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if done.returncode not in (0, 3):
        raise RuntimeError(f"{' '.join(map(str, command))} ended with {done.returncode}: {done.stderr}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def share(count: int, of: int) -> str:
    return f"{100 * count / of:.1f} %"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=int, default=1, help="take each N-th portrait")
    parser.add_argument("--only", action="append", choices=EDITS, help="this edit; may be repeated")
    parser.add_argument(
        "--scan-option", action="append", default=[], help="e.g. --scan-option=--no-stability"
    )
    parser.add_argument(
        "--data", type=Path, default=Path(os.environ.get("UNMASK_DATA", ROOT.parent / "../shared/data"))
    )
    args = parser.parse_args()
    cv2.setNumThreads(1)
    faces = data.portraits(args.data, "val")[:: args.every]
    print("| edit | no face | called manipulated | inconclusive, with a face | most frequent reason |")
    print("|---|---|---|---|---|")
    for name in args.only or EDITS:
        with tempfile.TemporaryDirectory() as folder:
            for number, face in enumerate(faces):
                picture = cv2.imdecode(np.frombuffer(face.jpeg, np.uint8), cv2.IMREAD_COLOR)
                file = Path(folder) / f"{number}.jpg"
                cv2.imwrite(str(file), EDITS[name](picture), [cv2.IMWRITE_JPEG_QUALITY, 95])
            reports = scan(Path(folder), args.scan_option)
        verdicts = Counter(report["verdict"] for report in reports)
        reasons = Counter(reason for report in reports for reason in report["reasons"])
        blind, count = reasons.pop("no_face", 0), len(reports)
        doubtful = share(verdicts["inconclusive"] - blind, count)
        first = reasons.most_common(1)[0][0] if reasons else ""
        called = share(verdicts["manipulated"], count)
        print(f"| {name} | {share(blind, count)} | {called} | {doubtful} | {first} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
