#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints what the originals' steps give with OpenCV, for the tables in src/compat/faithful/*_steps_test.cpp
and frontal_cascade_test.cpp.

Needs the portrait of tools/setup.sh --tests.
"""

import hashlib
from pathlib import Path

import cv2
import numpy as np
from noise import noise

ROOT = Path(__file__).resolve().parents[3]
PORTRAIT = ROOT / "third_party" / "test_media" / "astronaut.png"
CASCADE = ROOT / "third_party" / "detectors" / "haarcascade_frontalface_default.xml"
SIZES = [(64, 64), (100, 80), (333, 777), (20, 31), (256, 100), (500, 450), (128, 128), (1, 9)]


def digits(values: np.ndarray) -> str:
    return '"' + hashlib.sha256(values.astype(np.float32).tobytes()).hexdigest()[:16] + '"'


def microservice(bgr):
    return cv2.resize(bgr, (224, 224)).astype(np.float32)


def mesonet(bgr):
    return cv2.resize(bgr, (256, 256)).astype(np.float32) / 255.0


def predict(bgr):
    rgb = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)
    return cv2.resize(rgb, (64, 64), interpolation=cv2.INTER_AREA).astype(np.float32) / 255.0


cv2.setNumThreads(1)
said = f"// Recorded from OpenCV {cv2.__version__} by tests/compat/record/opencv_steps.py."
print(said)
for width, height in SIZES:
    bgr = noise(height, width)
    steps = (microservice(bgr), mesonet(bgr), mesonet(bgr[..., ::-1]), predict(bgr))
    print(f"    {{{{{width}, {height}}}, {', '.join(map(digits, steps))}}},")

print(said)
cascade = cv2.CascadeClassifier(str(CASCADE))
picture = cv2.imread(str(PORTRAIT))
for picture_name, bgr in (("portrait", picture), ("twice", cv2.resize(picture, (1024, 1024)))):
    grey = cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY)
    for arguments in ({"minNeighbors": 4}, {"minNeighbors": 5, "minSize": (30, 30)}, {"minNeighbors": 0}):
        boxes = cascade.detectMultiScale(grey, scaleFactor=1.1, **arguments)
        listed = ", ".join("{" + ", ".join(map(str, box)) + "}" for box in list(boxes)[:6])
        print(f"    {picture_name} {arguments} {len(boxes)}: {{{listed}}}")
