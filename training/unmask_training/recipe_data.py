# SPDX-License-Identifier: Apache-2.0
"""Faces for a recipe: divided by source first, then limited and oversampled in the training part alone.

The services that these recipes come from drew copies of the rarer class before they divided, or divided the
frames of one video: what they trained on stood in their test sets, and their figures mean nothing.
"""

import csv
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from . import data
from .recipe import Augment, Input

RESIZE = {"bilinear": cv2.INTER_LINEAR, "area": cv2.INTER_AREA, "bicubic": cv2.INTER_CUBIC}


@dataclass(frozen=True)
class Sample:
    """A face and what it must not be divided from: its video, its person, whatever the data set groups by."""

    face: data.Face
    group: str

    @property
    def fake(self) -> bool:
        return self.face.fake


def read(folder: Path, split: str) -> list[Sample]:
    """The labelled faces of a data directory. Their group: the column `group`, else the source video."""
    rows = data.read_rows(folder / "dfdc-faces.csv")
    groups = {f"{r['split']}/{r['label']}/{r['id']}.jpg": r.get("group") or r["original"] for r in rows}
    return [Sample(face, groups[face.name]) for face in data.dfdc_faces(folder, split)]


def indivisible(samples: list[Sample]) -> dict[str, str]:
    """For each group the name of what it belongs to: groups that share a picture, byte for byte, are one."""
    parent: dict[str, str] = {}

    def root(group: str) -> str:
        while parent.setdefault(group, group) != group:
            parent[group] = group = parent[parent[group]]
        return group

    seen: dict[bytes, str] = {}
    for sample in samples:
        first = seen.setdefault(hashlib.sha256(sample.face.jpeg).digest(), sample.group)
        one, other = sorted((root(first), root(sample.group)))
        parent[other] = one
    return {group: root(group) for group in parent}


def divide(samples: list[Sample], share: float, seed: int) -> tuple[list[Sample], list[Sample]]:
    """Training part, and about `share` of the groups held out. No group and no picture is in both.

    A group's place comes from a hash of its name and the seed, so it stays when the data set grows.
    """
    whole = indivisible(samples)

    def held_out(sample: Sample) -> bool:
        digest = hashlib.sha256(f"{seed}/{whole[sample.group]}".encode()).digest()
        return int.from_bytes(digest[:8]) < share * 2**64

    parts = [s for s in samples if not held_out(s)], [s for s in samples if held_out(s)]
    for name, part in zip(("training", "held-out"), parts, strict=True):
        if {s.fake for s in part} != {False, True}:
            raise ValueError(
                f"the {name} part needs real and fake faces, found {len(part)} faces of "
                f"{len({s.group for s in part})} groups; take more videos, or another held_out"
            )
    return parts


def limit_fakes(samples: list[Sample], most: float, seed: int) -> list[Sample]:
    """At most `most` fakes for each real face; which ones go is drawn once."""
    fakes = [i for i, s in enumerate(samples) if s.fake]
    keep = int(most * (len(samples) - len(fakes)))
    if len(fakes) <= keep:
        return samples
    gone = set(np.random.default_rng((seed, 2)).permutation(fakes)[keep:].tolist())
    return [s for i, s in enumerate(samples) if i not in gone]


def oversample(samples: list[Sample], rng: np.random.Generator) -> list[Sample]:
    """As many of both classes: every face of the rarer one equally often, but for a remainder drawn anew."""
    classes = [[s for s in samples if not s.fake], [s for s in samples if s.fake]]
    few, many = sorted(classes, key=len)
    whole, rest = divmod(len(many), len(few))
    drawn = [few[i] for i in rng.permutation(len(few))[:rest]]
    return many + few * whole + drawn


def some(samples: list[Sample], most: int | None, seed: int) -> list[Sample]:
    """At most so many faces, with the shares of the classes kept as chance has it."""
    if most is None or most >= len(samples):
        return samples
    return [samples[i] for i in sorted(np.random.default_rng((seed, 3)).permutation(len(samples))[:most])]


def change(image: np.ndarray, augment: Augment, rng: np.random.Generator) -> np.ndarray:
    """A training face as one draw of the recipe's augmentation leaves it."""
    draw = rng.random()
    if draw < augment.flip:
        image = image[:, ::-1]
    elif draw < augment.flip + augment.quarter_turn:
        image = cv2.rotate(image, cv2.ROTATE_90_CLOCKWISE)
    height, width = image.shape[:2]
    if augment.rotate or augment.zoom:
        angle = rng.uniform(-augment.rotate, augment.rotate)
        scale = 1 + rng.uniform(-augment.zoom, augment.zoom)
        turn = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), angle, scale)
        image = cv2.warpAffine(image, turn, (width, height), borderMode=cv2.BORDER_REPLICATE)
    if augment.brightness or augment.channel_shift:
        light = 1 + rng.uniform(-augment.brightness, augment.brightness)
        shift = rng.uniform(-augment.channel_shift, augment.channel_shift, 3)
        image = np.clip(image * light + shift, 0, 255).astype(np.uint8)
    return image


def to_input(image: np.ndarray, how: Input) -> np.ndarray:
    """A BGR face as the service hands it to its network: [size, size, 3], float32."""
    shrinks = image.shape[0] * image.shape[1] > how.size**2
    # Of the services, web-upload alone is free of aliasing when it shrinks: by Pillow. Area is OpenCV's way.
    method = cv2.INTER_AREA if shrinks and how.resize == "bicubic" else RESIZE[how.resize]
    resized = cv2.resize(image, (how.size, how.size), interpolation=method)
    ordered = resized[..., ::-1] if how.channels == "rgb" else resized
    return ordered.astype(np.float32) / np.float32(how.scale)


def batch(
    samples: Iterable[Sample], how: Input, real_is_one: bool, augment: Augment | None = None, rng=None
) -> tuple[np.ndarray, np.ndarray]:
    """Inputs [N, size, size, 3] and labels [N, 1] in the meaning of the network's output."""
    images, labels = [], []
    for sample in samples:
        image = sample.face.pixels()
        images.append(to_input(change(image, augment, rng) if augment else image, how))
        labels.append([sample.fake != real_is_one])
    return np.stack(images), np.array(labels, np.float32)


def write_counts(file: Path, parts: dict[str, list[Sample]]) -> None:
    """What went where, so that a reader need not believe it: part, real, fake, groups."""
    with open(file, "w", newline="") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(["part", "real", "fake", "groups"])
        for name, part in parts.items():
            fakes = sum(s.fake for s in part)
            writer.writerow([name, len(part) - fakes, fakes, len({s.group for s in part})])
