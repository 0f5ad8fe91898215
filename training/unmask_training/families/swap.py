# SPDX-License-Identifier: Apache-2.0
"""Another person's face, aligned by landmarks, coloured alike and blended in."""

import cv2
import numpy as np

from . import blend, geometry, masks, tones
from . import points as layout

INNER = np.r_[layout.BROWS, layout.NOSE, layout.EYES, layout.MOUTH]
# The points by which a whole face is bent onto another: every second one of the jaw and of what is dense.
BENT = np.r_[layout.JAW[::2], layout.BROWS[::2], layout.NOSE, layout.EYES[::2], layout.MOUTH[::2]]
P_POISSON = 0.35
MIN_COVER = 0.5  # of the mask, that the other picture has something for


def alignment(points: np.ndarray, others: np.ndarray, side: int, rng: np.random.Generator) -> np.ndarray:
    """The map from this face's pixels to the other's: rigid, sheared, or bent so that every feature fits."""
    kind = rng.choice(("rigid", "sheared", "bent"), p=(0.3, 0.2, 0.5))
    if kind == "bent":
        misfit = rng.normal(0, rng.uniform(0, 0.015) * side, (len(BENT), 2))
        return geometry.thin_plate(points[BENT] + misfit, others[BENT], side, 10 ** rng.uniform(-4, -2))
    chosen = INNER if rng.random() < 0.6 else np.r_[INNER, layout.JAW]
    fit = layout.similarity if kind == "rigid" else geometry.affine
    jitter = rng.normal(0, 0.008 * side, 2)
    return geometry.affine_map(fit(points[chosen] + jitter, others[chosen]), side)


def fitted(face, source, hard: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The aligned source with the face's colours (mostly), and with the detail of some other process."""
    match = rng.choice((0.0, 1.0, rng.uniform(0.5, 1.0)), p=(0.1, 0.6, 0.3))
    if match > 0:
        source = tones.match_colour(source, hard, face, hard, match)
    if rng.random() < 0.25:
        source = tones.recolour(source, rng, 0.5)
    return tones.redetail(source, rng) if rng.random() < 0.5 else source


def composed(face, source, hard: np.ndarray, rng: np.random.Generator, p_poisson: float = P_POISSON):
    """The source put into the face by one of the blends, and the mask."""
    side = face.shape[0]
    if rng.random() < p_poisson:
        mask = masks.soften(hard, rng.uniform(0.3, 1.2) * side / 224, inwards=False)
        return blend.alpha(face, blend.poisson(face, source, mask), mask), mask
    mask = masks.soften(hard, masks.edge(rng, side))
    return blend.alpha(face, source, mask), mask


def swap(face, points, other, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray] | None:
    """Needs the landmarks of both faces."""
    if points is None or other is None or other[1] is None:
        return None
    side, (picture, others) = face.shape[0], other
    if rng.random() < 0.3:  # a mirrored donor may look the same way
        mirrored = others[layout.MIRROR].copy()
        mirrored[:, 0] = picture.shape[1] - 1 - mirrored[:, 0]
        picture, others = np.ascontiguousarray(picture[:, ::-1]), mirrored
    where = alignment(points, others, side, rng)
    shape = masks.HULLS[rng.choice(4, p=(0.35, 0.3, 0.25, 0.1))]
    hard = masks.fill(side, shape(points, rng))
    if rng.random() < 0.5:
        hard = masks.bend(hard, rng)
    wanted = int(np.count_nonzero(hard))
    hard &= geometry.covered(where, picture.shape[0])
    if np.count_nonzero(hard) < MIN_COVER * max(wanted, 1):
        hard = masks.fill(side, masks.inner_hull(points, rng)) & geometry.covered(where, picture.shape[0])
    how = int(rng.choice((cv2.INTER_LINEAR, cv2.INTER_CUBIC)))
    source = fitted(face, geometry.read(picture, where, how), hard, rng)
    return composed(face, source, hard, rng)
