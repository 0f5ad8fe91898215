# SPDX-License-Identifier: Apache-2.0
"""A finer mask for a network that is trained already: only what is new learns, its logit stays as it is."""

import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits, interpolate

from .net import EFFICIENTNET_LITE2, Backbone, KindsNet, freeze_norms

BLOCKS = 4  # of the first stride of 32, which the tower has for itself
WIDTH = 64
CROSS_ENTROPY = 0.3  # its weight beside the overlap's
CHANGED = 0.5  # of a mask's range: from here on a place counts as changed


class Refine(nn.Module):
    """A residual 5x5 depthwise convolution and two pointwise ones."""

    def __init__(self, width: int = WIDTH):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(width, width, 5, padding=2, groups=width),
            nn.ReLU6(),
            nn.Conv2d(width, 2 * width, 1),
            nn.ReLU6(),
            nn.Conv2d(2 * width, width, 1),
        )

    def forward(self, x):
        return x + self.layers(x)


class Outline(nn.Module):
    """From a trunk's outputs at strides 8 and 16 to the logits of the mask [N,1,H/8,W/8].

    It goes down by blocks of its own, copies of the trunk's at first, and comes back up, as in a feature
    pyramid (Lin et al., Feature pyramid networks for object detection, 2017).
    """

    def __init__(self, blocks: nn.Sequential, coarse: int, middle: int, fine: int):
        super().__init__()
        self.blocks = blocks
        self.laterals = nn.ModuleList(nn.Conv2d(channels, WIDTH, 1) for channels in (coarse, middle, fine))
        self.refine = nn.ModuleList(Refine() for _ in self.laterals)
        self.mask = nn.Conv2d(WIDTH, 1, 1)
        nn.init.constant_(self.mask.bias, -2.0)

    def forward(self, fine, middle):
        x = self.refine[0](self.laterals[0](self.blocks(middle)))
        for lateral, refine, finer in zip(self.laterals[1:], self.refine[1:], (middle, fine), strict=True):
            wider = interpolate(x, size=finer.shape[2:], mode="bilinear", align_corners=False)
            x = refine(wider + lateral(finer))
        return self.mask(x)


class OutlinedNet(KindsNet):
    """A KindsNet whose mask is an Outline's. Its own, coarser one still is evidence for the logit."""

    def __init__(self, dropout: float = 0.2, backbone: Backbone = EFFICIENTNET_LITE2):
        super().__init__(dropout, backbone)
        (_, fine), (at, middle), _ = backbone.taps
        fresh = KindsNet(0.0, backbone).blocks[at + 1 : at + 1 + BLOCKS]
        coarse = fresh[-1].layers[-1][0].out_channels
        self.outline = Outline(fresh, coarse, middle, fine)

    def begin_from(self, weights: dict) -> None:
        """Takes over a KindsNet's weights, or an OutlinedNet's without its outline, which begins anew."""
        weights = {key: value for key, value in weights.items() if not key.startswith("outline.")}
        missing, unexpected = self.load_state_dict(weights, strict=False)
        wrong = [key for key in missing if not key.startswith("outline.")]
        if wrong or unexpected:
            raise ValueError(f"the weights do not fit: missing {wrong[:3]}, unexpected {unexpected[:3]}")
        first = sorted(self.taps)[1] + 1
        self.outline.blocks.load_state_dict(self.blocks[first : first + BLOCKS].state_dict())
        freeze_norms(self)

    def forward(self, x):
        seen = self.tapped(x)
        logit, _, scores = self.judge(seen)
        return logit, self.outline(*seen[:2]), scores


def overlap_loss(logits, targets) -> torch.Tensor:
    """1 - soft IoU with the changed places of faces that have some, and a share of cross-entropy for all.

    Cross-entropy alone hedges: where it is unsure it gives half values, whose overlap is poor (Rahman, Wang,
    Optimizing intersection-over-union in deep neural networks for image segmentation, 2016). `logits` and
    `targets` [N,1,h,w].
    """
    guessed, changed = logits.sigmoid(), (targets > CHANGED).float()
    both = (guessed * changed).sum(dim=(1, 2, 3))
    either = (guessed + changed).sum(dim=(1, 2, 3)) - both
    some = (changed.amax(dim=(1, 2, 3)) > 0).float()
    apart = (some * (1 - (both + 1) / (either + 1))).sum() / some.sum().clamp(min=1)
    return apart + CROSS_ENTROPY * binary_cross_entropy_with_logits(logits, targets)
