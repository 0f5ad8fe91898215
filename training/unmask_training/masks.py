# SPDX-License-Identifier: Apache-2.0
"""Where a fake differs from its original: the target of the mask head, and how well a mask agrees with it."""

import cv2
import numpy as np

STRIDE = 8  # pixels of the network's input for one of the mask
SMOOTHING = 1 / 28  # sigma of the blur, of the picture's side
FLOOR = 2.0  # grey levels that two JPEG files of the same picture differ by
CONTRAST = 6.0  # a pair that differs by less than FLOOR + CONTRAST gets a weak mask
QUANTILE = 0.97  # of a picture's differences, counted as the full one


def difference(real: np.ndarray, fake: np.ndarray, size: int | None = None) -> np.ndarray:
    """The smoothed and normalised difference of two pictures of one shape: float32 in 0..1, size x size."""
    apart = cv2.transform(cv2.absdiff(real, fake).astype(np.float32), np.full((1, 3), 1 / 3, np.float32))
    apart = cv2.GaussianBlur(apart, (0, 0), SMOOTHING * min(apart.shape), borderType=cv2.BORDER_REPLICATE)
    if size is not None:
        apart = cv2.resize(apart, (size, size), interpolation=cv2.INTER_AREA)
    full = max(float(np.quantile(apart, QUANTILE)) - FLOOR, CONTRAST)
    return np.clip((apart - FLOOR) / full, 0, 1)


def most(mask: np.ndarray) -> np.ndarray:
    """Where a mask is above half of its peak: masks hedge, so their own scale says more than a fixed one."""
    return mask > 0.5 * mask.max()


def iou(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over union of two masks of booleans; 1 when both are empty."""
    either = np.logical_or(a, b).sum()
    return float(np.logical_and(a, b).sum() / either) if either else 1.0


def ellipse(size: int, width: float = 0.6, height: float = 0.7) -> np.ndarray:
    """The guess that knows nothing but where a face is: a centred ellipse, axes as shares of the side.

    The axes are those of the best such guess for DFDC's validation fakes.
    """
    at = (np.arange(size) + 0.5) / size * 2 - 1
    return (at[None, :] / width) ** 2 + (at[:, None] / height) ** 2 <= 1
