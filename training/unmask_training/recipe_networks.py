# SPDX-License-Identifier: Apache-2.0
"""The networks of the replaced services in Keras 3, on whichever backend KERAS_BACKEND names."""

import math
from pathlib import Path

import keras
from keras import layers

from .recipe import Network, Recipe


def build(recipe: Recipe, backbone_weights: Path | None = None) -> tuple[keras.Model, bool]:
    """The network, with `backbone_weights` (a file of Keras' own, without the top) where there are any.

    The second value: whether the backbone is frozen. One that starts at random is not, whatever the recipe
    says: frozen, it would give its head noise.
    """
    settings, size = recipe.network, recipe.input.size
    if settings.backbone in MESONETS:
        if backbone_weights:
            raise ValueError(f"{settings.backbone} starts at random weights: it has no backbone to load")
        return MESONETS[settings.backbone](size), False
    backbone = getattr(keras.applications, settings.backbone)(
        include_top=False, weights=None, input_shape=(size, size, 3)
    )
    if backbone_weights:
        backbone.load_weights(backbone_weights)
    frozen = settings.frozen and backbone_weights is not None
    backbone.trainable = not frozen
    features = layers.GlobalAveragePooling2D()(backbone.output)
    return keras.Model(backbone.inputs, head(features, settings), name=recipe.name.replace("-", "_")), frozen


def head(x, settings: Network):
    regularizer = keras.regularizers.L2(settings.l2) if settings.l2 else None
    for units, dropout in zip(settings.dense, settings.dropout, strict=True):
        x = layers.Dense(units, activation="relu", kernel_regularizer=regularizer)(x)
        if settings.batch_norm:
            x = layers.BatchNormalization()(x)
        if dropout:
            x = layers.Dropout(dropout)(x)
    return layers.Dense(1, activation="sigmoid")(x)


def meso4(size: int) -> keras.Model:
    """Meso4 (Afchar et al., MesoNet, 2018)."""
    x = image = keras.Input((size, size, 3))
    for filters, kernel, pool in ((8, 3, 2), (8, 5, 2), (16, 5, 2), (16, 5, 4)):
        x = normalise_pool(layers.Conv2D(filters, kernel, padding="same", activation="relu")(x), pool)
    return keras.Model(image, meso_head(x), name="meso4")


def mesoinception4(size: int) -> keras.Model:
    """MesoInception-4: the first two convolutions are four branches, two of them dilated."""
    x = image = keras.Input((size, size, 3))
    for branches in ((1, 4, 4, 2), (2, 4, 4, 2)):
        x = normalise_pool(inception(x, *branches), 2)
    for pool in (2, 4):
        x = normalise_pool(layers.Conv2D(16, 5, padding="same", activation="relu")(x), pool)
    return keras.Model(image, meso_head(x), name="mesoinception4")


def inception(x, plain: int, near: int, wide: int, wider: int):
    def convolution(x, filters, kernel, dilation=1):
        return layers.Conv2D(filters, kernel, padding="same", activation="relu", dilation_rate=dilation)(x)

    branches = [convolution(x, plain, 1)]
    for filters, dilation in ((near, 1), (wide, 2), (wider, 3)):
        branches.append(convolution(convolution(x, filters, 1), filters, 3, dilation))
    return layers.Concatenate()(branches)


def normalise_pool(x, pool: int):
    return layers.MaxPooling2D(pool, padding="same")(layers.BatchNormalization()(x))


def meso_head(x):
    x = layers.Dense(16)(layers.Dropout(0.5)(layers.Flatten()(x)))
    x = layers.Dropout(0.5)(layers.LeakyReLU(negative_slope=0.1)(x))
    return layers.Dense(1, activation="sigmoid")(x)


MESONETS = {"Meso4": meso4, "MesoInception4": mesoinception4}


def optimizer(recipe: Recipe) -> keras.optimizers.Optimizer:
    settings = recipe.train
    rate = settings.rate
    if isinstance(rate, list):
        steps, rates = zip(*rate, strict=True)
        rate = keras.optimizers.schedules.PiecewiseConstantDecay(list(steps[1:]), list(rates))
    kinds = {"adam": keras.optimizers.Adam, "sgd": keras.optimizers.SGD}
    return kinds[settings.optimizer](learning_rate=rate)


def callbacks(recipe: Recipe) -> list[keras.callbacks.Callback]:
    """Whatever watches the held-out loss, or changes the rate from epoch to epoch."""
    settings, chosen = recipe.train, []
    if settings.decay != 1:
        rates = keras.callbacks.LearningRateScheduler(lambda epoch, _: settings.rate * settings.decay**epoch)
        chosen.append(rates)
    if settings.plateau:
        chosen.append(
            keras.callbacks.ReduceLROnPlateau(
                patience=settings.plateau["patience"],
                factor=settings.plateau["factor"],
                min_lr=settings.plateau["floor"],
            )
        )
    patience = math.inf if settings.patience is None else settings.patience
    chosen.append(keras.callbacks.EarlyStopping(patience=patience, restore_best_weights=True))
    return chosen
