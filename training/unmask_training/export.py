# SPDX-License-Identifier: Apache-2.0
"""From a checkpoint to what the product loads: ONNX, OpenVINO IR, golden logits."""

import json
from pathlib import Path

import numpy as np
import torch

from . import data, net, networks, quantise
from .infer import OpenVinoModel

ASTRONAUT = Path(__file__).resolve().parents[2] / "third_party/test_media/astronaut.png"
# Squares of the 512x512 picture: the face by the crop rule, moved, two to shrink, a small one, no face.
ASTRONAUT_CASES = {
    "face": (175, 79, 98, 98),
    "face moved": (190, 92, 110, 110),
    "head and shoulders": (96, 16, 320, 320),
    "head": (140, 44, 180, 180),
    "eyes, enlarged": (196, 84, 56, 56),
    "no face": (330, 300, 160, 160),
}
SYNTHETIC_SIZES = (160, 224)
FP16_FROM = 16384  # numbers in a tensor
# What a processor or an engine may differ by: fp16 weights differ from fp32; int8's rounding adds to it.
TOLERANCE = {"fp16": 0.02, "int8": 0.05}


def synthetic(width: int, height: int) -> np.ndarray:
    """A picture by formula, BGR, so that a test needs no file."""
    y, x = np.mgrid[0:height, 0:width]
    planes = [x * 7 + y * 3, x * 5 + y * 11, x * 13 + y * 2]
    return np.stack([p % 256 for p in planes], axis=2).astype(np.uint8)


def load(checkpoint: Path, network: str = "plain", mirrored: bool = False) -> torch.nn.Module:
    """The network of a finished run, or of a checkpoint on the way (averaged weights, where it has them)."""
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)
    model = networks.BY_NAME[network]()
    model.load_state_dict(state.get("average", state["model"]))
    return (Mirrored(model) if mirrored else model).eval()


def steps_of(checkpoint: Path) -> int:
    return torch.load(checkpoint, map_location="cpu", weights_only=True)["step"]


class Mirrored(torch.nn.Module):
    """The mean over a picture and its mirror image, at twice the cost."""

    def __init__(self, model: net.FaceNet):
        super().__init__()
        self.model = model

    def forward(self, image):
        logit, mask = self.model(image)
        other, mirrored = self.model(image.flip(3))
        return (logit + other) / 2, (mask + mirrored.flip(3)) / 2


class Deployed(torch.nn.Module):
    """The network as the product sees it: its mask in 0..1."""

    def __init__(self, model: torch.nn.Module):
        super().__init__()
        self.model = model

    def forward(self, image):
        outputs = self.model(image)
        return (outputs[0], outputs[1].sigmoid()) if isinstance(outputs, tuple) else outputs


def outputs_of(model: torch.nn.Module) -> list[str]:
    plain = isinstance(model, net.PlainNet) and not isinstance(model, net.FaceNet)
    return ["logit"] if plain else ["logit", "mask"]


def write_networks(
    model: torch.nn.Module, out: Path, size: int, inputs: list[np.ndarray] | None = None
) -> None:
    """face.onnx in fp32, face.xml, and their golden logits.

    face.xml has fp16 weights, or int8 ones where `inputs` are given to set their ranges (quantise.py). Then
    it has golden logits of its own, and golden-fp32.json those of face.onnx; else golden.json is for both.
    """
    write_onnx(model, out / "face.onnx", size)
    cases = golden_cases()
    if inputs is None:
        write_ir(out / "face.onnx", out / "face.xml")
        found = {"golden.json": golden(model, cases, size)}
    else:
        quantise.write(out / "face.onnx", inputs, out / "face.xml")
        found = {"golden-fp32.json": golden(model, cases, size)}
        found["golden.json"] = golden(OpenVinoModel(out / "face.xml", size), cases, size, "int8")
    for name, content in found.items():
        (out / name).write_text(json.dumps(content, indent=2) + "\n")


def write_onnx(model: torch.nn.Module, file: Path, size: int = data.SIZE) -> None:
    """fp32, batch norm folded, dynamic batch, one file."""
    example = torch.zeros(2, 3, size, size)
    torch.onnx.export(
        Deployed(net.fold_batch_norm(model)).eval(),
        (example,),
        str(file),
        input_names=["image"],
        output_names=outputs_of(model),
        dynamic_shapes=({0: torch.export.Dim("N", min=1)},),
        external_data=False,
        dynamo=True,
        verbose=False,
    )
    forget_origin(file)


def forget_origin(file: Path) -> None:
    """Drops from an ONNX file where each node comes from: paths of the machine on which it was exported."""
    import onnx

    graph = onnx.load(str(file))
    for node in graph.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    for value in (*graph.graph.value_info, *graph.graph.input, *graph.graph.output):
        del value.metadata_props[:]
    del graph.graph.metadata_props[:]
    del graph.metadata_props[:]
    onnx.checker.check_model(graph)
    onnx.save(graph, str(file))


def write_ir(onnx_file: Path, xml: Path) -> None:
    """OpenVINO IR with fp16 weights. The tensors keep their names.

    Small tensors stay in fp32: biases and depthwise kernels hold folded batch norm of channels that hardly
    vary, whose large values cancel. Rounding them moved logits by 0.13 and saved 0.3 MB of 4.7.
    """
    import openvino as ov
    from openvino import opset13 as ops

    model = ov.convert_model(str(onnx_file))
    for op in model.get_ordered_ops():
        if op.get_type_name() != "Constant" or op.get_output_element_type(0) != ov.Type.f32:
            continue
        if op.data.size >= FP16_FROM:
            half = ops.convert(ops.constant(op.data.astype(np.float16)), "f32")
            op.output(0).replace(half.output(0))
    if model.has_rt_info(["conversion_parameters"]):
        del model.rt_info["conversion_parameters"]
    ov.save_model(model, str(xml), compress_to_fp16=False)


def golden_cases(astronaut: Path = ASTRONAUT) -> list[tuple[str, str, tuple, np.ndarray]]:
    """Name, source, rectangle and pixels of each case; those of a missing picture are left out."""
    import cv2

    cases = []
    picture = cv2.imread(str(astronaut)) if astronaut.is_file() else None
    if picture is not None:
        for name, rect in ASTRONAUT_CASES.items():
            cases.append((name, "astronaut.png", rect, data.cut(picture, rect)))
    for size in SYNTHETIC_SIZES:
        cases.append((f"synthetic {size}", "synthetic", (0, 0, size, size), synthetic(size, size)))
    return cases


def golden(
    model: torch.nn.Module | OpenVinoModel, cases, size: int = data.SIZE, precision: str = "fp16"
) -> dict:
    """The logits that every implementation of this model must reach.

    Of an int8 network they are its own; of others PyTorch's in fp32.
    """
    entries = []
    with torch.inference_mode():
        for name, source, rect, pixels in cases:
            x = data.to_input(pixels, size)[None]
            if isinstance(model, OpenVinoModel):
                logit = float(model(x)[0, 0])
            else:
                logit = net.logits_of(model(torch.from_numpy(x))).item()
            entries.append({"name": name, "source": source, "rect": list(rect), "logit": round(logit, 5)})
    return {"tolerance": TOLERANCE[precision], "cases": entries}
