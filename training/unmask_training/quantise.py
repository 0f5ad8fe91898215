# SPDX-License-Identifier: Apache-2.0
"""A network's body in int8: half of the time, or less.

Post-training quantisation by NNCF (Jacob et al., Quantization and training of neural networks for efficient
integer-arithmetic-only inference, 2018).
"""

from pathlib import Path

import numpy as np

from . import augment, data
from .batches import ranges

FACES = 400  # training faces whose activations set the ranges
DEGRADED = 0.5  # of them: share as training degrades them
FIRST_BLOCK = 2  # the stem and the first block stay as they are: in int8 they cost 0.002 of AUC


def examples(faces: list[data.Face], config: dict, size: int) -> list[np.ndarray]:
    """Network inputs [1,3,size,size] of training faces, plain and degraded."""
    rng, drawn = np.random.default_rng(config["seed"]), ranges(config.get("augment", {}))
    found = []
    for i in rng.choice(len(faces), min(FACES, len(faces)), replace=False):
        image = faces[i].pixels()
        if rng.random() < DEGRADED:
            d = augment.draw(rng, drawn)
            image, _ = augment.degrade(augment.cut(image, d), d, size)
        found.append(data.to_input(image, size)[None])
    return found


def before(op) -> set[str]:
    """The names of an operation's inputs, and of theirs, up to the network's own input."""
    seen, todo = set(), [op]
    while todo:
        for value in todo.pop().input_values():
            source = value.get_node()
            if source.get_friendly_name() not in seen:
                seen.add(source.get_friendly_name())
                todo.append(source)
    return seen


def body(model) -> set[str]:
    """The names of the operations to quantise: the inverted residual blocks from the second on.

    Not what makes a logit of their features, where steps of 1/255 of the range cost AUC 0.03, nor the masks'
    heads, which are small. Layers are known by the names of their weights in the ONNX file.
    """
    convolution = {}
    for op in model.get_ordered_ops():
        if op.get_type_name() in ("Convolution", "GroupConvolution"):
            weights = op.input_value(1).get_node()
            while weights.get_type_name() != "Constant":
                weights = weights.input_value(0).get_node()
            convolution[weights.get_friendly_name().partition("blocks.")[0::2]] = op
    own = {name: op for (owner, name), op in convolution.items() if owner == "model." and name}
    first = own[min((n for n in own if n.startswith(f"{FIRST_BLOCK}.")), key=lambda n: len(before(own[n])))]
    last = own[max(own, key=lambda n: int(n.partition(".")[0]))]
    ends = [last]
    if ("model.outline.laterals.0.weight", "") in convolution:
        ends.append(convolution["model.outline.laterals.0.weight", ""])
    inside = set.union(*(before(end) for end in ends))
    return inside - before(first)


def write(onnx_file: Path, inputs: list[np.ndarray], xml: Path) -> None:
    """OpenVINO IR with the body in int8, the rest as export.write_ir() has it.

    Weights have 7 bits (`overflow_fix`): with 8, processors without VNNI saturate sums of products, and
    logits there differed by up to 0.46; with 7 by 0.02 at most.
    """
    import nncf
    import openvino as ov

    model = ov.convert_model(str(onnx_file))
    quantised = body(model)
    others = [
        op.get_friendly_name()
        for op in model.get_ordered_ops()
        if op.get_type_name() not in ("Constant", "Convert", "Parameter", "Result")
        and op.get_friendly_name() not in quantised
    ]
    made = nncf.quantize(
        model,
        nncf.Dataset(inputs, lambda x: {"image": x}),
        preset=nncf.QuantizationPreset.MIXED,
        subset_size=len(inputs),
        ignored_scope=nncf.IgnoredScope(names=others, validate=False),
        advanced_parameters=nncf.AdvancedQuantizationParameters(overflow_fix=nncf.OverflowFix.ENABLE),
    )
    for key in ("conversion_parameters", "nncf"):
        if made.has_rt_info([key]):
            del made.rt_info[key]
    ov.save_model(made, str(xml), compress_to_fp16=True)
