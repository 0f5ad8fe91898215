# SPDX-License-Identifier: Apache-2.0
"""Single parts of a face exchanged or pasted again, as in composites made by hand."""

import cv2
import numpy as np

from . import blend, geometry, masks, tones
from . import points as layout
from .swap import composed

P_POISSON = 0.3
# What is chosen together, and how often.
CHOICES = (
    (("left eye",), 1),
    (("right eye",), 1),
    (("eyes",), 3),
    (("eyes and brows",), 3),
    (("left brow", "right brow"), 1),
    (("nose",), 3),
    (("mouth",), 3),
    (("nose and mouth",), 2),
    (("chin",), 1),
    (("eyes", "mouth"), 2),
    (("eyes", "nose"), 1),
    (("eyes and brows", "nose", "mouth"), 2),
    (("left eye", "nose"), 1),
    (("nose", "mouth"), 1),
)
ODDS = np.array([odds for _, odds in CHOICES]) / sum(odds for _, odds in CHOICES)
TWINS = {
    "left eye": "right eye",
    "right eye": "left eye",
    "left brow": "right brow",
    "right brow": "left brow",
}


def misfit(centre: np.ndarray, distance: float, rng: np.random.Generator, least: float = 0.0) -> np.ndarray:
    """A small turn, scale and move about a part's centre, as 2x3 matrix. `distance`: between the eyes."""
    turn, scale = rng.normal(0, 3.0), np.exp(rng.normal(0, 0.06))
    step = rng.normal(0, 0.03, 2)
    if least > 0:  # the part is the face's own: it must differ somehow
        scale = np.exp(rng.choice((-1, 1)) * rng.uniform(least, 3 * least))
        step = rng.normal(0, 0.06, 2)
    move = cv2.getRotationMatrix2D(tuple(map(float, centre)), float(turn), float(scale))
    move[:, 2] += step * distance
    return move


def chained(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The 2x3 matrix that applies `first`, then `second`."""
    full = np.vstack([first, [0, 0, 1]])
    return second @ full


def donor(
    name: str, face, points, other, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, float] | None:
    """Picture, points of the part in it (in the order of this face's part), and the least misfit."""
    chosen = masks.PARTS[name][0]
    kind = rng.choice(("other", "own", "twin"), p=(0.72, 0.2, 0.08))
    if kind == "other" and other is not None and other[1] is not None:
        picture, others = other
        return picture, others[chosen], 0.0
    if kind == "twin" and name in TWINS:
        mirrored = points[layout.MIRROR].copy()
        mirrored[:, 0] = face.shape[1] - 1 - mirrored[:, 0]
        return np.ascontiguousarray(face[:, ::-1]), mirrored[chosen], 0.0
    return face, points[chosen], 0.05


def parts(face, points, other, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray] | None:
    """Needs landmarks; without another face it pastes the face's own parts again, changed."""
    if points is None:
        return None
    side, distance = face.shape[0], layout.eye_distance(points)
    chosen = CHOICES[rng.choice(len(CHOICES), p=ODDS)][0]
    match = float(rng.choice((0.0, 1.0, 0.7), p=(0.05, 0.65, 0.3)))
    softness, p_poisson = masks.edge(rng, side) * 0.7, float(rng.random() < P_POISSON)
    result, total = face, np.zeros((side, side), np.float32)
    for name in chosen:
        index = masks.PARTS[name][0]
        picture, there, least = donor(name, face, points, other, rng)
        move = misfit(points[index].mean(0), distance, rng, least)
        # A pixel is moved by the misfit first and then to the donor's part.
        fit = (
            geometry.affine
            if rng.random() < 0.3 and name not in ("left brow", "right brow")
            else layout.similarity
        )
        where = geometry.affine_map(chained(move, fit(points[index], there)), side)
        hard = masks.part(side, points, name, rng)
        if rng.random() < 0.15:
            x, y, w, h = cv2.boundingRect(hard)
            hard[y : y + h, x : x + w] = 255  # cut out by a rectangle
        elif rng.random() < 0.4:
            hard = masks.bend(hard, rng)
        hard &= geometry.covered(where, picture.shape[0])
        if not hard.any():
            continue
        source = geometry.read(picture, where, int(rng.choice((cv2.INTER_LINEAR, cv2.INTER_CUBIC))))
        if match > 0:
            ring = cv2.dilate(hard, np.ones((5, 5), np.uint8))
            source = tones.match_colour(source, ring, face, ring, match)
        if rng.random() < 0.3:
            source = tones.recolour(source, rng, 0.5)
        if rng.random() < 0.35:
            source = tones.redetail(source, rng)
        if p_poisson:
            result, mask = composed(result, source, hard, rng, 1.0)
        else:
            mask = masks.soften(hard, softness)
            result = blend.alpha(result, source, mask)
        total = np.maximum(total, mask)
    return result, total
