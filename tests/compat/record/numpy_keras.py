# SPDX-License-Identifier: Apache-2.0
"""As much of Keras as the package `mtcnn` uses, in NumPy: layers that call each other, and predict()."""

import sys
import types

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


class Node:
    """A layer's output."""

    def __init__(self, layer=None, source=None):
        self.layer, self.source = layer, source


class Layer:
    made = []  # in the order in which Keras lists their weights
    weights = ()
    weight_count = 0

    def __init__(self, *arguments, **options):
        self.arguments, self.options = arguments, options

    def __call__(self, source):
        Layer.made.append(self)
        return Node(self, source)


class Conv2D(Layer):
    weight_count = 2

    def compute(self, data):
        kernel, bias = self.weights
        windows = sliding_window_view(data, kernel.shape[:2], axis=(1, 2))  # [n][y][x][i][h][w]
        return np.tensordot(windows, kernel, axes=([4, 5, 3], [0, 1, 2])) + bias


class PReLU(Layer):
    weight_count = 1

    def compute(self, data):
        return np.maximum(data, 0) + self.weights[0] * np.minimum(data, 0)


class MaxPooling2D(Layer):
    def compute(self, data):
        size, stride = self.options["pool_size"], self.options["strides"]
        if self.options["padding"] == "same":
            pads = [(0, 0), (0, 0), (0, 0), (0, 0)]
            for axis in (1, 2):
                count = -(-data.shape[axis] // stride[0])
                lack = max(0, (count - 1) * stride[0] + size[0] - data.shape[axis])
                pads[axis] = (lack // 2, lack - lack // 2)
            data = np.pad(data, pads, constant_values=-np.inf)
        windows = sliding_window_view(data, size, axis=(1, 2))
        return windows[:, :: stride[0], :: stride[1]].max(axis=(4, 5))


class Flatten(Layer):
    def compute(self, data):
        return data.reshape(len(data), -1)


class Dense(Layer):
    weight_count = 2

    def compute(self, data):
        return data @ self.weights[0] + self.weights[1]


class Softmax(Layer):
    def compute(self, data):
        powers = np.exp(data - data.max(axis=-1, keepdims=True))
        return powers / powers.sum(axis=-1, keepdims=True)


def Input(_shape):
    Layer.made.clear()
    return Node()


class Model:
    def __init__(self, source, outputs):
        self.layers, self.outputs = list(Layer.made), outputs

    def set_weights(self, weights):
        rest = list(weights)
        for layer in self.layers:
            layer.weights, rest = rest[: layer.weight_count], rest[layer.weight_count :]
        assert not rest

    def predict(self, data):
        known = {}

        def value(node):
            if node.layer is None:
                return data.astype(np.float32)
            if node not in known:
                known[node] = node.layer.compute(value(node.source)).astype(np.float32)
            return known[node]

        return [value(output) for output in self.outputs]


def stand_in_for_tensorflow():
    layers = types.ModuleType("tensorflow.keras.layers")
    for thing in (Input, Dense, Conv2D, MaxPooling2D, PReLU, Flatten, Softmax):
        setattr(layers, thing.__name__, thing)
    models = types.ModuleType("tensorflow.keras.models")
    models.Model = Model
    for name in ("tensorflow", "tensorflow.keras"):
        sys.modules[name] = types.ModuleType(name)
    sys.modules[layers.__name__], sys.modules[models.__name__] = layers, models
