# SPDX-License-Identifier: Apache-2.0
"""Degradations for training, and the fixed ones under which a model is measured.

One draw is applied to a real face and to its fake, so that only the manipulation tells them apart.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from . import codec, retouch
from .data import resize

INTERPOLATIONS = (cv2.INTER_AREA, cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_NEAREST)


@dataclass(frozen=True)
class Ranges:
    """What may be drawn. Sizes are in pixels of the network's input, probabilities are `p_*`."""

    crop: tuple[float, float] = (0.8, 1.0)  # share of the face square's side
    p_flip: float = 0.5
    p_clean: float = 0.0  # nothing but crop, flip and light
    p_scale: float = 0.5  # a detour over another resolution
    scale: tuple[float, float] = (0.4, 1.0)
    p_blur: float = 0.2
    blur: tuple[float, float] = (0.3, 1.6)  # sigma
    p_noise: float = 0.3
    noise: tuple[float, float] = (1.0, 10.0)  # sigma, of 255
    p_jpeg: float = 0.6
    jpeg: tuple[int, int] = (40, 95)
    p_h264: float = 0.0
    h264: tuple[int, int] = (20, 40)  # constant rate factor
    p_light: float = 0.5
    brightness: float = 25.0
    contrast: float = 0.2
    p_grey: float = 0.05
    p_smooth: float = 0.0  # skin smoothing
    p_colour: float = 0.0  # colour filters
    p_overlay: float = 0.0  # text and stickers


@dataclass(frozen=True)
class Draw:
    """One draw, for any number of faces. `order` holds degradations and the place of the final resize."""

    crop: float
    left: float
    top: float
    flip: bool
    scale: float
    interpolation: int
    blur: float
    noise: float
    jpeg: int
    h264: int
    gain: float
    offset: float
    grey: bool
    smooth: bool
    colour: bool
    overlay: bool
    order: tuple[str, ...]
    seed: int


def draw(rng: np.random.Generator, r: Ranges = Ranges()) -> Draw:
    light = rng.random() < r.p_light
    clean = rng.random() < r.p_clean
    chosen = [
        name
        for name in ("scale", "blur", "noise", "jpeg", "h264")
        if rng.random() < getattr(r, f"p_{name}") and not clean
    ]
    return Draw(
        crop=rng.uniform(*r.crop),
        left=rng.random(),
        top=rng.random(),
        flip=rng.random() < r.p_flip,
        scale=rng.uniform(*r.scale),
        interpolation=int(rng.choice(INTERPOLATIONS)),
        blur=rng.uniform(*r.blur),
        noise=rng.uniform(*r.noise),
        jpeg=int(rng.integers(r.jpeg[0], r.jpeg[1] + 1)),
        h264=int(rng.integers(r.h264[0], r.h264[1] + 1)),
        gain=1 + rng.uniform(-r.contrast, r.contrast) if light else 1.0,
        offset=rng.uniform(-r.brightness, r.brightness) if light else 0.0,
        grey=rng.random() < r.p_grey,
        smooth=rng.random() < r.p_smooth and not clean,
        colour=rng.random() < r.p_colour and not clean,
        overlay=rng.random() < r.p_overlay and not clean,
        order=tuple(str(name) for name in rng.permutation([*chosen, "resize"])),
        seed=int(rng.integers(2**31)),
    )


def jpeg(image: np.ndarray, quality: int) -> np.ndarray:
    ok, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert ok
    return cv2.imdecode(data, cv2.IMREAD_COLOR)


def blur(image: np.ndarray, sigma: float) -> np.ndarray:
    return cv2.GaussianBlur(image, (0, 0), sigma)


def noise(image: np.ndarray, sigma: float, seed: int) -> np.ndarray:
    grain = np.random.default_rng(seed).standard_normal(image.shape, np.float32)
    return np.clip(image + sigma * grain, 0, 255).astype(np.uint8)


def cut(image: np.ndarray, d: Draw) -> np.ndarray:
    """The draw's part of a picture, flipped or not; also for masks."""
    side = min(image.shape[:2])
    part = max(8, int(round(d.crop * side)))
    x, y = int(d.left * (image.shape[1] - part + 1)), int(d.top * (image.shape[0] - part + 1))
    image = image[y : y + part, x : x + part]
    return np.ascontiguousarray(image[:, ::-1] if d.flip else image)


def degrade(image: np.ndarray, d: Draw, size: int) -> tuple[np.ndarray, np.ndarray | None]:
    """A part of a face, degraded, size x size; and what text or stickers cover of the part, or None."""
    cover = None
    if d.smooth:
        image = retouch.smooth(image, np.random.default_rng((d.seed, 1)))
    if d.colour:
        image = retouch.colour(image, np.random.default_rng((d.seed, 2)))
    if d.gain != 1.0 or d.offset != 0.0:
        levels = (np.arange(256, dtype=np.float32) - 127.5) * d.gain + 127.5 + d.offset
        image = cv2.LUT(image, np.clip(levels, 0, 255).astype(np.uint8))
    if d.grey:
        image = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    if d.overlay:
        image, cover = retouch.overlay(image, np.random.default_rng((d.seed, 3)))
    for step in d.order:
        if step == "resize":
            image = resize(image, size)
        elif step == "scale":
            small = max(8, int(round(d.scale * size)))
            image = cv2.resize(image, (small, small), interpolation=d.interpolation)
        elif step == "blur":
            image = blur(image, d.blur)
        elif step == "noise":
            image = noise(image, d.noise, d.seed)
        elif step == "jpeg":
            image = jpeg(image, d.jpeg)
        else:
            image = codec.h264(image, d.h264)
    return resize(image, size), cover


def apply(image: np.ndarray, d: Draw, size: int) -> np.ndarray:
    """A degraded BGR face of size x size."""
    return degrade(cut(image, d), d, size)[0]


# The grid on which a model is measured: applied to the face square before it is resized.
DEGRADATIONS = {
    "jpeg40": lambda image, seed: jpeg(image, 40),
    "half": lambda image, seed: resize(image, image.shape[1] // 2, image.shape[0] // 2),
    "blur": lambda image, seed: blur(image, 2.0),
    "noise": lambda image, seed: noise(image, 10.0, seed),
    "crf32": lambda image, seed: codec.h264(image, 32),
}
