# SPDX-License-Identifier: Apache-2.0
import cv2
import numpy as np
import pytest
from unmask_training import codec


def picture(rows, columns):
    grain = np.random.default_rng(1).integers(0, 256, (rows, columns, 3), np.uint8)
    return cv2.GaussianBlur(grain, (0, 0), 2)


@pytest.mark.parametrize("shape", [(224, 224), (131, 97), (16, 16)])
def test_the_picture_keeps_its_shape(shape):
    found = codec.h264(picture(*shape), 28)
    assert found.shape == (*shape, 3) and found.dtype == np.uint8


def test_a_higher_rate_factor_loses_more():
    image = picture(128, 128)
    losses = [cv2.PSNR(image, codec.h264(image, crf)) for crf in (18, 28, 40)]
    assert losses[0] > losses[1] > losses[2] > 20


def test_it_repeats():
    image = picture(96, 96)
    assert np.array_equal(codec.h264(image, 32), codec.h264(image, 32))
