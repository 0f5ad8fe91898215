# SPDX-License-Identifier: Apache-2.0
"""Two ways to put one picture into another."""

import cv2
import numpy as np

CROSS = np.float32([[0, 1, 0], [1, 0, 1], [0, 1, 0]]) / 4


def alpha(target: np.ndarray, source: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """source where the mask is 1, target where it is 0; uint8 in, uint8 out."""
    share = mask[..., None]
    mixed = target + share * (source.astype(np.float32) - target)
    return np.clip(mixed + np.float32(0.5), 0, 255).astype(np.uint8)


def membrane(values: np.ndarray, unknown: np.ndarray) -> np.ndarray:
    """Fills the unknown pixels so that each is the mean of its four neighbours (Laplace's equation), nearly.

    From coarse to fine: known pixels are averaged down, the coarse solution starts the finer one, and a few
    Jacobi steps smooth it. `values` is float32 [H, W, C], `unknown` bool [H, W].
    """
    rows, columns = unknown.shape
    known = (~unknown).astype(np.float32)
    if min(rows, columns) > 7 and known.any():
        half = (columns // 2, rows // 2)
        weight = cv2.resize(known, half, interpolation=cv2.INTER_AREA)
        mean = cv2.resize(values * known[..., None], half, interpolation=cv2.INTER_AREA)
        mean /= np.maximum(weight, 1e-6)[..., None]
        coarse = membrane(mean, weight < 0.25)
        start = cv2.resize(coarse, (columns, rows), interpolation=cv2.INTER_LINEAR)
        steps = 16 if rows < 64 else 8 if rows < 128 else 4
    else:
        start = np.broadcast_to(values[~unknown].mean(0) if known.any() else np.float32(0), values.shape)
        steps = 16
    solution = np.where(unknown[..., None], start, values).astype(np.float32)
    inside = np.broadcast_to(unknown[..., None], values.shape)
    for _ in range(steps):
        np.copyto(solution, cv2.filter2D(solution, -1, CROSS, borderType=cv2.BORDER_REPLICATE), where=inside)
    return solution


def poisson(target: np.ndarray, source: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The source's gradients inside the mask, the target's colours at its edge (Perez et al., 2003).

    That is the source plus the membrane through the difference of both at the edge. A mask that touches the
    border of the picture leaves that border free. uint8 in, uint8 out.
    """
    unknown = mask > 0.5
    if not unknown.any() or unknown.all():
        return alpha(target, source, mask)
    ys, xs = np.nonzero(unknown)
    top, bottom, left, right = max(ys.min() - 2, 0), ys.max() + 3, max(xs.min() - 2, 0), xs.max() + 3
    window = (slice(top, bottom), slice(left, right))
    difference = target[window].astype(np.float32) - source[window]
    fitted = source[window] + membrane(difference, unknown[window])
    result = target.copy()
    inside = np.clip(fitted + np.float32(0.5), 0, 255).astype(np.uint8)
    np.copyto(result[window], inside, where=unknown[window][..., None])
    return result
