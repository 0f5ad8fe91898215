# SPDX-License-Identifier: Apache-2.0
"""What a recipe of a replaced service says. docs/recipes.md explains configs/recipe-*.toml key by key."""

from dataclasses import dataclass, field, fields
from pathlib import Path

from . import config


@dataclass(frozen=True)
class Input:
    """How a face becomes the network's input, as the service prepares it."""

    size: int  # pixels a side
    channels: str  # "rgb" or "bgr"
    scale: float  # x / scale for x in 0..255: 255 for 0..1, 1 for 0..255
    resize: str  # "bilinear", "area" or "bicubic", by OpenCV


@dataclass(frozen=True)
class Network:
    """A backbone of keras.applications, the mean of its features, dense layers, a sigmoid; or a MesoNet."""

    backbone: str  # "EfficientNetB7", ..., "MobileNet"; "Meso4", "MesoInception4" have their head already
    frozen: bool = False  # the backbone keeps the weights that it starts from; never when they are random
    dense: tuple[int, ...] = ()  # units of the layers of the head, each with ReLU
    dropout: tuple[float, ...] = ()  # after each of them
    batch_norm: bool = False  # between a dense layer and its dropout
    l2: float = 0.0  # on the kernels of the dense layers


@dataclass(frozen=True)
class Data:
    """Which faces an epoch sees. The division comes first; the rest concerns the training part alone."""

    held_out: float = 0.2  # share of the groups that early stopping and the rate look at
    most_fakes: float | None = None  # at most so many fakes for each real face, the others are left out
    oversample: bool = False  # draw the smaller class more often, until both are alike


@dataclass(frozen=True)
class Augment:
    """Changes of a training face: probabilities of flip and quarter turn, the greatest of the others."""

    flip: float = 0.0
    quarter_turn: float = 0.0  # clockwise; a face is flipped or turned, never both
    rotate: float = 0.0  # degrees
    zoom: float = 0.0  # share of the side
    brightness: float = 0.0  # share
    channel_shift: float = 0.0  # levels of 255, of each channel


@dataclass(frozen=True)
class Train:
    optimizer: str  # "adam" or "sgd"
    rate: float | list  # or [[first step, rate], ...]
    batch: int
    epochs: int  # at most
    loss: str = "binary_crossentropy"  # or "mean_squared_error"
    decay: float = 1.0  # factor of the rate after each epoch
    patience: int | None = None  # epochs without a better held-out loss until the end
    plateau: dict = field(default_factory=dict)  # patience, factor, floor: lowers the rate instead


@dataclass(frozen=True)
class Recipe:
    name: str
    seed: int
    meaning: str  # of the output: "p_fake" or "p_real"
    input: Input
    network: Network
    data: Data
    augment: Augment
    train: Train

    @property
    def real_is_one(self) -> bool:
        return self.meaning == "p_real"


TABLES = {"input": Input, "network": Network, "data": Data, "augment": Augment, "train": Train}
CHOICES = {
    "meaning": ("p_fake", "p_real"),
    "channels": ("rgb", "bgr"),
    "resize": ("bilinear", "area", "bicubic"),
    "optimizer": ("adam", "sgd"),
    "loss": ("binary_crossentropy", "mean_squared_error"),
}


def table(name: str, kind: type, given: dict):
    known = {f.name for f in fields(kind)}
    if unknown := given.keys() - known:
        raise ValueError(f"[{name}] has unknown keys {sorted(unknown)}; known are {sorted(known)}")
    try:
        return kind(**{k: tuple(v) if k in ("dense", "dropout") else v for k, v in given.items()})
    except TypeError as error:
        raise ValueError(f"[{name}]: {error}") from None


def load(file: Path) -> Recipe:
    """ValueError names what is unknown, missing or of no meaning."""
    given = config.load(file)
    parts = {name: table(name, kind, given.pop(name, {})) for name, kind in TABLES.items()}
    recipe = table(file.name, Recipe, {**given, **parts})
    for part in (recipe, *parts.values()):
        for key, allowed in CHOICES.items():
            if getattr(part, key, allowed[0]) not in allowed:
                raise ValueError(
                    f"{file.name}: {key} = {getattr(part, key)!r}; expected one of {', '.join(allowed)}"
                )
    if not 0 < recipe.data.held_out < 1:
        raise ValueError(f"{file.name}: held_out = {recipe.data.held_out}; expected a share between 0 and 1")
    if len(recipe.network.dense) != len(recipe.network.dropout):
        raise ValueError(f"{file.name}: dense and dropout need one number for each layer of the head")
    return recipe
