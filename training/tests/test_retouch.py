# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from unmask_training import retouch


def face(size=128):
    return np.random.default_rng(1).integers(0, 256, (size, size, 3), np.uint8)


@pytest.mark.parametrize("filter", [retouch.smooth, retouch.colour])
@pytest.mark.parametrize("seed", range(5))
def test_a_filter_changes_the_picture_and_repeats(filter, seed):
    image = face()
    found = filter(image, np.random.default_rng(seed))
    assert found.shape == image.shape and found.dtype == np.uint8
    assert np.array_equal(found, filter(image, np.random.default_rng(seed)))
    assert not np.array_equal(found, image)


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("size", [64, 128])
def test_text_and_stickers_change_the_picture_only_where_they_say(seed, size):
    image = face(size)
    found, cover = retouch.overlay(image, np.random.default_rng(seed))
    assert cover.shape == image.shape[:2] and cover.dtype == bool
    apart = (found != image).any(axis=2)
    # Soft edges may reach a little beyond.
    assert (apart & ~cover).mean() < 0.1
    assert cover.mean() < 0.8
