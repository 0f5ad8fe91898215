# SPDX-License-Identifier: Apache-2.0
"""Small changes of colour and detail that tell a pasted source from its target; uint8 BGR in and out."""

import cv2
import numpy as np

UP = (cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4)
DOWN = (cv2.INTER_AREA, cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_NEAREST)


def recolour(image: np.ndarray, rng: np.random.Generator, strength: float = 1.0) -> np.ndarray:
    """Gain, offset and gamma for each channel, sometimes saturation and hue.

    Offsets up to 14 levels, contrast up to 10 %, hue up to 6 degrees, saturation up to 15 %: clear beside the
    original, ordinary alone. (Limits of 0.3 levels, as some descriptions have them for hue, change nothing.)
    """
    offset = rng.uniform(-14, 14, 3) * rng.choice((0, 0.5, 1)) + rng.uniform(-14, 14)
    gain = 1 + rng.uniform(-0.10, 0.10) + rng.uniform(-0.03, 0.03, 3)
    gamma = np.exp(rng.uniform(-0.12, 0.12))
    levels = np.arange(256, dtype=np.float64)[:, None]
    curve = 255 * (levels / 255) ** (gamma**strength)
    curve = (curve - 127.5) * (1 + (gain - 1) * strength) + 127.5 + offset * strength
    table = np.clip(np.rint(curve), 0, 255).astype(np.uint8)[None]
    image = cv2.LUT(image, np.ascontiguousarray(table))
    if rng.random() < 0.4:
        hue, saturation = rng.uniform(-3, 3) * strength, 1 + rng.uniform(-0.15, 0.15) * strength
        hsv = cv2.cvtColor(image, cv2.COLOR_BGR2HSV)
        turn = np.stack([(np.arange(256) + hue) % 180, np.arange(256) * saturation, np.arange(256)], 1)
        hsv = cv2.LUT(hsv, np.clip(np.rint(turn), 0, 255).astype(np.uint8)[None])
        hsv[..., 0] %= 180
        image = cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR)
    return image


def shrink_and_grow(image: np.ndarray, factor: float, down: int, up: int) -> np.ndarray:
    """A detour over a lower resolution."""
    side = image.shape[0]
    small = max(8, int(round(side / factor)))
    return cv2.resize(cv2.resize(image, (small, small), interpolation=down), (side, side), interpolation=up)


def jpeg(image: np.ndarray, quality: int) -> np.ndarray:
    ok, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert ok
    return cv2.imdecode(data, cv2.IMREAD_COLOR)


def sharpen(image: np.ndarray, amount: float, sigma: float) -> np.ndarray:
    return cv2.addWeighted(image, 1 + amount, cv2.GaussianBlur(image, (0, 0), sigma), -amount, 0)


def grain(image: np.ndarray, rng: np.random.Generator, sigma: float) -> np.ndarray:
    """Sensor-like noise, correlated or not."""
    noise = rng.standard_normal(image.shape, np.float32)
    if rng.random() < 0.5:
        noise = cv2.GaussianBlur(noise, (0, 0), 0.7) * 2
    return np.clip(image + sigma * noise, 0, 255).astype(np.uint8)


def redetail(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Another resolution, sharpness, grain or compression."""
    kind = rng.choice(
        ("resample", "sharpen", "blur", "jpeg", "grain", "smooth"), p=(0.4, 0.2, 0.12, 0.1, 0.08, 0.1)
    )
    if kind == "resample":
        return shrink_and_grow(image, rng.uniform(1.2, 4), int(rng.choice(DOWN)), int(rng.choice(UP)))
    if kind == "sharpen":
        return sharpen(image, rng.uniform(0.3, 1.2), rng.uniform(0.7, 2.0))
    if kind == "blur":
        return cv2.GaussianBlur(image, (0, 0), rng.uniform(0.6, 2.0))
    if kind == "jpeg":
        return jpeg(image, int(rng.integers(25, 80)))
    if kind == "grain":
        return grain(image, rng, rng.uniform(2, 7))
    if rng.random() < 0.5:
        return cv2.medianBlur(image, int(rng.choice((3, 5))))
    return cv2.bilateralFilter(image, 5, rng.uniform(15, 40), rng.uniform(1.5, 3))


def neutral(face: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """What happens to ordinary pictures on their way: colour, a resample, compression. No manipulation."""
    if rng.random() < 0.5:
        face = recolour(face, rng)
    return redetail(face, rng) if rng.random() < 0.7 else face


def colour_moments(image: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and spread of each channel where the mask (uint8) is not zero."""
    mean, spread = cv2.meanStdDev(image, mask=mask)
    return mean[:, 0], spread[:, 0]


def match_colour(
    source: np.ndarray,
    source_mask: np.ndarray,
    target: np.ndarray,
    target_mask: np.ndarray,
    share: float = 1.0,
) -> np.ndarray:
    """Gives the source the target's mean and spread in L*a*b* (Reinhard et al., 2001), or nearly."""
    if not source_mask.any() or not target_mask.any():
        return source
    lab = cv2.cvtColor(source, cv2.COLOR_BGR2Lab)
    mean, spread = colour_moments(lab, source_mask)
    aim_mean, aim_spread = colour_moments(cv2.cvtColor(target, cv2.COLOR_BGR2Lab), target_mask)
    gain = np.clip(aim_spread / np.maximum(spread, 1), 0.6, 1.6)
    levels = np.arange(256, dtype=np.float64)[:, None]
    matched = (levels - mean) * gain + aim_mean
    table = levels + share * (matched - levels)
    return cv2.cvtColor(
        cv2.LUT(lab, np.clip(np.rint(table), 0, 255).astype(np.uint8)[None]), cv2.COLOR_Lab2BGR
    )
