# SPDX-License-Identifier: Apache-2.0
import cv2
import numpy as np
import pytest
from unmask_training import drawing, export

# src/face/drawing_test.cpp has the same numbers.
ASTRONAUTS_FACE = [-0.5085, -0.3449, -0.4503, 0.2929, 1.1278, -2.1567]


def test_the_signs_are_those_of_the_program():
    picture = cv2.imread(str(export.ASTRONAUT))
    if picture is None:
        pytest.skip("NASA's portrait is not there; tools/setup.sh fetches it")
    np.testing.assert_allclose(drawing.signs(picture[79:177, 175:273]), ASTRONAUTS_FACE, atol=0.03)


def test_an_even_picture_has_signs():
    assert np.isfinite(drawing.signs(np.zeros((60, 60, 3), np.uint8))).all()


def test_flat_colours_differ_from_grain():
    rng = np.random.default_rng(1)
    grain = rng.normal(128, 20, (96, 96, 3)).clip(0, 255).astype(np.uint8)
    flat = np.kron(rng.integers(0, 256, (4, 4, 3)), np.ones((24, 24, 1))).astype(np.uint8)
    names = drawing.NAMES.index
    assert drawing.signs(flat)[names("colours")] > 0.5 > drawing.signs(grain)[names("colours")]
    assert drawing.signs(flat)[names("floor")] < drawing.signs(grain)[names("floor")]
