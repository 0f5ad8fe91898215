# SPDX-License-Identifier: Apache-2.0
"""Families of pseudo-manipulation: fakes from real faces, pure functions of their inputs and a generator.

    image, mask = make(name, face, points, other, rng)

`face` is a tight square of a face (BGR, uint8, S x S x 3; made for S = 224), `points` are its 98 landmarks in
its pixels (float32 [98, 2], see `points.py`) or None, `other` is None or (face, points) of another person, of
any size. The result has the same size; `mask` (float32, S x S, 0..1) says where the picture was changed, and
where it is 0 the picture is the input, bit for bit. A draw whose mask is nearly empty or whose change nobody
could see is drawn again; None means that the inputs do not do (a family that needs landmarks or another face,
and has none) or that no draw left a visible change.

A family that resamples resamples only its source; a picture that was enlarged or compressed before it came
here looks so on the real side, too. `pair` goes further: now and then it also treats the face as sources are
treated (colour, resampling, JPEG), for the real side and for the fake's base alike, so that such traces alone
mean nothing.
"""

from collections.abc import Callable

import cv2
import numpy as np

from .parts import parts
from .resynth import resynth
from .selfblend import selfblend
from .swap import swap
from .tones import neutral
from .warp import warp

Other = tuple[np.ndarray, np.ndarray | None]
Made = tuple[np.ndarray, np.ndarray]

FAMILIES: dict[str, Callable] = {
    "selfblend": selfblend,
    "swap": swap,
    "parts": parts,
    "warp": warp,
    "resynth": resynth,
}
NAMES = tuple(FAMILIES)

# What is less than this is drawn again. DFDC's fakes differ from their originals by 8 levels on average, nine
# in ten of them by more than 4; at 128 pixels and under JPEG nobody finds a change of half a level.
MIN_AREA = 0.01  # of the picture, counting the mask as it is soft
MIN_CHANGE = 3.0  # levels of 255: mean absolute difference, weighted by the mask
MIN_TOTAL = 0.5  # levels of 255: mean absolute difference of the whole picture
DRAWS = 5
P_NEUTRAL = 0.3  # more for resynth: generators blur, and blur must not mean a fake
P_NEUTRAL_RESYNTH = 0.5


def visible(face: np.ndarray, image: np.ndarray, mask: np.ndarray) -> bool:
    area = float(mask.mean())
    if area < MIN_AREA:
        return False
    total = float((cv2.absdiff(image, face).mean(axis=2) * mask).mean())
    return total >= MIN_TOTAL and total >= MIN_CHANGE * area


def make(
    name: str, face: np.ndarray, points: np.ndarray | None, other: Other | None, rng: np.random.Generator
) -> Made | None:
    """A fake of that family, and where it was changed; see above."""
    if face.ndim != 3 or face.shape[0] != face.shape[1] or face.shape[2] != 3 or face.dtype != np.uint8:
        raise ValueError(f"expected a uint8 picture of S x S x 3, found {face.dtype} {face.shape}")
    family = FAMILIES[name]
    for _ in range(DRAWS):
        made = family(face, points, other, rng)
        if made is None:
            return None
        if visible(face, *made):
            return made
    return None


def pair(
    name: str, face: np.ndarray, points: np.ndarray | None, other: Other | None, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """The real side (`face`, or now and then `neutral(face)`), the fake made from it, and the mask."""
    share = P_NEUTRAL_RESYNTH if name == "resynth" else P_NEUTRAL
    base = neutral(face, rng) if rng.random() < share else face
    made = make(name, base, points, other, rng)
    return None if made is None else (base, *made)
