# SPDX-License-Identifier: Apache-2.0
"""What people do to genuine pictures: beauty filters, colour filters, text and stickers.

The same draw is put on a real face and on its fake, so that it tells the network nothing.
"""

import cv2
import numpy as np


def smooth(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A skin-smoothing filter: flat areas lose their grain, edges stay."""
    strength = rng.uniform(0.4, 1.0)
    soft = cv2.bilateralFilter(image, 7, rng.uniform(20, 60), rng.uniform(3, 9))
    image = cv2.addWeighted(soft, strength, image, 1 - strength, 0)
    if rng.random() < 0.5:
        wide = cv2.GaussianBlur(image, (0, 0), 2.0)
        amount = rng.uniform(0.2, 0.8)
        image = cv2.addWeighted(image, 1 + amount, wide, -amount, 0)
    return image


def colour(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A colour filter: gain, gamma and a tint for each channel, saturation, sometimes a vignette."""
    levels = np.arange(256, dtype=np.float32) / 255
    table = np.empty((1, 256, 3), np.uint8)
    for c in range(3):
        curve = levels ** rng.uniform(0.7, 1.4) * rng.uniform(0.85, 1.1) + rng.uniform(-0.05, 0.08)
        table[0, :, c] = np.clip(curve * 255, 0, 255)
    image = cv2.LUT(image, table)
    grey = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    saturation = rng.uniform(0.3, 1.5)
    image = cv2.addWeighted(image, saturation, grey, 1 - saturation, 0)
    if rng.random() < 0.3:
        rows, columns = image.shape[:2]
        y, x = np.ogrid[-1 : 1 : rows * 1j, -1 : 1 : columns * 1j]
        shade = 1 - rng.uniform(0.2, 0.6) * np.clip((x**2 + y**2) / 2, 0, 1)
        image = (image * shade[..., None]).astype(np.uint8)
    return image


def overlay(image: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Text, bars, frames and stickers on the picture; and where they cover it (bool)."""
    image, cover = image.copy(), np.zeros(image.shape[:2], np.uint8)
    rows, columns = cover.shape
    for _ in range(rng.integers(1, 4)):
        ink = tuple(int(v) for v in rng.integers(0, 256, 3))
        x, y = int(rng.integers(columns)), int(rng.integers(rows))
        kind = rng.integers(4)
        for target, paint in ((image, ink), (cover, 255)):
            if kind == 0:
                text = "".join(chr(65 + (x * 7 + y * 3 + i * 5) % 26) for i in range(4 + x % 9))
                scale, width = 0.3 + rows / 300 * (1 + x % 3) / 2, 1 + y % 3
                at = (x // 2, max(12, y))
                cv2.putText(target, text, at, cv2.FONT_HERSHEY_SIMPLEX, scale, paint, width, cv2.LINE_AA)
            elif kind == 1:
                high = max(3, rows // 10)
                top = 0 if y % 2 else rows - high
                cv2.rectangle(target, (0, top), (columns, top + high), paint, -1)
            elif kind == 2:
                cv2.circle(target, (x, y), max(3, columns // 12 + x % 9), paint, -1, cv2.LINE_AA)
            else:
                side = max(4, columns // 10 + y % 15)
                cv2.rectangle(target, (x, y), (x + side, y + side // 2), paint, 1 + x % 3)
    return image, cover > 127
