# SPDX-License-Identifier: Apache-2.0
"""Features moved, not exchanged: expressions, another's mouth shape, liquify; mouths drawn anew."""

import cv2
import numpy as np

from . import blend, geometry, masks, tones
from . import points as layout
from .swap import INNER

P_OTHERS_SHAPE = 0.3
P_LIQUIFY = 0.2
P_LIPS = 0.2
HOW = (cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4)
LOWER_LIP, UPPER_LIP = np.r_[83:88, 93:96], np.r_[77:82, 89:92]
CORNERS = {"left": np.array([76, 88]), "right": np.array([82, 92])}
CHIN = layout.JAW[11:22]
# What may move; the rest of the points stay, and hold what is near them.
MOBILE = np.r_[layout.JAW[::2], layout.BROWS, layout.NOSE, layout.EYES, layout.MOUTH]


def expression(points: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The points after some movements of mouth, jaw, eyes and brows. The face's own axes are used."""
    to = points.astype(np.float64).copy()
    unit = layout.eye_distance(points)
    right = points[layout.EYE_RIGHT].mean(0) - points[layout.EYE_LEFT].mean(0)
    right = right / max(float(np.hypot(*right)), 1e-6)
    down = np.array([-right[1], right[0]])
    names = ("open", "smile", "pout", "shift", "eyes", "brows", "jaw", "nose")
    for name in rng.choice(names, int(rng.integers(1, 4)), replace=False):
        much = rng.choice((-1, 1)) * rng.uniform(0.6, 1.3)
        if name == "open":
            step = down * 0.16 * unit * much
            to[LOWER_LIP] += step
            to[CHIN] += 0.8 * step
        elif name == "smile":
            for corner, sign in (("left", -1), ("right", 1)):
                to[CORNERS[corner]] += (
                    (right * sign * 0.10 - down * 0.08) * unit * much * rng.uniform(0.6, 1.2)
                )
        elif name == "pout":
            centre = to[layout.MOUTH].mean(0)
            to[layout.MOUTH] = centre + (to[layout.MOUTH] - centre) * (1 + 0.22 * much)
        elif name == "shift":
            to[layout.MOUTH] += (right * rng.normal(0, 0.06) + down * 0.05 * much) * unit
        elif name == "eyes":
            for eye in (layout.EYE_LEFT, layout.EYE_RIGHT):
                centre = to[eye].mean(0)
                if much > 0:  # larger
                    to[eye] = centre + (to[eye] - centre) * (1 + 0.28 * much)
                else:  # nearly closed
                    height = (to[eye] - centre) @ down
                    to[eye] += np.outer(height, down) * max(0.75 * much, -0.85)
        elif name == "brows":
            to[layout.BROWS] -= down * 0.12 * unit * much
            if rng.random() < 0.5:
                to[layout.BROW_LEFT] += down * 0.08 * unit * rng.normal()
        elif name == "jaw":
            middle = points[layout.NOSE].mean(0)
            across = (to[layout.JAW] - middle) @ right
            to[layout.JAW] += np.outer(across, right) * 0.10 * much
        else:
            centre = to[layout.NOSE].mean(0)
            across = (to[layout.NOSE] - centre) @ right
            to[layout.NOSE] += np.outer(across, right) * 0.45 * much
    return to


def others_shape(points: np.ndarray, others: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The points with the other person's mouth, eyes or all features, as reenactment would drive them."""
    move = layout.similarity(others[INNER], points[INNER])
    driven = others @ move[:, :2].T + move[:, 2]
    groups = (
        np.r_[layout.MOUTH],
        np.r_[layout.EYES, layout.BROWS],
        np.r_[layout.MOUTH, CHIN],
        np.r_[INNER],
    )
    chosen = groups[rng.integers(len(groups))]
    to = points.astype(np.float64).copy()
    if chosen.size < INNER.size:  # the part keeps its place, and takes the other's form
        driven = driven + (points[chosen] - driven[chosen]).mean(0)
    to[chosen] += (driven[chosen] - to[chosen]) * rng.uniform(0.6, 1.1)
    return to


def moved_map(points: np.ndarray, to: np.ndarray, side: int) -> np.ndarray:
    """Where to read so that `points` come to lie at `to`; far from those that move, nothing does."""
    rim = np.linspace(0, side - 1, 6)
    frame = [(x, y) for x in rim for y in rim if x in (rim[0], rim[-1]) or y in (rim[0], rim[-1])]
    here = np.vstack([to[MOBILE], frame])
    there = np.vstack([points[MOBILE], frame])
    where, still = geometry.thin_plate(here, there, side, 3e-4), masks.grid(side)
    moving = np.linalg.norm(to - points, axis=1) > 0.004 * side
    if not moving.any():
        return still
    both = np.vstack([points[moving], to[moving]])
    reach = masks.widened(side, masks.hull(both), 0.22 * layout.eye_distance(points))
    near = masks.blurred(reach.astype(np.float32) / 255, 0.03 * side)[..., None]
    return still + near * (where - still)


def bulges(points: np.ndarray, side: int, rng: np.random.Generator) -> np.ndarray:
    """Liquify: brushes that push, swell or shrink round patches."""
    where = masks.grid(side)
    unit = layout.eye_distance(points)
    for _ in range(int(rng.integers(1, 4))):
        centre = points[rng.integers(98)] + rng.normal(0, 0.1 * unit, 2)
        away = masks.grid(side) - centre.astype(np.float32)
        radius = max(unit, 1.0) * rng.uniform(0.3, 0.8)
        weight = np.exp(-(away**2).sum(2) / np.float32(2 * (radius / 2) ** 2))[..., None]
        if rng.random() < 0.5:
            where += weight * (rng.normal(0, 0.12, 2) * unit).astype(np.float32)
        else:
            where += weight * away * np.float32(rng.choice((-1, 1)) * rng.uniform(0.15, 0.4))
    return where


def travelled(where: np.ndarray, limit: float) -> np.ndarray:
    """Where a map moves anything by more than about `limit` pixels, gaps filled: float32, 0..1, soft."""
    side = where.shape[0]
    far = np.linalg.norm(where - masks.grid(side), axis=2)
    small = cv2.resize(
        np.clip(far / np.float32(limit) - 1, 0, 1), (side // 4, side // 4), interpolation=cv2.INTER_AREA
    )
    small = cv2.morphologyEx(small, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (9, 9)))
    small = cv2.GaussianBlur(small, (0, 0), 0.8)
    small[small < 0.01] = 0
    return np.clip(cv2.resize(small, (side, side), interpolation=cv2.INTER_LINEAR), 0, 1)


def lips(face, points, other, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A mouth drawn anew by lip-sync: another shape at low resolution, blended in over the lower face."""
    side, unit = face.shape[0], layout.eye_distance(points)
    to = points.astype(np.float64).copy()
    if other is not None and other[1] is not None and rng.random() < 0.5:
        to = others_shape(points, other[1], rng)
        to[: layout.MOUTH[0]] = points[: layout.MOUTH[0]]
    else:
        step = np.array([-1, 1]) * rng.uniform(-0.02, 0.10) * unit
        to[UPPER_LIP, 1] += step[0] * 0.4
        to[LOWER_LIP, 1] += step[1]
    drawn = geometry.read(face, moved_map(points, to, side))
    factor = rng.uniform(1.5, 4.0) * side / 224
    drawn = tones.shrink_and_grow(drawn, factor, cv2.INTER_AREA, int(rng.choice(tones.UP)))
    if rng.random() < 0.5:
        drawn = tones.recolour(drawn, rng, 0.35)
    if rng.random() < 0.3:
        drawn = tones.sharpen(drawn, rng.uniform(0.3, 1.0), 1.5)
    if rng.random() < 0.5:
        hard = masks.fill(side, masks.lower_hull(points, rng))
    else:  # the rectangle of Wav2Lip's kind
        x, y, w, h = cv2.boundingRect(points[np.r_[layout.MOUTH, layout.JAW[8:25]]].astype(np.float32))
        hard = np.zeros((side, side), np.uint8)
        hard[max(y, 0) : max(y + h, 0), max(x, 0) : max(x + w, 0)] = 255
    mask = masks.soften(hard, side / 224 * rng.uniform(1, 8))
    return blend.alpha(face, drawn, mask), mask


def warp(face, points, other, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray] | None:
    """Needs landmarks; another face's landmarks, if there, lend their shape."""
    if points is None:
        return None
    side, kind = face.shape[0], rng.random()
    if kind < P_LIPS:
        return lips(face, points, other, rng)
    if kind < P_LIPS + P_LIQUIFY:
        where = bulges(points, side, rng)
    elif kind < P_LIPS + P_LIQUIFY + P_OTHERS_SHAPE and other is not None and other[1] is not None:
        where = moved_map(points, others_shape(points, other[1], rng), side)
    else:
        where = moved_map(points, expression(points, rng), side)
    mask = travelled(where, 0.5 * side / 224)
    moved = geometry.read(face, where, int(rng.choice(HOW)))
    extra = rng.random()
    if extra < 0.25:  # a renderer's softness, or the sharpening that hides it
        moved = tones.redetail(moved, rng)
    elif extra < 0.35:
        moved = tones.recolour(moved, rng, 0.4)
    if extra < 0.35 and rng.random() < 0.5:
        shown = masks.soften(masks.fill(side, masks.face_hull(points, rng)), masks.edge(rng, side))
        mask = np.maximum(mask, shown)
    return blend.alpha(face, moved, mask), mask
