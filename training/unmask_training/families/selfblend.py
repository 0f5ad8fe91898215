# SPDX-License-Identifier: Apache-2.0
"""A face blended with a slightly changed copy of itself (after Shiohara and Yamasaki, CVPR 2022).

All that is left of a swap is its seam and the difference of colour, resolution and sharpness across it.
"""

import cv2
import numpy as np

from . import blend, masks, tones

RATIOS = (0.5, 0.75, 1, 1, 1)
P_POISSON = 0.25


def shifted(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Moved, scaled and turned by a little, as a landmark-aligned source never fits quite."""
    side = image.shape[0]
    move = cv2.getRotationMatrix2D((side / 2, side / 2), rng.normal(0, 1.2), rng.uniform(0.95, 1.05))
    move[:, 2] += side * rng.uniform((-0.03, -0.015), (0.03, 0.015))
    how = int(rng.choice((cv2.INTER_LINEAR, cv2.INTER_CUBIC)))
    return cv2.warpAffine(image, move, (side, side), flags=how, borderMode=cv2.BORDER_REFLECT_101)


def selfblend(face, points, other, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Needs nothing but the face; without landmarks its masks are ovals, polygons and blobs."""
    side = face.shape[0]
    hard = masks.shape(side, points, rng)
    if rng.random() < 0.7:
        hard = masks.bend(hard, rng)
    source, changes = face, rng.random(3)
    if changes[0] < 0.75:
        source = tones.recolour(source, rng)
    if changes[1] < 0.7:
        source = tones.redetail(source, rng)
    if changes[2] < 0.7:
        source = shifted(source, rng)
    if rng.random() < P_POISSON:
        mask = masks.soften(hard, rng.uniform(0.3, 1.0) * side / 224, inwards=False)
        pasted = blend.poisson(face, source, mask)
        return blend.alpha(face, pasted, mask), mask
    mask = masks.soften(hard, masks.edge(rng, side))
    return blend.alpha(face, source, mask * np.float32(rng.choice(RATIOS))), mask
