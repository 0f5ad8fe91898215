# SPDX-License-Identifier: Apache-2.0
import dataclasses

import numpy as np
import pytest
from unmask_training import augment


def face(size=224, seed=1):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (size, size, 3), np.uint8)


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize("size", [20, 163, 224])
def test_any_draw_gives_a_face_of_the_asked_size(seed, size):
    result = augment.apply(face(size), augment.draw(np.random.default_rng(seed)), 160)
    assert result.shape == (160, 160, 3) and result.dtype == np.uint8


def test_one_draw_treats_two_faces_alike():
    d = augment.draw(np.random.default_rng(7))
    assert np.array_equal(augment.apply(face(), d, 160), augment.apply(face(), d, 160))


def test_draws_repeat_with_the_seed():
    assert augment.draw(np.random.default_rng(2)) == augment.draw(np.random.default_rng(2))


def test_nothing_drawn_changes_nothing():
    still = augment.Ranges(
        crop=(1, 1), p_flip=0, p_scale=0, p_blur=0, p_noise=0, p_jpeg=0, p_light=0, p_grey=0
    )
    image = face(160)
    assert np.array_equal(augment.apply(image, augment.draw(np.random.default_rng(1), still), 160), image)


def test_the_flip_is_horizontal():
    still = augment.Ranges(
        crop=(1, 1), p_flip=1, p_scale=0, p_blur=0, p_noise=0, p_jpeg=0, p_light=0, p_grey=0
    )
    image = face(160)
    assert np.array_equal(
        augment.apply(image, augment.draw(np.random.default_rng(1), still), 160), image[:, ::-1]
    )


def test_every_range_is_used():
    names = {f.name for f in dataclasses.fields(augment.Ranges)}
    assert names == {
        "crop",
        "p_flip",
        "p_scale",
        "scale",
        "p_blur",
        "blur",
        "p_noise",
        "noise",
        "p_jpeg",
        "jpeg",
        "p_light",
        "brightness",
        "contrast",
        "p_grey",
    }


@pytest.mark.parametrize("name", augment.DEGRADATIONS)
def test_measured_degradations_repeat_and_change_the_picture(name):
    degrade, image = augment.DEGRADATIONS[name], face()
    first = degrade(image, 3)
    assert np.array_equal(first, degrade(image, 3))
    assert first.shape != image.shape or not np.array_equal(first, image)
