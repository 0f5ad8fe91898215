# SPDX-License-Identifier: Apache-2.0
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from unmask_training import net

DATA = Path(os.environ.get("UNMASK_DATA", Path(__file__).resolve().parents[3] / "shared/data"))
IMAGENET = DATA / "../third_party_models/mobilenetv2-imagenet/mobilenetv2_imagenet_dequant_fp32.onnx"


def random_weights():
    torch.manual_seed(1)
    model = net.PlainNet()
    weights = []
    for conv, _ in net.conv_bn_pairs(model):
        weights.append(
            (
                conv.weight.detach().numpy().copy(),
                np.random.default_rng(1).normal(0, 0.1, conv.out_channels).astype(np.float32),
            )
        )
    return weights


def test_shape_and_size():
    model = net.PlainNet().eval()
    assert model(torch.zeros(2, 3, 160, 160)).shape == (2, 1)
    assert 2.2e6 < sum(p.numel() for p in model.parameters()) < 2.3e6
    assert len(net.conv_bn_pairs(model)) == 52


def test_lite0_starts_from_its_imagenet_weights():
    model = net.lite0().eval()
    stem = model.blocks[0][0].weight.clone()
    net.load_lite(model, 0)
    assert not torch.equal(model.blocks[0][0].weight, stem)
    assert len(net.conv_bn_pairs(model)) == 49
    logit, mask = model(torch.zeros(2, 3, 160, 160))
    assert logit.shape == (2, 1) and mask.shape == (2, 1, 20, 20)
    # Each norm got the statistics of its own kernel: folding them leaves the function as it was.
    x = torch.randn(2, 3, 96, 96)
    with torch.inference_mode():
        assert torch.allclose(net.fold_batch_norm(model)(x)[0], model(x)[0], atol=1e-4)
        assert model.features(x).std() > 0.05


def test_batch_norm_calibration_leaves_the_function_unchanged():
    model = net.PlainNet().eval()
    net.load_folded(model, random_weights())
    x = torch.randn(16, 3, 96, 96)
    with torch.inference_mode():
        before = model.features(x)
        net.calibrate_batch_norm(model, x)
        after = model.features(x)
    torch.testing.assert_close(after, before, atol=1e-4, rtol=1e-3)


def test_calibrated_batch_norm_sees_its_own_statistics_in_training():
    model = net.PlainNet(dropout=0)
    net.load_folded(model, random_weights())
    x = torch.randn(16, 3, 96, 96)
    net.calibrate_batch_norm(model, x)
    with torch.no_grad():
        still, moving = model.eval().blocks[0](x), model.train().blocks[0](x)
    torch.testing.assert_close(still, moving, atol=2e-2, rtol=1e-2)


def test_folding_leaves_the_function_unchanged():
    torch.manual_seed(1)
    model = net.PlainNet()
    with torch.no_grad():
        model.train()
        for _ in range(3):
            model(torch.randn(8, 3, 64, 64))
        model.eval()
        x = torch.randn(4, 3, 64, 64)
        torch.testing.assert_close(net.fold_batch_norm(model)(x), model(x), atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("size", [128, 160, 192])
def test_the_mask_has_an_eighth_of_the_pictures_side(size):
    logit, mask = net.FaceNet().eval()(torch.zeros(2, 3, size, size))
    assert logit.shape == (2, 1) and mask.shape == (2, 1, size // 8, size // 8)


def test_a_new_mask_head_leaves_the_logit_alone():
    old, new = net.PlainNet().eval(), net.FaceNet().eval()
    new.load_state_dict(old.state_dict(), strict=False)
    x = torch.randn(2, 3, 96, 96)
    with torch.inference_mode():
        torch.testing.assert_close(net.logits_of(new(x)), net.logits_of(old(x)))


def test_the_mask_head_is_cheap():
    def count(model):
        return sum(p.numel() for p in model.parameters())

    assert count(net.FaceNet()) - count(net.PlainNet()) < 60_000


def test_frozen_norms_compute_the_same_and_keep_their_statistics():
    torch.manual_seed(1)
    model = net.PlainNet(dropout=0).train()
    with torch.no_grad():
        model(torch.randn(8, 3, 64, 64))
    x = torch.randn(4, 3, 64, 64)
    with torch.no_grad():
        expected = model.eval()(x)
    net.freeze_norms(model)
    before = {k: v.clone() for k, v in model.state_dict().items() if "running" in k}
    found = model.train()(x)
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-3)
    found.sum().backward()
    assert all(torch.equal(v, model.state_dict()[k]) for k, v in before.items())
    assert all(p.grad is not None for p in model.parameters())


def test_frozen_blocks_stay_as_they_are():
    torch.manual_seed(1)
    model = net.FaceNet(dropout=0)
    net.freeze_blocks(model, 4)
    before = {k: v.clone() for k, v in model.state_dict().items()}
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=0.1)
    model.train()
    logit, mask = model(torch.randn(4, 3, 64, 64))
    (logit.square().mean() + mask.square().mean()).backward()
    optimiser.step()
    changed = {
        k.split(".")[1]
        for k, v in model.state_dict().items()
        if k[:6] == "blocks" and not torch.equal(v, before[k])
    }
    assert changed == {str(i) for i in range(4, len(model.blocks))}


def test_wrong_weights_are_refused():
    with pytest.raises(ValueError, match="expected 52 convolutions, found 51"):
        net.load_folded(net.PlainNet(), random_weights()[:-1])


@pytest.mark.skipif(not IMAGENET.exists(), reason="the ImageNet weights are not there")
def test_imagenet_features_are_those_of_the_source():
    # The source pads stride 2 on the right and bottom. A net with mirrored kernels, given a mirrored picture,
    # pads there too, so that both must agree exactly.
    import onnx
    import openvino as ov

    source = onnx.load(str(IMAGENET))
    source.graph.output[0].CopyFrom(onnx.helper.make_tensor_value_info("t176", onnx.TensorProto.FLOAT, None))
    while source.graph.node[-1].op_type == "Gemm":
        source.graph.node.pop()
    x = torch.randn(1, 3, 224, 224)
    run = ov.compile_model(
        ov.Core().read_model(source.SerializeToString()), "CPU", {"INFERENCE_PRECISION_HINT": "f32"}
    )
    expected = run(x.numpy())[0]
    weights = [(k[:, :, ::-1, ::-1].copy(), b) for k, b in net.read_folded(IMAGENET)]
    model = net.PlainNet().eval()
    net.load_folded(model, weights)
    with torch.inference_mode():
        found = model.features(x.flip(2, 3)).numpy()
    np.testing.assert_allclose(found, expected, atol=1e-3)


def test_lite2_is_as_wide_and_deep_as_its_imagenet_weights():
    model = net.lite2().eval()
    net.load_lite(model, 2)  # in order; a kernel of another shape would be refused
    assert len(net.conv_bn_pairs(model)) == 64
    assert [channels for _, channels in net.EFFICIENTNET_LITE2.taps] == [48, 120, net.FEATURES]
    with torch.inference_mode():
        assert model.features(torch.randn(2, 3, 96, 96)).std() > 0.05


def test_scaling_by_one_changes_nothing():
    assert net.scaled(net.EFFICIENTNET_LITE0, 1.0, 1.0) == net.EFFICIENTNET_LITE0


def test_the_logit_of_both_kinds_is_that_of_either():
    torch.manual_seed(1)
    model = net.KindsNet(backbone=net.EFFICIENTNET_LITE0).eval()
    with torch.inference_mode():
        logit, mask, scores = model(torch.randn(3, 3, 64, 64))
    assert logit.shape == (3, 1) and mask.shape == (3, 1, 8, 8) and scores.shape == (3, 3)
    either = scores.softmax(dim=1)[:, 1:].sum(dim=1)
    torch.testing.assert_close(logit[:, 0].sigmoid(), either)


def test_blocks_are_left_out_in_training_alone_and_keep_their_mean():
    block = net.Block(8, 8, 1, 2, 3)
    net.freeze_norms(block)
    block.drop = 0.5
    x = torch.randn(1, 8, 4, 4).expand(4000, -1, -1, -1)
    torch.manual_seed(1)
    with torch.no_grad():
        change, whole = block.train()(x) - x, block.eval()(x) - x
    left_out = (change == 0).flatten(1).all(dim=1)
    assert 0.45 < left_out.float().mean() < 0.55
    torch.testing.assert_close(change[~left_out], 2 * whole[~left_out], atol=1e-5, rtol=1e-4)


def test_later_blocks_are_left_out_more_often():
    model = net.lite0()
    net.stochastic_depth(model, 0.2)
    drops = [block.drop for block in model.blocks if isinstance(block, net.Block)]
    assert drops == sorted(drops) and 0.15 < drops[-1] < 0.2
