# SPDX-License-Identifier: Apache-2.0
import pytest
import torch
from torch.nn.functional import conv2d, relu6
from unmask_training import fast_layers, net

# channels in, channels out, groups, side, kernel, stride, ReLU6
LAYERS = [
    (32, 32, 32, 17, 3, 1, True),
    (48, 48, 48, 16, 3, 2, False),
    (48, 48, 48, 15, 5, 2, True),
    (16, 16, 16, 5, 5, 1, True),
    (3, 32, 1, 16, 3, 2, True),
    (32, 24, 1, 9, 1, 1, False),
    (24, 96, 1, 9, 1, 1, True),
]


def layer(inputs, outputs, groups, side, kernel):
    torch.manual_seed(3)
    x = (3 * torch.randn(3, inputs, side, side)).to(memory_format=torch.channels_last).requires_grad_()
    weight = torch.randn(outputs, inputs // groups, kernel, kernel, requires_grad=True)
    return x, weight, torch.randn(outputs, requires_grad=True)


def gradients(y, parts):
    torch.manual_seed(4)
    return torch.autograd.grad(y, parts, torch.randn(y.shape).to(y.dtype))


@pytest.mark.skipif(fast_layers.library() is None, reason="no C compiler: the kernels are not used here")
@pytest.mark.parametrize("shape", LAYERS)
def test_output_and_gradients_are_those_of_pytorch(shape):
    inputs, outputs, groups, side, kernel, stride, act = shape
    parts = layer(inputs, outputs, groups, side, kernel)
    assert fast_layers.suits(parts[0], parts[1], stride, groups)
    expected = conv2d(*parts, stride, kernel // 2, groups=groups)
    expected = relu6(expected) if act else expected
    found = fast_layers.convolution(*parts, stride, groups, act)
    torch.testing.assert_close(found, expected)
    for a, b in zip(gradients(found, parts), gradients(expected, parts), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-4)


@pytest.mark.skipif(fast_layers.library() is None, reason="no C compiler: the kernels are not used here")
@pytest.mark.parametrize("shape", LAYERS)
def test_bfloat16_is_close_and_gives_gradients_in_full_precision(shape):
    inputs, outputs, groups, side, kernel, stride, act = shape
    parts = layer(inputs, outputs, groups, side, kernel)
    expected = conv2d(*parts, stride, kernel // 2, groups=groups)
    expected = relu6(expected) if act else expected
    with torch.autocast("cpu", torch.bfloat16):
        found = fast_layers.convolution(*parts, stride, groups, act)
    assert found.dtype == torch.bfloat16
    for a, b in zip(gradients(found, parts), gradients(expected, parts), strict=True):
        assert a.dtype == torch.float32
        # A value near 0 or 6 may fall on the other side of ReLU6's edge, so the mean decides.
        assert (a - b).abs().mean() < 0.08 * b.abs().mean()


def test_other_layers_are_left_to_pytorch():
    x, weight, bias = layer(20, 20, 20, 9, 3)  # 20 channels are no multiple of the lanes
    assert not fast_layers.suits(x, weight, 1, 20)
    torch.testing.assert_close(
        fast_layers.convolution(x, weight, bias, 1, 20, True), relu6(conv2d(x, weight, bias, 1, 1, groups=20))
    )


def test_a_network_with_frozen_norms_has_the_gradients_of_its_plain_layers(monkeypatch):
    torch.manual_seed(5)
    model = net.lite0(0.0)
    net.freeze_norms(model)
    x = torch.randn(2, 3, 64, 64).to(memory_format=torch.channels_last)
    model.to(memory_format=torch.channels_last)

    def found():
        model.zero_grad()
        logit, mask = model(x)
        (logit.sum() + mask.mean()).backward()
        return {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}

    fast = found()
    monkeypatch.setattr(fast_layers, "library", lambda: None)
    plain = found()
    assert fast.keys() == plain.keys()
    for name in plain:
        torch.testing.assert_close(fast[name], plain[name], rtol=1e-3, atol=1e-4)
