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


NOTHING = {f.name: 0 for f in dataclasses.fields(augment.Ranges) if f.name.startswith("p_")}
DEGRADING = ("scale", "blur", "noise", "jpeg", "h264", "smooth", "colour", "overlay", "light", "grey")


def drawn(**changed):
    return augment.draw(np.random.default_rng(1), augment.Ranges(crop=(1, 1), **(NOTHING | changed)))


def test_nothing_drawn_changes_nothing():
    image = face(160)
    assert np.array_equal(augment.apply(image, drawn(), 160), image)


def test_the_flip_is_horizontal():
    image = face(160)
    assert np.array_equal(augment.apply(image, drawn(p_flip=1), 160), image[:, ::-1])


@pytest.mark.parametrize("name", DEGRADING)
def test_each_degradation_changes_the_picture_and_repeats(name):
    image, d = face(160), drawn(**{f"p_{name}": 1})
    found = augment.apply(image, d, 160)
    assert not np.array_equal(found, image)
    assert np.array_equal(found, augment.apply(image, d, 160))


def test_a_clean_draw_degrades_nothing():
    everything = {f"p_{n}": 1 for n in DEGRADING if n not in ("light", "grey")}
    image = face(160)
    assert np.array_equal(augment.apply(image, drawn(**everything, p_clean=1), 160), image)


def test_degradations_come_in_any_order():
    r = augment.Ranges(p_scale=1, p_blur=1, p_noise=1, p_jpeg=1, p_h264=1)
    orders = {augment.draw(np.random.default_rng(seed), r).order for seed in range(100)}
    assert len(orders) > 50
    assert {order[0] for order in orders} == {"scale", "blur", "noise", "jpeg", "h264", "resize"}


def test_what_stickers_cover_is_told():
    image, cover = augment.degrade(face(160), drawn(p_overlay=1), 128)
    assert image.shape == (128, 128, 3) and cover.shape == (160, 160) and cover.any()
    assert augment.degrade(face(160), drawn(), 128)[1] is None


@pytest.mark.parametrize("name", augment.DEGRADATIONS)
def test_measured_degradations_repeat_and_change_the_picture(name):
    degrade, image = augment.DEGRADATIONS[name], face()
    first = degrade(image, 3)
    assert np.array_equal(first, degrade(image, 3))
    assert first.shape != image.shape or not np.array_equal(first, image)
