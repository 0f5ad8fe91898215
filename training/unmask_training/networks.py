# SPDX-License-Identifier: Apache-2.0
"""The networks by their name in a configuration."""

from .net import FaceNet, PlainNet, lite0
from .towers import Towers

BY_NAME = {"plain": PlainNet, "mask": FaceNet, "lite0": lite0, "towers": Towers}
