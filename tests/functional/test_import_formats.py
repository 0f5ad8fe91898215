# SPDX-License-Identifier: Apache-2.0
"""Files of ONNX, OpenVINO, TensorFlow and TensorFlow Lite become versions that score as their tools do."""

import json
import sys

import numpy as np
import onnx
import pytest
from keras_models import outputs_of
from making import PORTRAIT, ROOT
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

FOREIGN = ROOT / "tests" / "functional" / "foreign"
sys.path.insert(0, str(FOREIGN))
from tensorflow_models import pictures  # noqa: E402

TOLD = ["--colour", "rgb", "--scale", "255", "--crop", "1.2"]


def log_odds(p):
    return np.log(p / (1 - p))


@pytest.fixture
def imported(run, tmp_path):
    """imported(file, *flags) gives the folder of the version."""

    def imported(file, *flags):
        models = tmp_path / "models"
        run("model", "import", file, "--name", "net", "--models", models, *flags, code=0)
        return models / "net" / "1"

    return imported


def logits(version, planes):
    """The version's logits for inputs [N, 3, height, width] as the network takes them."""
    return outputs_of(version / "model.xml", planes)["logit"][:, 0]


def onnx_classifier(path, height=24, width=20, classes=1, batch="N", last="Sigmoid", kind=TensorProto.FLOAT):
    """Convolution, mean, dense; the weights differ enough that every step counts."""
    random = np.random.default_rng(2)

    def constant(name, shape):
        values = random.normal(0, 1, shape).astype(helper.tensor_dtype_to_np_dtype(kind))
        return numpy_helper.from_array(values, name)

    weights = [
        constant("kernel", (4, 3, 3, 3)),
        constant("dense", (4, classes)),
        constant("bias", (classes,)),
    ]
    nodes = [
        helper.make_node("Conv", ["image", "kernel"], ["c"], strides=[2, 2]),
        helper.make_node("Relu", ["c"], ["r"]),
        helper.make_node("GlobalAveragePool", ["r"], ["g"]),
        helper.make_node("Flatten", ["g"], ["f"]),
        helper.make_node("Gemm", ["f", "dense", "bias"], ["odds" if last else "p"]),
    ]
    if last:
        nodes.append(helper.make_node(last, ["odds"], ["p"]))
    graph = helper.make_graph(
        nodes,
        "classifier",
        [helper.make_tensor_value_info("image", kind, [batch, 3, height, width])],
        [helper.make_tensor_value_info("p", kind, [batch, classes])],
        weights,
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return ReferenceEvaluator(str(path))


@pytest.mark.parametrize("batch", ["N", 1])
def test_onnx_scores_as_onnx_says(imported, tmp_path, batch):
    reference = onnx_classifier(tmp_path / "net.onnx", batch=batch)
    version = imported(tmp_path / "net.onnx", *TOLD, "--output", "p_fake")
    for planes in np.random.default_rng(1).random((3, 1, 3, 24, 20), np.float32):
        (p,) = reference.run(None, {"image": planes})
        assert logits(version, planes) == pytest.approx(log_odds(p[:, 0]), abs=1e-4)
    card = json.loads((version / "model.json").read_text())
    assert (card["input"]["width"], card["input"]["height"]) == (20, 24)


@pytest.mark.parametrize(
    "last, meaning", [("Softmax", "class:0"), ("Softmax", "class:1"), ("Sigmoid", "class:1")]
)
def test_onnx_of_two_classes(imported, tmp_path, last, meaning):
    reference = onnx_classifier(tmp_path / "net.onnx", classes=2, last=last)
    version = imported(tmp_path / "net.onnx", *TOLD, "--output", meaning)
    planes = np.random.default_rng(1).random((2, 3, 24, 20), np.float32)
    (p,) = reference.run(None, {"image": planes})
    fake = int(meaning[-1])
    assert logits(version, planes) == pytest.approx(np.log(p[:, fake] / p[:, 1 - fake]), abs=1e-4)


def test_onnx_in_half_precision_takes_and_gives_floats(imported, tmp_path):
    reference = onnx_classifier(tmp_path / "net.onnx", last=None, kind=TensorProto.FLOAT16)
    version = imported(tmp_path / "net.onnx", *TOLD, "--output", "logit")
    planes = np.random.default_rng(1).random((2, 3, 24, 20), np.float32)
    (odds,) = reference.run(None, {"image": planes.astype(np.float16)})
    assert logits(version, planes) == pytest.approx(odds[:, 0].astype(float), abs=0.02)


def test_openvino_ir_scores_as_before(imported):
    """unmask's own first network, as if somebody had brought it."""
    file = ROOT / "models" / "face" / "1" / "face.xml"
    scaled = ["--colour", "rgb", "--mean", "127.5", "--scale", "127.5", "--crop", "0.97"]
    version = imported(file, *scaled, "--output", "logit")
    planes = np.random.default_rng(1).uniform(-1, 1, (2, 3, 160, 160)).astype(np.float32)
    assert logits(version, planes) == pytest.approx(outputs_of(file, planes)["logit"][:, 0], abs=1e-4)
    assert (version / "model.bin").stat().st_size > 4_000_000


def test_openvino_ir_without_its_weights_is_refused(run, tmp_path):
    (tmp_path / "face.xml").write_bytes((ROOT / "models" / "face" / "1" / "face.xml").read_bytes())
    flags = ["--models", tmp_path / "models", *TOLD, "--output", "logit"]
    done = run("model", "import", tmp_path / "face.xml", "--name", "net", *flags, code=3)
    assert "error: " in done.stderr


@pytest.mark.parametrize("file", ["saved_model", "classifier.tflite"])
@pytest.mark.parametrize("meaning, sign", [("p_fake", 1), ("p_real", -1)])
def test_tensorflow_scores_as_tensorflow_said(imported, run, file, meaning, sign):
    version = imported(FOREIGN / file, *TOLD, "--output", meaning)
    expected = np.array(json.loads((FOREIGN / "expected.json").read_text())["p"])
    assert np.ptp(expected) > 0.02
    found = np.concatenate([logits(version, np.moveaxis(p[None], 3, 1)) for p in pictures()])
    assert found == pytest.approx(sign * log_odds(expected), abs=1e-4)


@pytest.mark.parametrize("file", ["saved_model", "classifier.tflite"])
def test_an_imported_tensorflow_model_judges(imported, run, file):
    version = imported(FOREIGN / file, *TOLD, "--output", "p_fake")
    models = version.parents[1]
    done = run("scan", "--models", models, "--model", "net", "--format", "json", PORTRAIT, code=0)
    report = json.loads(done.stdout)
    report = report[0] if isinstance(report, list) else report
    assert 0 < report["score"] < 1 and report["model"]["name"] == "net"
    assert report["reasons"] == ["not_calibrated"]
