# SPDX-License-Identifier: Apache-2.0
"""Traces of generators without a generator: up-sampling grids, odd spectra, denoised noise.

Each function takes and gives a float32 BGR picture in 0..255. Plain blur and sharpening are what happens to
real pictures, too; they are used on parts of a face only (`REGIONAL`), where the inconsistency tells.
"""

import cv2
import numpy as np

from . import masks, tones


def kernel(rng: np.random.Generator, taps: np.ndarray, wobble: float) -> np.ndarray:
    """A separable kernel with random errors, as learnt ones have them; its sum is kept."""
    k = np.outer(taps, taps).astype(np.float32)
    total = k.sum()
    k *= np.exp(rng.normal(0, wobble, k.shape)).astype(np.float32)
    return k * (total / k.sum())


LINEAR4, CUBIC4 = np.array([1, 3, 3, 1]) / 4, np.array([-0.2, 1.2, 1.2, -0.2])
POINT3 = np.array([0.12, 0.76, 0.12])


def doubled(image: np.ndarray, how: str, rng: np.random.Generator, wobble: float) -> np.ndarray:
    """Twice the size, the way of a generator's up-sampling layer."""
    rows, columns = image.shape[:2]
    double = (columns * 2, rows * 2)
    if how == "nearest":
        grown = cv2.resize(image, double, interpolation=cv2.INTER_NEAREST)
        return cv2.filter2D(grown, -1, kernel(rng, np.array([0.25, 0.5, 0.25]), wobble))
    if how == "bilinear":
        grown = cv2.resize(image, double, interpolation=cv2.INTER_LINEAR)
        return cv2.filter2D(grown, -1, kernel(rng, np.array([-0.12, 1.24, -0.12]), wobble))
    grown = np.zeros((rows * 2, columns * 2, 3), np.float32)
    if how == "transposed":
        grown[::2, ::2] = image
        taps, wobble = (LINEAR4 if rng.random() < 0.6 else CUBIC4), wobble * 0.3  # it moves the mean, too
        return cv2.filter2D(grown, -1, kernel(rng, taps, wobble), borderType=cv2.BORDER_REFLECT_101)
    for y in (0, 1):  # pixel shuffle: each phase is a filter of its own
        for x in (0, 1):
            shift = np.float32([[1, 0, 0.25 - 0.5 * x], [0, 1, 0.25 - 0.5 * y]])
            moved = cv2.warpAffine(
                image, shift, (columns, rows), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
            )
            grown[y::2, x::2] = cv2.filter2D(moved, -1, kernel(rng, POINT3, wobble))
    return grown


HOW = ("nearest", "bilinear", "transposed", "shuffle")


def upsampled(image: np.ndarray, other, rng: np.random.Generator) -> np.ndarray:
    """Shrunk, then grown by one to three learnt-like layers; some of the lost detail is put back."""
    side, how = image.shape[0], str(rng.choice(HOW))
    stages, wobble = int(rng.choice((1, 2, 3), p=(0.5, 0.35, 0.15))), rng.uniform(0.05, 0.3)
    top = side * rng.choice((1.0, 1.0, rng.uniform(0.5, 1.0)))  # size of the generator's picture
    least = max(8, int(round(top / 2**stages)))
    small = cv2.resize(image, (least, least), interpolation=cv2.INTER_AREA)
    for stage in range(stages):
        small = doubled(small, how, rng, wobble)
        if stage + 1 < stages or rng.random() < 0.5:  # what is lost here comes back as the generator's guess
            truth = cv2.resize(image, small.shape[1::-1], interpolation=cv2.INTER_AREA)
            detail = truth - cv2.GaussianBlur(truth, (0, 0), 1.0)
            small += detail * np.float32(rng.uniform(0.5, 1.2))
    return cv2.resize(small, (side, side), interpolation=int(rng.choice(tones.UP)))


def gridded(image: np.ndarray, other, rng: np.random.Generator) -> np.ndarray:
    """Peaks in the spectrum: a periodic pattern that follows the picture's own texture and light."""
    side, period = image.shape[0], int(rng.choice((2, 3, 4, 4, 8, 8, 16)))
    tile = rng.normal(0, 1, (period, period, 3 if rng.random() < 0.5 else 1)).astype(np.float32)
    tile -= tile.mean((0, 1))
    repeats = -(-side // period)
    pattern = np.tile(tile, (repeats, repeats, 1))[:side, :side]
    if rng.random() < 0.5:
        detail = image - cv2.GaussianBlur(image, (0, 0), 2.0)
        strength = cv2.GaussianBlur(np.abs(detail).mean(2), (0, 0), 3)[..., None]
        strength = strength / max(float(strength.mean()), 0.1)
    else:
        strength = 1 + 0.5 * masks.field(rng, side, 4, 1.0, 1)
    return image + pattern * strength * np.float32(rng.uniform(2.2, 5.0))


def spectrum_of(image: np.ndarray) -> np.ndarray:
    """The half spectrum of each channel, complex64 [C, S, S/2+1]. SciPy's FFT would be another dependency."""
    return np.fft.rfft2(image.transpose(2, 0, 1)).astype(np.complex64)


def picture_of(spectrum: np.ndarray, side: int) -> np.ndarray:
    back = np.fft.irfft2(spectrum, s=(side, side)).astype(np.float32)
    return np.ascontiguousarray(back.transpose(1, 2, 0))


def radius(side: int) -> np.ndarray:
    """Each frequency's distance from zero, in units of the highest along an axis."""
    return np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None]).astype(np.float32) * 2


def reshaped(image: np.ndarray, other, rng: np.random.Generator) -> np.ndarray:
    """A wavy radial profile of the spectrum from middle frequencies on, as generators fail to match it."""
    side = image.shape[0]
    r, knots = radius(side), np.linspace(0, 1.5, 12)
    gain = np.exp(np.cumsum(rng.normal(0, 0.30, 12)) * np.clip((knots - 0.08) * 6, 0, 1))
    curve = np.interp(r, knots, np.clip(gain, 0.1, 4)).astype(np.float32)
    if rng.random() < 0.4:  # generators with square kernels differ along the axes and the diagonals
        across = np.abs(np.fft.fftfreq(side))[:, None] * 2
        curve = curve * np.where(
            across > rng.uniform(0.3, 0.8), np.float32(rng.uniform(0.3, 1.8)), np.float32(1)
        )
    return picture_of(spectrum_of(image) * curve, side)


def exchanged(image: np.ndarray, other, rng: np.random.Generator) -> np.ndarray:
    """Own phases, another picture's magnitudes (its own, mirrored and turned, where there is no other)."""
    side = image.shape[0]
    picture = other[0] if other is not None else np.rot90(image[:, ::-1], int(rng.integers(1, 4)))
    picture = cv2.resize(np.ascontiguousarray(picture), (side, side), interpolation=cv2.INTER_AREA)
    mine, theirs = spectrum_of(image), spectrum_of(picture.astype(np.float32))
    share = np.float32(rng.uniform(0.3, 0.9)) * (radius(side) > rng.uniform(0.03, 0.3))
    size = np.abs(mine)
    return picture_of(mine * ((1 - share) + share * np.abs(theirs) / np.maximum(size, 1e-3)), side)


B3 = np.float32([1, 4, 6, 4, 1]) / 16


def starlet(image: np.ndarray, levels: int) -> tuple[list[np.ndarray], np.ndarray]:
    """The a-trous wavelet transform with the B3 spline: details from fine to coarse, and the rest."""
    details = []
    for level in range(levels):
        taps = np.zeros(4 * 2**level + 1, np.float32)
        taps[:: 2**level] = B3
        smooth = cv2.sepFilter2D(image, -1, taps, taps, borderType=cv2.BORDER_REFLECT_101)
        details.append(image - smooth)
        image = smooth
    return details, image


NOISE_AT = (0.89, 0.20, 0.086, 0.041)  # spread of white noise of sigma 1 in each level (Starck and Murtagh)


def denoised(image: np.ndarray, other, rng: np.random.Generator) -> np.ndarray:
    """Noise added and taken away again by shrinking wavelets, once or twice, as diffusion does it."""
    for _ in range(int(rng.integers(1, 3))):
        sigma = rng.uniform(8, 45)
        noisy = image + np.float32(sigma) * rng.standard_normal(image.shape, np.float32)
        details, image = starlet(noisy, 4)
        strict = rng.uniform(1.5, 3.5)
        for level, detail in enumerate(details):
            limit = np.float32(strict * sigma * NOISE_AT[level])
            if rng.random() < 0.5:
                detail = np.sign(detail) * np.maximum(np.abs(detail) - limit * np.float32(0.7), 0)
            else:
                detail = np.where(np.abs(detail) > limit, detail, 0)
            image = image + detail
    if rng.random() < 0.5:
        image = cv2.addWeighted(image, 1.5, cv2.GaussianBlur(image, (0, 0), 1.5), -0.5, 0)
    return image


def cut_off(image: np.ndarray, other, rng: np.random.Generator) -> np.ndarray:
    """High frequencies removed, sharply or gently, or lifted."""
    side, limit = image.shape[0], rng.uniform(0.12, 0.6)
    r = radius(side) / np.float32(limit)
    low = 1 / (1 + r ** np.float32(2 * rng.choice((1, 2, 4, 16))))
    gain = rng.choice((0.0, 0.0, rng.uniform(1.5, 3.0)))
    return picture_of(spectrum_of(image) * (low + np.float32(gain) * (1 - low)), side)


WHOLE = (upsampled, upsampled, gridded, reshaped, exchanged, denoised)
REGIONAL = (*WHOLE, cut_off)
