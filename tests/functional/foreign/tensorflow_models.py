#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the files of this folder by TensorFlow itself, which is too large for the tests to install.

    python3 -m venv tf && tf/bin/pip install tensorflow-cpu==2.21.0
    tf/bin/python tests/functional/foreign/tensorflow_models.py

A small classifier of random weights as a SavedModel and as TensorFlow Lite, and expected.json: what
TensorFlow gives for the pictures of `pictures()`.
"""

import json
import shutil
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).resolve().parent
SIDE = 32


def pictures() -> np.ndarray:
    """Two pictures by formula, values 0..1: [2, 32, 32, 3]."""
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    one = np.stack([x * 7 + y * 3, x * 5 + y * 11, x * 13 + y * 2], axis=2) % 256
    other = np.stack([x * x + y, x * y, y * y + 3 * x], axis=2) % 256
    return np.stack([one, other]).astype(np.float32) / 255


def main() -> None:
    import tensorflow as tf

    keras = tf.keras
    keras.utils.set_random_seed(11)
    layers = keras.layers
    image = keras.Input((SIDE, SIDE, 3), name="image")
    x = layers.Conv2D(8, 3, strides=2, padding="same", activation="relu")(image)
    x = layers.DepthwiseConv2D(3, padding="same")(x)
    x = layers.BatchNormalization()(x)
    x = layers.Dense(8, activation="relu")(layers.GlobalAveragePooling2D()(x))
    model = keras.Model(image, layers.Dense(1, activation="sigmoid")(x))
    random = np.random.default_rng(11)
    for weight in model.weights:
        positive = "variance" in weight.path or "gamma" in weight.path
        values = random.uniform(0.5, 1.5, weight.shape) if positive else random.normal(0, 0.5, weight.shape)
        weight.assign(values.astype(np.float32))

    shutil.rmtree(FOLDER / "saved_model", ignore_errors=True)
    model.export(FOLDER / "saved_model", verbose=False)
    (FOLDER / "classifier.tflite").write_bytes(tf.lite.TFLiteConverter.from_keras_model(model).convert())
    expected = [float(p) for p in model.predict_on_batch(pictures())[:, 0]]
    about = {"tensorflow": tf.__version__, "keras": keras.__version__, "p": expected}
    (FOLDER / "expected.json").write_text(json.dumps(about, indent=2) + "\n")


if __name__ == "__main__":
    main()
