# SPDX-License-Identifier: Apache-2.0
import json

import numpy as np
import openvino as ov
import pytest
import torch
from test_outline import SMALL, worn
from unmask_training import export, net, outline, quantise
from unmask_training.infer import OpenVinoModel

SIZE = 128


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(3)
    return worn(outline.OutlinedNet(0.0, SMALL))


@pytest.fixture(scope="module")
def folder(model, tmp_path_factory):
    out = tmp_path_factory.mktemp("model")
    inputs = [np.random.default_rng(i).standard_normal((1, 3, SIZE, SIZE), np.float32) for i in range(20)]
    export.write_networks(model, out, SIZE, inputs)
    return out


def convolutions(model) -> dict[str, object]:
    return {
        op.get_friendly_name(): op
        for op in model.get_ordered_ops()
        if op.get_type_name() in ("Convolution", "GroupConvolution")
    }


def blocks_of(backbone: net.Backbone) -> int:
    """Convolutions of the inverted residuals from the second on, and of the outline's."""
    return 3 * (sum(stage[2] for stage in backbone.stages[1:]) + outline.BLOCKS)


def test_the_blocks_of_trunk_and_outline_are_the_body(folder):
    read = ov.convert_model(str(folder / "face.onnx"))
    inside, all_of_them = quantise.body(read), convolutions(read)
    assert sum(name in inside for name in all_of_them) == blocks_of(SMALL)
    stem, first = list(all_of_them)[:2]
    assert stem not in inside and first not in inside


def test_only_the_body_is_in_int8(folder):
    read = ov.Core().read_model(folder / "face.xml")
    kinds = {
        op.get_friendly_name(): op.get_output_element_type(0).get_type_name()
        for op in read.get_ordered_ops()
        if op.get_type_name() == "Constant" and op.data.size > 1
    }
    assert sum(kind == "i8" for kind in kinds.values()) == blocks_of(SMALL)


def test_weights_keep_a_bit_for_processors_that_saturate(folder):
    seen = 0
    for op in ov.Core().read_model(folder / "face.xml").get_ordered_ops():
        pointwise = op.get_type_name() == "Constant" and list(op.get_output_shape(0))[2:] == [1, 1]
        if pointwise and op.get_output_element_type(0) == ov.Type.i8:
            assert np.abs(op.data.astype(int)).max() <= 64
            seen += 1
    assert seen >= 20


def test_the_logits_are_near_those_of_the_network_before(model, folder):
    x = np.random.default_rng(99).standard_normal((4, 3, SIZE, SIZE), np.float32)
    with torch.inference_mode():
        expected = model(torch.from_numpy(x))
    found = OpenVinoModel(folder / "face.xml", SIZE).compiled({"image": x})
    np.testing.assert_allclose(found["logit"], expected[0].numpy(), atol=0.1)
    np.testing.assert_allclose(found["mask"], expected[1].sigmoid().numpy(), atol=0.1)


def test_each_network_has_golden_logits_of_its_own(folder):
    served, whole = (json.loads((folder / name).read_text()) for name in ("golden.json", "golden-fp32.json"))
    assert served["tolerance"] == 0.05 and whole["tolerance"] == 0.02
    assert [c["name"] for c in served["cases"]] == [c["name"] for c in whole["cases"]]
    for name, golden in (("face.xml", served), ("face.onnx", whole)):
        network = OpenVinoModel(folder / name, SIZE)
        for (_, _, _, pixels), case in zip(export.golden_cases(), golden["cases"], strict=True):
            logit = network(export.data.to_input(pixels, SIZE)[None])[0, 0]
            assert logit == pytest.approx(case["logit"], abs=1e-3)
