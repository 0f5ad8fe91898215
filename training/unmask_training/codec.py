# SPDX-License-Identifier: Apache-2.0
"""H.264 as a degradation: what a video platform does to a face, on one still."""

from fractions import Fraction

import av
import cv2
import numpy as np


def h264(image: np.ndarray, crf: int, shift: tuple[int, int] = (2, 1)) -> np.ndarray:
    """A BGR picture after x264 (veryfast) at a constant rate factor, as the second frame of two.

    The first frame is the picture moved by `shift` pixels: the second is predicted from it and has the
    look of a video's frames, most of which are no key frames.
    """
    rows, columns = image.shape[:2]
    padded = cv2.copyMakeBorder(image, 0, rows % 2, 0, columns % 2, cv2.BORDER_REPLICATE)
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = padded.shape[1], padded.shape[0], "yuv420p"
    encoder.time_base = Fraction(1, 25)
    encoder.thread_count = 1
    encoder.options = {"crf": str(crf), "preset": "veryfast", "tune": "zerolatency"}
    decoder = av.CodecContext.create("h264", "r")
    decoder.thread_count = 1
    packets = []
    for index, picture in enumerate((np.roll(padded, shift, (1, 0)), padded)):
        planes = cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_I420)  # faster than the frame's own conversion
        frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        frame.pts = index
        packets += encoder.encode(frame)
    packets += encoder.encode(None)
    frames = [frame for packet in packets for frame in decoder.decode(packet)]
    frames += decoder.decode(None)
    planes = frames[-1].to_ndarray(format="yuv420p")
    return np.ascontiguousarray(cv2.cvtColor(planes, cv2.COLOR_YUV2BGR_I420)[:rows, :columns])
