# SPDX-License-Identifier: Apache-2.0
"""Logits of many faces, by PyTorch or by OpenVINO, always over the same preprocessing."""

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from .data import Face, to_input

BATCH = 32


def inputs(faces: Iterable[Face], degrade: Callable | None = None) -> Iterable[np.ndarray]:
    """Network inputs in batches. `degrade(image, seed)` gets the face's square before it is resized."""
    block = []
    for seed, face in enumerate(faces):
        image = face.pixels()
        block.append(to_input(degrade(image, seed) if degrade else image))
        if len(block) == BATCH:
            yield np.stack(block)
            block = []
    if block:
        yield np.stack(block)


def torch_logits(model, faces: list[Face], device="cpu", degrade: Callable | None = None) -> np.ndarray:
    import torch

    model.eval()
    with torch.inference_mode():
        return np.concatenate(
            [
                model(torch.from_numpy(x).to(device))[:, 0].float().cpu().numpy()
                for x in inputs(faces, degrade)
            ]
        )


class OpenVinoModel:
    """An exported model. Precision is set to f32: the default may be bfloat16, which moves logits."""

    def __init__(self, xml: Path):
        import openvino as ov

        core = ov.Core()
        model = core.read_model(str(xml))
        self.compiled = core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})

    def __call__(self, x: np.ndarray) -> np.ndarray:
        return self.compiled({"image": x})["logit"]

    def logits(self, faces: list[Face], degrade: Callable | None = None) -> np.ndarray:
        return np.concatenate([self(x)[:, 0] for x in inputs(faces, degrade)])
