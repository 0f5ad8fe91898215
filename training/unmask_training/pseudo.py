# SPDX-License-Identifier: Apache-2.0
"""Pairs of a real face and a pseudo-manipulation of it, for training and for measuring one family alone."""

from pathlib import Path

import cv2
import numpy as np

from . import families
from .data import Face, resize
from .families.points import Landmarks

SIDE = 224  # the families are made for squares of this size
TRIES = 8


class Pseudo:
    """Draws a real face and a family, and makes the pair. `shares` gives each family its weight."""

    def __init__(self, faces: list[Face], landmarks: Landmarks, shares: dict[str, float]):
        unknown = shares.keys() - set(families.NAMES)
        if unknown:
            raise ValueError(f"unknown families {sorted(unknown)}; known are {list(families.NAMES)}")
        self.faces = [face for face in faces if not face.fake and face.name in landmarks.points]
        if not self.faces:
            raise ValueError("none of the faces has landmarks; run training/landmarks.py")
        self.by_name = {face.name: face for face in self.faces}
        self.person = {face.name: face.original for face in self.faces}
        self.names = list(self.by_name)
        self.landmarks = landmarks
        self.families = [name for name, share in shares.items() if share > 0]
        weights = np.array([shares[name] for name in self.families], float)
        self.shares = weights / weights.sum()

    def square(self, name: str) -> np.ndarray:
        return resize(self.by_name[name].pixels(), SIDE)

    def points_of(self, name: str, side: int) -> np.ndarray | None:
        """The landmarks of a face in the pixels of its square of `side`, or None."""
        return self.landmarks.get(name, side)

    def make(self, name: str, family: str, rng: np.random.Generator):
        """The real side, the fake and the mask of a named face; None if the family cannot be made of it."""
        face = self.square(name)
        donor, other = self.landmarks.donor(name, self.names, rng), None
        if donor is not None and self.person[donor] != self.person[name]:
            other = (self.square(donor), self.landmarks.get(donor, SIDE))
        return families.pair(family, face, self.landmarks.get(name, SIDE), other, rng)

    def pair(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """A real face and a fake of it. A family that fits no landmarks gets another face, TRIES times."""
        family = str(rng.choice(self.families, p=self.shares))
        for _ in range(TRIES):
            made = self.make(self.names[rng.integers(len(self.names))], family, rng)
            if made is not None:
                return made[0], made[1]
        raise RuntimeError(f"the family {family} could be made of none of {TRIES} faces")

    def faces_of(self, family: str, count: int, seed: int = 1) -> list[Face]:
        """`count` pairs of one family as faces in memory, without loss: the same for the same seed."""
        made, rng = [], np.random.default_rng((seed, *family.encode()))
        only = Pseudo(self.faces, self.landmarks, {family: 1.0})
        for i in range(count):
            for picture, fake in zip(only.pair(rng), (False, True), strict=True):
                png = cv2.imencode(".png", picture, [cv2.IMWRITE_PNG_COMPRESSION, 1])[1].tobytes()
                made.append(Face(f"{family}/{i}/{fake}", png, fake, f"{family}/{i}"))
        return made


def load(faces: list[Face], cache: Path, shares: dict[str, float]) -> Pseudo:
    return Pseudo(faces, Landmarks.load(cache), shares)
