# SPDX-License-Identifier: Apache-2.0
"""What tells drawings and flat renders from photographs: the twin of src/face/drawing.cpp, for fitting it."""

import cv2
import numpy as np

WIDTH = 96
NAMES = ("edge", "edge_mean", "line_mean", "colours", "floor", "floor_ratio")


def quantile(values: np.ndarray, share: float) -> float:
    ordered = np.sort(values, axis=None)
    return float(ordered[int(share * (ordered.size - 1))])


def spread(values: np.ndarray) -> float:
    """How evenly magnitudes are spread: mean over root mean square; near 0 when few are large."""
    return float((np.abs(values).mean() + 1e-3) / (np.sqrt((values.astype(np.float64) ** 2).mean()) + 1e-3))


def share_of_commonest(values: np.ndarray, most: int) -> float:
    return float(np.sort(np.bincount(values.ravel()))[::-1][:most].sum() / values.size)


def signs(face: np.ndarray) -> np.ndarray:
    """The signs of NAMES of a BGR face of any size."""
    rows, columns = face.shape[:2]
    if columns > WIDTH:
        face = cv2.resize(face, (WIDTH, max(1, round(rows * WIDTH / columns))), interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(face, cv2.COLOR_BGR2GRAY)
    luma = grey.astype(np.float32)
    contrast = max(float(luma.std()), 2.0)

    gradient = np.hypot(
        cv2.Sobel(luma, cv2.CV_32F, 1, 0, scale=1 / 8), cv2.Sobel(luma, cv2.CV_32F, 0, 1, scale=1 / 8)
    )
    lines = cv2.Laplacian(luma, cv2.CV_32F)
    coarse = (face >> 3).astype(int)
    colours = (coarse[..., 0] << 10) | (coarse[..., 1] << 5) | coarse[..., 2]
    height, width = luma.shape[0] // 4 * 4, luma.shape[1] // 4 * 4
    blocks = luma[:height, :width].reshape(height // 4, 4, width // 4, 4).std(axis=(1, 3))
    low, high = quantile(blocks, 0.1) + 0.1, quantile(blocks, 0.9) + 0.1
    return np.array(
        [
            np.log((quantile(gradient, 0.95) + 1e-3) / contrast),
            np.log(spread(gradient)),
            np.log(spread(lines)),
            # A photograph in black and white has few colours, but many levels.
            min(share_of_commonest(colours, 16), share_of_commonest(grey, 24)),
            np.log(low),
            np.log(low / high),
        ]
    )
