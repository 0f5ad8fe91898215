# SPDX-License-Identifier: Apache-2.0
"""Faces drawn anew, whole or in part, by small generators or with the traces that generators leave."""

import cv2
import numpy as np

from . import blend, generators, masks, spectrum, tones

P_GENERATOR = 0.6
P_REGION = 0.5
P_TWICE = 0.2


def region(side: int, points, rng: np.random.Generator) -> np.ndarray:
    """A soft mask: the face, or some part of it."""
    hard = masks.shape(side, points, rng)
    return masks.soften(masks.bend(hard, rng) if rng.random() < 0.5 else hard, masks.edge(rng, side))


def generated(image: np.ndarray, name: str, rng: np.random.Generator) -> np.ndarray:
    """The picture, float32, drawn by that generator at a size of its own."""
    side, size = image.shape[0], int(rng.choice(generators.SIZES))
    small = cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA if size < side else cv2.INTER_LINEAR)
    drawn = generators.draw(name, small, rng)
    if rng.random() < 0.9:  # generators that are trained for longer keep colours
        drawn += cv2.GaussianBlur(small, (0, 0), size / 16) - cv2.GaussianBlur(drawn, (0, 0), size / 16)
    if rng.random() < 0.25:
        drawn += rng.uniform(0.3, 1.0) * (drawn - cv2.GaussianBlur(drawn, (0, 0), 1.0))
    return cv2.resize(drawn, (side, side), interpolation=int(rng.choice(tones.UP)))


def resynth(face, points, other, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Needs nothing but the face. Where a whole picture is drawn anew, the mask is 1 everywhere.

    Without trained generators (generators.available) only their traces are imitated.
    """
    side, regional, image = face.shape[0], rng.random() < P_REGION, face.astype(np.float32)
    names = generators.available()
    if rng.random() < P_GENERATOR and names:
        drawn = generated(image, names[rng.integers(len(names))], rng)
    else:
        means = spectrum.REGIONAL if regional else spectrum.WHOLE
        drawn = means[rng.integers(len(means))](image, other, rng)
        if rng.random() < P_TWICE:
            drawn = spectrum.WHOLE[rng.integers(len(spectrum.WHOLE))](drawn, other, rng)
    drawn = np.clip(drawn, 0, 255).astype(np.uint8)
    if regional:
        if rng.random() < 0.4:
            drawn = tones.recolour(drawn, rng, 0.4)
        mask = region(side, points, rng)
        return blend.alpha(face, drawn, mask), mask
    return drawn, np.ones((side, side), np.float32)
