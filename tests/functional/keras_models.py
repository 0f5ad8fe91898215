# SPDX-License-Identifier: Apache-2.0
"""What tests of Keras models share: real Keras, and the program's answers for the same input."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from making import PORTRAIT, ROOT

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("JAX_PLATFORMS", "cpu")

PROBE = Path(os.environ.get("UNMASK_BINARY", ROOT / "build" / "release" / "unmask")).parent / "network-probe"


@dataclass
class Refused(Exception):
    """The program does not load the model."""

    message: str


def outputs_of(model: Path, pictures: np.ndarray) -> dict[str, np.ndarray]:
    """What unmask computes, by the name of the output."""
    done = subprocess.run(
        [PROBE, model, *map(str, pictures.shape)],
        input=np.ascontiguousarray(pictures, np.float32).tobytes(),
        capture_output=True,
        timeout=300,
    )
    if done.returncode != 0:
        raise Refused(done.stderr.decode())
    header, values = done.stdout.split(b"\n", 1)
    outputs, start = {}, 0
    for output in json.loads(header):
        size = 4 * int(np.prod(output["shape"]))
        outputs[output["name"]] = np.frombuffer(values[start : start + size], "<f4").reshape(output["shape"])
        start += size
    assert start == len(values)
    return outputs


def portrait(side: int) -> np.ndarray:
    """Crops of a real face, RGB in 0..1: [3, side, side, 3]."""
    crops = []
    for x, y, size in ((160, 55, 130), (175, 79, 98), (120, 20, 220)):
        raw = subprocess.run(
            ["ffmpeg", "-v", "error", "-nostdin", "-i", str(PORTRAIT), "-vf"]
            + [f"crop={size}:{size}:{x}:{y},scale={side}:{side}", "-pix_fmt", "rgb24", "-f", "rawvideo", "-"],
            check=True,
            capture_output=True,
            timeout=60,
        ).stdout
        crops.append(np.frombuffer(raw, np.uint8).reshape(side, side, 3))
    return np.stack(crops).astype(np.float32) / 255
