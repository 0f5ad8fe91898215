# SPDX-License-Identifier: Apache-2.0
"""Faces drawn anew, whole or in part, by generators or with the traces that generators leave in the spectrum."""

import numpy as np

from . import blend, masks, spectrum, tones

P_REGION = 0.5
P_TWICE = 0.2


def region(side: int, points, rng: np.random.Generator) -> np.ndarray:
    """A soft mask: the face, or some part of it."""
    hard = masks.shape(side, points, rng)
    return masks.soften(masks.bend(hard, rng) if rng.random() < 0.5 else hard, masks.edge(rng, side))


def resynth(face, points, other, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Needs nothing but the face. Where a whole picture is drawn anew, the mask is 1 everywhere."""
    side, regional = face.shape[0], rng.random() < P_REGION
    means = spectrum.REGIONAL if regional else spectrum.WHOLE
    drawn = means[rng.integers(len(means))](face.astype(np.float32), other, rng)
    if rng.random() < P_TWICE:
        drawn = spectrum.WHOLE[rng.integers(len(spectrum.WHOLE))](drawn, other, rng)
    drawn = np.clip(drawn, 0, 255).astype(np.uint8)
    if regional:
        if rng.random() < 0.4:
            drawn = tones.recolour(drawn, rng, 0.4)
        mask = region(side, points, rng)
        return blend.alpha(face, drawn, mask), mask
    return drawn, np.ones((side, side), np.float32)
