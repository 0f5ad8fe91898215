#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints what MediaPipe's FaceDetection finds, for the table in src/compat/faithful/close_up_finder_test.cpp.

Needs `pip install mediapipe==0.10.14 opencv-python-headless` and the portrait of tools/setup.sh --tests.
"""

from pathlib import Path

import cv2
import mediapipe

PORTRAIT = Path(__file__).resolve().parents[3] / "third_party" / "test_media" / "astronaut.png"
CUTS = [(0, 0, 512, 512), (100, 0, 300, 512), (0, 30, 512, 200), (140, 20, 180, 220), (220, 60, 256, 256)]

picture = cv2.imread(str(PORTRAIT))
print(f"// Recorded from MediaPipe {mediapipe.__version__} by tests/compat/record/mediapipe_faces.py.")
with mediapipe.solutions.face_detection.FaceDetection(
    model_selection=0, min_detection_confidence=0.5
) as detection:
    for x, y, width, height in CUTS:
        cut = picture[y : y + height, x : x + width]
        found = detection.process(cv2.cvtColor(cut, cv2.COLOR_BGR2RGB)).detections or []
        faces = []
        for face in found:
            box = face.location_data.relative_bounding_box
            numbers = (box.xmin, box.ymin, box.width, box.height, face.score[0])
            faces.append("{" + ", ".join(f"{number:.5f}" for number in numbers) + "}")
        print(f"    {{{{{x}, {y}, {width}, {height}}}, {{{', '.join(faces)}}}}},")
