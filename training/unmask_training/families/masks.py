# SPDX-License-Identifier: Apache-2.0
"""Masks: where a face is changed. Shapes are drawn hard (uint8, 0 or 255), then bent and softened."""

import cv2
import numpy as np

from . import points as layout


def field(rng: np.random.Generator, side: int, cells: int, amplitude: float, channels: int = 2) -> np.ndarray:
    """Smooth noise, float32 [side, side, channels], of about that amplitude, with `cells` waves across."""
    coarse = rng.standard_normal((cells, cells, channels)).astype(np.float32) * np.float32(amplitude)
    smooth = cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC)
    return smooth.reshape(side, side, channels)


def grid(side: int) -> np.ndarray:
    """The pixels' own coordinates, float32 [side, side, 2], x first: the map that changes nothing."""
    xs = np.arange(side, dtype=np.float32)
    return np.dstack(np.meshgrid(xs, xs))


def fill(side: int, *polygons: np.ndarray) -> np.ndarray:
    mask = np.zeros((side, side), np.uint8)
    for polygon in polygons:
        cv2.fillPoly(mask, [np.rint(polygon * 8).astype(np.int32)], 255, cv2.LINE_AA, 3)
    return mask


def hull(points: np.ndarray) -> np.ndarray:
    return cv2.convexHull(points.astype(np.float32))[:, 0]


def lifted_brows(points: np.ndarray, share: float) -> np.ndarray:
    """The brows, moved up the forehead by a share of the distance from the brows to the nose's tip."""
    brows = points[layout.BROWS]
    up = brows.mean(0) - points[54]
    return brows + share * up


def face_hull(points: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return hull(points[np.r_[layout.JAW, layout.BROWS]])


def extended_hull(points: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return hull(np.concatenate([points[layout.JAW], lifted_brows(points, rng.uniform(0.2, 0.8))]))


def inner_hull(points: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Brows, eyes, nose and mouth without cheeks and chin: what early auto-encoder swaps paste."""
    inner = hull(points[np.r_[layout.BROWS, layout.EYES, layout.NOSE, layout.MOUTH]])
    centre = inner.mean(0)
    return centre + (inner - centre) * rng.uniform(1.0, 1.25)


def lower_hull(points: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    jaw = layout.JAW[rng.integers(2, 8) : -int(rng.integers(2, 8))]
    return hull(points[np.r_[jaw, layout.NOSE_BASE[:: 1 if rng.random() < 0.5 else 4], layout.MOUTH]])


def upper_hull(points: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    ends = np.r_[layout.JAW[: int(rng.integers(3, 12))], layout.JAW[-int(rng.integers(3, 12)) :]]
    return hull(np.concatenate([points[np.r_[ends, layout.NOSE]], lifted_brows(points, rng.uniform(0, 0.5))]))


def random_hull(points: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    chosen = points[rng.choice(98, int(rng.integers(5, 24)), replace=False)]
    return hull(chosen + rng.normal(0, 0.03 * layout.eye_distance(points), chosen.shape))


# The parts of a face: the points, and how far their hull is widened, in eye distances.
PARTS = {
    "left eye": (np.r_[layout.EYE_LEFT], 0.14),
    "right eye": (np.r_[layout.EYE_RIGHT], 0.14),
    "eyes": (np.r_[layout.EYES], 0.14),
    "eyes and brows": (np.r_[layout.EYES, layout.BROWS], 0.08),
    "left brow": (np.r_[layout.BROW_LEFT], 0.08),
    "right brow": (np.r_[layout.BROW_RIGHT], 0.08),
    "nose": (np.r_[layout.NOSE_BRIDGE[1:], layout.NOSE_BASE], 0.12),
    "mouth": (np.r_[layout.MOUTH], 0.10),
    "nose and mouth": (np.r_[layout.NOSE_BRIDGE[1:], layout.NOSE_BASE, layout.MOUTH], 0.10),
    "chin": (np.r_[layout.JAW[10:23], layout.MOUTH], 0.02),
}


def widened(side: int, polygon: np.ndarray, by: float) -> np.ndarray:
    """A filled polygon whose edge is moved outwards by that many pixels."""
    mask = fill(side, polygon)
    while by >= 1:  # small discs one after the other cost much less than a large one
        reach = min(int(round(by)), 3)
        mask = cv2.dilate(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1)))
        by -= reach
    return mask


def part(side: int, points: np.ndarray, name: str, rng: np.random.Generator) -> np.ndarray:
    chosen, wide = PARTS[name]
    return widened(side, hull(points[chosen]), wide * rng.uniform(0.5, 2.0) * layout.eye_distance(points))


def components(side: int, points: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Some of the parts together."""
    names = ("left eye", "right eye", "nose", "mouth", "left brow", "right brow")
    mask = np.zeros((side, side), np.uint8)
    for name in rng.choice(names, int(rng.integers(1, 5)), replace=False):
        mask |= part(side, points, str(name), rng)
    return mask


def ellipse(side: int, rng: np.random.Generator) -> np.ndarray:
    """An upright oval in the middle of the square, where the face is."""
    centre = side * rng.normal((0.5, 0.5), 0.03)
    axes = side * rng.uniform((0.22, 0.28), (0.46, 0.52))
    mask = np.zeros((side, side), np.uint8)
    cv2.ellipse(mask, (tuple(map(float, centre)), tuple(map(float, 2 * axes)), rng.uniform(-15, 15)), 255, -1)
    return mask


def polygon(side: int, rng: np.random.Generator) -> np.ndarray:
    """A star-shaped polygon of random size somewhere in the square."""
    count = int(rng.integers(4, 14))
    angles = np.sort(rng.uniform(0, 2 * np.pi, count))
    radii = side * rng.uniform(0.08, 0.42) * rng.uniform(0.6, 1.2, count)
    centre = side * rng.uniform(0.3, 0.7, 2)
    return fill(side, centre + np.stack([np.cos(angles), np.sin(angles)], 1) * radii[:, None])


def blob(side: int, rng: np.random.Generator) -> np.ndarray:
    """Where smooth noise is high, within an oval."""
    noise = field(rng, side, int(rng.integers(3, 8)), 1.0, 1)[..., 0]
    level = np.quantile(noise[::4, ::4], rng.uniform(0.3, 0.8))
    return np.where(noise > level, 255, 0).astype(np.uint8) & ellipse(side, rng)


HULLS = (face_hull, extended_hull, inner_hull, lower_hull, upper_hull, random_hull)
FREE = (ellipse, polygon, blob)


def shape(side: int, points: np.ndarray | None, rng: np.random.Generator) -> np.ndarray:
    """Any of the shapes, hard. Without points: ovals, polygons and blobs only."""
    kind = rng.choice(("hull", "components", "free"), p=(0.66, 0.18, 0.16))
    if points is None or kind == "free":
        return FREE[rng.integers(len(FREE))](side, rng)
    if kind == "components":
        return components(side, points, rng)
    chosen = HULLS[rng.choice(len(HULLS), p=(0.24, 0.28, 0.16, 0.1, 0.08, 0.14))]
    return fill(side, chosen(points, rng))


def bend(mask: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Elastic deformation."""
    side = mask.shape[0]
    where = grid(side) + field(rng, side, int(rng.integers(4, 12)), side * rng.uniform(0.004, 0.02))
    return cv2.remap(mask, where, None, cv2.INTER_LINEAR)


def blurred(mask: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian blur, at a lower resolution where it is strong."""
    if sigma < 4:
        return cv2.GaussianBlur(mask, (0, 0), sigma)
    side, factor = mask.shape[0], int(sigma // 2)
    small = cv2.resize(mask, (max(8, side // factor),) * 2, interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), sigma * small.shape[0] / side)
    return cv2.resize(small, (side, side), interpolation=cv2.INTER_CUBIC if factor > 2 else cv2.INTER_LINEAR)


def soften(mask: np.ndarray, sigma: float, inwards: bool = True) -> np.ndarray:
    """A hard mask as float32 in 0..1 with a soft edge; inwards, so that it ends where the hard mask did."""
    soft = mask.astype(np.float32) / 255
    if sigma <= 0:
        return soft
    if inwards:
        # Of a straight edge, the part above 0.98 lies two sigmas inside; blurred again it ends near the old
        # edge.
        soft = np.where(blurred(soft, sigma) > 0.98, np.float32(1), np.float32(0))
        if soft.sum() < 0.2 * mask.sum() / 255:
            soft = mask.astype(np.float32) / 255
    soft = np.clip(blurred(soft, sigma), 0, 1)
    soft[soft < 1 / 255] = 0
    peak = float(soft.max())
    return soft / np.float32(peak) if peak > 0 else soft


def edge(rng: np.random.Generator, side: int) -> float:
    """A softness: from scissors to airbrush."""
    return (
        side
        / 224
        * float(
            rng.choice((rng.uniform(0.4, 1.2), rng.uniform(1.2, 4), rng.uniform(4, 14)), p=(0.2, 0.4, 0.4))
        )
    )
