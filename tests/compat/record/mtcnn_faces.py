#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints what the package `mtcnn` 0.1.1 finds, for the table in src/compat/faithful/mtcnn/mtcnn_test.cpp.

    tests/compat/record/mtcnn_faces.py FOLDER

FOLDER holds the unpacked wheel. Its own code runs, on NumPy in place of Keras (numpy_keras.py). Needs the
portrait of tools/setup.sh --tests.
"""

import sys
from pathlib import Path

import cv2
from numpy_keras import stand_in_for_tensorflow

PORTRAIT = Path(__file__).resolve().parents[3] / "third_party" / "test_media" / "astronaut.png"
# x, y, width and height of a part of the portrait, the size that it gets, how often it stands beside itself.
CASES = [
    (0, 0, 512, 512, 512, 512, 1),
    (0, 0, 512, 300, 1280, 750, 1),
    (140, 20, 180, 220, 180, 220, 1),
    (100, 0, 300, 200, 300, 200, 3),
    (200, 70, 312, 300, 312, 300, 1),
    (100, 0, 300, 200, 90, 60, 1),
    (300, 300, 200, 200, 200, 200, 1),
    (0, 0, 512, 512, 19, 19, 1),
]


if len(sys.argv) != 2:
    sys.exit("usage: tests/compat/record/mtcnn_faces.py FOLDER")
stand_in_for_tensorflow()
sys.path.insert(0, sys.argv[1])
from mtcnn.mtcnn import MTCNN  # noqa: E402  the package is only now complete

detector = MTCNN()
picture = cv2.imread(str(PORTRAIT))
print("// Recorded from mtcnn 0.1.1 by tests/compat/record/mtcnn_faces.py.")
for x, y, width, height, *size, copies in CASES:
    bgr = cv2.hconcat([cv2.resize(picture[y : y + height, x : x + width], size)] * copies)
    faces = []
    for face in detector.detect_faces(bgr):
        faces.append("{{" + ", ".join(map(str, face["box"])) + f"}}, {face['confidence']:.6f}}}")
    where = f"{{{x}, {y}, {width}, {height}}}, {{{size[0]}, {size[1]}}}, {copies}"
    print(f"    {{{where}, {{{', '.join(faces)}}}}},", flush=True)
