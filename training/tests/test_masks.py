# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from unmask_training import masks


def picture(value=100, size=224):
    return np.full((size, size, 3), value, np.uint8)


def test_equal_pictures_differ_nowhere():
    assert not masks.difference(picture(), picture(), 20).any()


def test_what_a_second_jpeg_file_changes_is_no_difference():
    assert not masks.difference(picture(100), picture(102), 20).any()


def test_the_difference_is_where_the_pictures_differ():
    fake = picture()
    fake[:, 112:] = 160
    mask = masks.difference(picture(), fake, 20)
    assert mask.shape == (20, 20) and mask.dtype == np.float32
    assert mask[:, 14:].min() > 0.95 and mask[:, :6].max() < 0.05


def test_a_faint_difference_gives_a_faint_mask():
    assert masks.difference(picture(100), picture(105), 20).max() == pytest.approx(0.5)


def test_the_most_of_a_mask_is_above_half_of_its_peak():
    assert masks.most(np.float32([0.1, 0.2, 0.3])).tolist() == [False, True, True]


def test_iou():
    a, b = np.zeros((4, 4), bool), np.zeros((4, 4), bool)
    assert masks.iou(a, b) == 1
    a[:2], b[1:3] = True, True
    assert masks.iou(a, b) == pytest.approx(1 / 3)


def test_the_ellipse_is_centred_and_fills_its_share():
    guess = masks.ellipse(200)
    assert guess.mean() == pytest.approx(np.pi / 4 * 0.6 * 0.7, abs=0.01)
    assert np.array_equal(guess, guess[::-1, ::-1])
