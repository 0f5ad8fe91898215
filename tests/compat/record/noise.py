# SPDX-License-Identifier: Apache-2.0
"""Pictures that the unit tests of src/compat/faithful make, too (test_pictures.hpp)."""

import numpy as np


def noise(height: int, width: int) -> np.ndarray:
    """Random pixels, with blocks of one colour so that filters see edges and planes. [height][width][3]."""
    state, values = 12345, []
    for _ in range(height * width * 3):
        state = (state * 1103515245 + 12345) % 2**31
        values.append(state >> 23)
    picture = np.array(values, np.uint8).reshape(height, width, 3)
    y, x = np.mgrid[0:height, 0:width]
    picture[(x // 16 + y // 16) % 3 == 0] = (250, 20, 130)
    return picture
