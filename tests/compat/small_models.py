# SPDX-License-Identifier: Apache-2.0
"""Small networks for the engine `faithful`, whose scores a test can compute."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


@dataclass
class Projection:
    """sigmoid(weights . crop): every value of every pixel counts."""

    path: Path
    weights: np.ndarray

    def score(self, crop: np.ndarray) -> float:
        """Of a crop [height][width][3] as the network takes it."""
        assert crop.shape == self.weights.shape
        return float(1 / (1 + np.exp(-np.sum(self.weights * crop.astype(np.float64)))))


def projection(path: Path, height: int, width: int, value_range: float = 1, batch="N") -> Projection:
    """An ONNX file; `value_range` is the largest value in a crop."""
    random = np.random.default_rng(7)
    weights = random.normal(0, 4 / (value_range * np.sqrt(height * width * 3)), (height, width, 3))
    weights = weights.astype(np.float32)
    column = numpy_helper.from_array(weights.reshape(-1, 1), "weights")
    nodes = [
        helper.make_node("Flatten", ["crop"], ["row"]),
        helper.make_node("MatMul", ["row", "weights"], ["logit"]),
        helper.make_node("Sigmoid", ["logit"], ["score"]),
    ]
    graph = helper.make_graph(
        nodes,
        "projection",
        [helper.make_tensor_value_info("crop", TensorProto.FLOAT, [batch, height, width, 3])],
        [helper.make_tensor_value_info("score", TensorProto.FLOAT, [batch, 1])],
        [column],
    )
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), path)
    return Projection(path, weights)
