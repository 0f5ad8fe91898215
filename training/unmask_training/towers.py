# SPDX-License-Identifier: Apache-2.0
"""Two networks as one: the first knows DFDC's manipulations, the second the families of pseudo-manipulation.

Trained together in one logit they disturb each other (EXPERIMENTS.md, version 2). Here each gives log odds of
its own, and a face is as suspicious as the more suspicious of the two finds it.
"""

import numpy as np
import torch
from torch import nn

from . import calibrate, net

SHARPNESS = 4.0  # of the choice between the masks, per unit of log odds


class Towers(nn.Module):
    """Maps normalised RGB [N,3,H,W] to the logit [N,1] and the logits of the mask [N,1,H/8,W/8].

    `mix` [2,3]: log odds of each tower are mix[i,0] * first logit + mix[i,1] * second logit + mix[i,2].
    """

    def __init__(self, dropout: float = 0.2):
        super().__init__()
        self.first, self.second = net.lite0(dropout), net.lite0(dropout)
        self.register_buffer("mix", torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]))

    def forward(self, x):
        (a, first), (b, second) = self.first(x), self.second(x)
        odds = torch.cat([a, b], dim=1) @ self.mix[:, :2].T + self.mix[:, 2]
        share = (SHARPNESS * (odds[:, :1] - odds[:, 1:])).sigmoid()[:, :, None, None]
        return odds.amax(dim=1, keepdim=True), share * first + (1 - share) * second


def odds_of(mix: np.ndarray, logits: np.ndarray) -> np.ndarray:
    """What Towers gives for both towers' logits [N,2]."""
    return (logits @ mix[:, :2].T + mix[:, 2]).max(axis=1)


def fit(dfdc: tuple[np.ndarray, np.ndarray], families: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """The mix, from labels [N] and both towers' logits [N,2] of validation faces, DFDC's and the families'.

    Platt's calibration of each tower where it is at home. A real face meets both, so the families' odds stand
    for a prior of as many fakes as DFDC's.
    """
    mix = np.zeros((2, 3))
    for tower, (labels, logits) in enumerate((dfdc, families)):
        mix[tower, tower], mix[tower, 2] = calibrate.fit_platt(labels, logits[:, tower])
    return mix
