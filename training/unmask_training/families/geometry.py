# SPDX-License-Identifier: Apache-2.0
"""Maps between two faces' points, as cv2.remap wants them: for each pixel, where to read."""

import cv2
import numpy as np

from .points import similarity

COARSE = 8  # pixels between the places at which a smooth map is computed


def affine_map(move: np.ndarray, side: int) -> np.ndarray:
    """The map of a 2x3 matrix that takes a pixel to the place to read."""
    xs = np.arange(side, dtype=np.float32)
    m = move.astype(np.float32)
    across, down = xs[None, :, None] * m[:, 0], xs[:, None, None] * m[:, 1]
    return across + down + m[:, 2]


def affine(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The 2x3 matrix that takes source to target best; a similarity where the points lie in a line."""
    full = np.hstack([source, np.ones((len(source), 1))]).astype(np.float64)
    spread = np.linalg.svd(full - full.mean(0), compute_uv=False)
    if spread[1] < 0.1 * spread[0]:
        return similarity(source, target)
    return np.linalg.lstsq(full, target.astype(np.float64), rcond=None)[0].T


def _kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    square = ((a[:, None] - b[None]) ** 2).sum(2)
    return square * np.log(square + 1e-9)


def thin_plate(at: np.ndarray, values: np.ndarray, side: int, stiffness: float = 1e-3) -> np.ndarray:
    """The thin-plate spline through `values` [N, 2] at the points `at` [N, 2], for every pixel of the square.

    Computed on a coarse grid and interpolated, which is exact enough for so smooth a function.
    """
    unit = at.astype(np.float64) / side
    n = len(unit)
    system = np.zeros((n + 3, n + 3))
    system[:n, :n] = _kernel(unit, unit) + stiffness * np.eye(n)
    system[:n, n], system[:n, n + 1 :] = 1, unit
    system[n:, :n] = system[:n, n:].T
    system[n:, n:] = -1e-9 * np.eye(3)  # keeps points that all lie in one line solvable
    # OpenCV's own solver and product: NumPy's would wake BLAS threads, which costs 20 times as much here.
    weights = cv2.solve(system, np.vstack([values, np.zeros((3, 2))]), flags=cv2.DECOMP_LU)[1]
    cells = side // COARSE + 1
    # Centres of the coarse cells, so that cv2.resize puts them where they belong.
    line = (np.arange(cells, dtype=np.float32) + 0.5) / cells - 0.5 / side
    places = np.dstack(np.meshgrid(line, line)).reshape(-1, 2)
    bent = cv2.gemm(_kernel(places, unit.astype(np.float32)), weights[:n].astype(np.float32), 1, None, 0)
    bent = cv2.resize(bent.reshape(cells, cells, 2), (side, side), interpolation=cv2.INTER_CUBIC)
    straight = np.vstack([weights[n + 1 :] / side, weights[n]]).T
    return bent + affine_map(straight, side)


def read(image: np.ndarray, where: np.ndarray, how: int = cv2.INTER_LINEAR) -> np.ndarray:
    return cv2.remap(image, where, None, how, borderMode=cv2.BORDER_REFLECT_101)


def covered(where: np.ndarray, side: int, margin: float = 1.0) -> np.ndarray:
    """Which pixels are read from inside a source picture of that side: uint8, 0 or 255."""
    low, high = margin, side - 1 - margin
    return cv2.inRange(where, (low, low), (high, high))
