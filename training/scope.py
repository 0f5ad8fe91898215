#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fits what tells drawings from photographs (src/face/drawing.cpp) and measures the scope guard.

    scope.py drawings --package FILE --out DIR    pictures out of a Debian package, for faces extract
    scope.py fit --drawings DIR... [--data DIR]   prints the weights; photographs are the train split's
    scope.py measure --drawings DIR... [--data DIR]    false alarms on the val split and hits, by the program

docs/evaluation.md, "Scope guards", has the packages and every command. No picture leaves the folders named.
"""

import argparse
import csv
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from unmask_training import augment, codec, data, drawing, metrics, retouch

ROOT = Path(__file__).resolve().parent
MIN_SIDE, MAX_SIDE, GROUND = 72, 2000, 200
MIN_FACE = 48  # smaller faces count for no verdict (QualityLimits::min_size)
FALSE_ALARMS = 0.001  # share of photographs above the threshold, in the worst degradation of the train split


def scaled(image: np.ndarray, factor: float) -> np.ndarray:
    rows, columns = image.shape[:2]
    return data.resize(image, max(1, round(columns * factor)), max(1, round(rows * factor)))


DEGRADATIONS = {
    "clean": lambda image: image,
    **{f"jpeg_{q}": lambda image, q=q: augment.jpeg(image, q) for q in (90, 60, 40, 20)},
    "half": lambda image: scaled(image, 0.5),
    "quarter": lambda image: scaled(image, 0.25),
    "blur": lambda image: augment.blur(image, 2.0),
    "crf_32": lambda image: codec.h264(image, 32),
    "smooth": lambda image: retouch.smooth(image, np.random.default_rng(1)),
}


# ---- pictures of packages


def embedded(content: bytes) -> Iterator[bytes]:
    """PNG, JPEG and WebP files within a Qt resource file, each of which follows its length."""
    at = 0
    while True:
        starts = [content.find(magic, at) - skip for magic, skip in MAGICS if content.find(magic, at) >= skip]
        if not starts:
            return
        start = min(starts)
        length = int.from_bytes(content[start - 4 : start], "big")
        if 100 < length <= len(content) - start:
            yield content[start : start + length]
            at = start + length
        else:
            at = start + 4


MAGICS = ((b"\x89PNG\r\n\x1a\n", 4), (b"\xff\xd8\xff", 4), (b"WEBPVP8", 12))


def flattened(content: bytes) -> np.ndarray | None:
    """A picture as 8-bit BGR on a grey ground, at most MAX_SIDE long; None if small or no picture."""
    image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    if image is None or min(image.shape[:2]) < MIN_SIDE:
        return None
    if image.dtype == np.uint16:
        image = (image >> 8).astype(np.uint8)
    if image.ndim == 2:
        image = cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)
    if image.shape[2] == 4:
        alpha = image[..., 3:].astype(np.float32) / 255
        image = (image[..., :3] * alpha + GROUND * (1 - alpha) + 0.5).astype(np.uint8)
    return scaled(image, min(1.0, MAX_SIDE / max(image.shape[:2])))


def write_drawings(package: Path, out: Path, within: list[str]) -> int:
    """The pictures of one .deb whose path has one of `within`, as PNG files. Their number."""
    seen = set()
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["dpkg-deb", "-x", package, folder], check=True)
        for file in sorted(Path(folder).rglob("*")):
            name = file.relative_to(folder).as_posix()
            if file.is_symlink() or not file.is_file() or not any(part in name for part in within or [""]):
                continue
            suffix = file.suffix.lower()
            found = [file.read_bytes()] if suffix in (".png", ".jpg", ".webp") else []
            if suffix == ".rcc":
                found = embedded(file.read_bytes())
            for content in found:
                digest = hashlib.sha256(content).hexdigest()
                image = flattened(content) if digest not in seen else None
                seen.add(digest)
                if image is not None:
                    cv2.imwrite(str(out / f"{file.stem[-60:]}-{digest[:8]}.png"), image)
    return len(list(out.glob("*.png")))


# ---- faces


def photographs(folder: Path, split: str, count: int, skip: set[str]) -> Iterator[tuple[str, np.ndarray]]:
    """At most `count` real faces of each set, evenly spread over its list, less those named in `skip`."""
    for name, faces in (
        ("dfdc", [f for f in data.dfdc_faces(folder, split) if not f.fake]),
        ("portraits", data.portraits(folder, split)),
    ):
        for i in range(min(count, len(faces))):
            face = faces[i * len(faces) // min(count, len(faces))]
            if face.name not in skip:
                yield name, face.pixels()


def skip_of(args) -> set[str]:
    return set(args.skip.read_text().split()) if args.skip else set()


def drawn_faces(folder: Path) -> Iterator[tuple[str, np.ndarray]]:
    """The faces of `unmask faces extract` that are large enough for a verdict, less those of skip.txt.

    skip.txt has the ids of false boxes and of photographs, by eye, one a line.
    """
    skip = (folder / "skip.txt").read_text().split() if (folder / "skip.txt").is_file() else []
    with open(folder / "faces.csv", newline="") as handle:
        for row in csv.DictReader(handle):
            if float(row["size"]) >= MIN_FACE and row["id"] not in skip:
                yield row["id"], cv2.imread(str(folder / row["path"]))


def table(faces: Iterator[tuple[str, np.ndarray]]) -> dict[tuple[str, str], np.ndarray]:
    """Signs [N,6] by set and degradation; degraded faces that become too small are left out."""
    found: dict[tuple[str, str], list] = {}
    for name, face in faces:
        for degradation, degrade in DEGRADATIONS.items():
            image = degrade(face)
            if min(image.shape[:2]) >= MIN_FACE:
                found.setdefault((name, degradation), []).append(drawing.signs(image))
    return {key: np.array(rows) for key, rows in found.items()}


def fit(photos: dict, drawings: dict) -> tuple[np.ndarray, float]:
    """Weights and intercept of the logistic model; 0 is passed by FALSE_ALARMS of the photographs."""
    from sklearn.linear_model import LogisticRegression

    x, y = np.concatenate(list(photos.values())), np.concatenate(list(drawings.values()))
    mean, scale = x.mean(axis=0), x.std(axis=0)
    inputs = (np.concatenate([x, y]) - mean) / scale
    labels = np.repeat([0, 1], [len(x), len(y)])
    weights = np.repeat([1.0, len(x) / len(y)], [len(x), len(y)])
    model = LogisticRegression(C=0.3, max_iter=2000).fit(inputs, labels, sample_weight=weights)
    slope = model.coef_[0] / scale
    intercept = float(model.intercept_[0] - slope @ mean)
    limit = max(np.quantile(rows @ slope + intercept, 1 - FALSE_ALARMS) for rows in photos.values())
    return slope, float(intercept - limit)


def shares(rows: dict, slope, intercept) -> dict[str, str]:
    return {
        "/".join(key): f"{int((x @ slope + intercept >= 0).sum())} of {len(x)}" for key, x in rows.items()
    }


def run_fit(args) -> None:
    photos = table(photographs(args.data, "train", args.count, skip_of(args)))
    drawings = table((folder.name, face) for folder in args.drawings for _, face in drawn_faces(folder))
    slope, intercept = fit(photos, drawings)
    for name, weight in zip(drawing.NAMES, slope, strict=True):
        print(f"{name:12} {weight:+.4f}")
    print(f"{'intercept':12} {intercept:+.4f}")
    print(json.dumps(shares(photos | drawings, slope, intercept), indent=2))
    if len(args.drawings) < 2:
        return
    for folder in args.drawings:
        others = {key: rows for key, rows in drawings.items() if key[0] != folder.name}
        own = {key: rows for key, rows in drawings.items() if key[0] == folder.name}
        print(f"{folder.name} by weights of the others:", json.dumps(shares(own, *fit(photos, others))))


# ---- the guard, measured by the program


def flagged(arguments: list) -> dict[str, tuple[int, int]]:
    """Files with a score and those of them called not_a_photo, by degradation, from `unmask evaluate`."""
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "answer.json"
        command = [metrics.program(), "evaluate", "--input", "crops", "--bootstrap", "0", "--no-stability"]
        done = subprocess.run([*command, "--json", answer, *arguments], capture_output=True, text=True)
        if done.returncode not in (0, 3):
            raise RuntimeError(f"unmask evaluate ended with {done.returncode}: {done.stderr}")
        result = json.loads(answer.read_text())
    passes = {"clean": result["figures"]} | {d["name"]: d["figures"] for d in result.get("degraded", [])}
    found = {}
    for name, figures in passes.items():
        classes = figures["counts"].values()
        hits = sum(c["reasons"].get("not_a_photo", 0) for c in classes)
        found[name] = (hits, sum(c["scored"] for c in classes))
    return found


def evaluate_pictures(pictures: Iterator[np.ndarray], degrade: bool = True) -> dict[str, tuple[int, int]]:
    with tempfile.TemporaryDirectory() as folder:
        for i, picture in enumerate(pictures):
            cv2.imwrite(f"{folder}/{i:05}.png", picture)
        return flagged(["--label", "real", *(["--degrade"] if degrade else []), folder])


def run_measure(args) -> None:
    for name in ("dfdc", "portraits"):
        faces = [
            face for kind, face in photographs(args.data, "val", args.count, skip_of(args)) if kind == name
        ]
        faces = [face for face in faces if min(face.shape[:2]) >= MIN_FACE]
        found = evaluate_pictures(faces)
        found["smooth"] = evaluate_pictures((DEGRADATIONS["smooth"](f) for f in faces), False)["clean"]
        print(name, json.dumps({k: f"{hits} of {count}" for k, (hits, count) in found.items()}), flush=True)
    for folder in args.drawings:
        found = evaluate_pictures(face for _, face in drawn_faces(folder))
        print(folder, json.dumps({k: f"{hits} of {count}" for k, (hits, count) in found.items()}), flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    pictures = commands.add_parser("drawings", help="pictures out of Debian packages")
    pictures.add_argument("--package", type=Path, required=True, help="a .deb from `apt-get download`")
    pictures.add_argument("--within", action="append", default=[], help="only paths that have this; repeat")
    pictures.add_argument("--out", type=Path, required=True)
    for name in ("fit", "measure"):
        command = commands.add_parser(name)
        command.add_argument("--drawings", type=Path, action="append", default=[], help="faces extract's")
        command.add_argument("--count", type=int, default=1000, help="photographs of each set")
        command.add_argument("--skip", type=Path, help="names of portraits that are drawn, one a line")
        default = Path(os.environ.get("UNMASK_DATA", ROOT.parent / "../shared/data"))
        command.add_argument("--data", type=Path, default=default)
    args = parser.parse_args()
    cv2.setNumThreads(0)
    if args.command == "drawings":
        print(f"{write_drawings(args.package, args.out, args.within)} pictures in {args.out}")
    elif args.command == "fit":
        run_fit(args)
    else:
        run_measure(args)
    return 0


if __name__ == "__main__":
    sys.exit(main())
