# SPDX-License-Identifier: Apache-2.0
"""Logits of many faces, by PyTorch or by OpenVINO, always over the same preprocessing."""

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from .data import SIZE, Face, to_input

BATCH = 32


def inputs(faces: Iterable[Face], degrade: Callable | None = None, size: int = SIZE) -> Iterable[np.ndarray]:
    """Network inputs in batches. `degrade(image, seed)` gets the face's square before it is resized."""
    block = []
    for seed, face in enumerate(faces):
        image = face.pixels()
        block.append(to_input(degrade(image, seed) if degrade else image, size))
        if len(block) == BATCH:
            yield np.stack(block)
            block = []
    if block:
        yield np.stack(block)


def torch_outputs(
    model, faces: Iterable[Face], device="cpu", degrade: Callable | None = None, size: int = SIZE
) -> tuple[np.ndarray, np.ndarray | None]:
    """Logits [N], and the masks [N,h,w] in 0..1 of a network that has them."""
    import torch

    model.eval()
    logits, masks = [], []
    with torch.inference_mode():
        for x in inputs(faces, degrade, size):
            outputs = model(torch.from_numpy(x).to(device, memory_format=torch.channels_last))
            logits.append((outputs[0] if isinstance(outputs, tuple) else outputs)[:, 0].float().cpu().numpy())
            if isinstance(outputs, tuple):
                masks.append(outputs[1][:, 0].sigmoid().float().cpu().numpy())
    return np.concatenate(logits), np.concatenate(masks) if masks else None


def torch_logits(
    model, faces: Iterable[Face], device="cpu", degrade: Callable | None = None, size: int = SIZE
) -> np.ndarray:
    return torch_outputs(model, faces, device, degrade, size)[0]


class OpenVinoModel:
    """An exported model. Precision is set to f32: the default may be bfloat16, which moves logits."""

    def __init__(self, xml: Path, size: int = SIZE):
        import openvino as ov

        core = ov.Core()
        model = core.read_model(str(xml))
        self.size = size
        self.has_mask = any("mask" in output.get_names() for output in model.outputs)
        self.compiled = core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})

    def __call__(self, x: np.ndarray) -> np.ndarray:
        return self.compiled({"image": x})["logit"]

    def outputs(self, faces: Iterable[Face], degrade: Callable | None = None):
        """Logits [N], and the masks [N,h,w] of a network that has them."""
        logits, masks = [], []
        for x in inputs(faces, degrade, self.size):
            found = self.compiled({"image": x})
            logits.append(found["logit"][:, 0])
            if self.has_mask:
                masks.append(found["mask"][:, 0])
        return np.concatenate(logits), np.concatenate(masks) if masks else None

    def logits(self, faces: Iterable[Face], degrade: Callable | None = None) -> np.ndarray:
        return self.outputs(faces, degrade)[0]
