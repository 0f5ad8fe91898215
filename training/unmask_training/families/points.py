# SPDX-License-Identifier: Apache-2.0
"""The 98 facial points of WFLW: which is which, and the cache that `landmarks.py` writes."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

# Left and right are those of the picture, not of the person.
JAW = np.arange(0, 33)
BROW_LEFT, BROW_RIGHT = np.arange(33, 42), np.arange(42, 51)
NOSE_BRIDGE, NOSE_BASE = np.arange(51, 55), np.arange(55, 60)
EYE_LEFT, EYE_RIGHT = np.arange(60, 68), np.arange(68, 76)
MOUTH_OUTER, MOUTH_INNER = np.arange(76, 88), np.arange(88, 96)
PUPILS = np.array([96, 97])
NOSE, MOUTH = np.r_[NOSE_BRIDGE, NOSE_BASE], np.r_[MOUTH_OUTER, MOUTH_INNER]
BROWS, EYES = np.r_[BROW_LEFT, BROW_RIGHT], np.r_[EYE_LEFT, EYE_RIGHT]


def _mirror() -> np.ndarray:
    order = np.arange(98)
    order[JAW] = JAW[::-1]
    order[BROW_LEFT] = (46, 45, 44, 43, 42, 50, 49, 48, 47)
    order[BROW_RIGHT] = (37, 36, 35, 34, 33, 41, 40, 39, 38)
    order[NOSE_BASE] = NOSE_BASE[::-1]
    order[EYE_LEFT] = (72, 71, 70, 69, 68, 75, 74, 73)
    order[EYE_RIGHT] = (64, 63, 62, 61, 60, 67, 66, 65)
    order[MOUTH_OUTER] = (82, 81, 80, 79, 78, 77, 76, 87, 86, 85, 84, 83)
    order[MOUTH_INNER] = (92, 91, 90, 89, 88, 95, 94, 93)
    order[PUPILS] = (97, 96)
    return order


MIRROR = _mirror()  # points of the mirrored picture are points[MIRROR], with x mirrored


def eye_distance(points: np.ndarray) -> float:
    return float(np.linalg.norm(points[EYE_RIGHT].mean(0) - points[EYE_LEFT].mean(0)))


# Bounds for faces whose points can be trusted, in shares of the square's side. landmarks.py prints how the
# faces lie in them; each bound cuts the tail of its histogram.
MAX_DOUBT = 0.045  # mean distance between the points of a picture and of its mirror image
EYE_DISTANCE = (0.2, 0.62)
EYES_TO_MOUTH = (0.22, 0.62)
MAX_CENTRE = 0.16  # of the middle of eyes and mouth from the square's centre


def plausible(points: np.ndarray, doubt: float) -> bool:
    """Whether points, as shares of the face square's side, can be those of its face."""
    eyes, mouth = points[EYES].mean(0), points[MOUTH].mean(0)
    down = mouth - eyes
    across = points[EYE_RIGHT].mean(0) - points[EYE_LEFT].mean(0)
    length, width = float(np.hypot(*down)), float(np.hypot(*across))
    return bool(
        doubt <= MAX_DOUBT
        and EYE_DISTANCE[0] <= width <= EYE_DISTANCE[1]
        and EYES_TO_MOUTH[0] <= length <= EYES_TO_MOUTH[1]
        and down[1] > 0.75 * length
        and across[0] > 0.75 * width
        and np.abs((eyes + mouth) / 2 - 0.5).max() <= MAX_CENTRE
    )


def similarity(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The 2x3 matrix (turn, scale, move) that takes source to target with the least squares."""
    s, t = source.mean(0), target.mean(0)
    a, b = (source - s).astype(np.float64), (target - t).astype(np.float64)
    norm = max(float((a * a).sum()), 1e-9)
    cos, sin = float((a * b).sum()) / norm, float((a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum()) / norm
    turn = np.array([[cos, -sin], [sin, cos]])
    return np.hstack([turn, (t - turn @ s)[:, None]])


def unlikeness(points: np.ndarray, others: np.ndarray) -> float:
    """How badly two shapes (and poses) fit after the best turn, scale and move, in eye distances."""
    move = similarity(others, points)
    moved = others @ move[:, :2].T + move[:, 2]
    return float(np.linalg.norm(moved - points, axis=1).mean() / max(eye_distance(points), 1e-6))


@dataclass(frozen=True)
class Landmarks:
    """Points of many faces, by the name of the face (`data.Face.name`), and the mean colour of their skin."""

    points: dict[str, np.ndarray]
    colours: dict[str, np.ndarray] = field(default_factory=dict)

    @staticmethod
    def load(file: Path) -> "Landmarks":
        if not file.is_file():
            raise FileNotFoundError(f"{file}: not found; training/landmarks.py writes it")
        with np.load(file) as cache:
            good = cache["plausible"]
            names = cache["names"][good].tolist()
            return Landmarks(
                dict(zip(names, cache["points"][good], strict=True)),
                dict(zip(names, cache["colour"][good], strict=True)),
            )

    def get(self, name: str, side: int) -> np.ndarray | None:
        """The points of that face in the pixels of its square of `side`; None if they are implausible."""
        share = self.points.get(name)
        return None if share is None else share * np.float32(side)

    def donor(
        self, name: str, candidates: list[str], rng: np.random.Generator, tries: int = 12
    ) -> str | None:
        """Of random candidates the one whose shape, pose and colour suit that face best (Li et al., 2020).

        The candidates must be other people's faces. None if that face or all that were drawn have no points.
        """
        if name not in self.points or not candidates:
            return None
        best, least = None, np.inf
        for i in rng.integers(len(candidates), size=tries):
            other = candidates[i]
            if other not in self.points or other == name:
                continue
            # 20 levels of colour weigh as much as a misfit of a tenth of the eye distance.
            colour = np.abs(self.colours[name] - self.colours[other]).mean() / 200
            misfit = unlikeness(self.points[name], self.points[other]) + colour
            if misfit < least:
                best, least = other, misfit
        return best
