# SPDX-License-Identifier: Apache-2.0
"""The networks by their name in a configuration."""

from .net import FaceNet, KindsNet, PlainNet, lite0, lite2
from .outline import OutlinedNet
from .towers import Towers

BY_NAME = {
    "plain": PlainNet,
    "mask": FaceNet,
    "lite0": lite0,
    "lite2": lite2,
    "kinds": KindsNet,
    "outlined": OutlinedNet,
    "towers": Towers,
}
# Which of EfficientNet-Lite's ImageNet weights a network begins with.
LITE = {"lite0": 0, "lite2": 2, "kinds": 2}
