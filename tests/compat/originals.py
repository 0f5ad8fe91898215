# SPDX-License-Identifier: Apache-2.0
"""Steps of the original services, with the libraries that they use, to compare the engine `faithful` with."""

import cv2
import numpy as np
from making import ROOT

CASCADE = ROOT / "third_party" / "detectors" / "haarcascade_frontalface_default.xml"

# Decoders convert colours with other rounding: a level or two for a pixel. Another crop or order of colours
# changes a score by tenths.
SAME_SCORE = 0.02


def frames(file) -> list[np.ndarray]:
    capture = cv2.VideoCapture(str(file))
    found = []
    while True:
        good, frame = capture.read()
        if not good:
            return found
        found.append(frame)


def predict_face(bgr):
    """The crop of predict-api, or None."""
    cascade = cv2.CascadeClassifier(str(CASCADE))
    grey = cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY)
    faces = cascade.detectMultiScale(grey, scaleFactor=1.1, minNeighbors=5, minSize=(30, 30))
    if len(faces) == 0:
        return None
    x, y, w, h = max(faces, key=lambda box: box[2] * box[3])
    cx, cy = x + w / 2, y + h / 2
    x0, y0 = max(0, int(cx - w * 0.6)), max(0, int(cy - h * 0.6))
    return bgr[y0 : int(cy + h * 0.6), x0 : int(cx + w * 0.6)]


def predict_input(crop):
    rgb = cv2.cvtColor(crop, cv2.COLOR_BGR2RGB)
    return cv2.resize(rgb, (64, 64), interpolation=cv2.INTER_AREA).astype(np.float32) / 255.0


def middle_square(bgr):
    height, width = bgr.shape[:2]
    side = min(height, width)
    y, x = (height - side) // 2, (width - side) // 2
    return bgr[y : y + side, x : x + side]


def mesonet_frames(total: int) -> list[int]:
    if total <= 40:
        return list(range(total))
    third, chosen = total // 3, []
    for start, end in ((0, third), (third, 2 * third), (2 * third, total)):
        step = max(1, (end - start) // 13)
        chosen += [start + i * step for i in range(13) if start + i * step < end]
    return sorted(set(chosen))


def cut(bgr, box):
    """The pixels of a box of unmask's report: x, y, width, height."""
    x, y, width, height = map(round, box)
    return bgr[y : y + height, x : x + width]
