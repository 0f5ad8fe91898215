# SPDX-License-Identifier: Apache-2.0
"""What tests of Keras models share: real Keras, and the program's answers for the same input."""

import json
import os
import subprocess
import zipfile
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


def quick_keras():
    """Keras, without the compilation of initial weights (tests replace them) and with little optimisation."""
    flags = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
    os.environ.setdefault("XLA_FLAGS", flags)
    import keras
    from keras.src.initializers import random_initializers

    for name in ("normal", "uniform", "truncated_normal"):
        setattr(random_initializers.random, name, lambda shape, *_, **__: np.zeros(shape, np.float32))
    return keras


def fill(model, seed=3):
    """Random weights under which values neither vanish nor explode from layer to layer."""
    import keras

    random = np.random.default_rng(seed)

    def values(layer, weight):
        shape = weight.shape
        if "kernel" in weight.name:
            depthwise = isinstance(layer, keras.layers.DepthwiseConv2D) or "depthwise" in weight.name
            return random.normal(0, np.sqrt(1.5 / np.prod(shape[:2] if depthwise else shape[:-1])), shape)
        if "variance" in weight.name:
            return random.uniform(0.5, 1.5, shape)
        if weight.name == "gamma":
            return random.uniform(0.7, 1.3, shape)
        return np.array(5) if weight.name == "count" else random.normal(0, 0.2, shape)

    for layer in model._flatten_layers(include_self=False):
        if isinstance(layer, keras.Model):
            continue
        for weight in layer.weights:
            weight.assign(np.asarray(values(layer, weight), weight.dtype))
        if layer.weights and hasattr(layer, "finalize_state"):
            layer.finalize_state()
    return model


def assert_same(model, file, pictures, tolerance=1e-4):
    """Every output is what Keras computes, relative to its greatest value, and tells the pictures apart."""
    expected = model.predict_on_batch(pictures)
    expected = expected if isinstance(expected, list) else [expected]
    found = list(outputs_of(file, pictures).values())
    assert [np.shape(e) for e in expected] == [f.shape for f in found]
    for one, other in zip(expected, found, strict=True):
        scale = np.abs(one).max()
        assert np.abs(one - other).max() <= tolerance * scale
    assert np.abs(expected[0][0] - expected[0][1]).max() > 1e-4 * np.abs(expected[0]).max()


def change_config(path, change):
    """Edits the config.json of a .keras file."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(parts["config.json"])
    change(config)
    parts["config.json"] = json.dumps(config)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path
