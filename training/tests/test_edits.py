# SPDX-License-Identifier: Apache-2.0
import edits
import numpy as np
import pytest


@pytest.fixture
def picture():
    y, x = np.mgrid[:90, :72]
    grain = np.random.default_rng(1).integers(0, 9, (90, 72, 3))
    return (np.dstack([2 * x, 2 * y, 240 - 2 * x]) + grain).astype(np.uint8)


@pytest.mark.parametrize("name", edits.EDITS)
def test_an_edit_gives_a_picture_and_leaves_its_source_alone(picture, name):
    before = picture.copy()
    edited = edits.EDITS[name](picture)
    assert edited.dtype == np.uint8 and edited.ndim == 3 and edited.shape[2] == 3
    assert min(edited.shape[:2]) >= 72
    assert np.array_equal(picture, before)
    assert (name == "nothing") == (edited.shape == picture.shape and np.array_equal(edited, picture))


def test_a_print_has_dots_and_a_blurred_scan_fewer(picture):
    sharp, soft = (edits.printed(8, blur)(picture).astype(int) for blur in (0.5, 4))
    assert sharp.shape == (180, 144, 3)
    assert np.abs(np.diff(sharp, axis=1)).mean() > 3 * np.abs(np.diff(soft, axis=1)).mean()
