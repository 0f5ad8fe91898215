# SPDX-License-Identifier: Apache-2.0
import json

import numpy as np
import pytest
import torch
from unmask_training import data, export, net
from unmask_training.infer import OpenVinoModel


@pytest.fixture(scope="module")
def trained():
    torch.manual_seed(1)
    model = net.PlainNet().train()
    with torch.no_grad():
        for _ in range(3):
            model(torch.randn(8, 3, 160, 160))
    return model.eval()


@pytest.fixture(scope="module")
def with_mask(trained):
    torch.manual_seed(1)
    model = net.FaceNet()
    model.load_state_dict(trained.state_dict(), strict=False)
    return model.eval()


@pytest.mark.parametrize("file", ["face.xml", "face.onnx"])
def test_a_network_with_a_mask_has_two_outputs(with_mask, tmp_path, file):
    export.write_onnx(with_mask, tmp_path / "face.onnx", 192)
    export.write_ir(tmp_path / "face.onnx", tmp_path / "face.xml")
    x = torch.randn(3, 3, 192, 192)
    with torch.inference_mode():
        logit, mask = with_mask(x)
    network = OpenVinoModel(tmp_path / file, 192)
    found = network.compiled({"image": x.numpy()})
    assert network.has_mask
    np.testing.assert_allclose(found["logit"], logit.numpy(), atol=0.02)
    np.testing.assert_allclose(found["mask"], mask.sigmoid().numpy(), atol=0.01)


def test_a_mirrored_network_gives_a_face_and_its_mirror_image_the_same(with_mask, tmp_path):
    torch.save({"model": with_mask.state_dict()}, tmp_path / "final.pt")
    model = export.load(tmp_path / "final.pt", "mask", mirrored=True)
    export.write_onnx(model, tmp_path / "face.onnx", 128)
    export.write_ir(tmp_path / "face.onnx", tmp_path / "face.xml")
    x = np.random.default_rng(1).standard_normal((2, 3, 128, 128), np.float32)
    network = OpenVinoModel(tmp_path / "face.xml", 128)
    one, other = network.compiled({"image": x}), network.compiled({"image": x[..., ::-1].copy()})
    logit, mask = one["logit"], one["mask"]
    np.testing.assert_allclose(other["logit"], logit, atol=1e-4)
    np.testing.assert_allclose(other["mask"][..., ::-1], mask, atol=1e-4)
    assert (tmp_path / "face.bin").stat().st_size < 5e6


def test_a_checkpoint_on_the_way_gives_its_averaged_weights(with_mask, tmp_path):
    average = {k: torch.ones_like(v) for k, v in with_mask.state_dict().items()}
    torch.save({"model": with_mask.state_dict(), "average": average}, tmp_path / "last.pt")
    assert (export.load(tmp_path / "last.pt", "mask").head.weight == 1).all()


@pytest.fixture(scope="module")
def folder(trained, tmp_path_factory):
    out = tmp_path_factory.mktemp("model")
    export.write_onnx(trained, out / "face.onnx")
    export.write_ir(out / "face.onnx", out / "face.xml")
    return out


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("file", ["face.xml", "face.onnx"])
def test_exported_networks_agree_with_pytorch(trained, folder, file, count):
    x = torch.randn(count, 3, data.SIZE, data.SIZE)
    with torch.inference_mode():
        expected = trained(x).numpy()
    found = OpenVinoModel(folder / file)(x.numpy())
    assert found.shape == (count, 1)
    np.testing.assert_allclose(found, expected, atol=0.02)


def test_large_weights_are_halved_and_small_ones_are_exact(folder):
    import openvino as ov

    model = ov.Core().read_model(folder / "face.xml")
    sizes = {"f16": [], "f32": []}
    for op in model.get_ordered_ops():
        kind = op.get_output_element_type(0).get_type_name() if op.get_type_name() == "Constant" else ""
        if kind in sizes:
            sizes[kind].append(int(np.prod(op.get_output_shape(0))))
    assert min(sizes["f16"]) >= export.FP16_FROM > max(sizes["f32"])
    assert (folder / "face.bin").stat().st_size < 5e6


def test_exported_files_are_small_and_name_no_path(folder):
    assert (folder / "face.onnx").stat().st_size < 10e6
    for name in ("face.onnx", "face.xml"):
        assert str(export.__file__).encode() not in (folder / name).read_bytes()
        assert str(folder).encode() not in (folder / name).read_bytes()


def test_the_synthetic_picture_follows_its_formula():
    picture = export.synthetic(224, 160)
    assert picture.shape == (160, 224, 3)
    x, y = 200, 100
    assert picture[y, x].tolist() == [(x * 7 + y * 3) % 256, (x * 5 + y * 11) % 256, (x * 13 + y * 2) % 256]


def test_golden_logits_are_written_for_each_case(trained):
    golden = export.golden(trained, export.golden_cases(export.ASTRONAUT.with_name("absent.png")))
    assert [c["rect"] for c in golden["cases"]] == [[0, 0, 160, 160], [0, 0, 224, 224]]
    assert json.loads(json.dumps(golden)) == golden
