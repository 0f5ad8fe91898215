# SPDX-License-Identifier: Apache-2.0
import os
from dataclasses import replace

os.environ.setdefault("KERAS_BACKEND", "torch")

import h5py  # noqa: E402
import keras  # noqa: E402
import numpy as np  # noqa: E402
import pytest  # noqa: E402
from keras.src.legacy.saving import legacy_h5_format  # noqa: E402
from test_recipe_data import CONFIGS  # noqa: E402
from unmask_training import recipe, recipe_networks  # noqa: E402


def small(name):
    """A recipe at 32 pixels, with the smallest network of its kind."""
    found = recipe.load(CONFIGS / f"{name}.toml")
    network = replace(found.network, backbone=found.network.backbone.replace("B7", "B0"))
    return replace(found, input=replace(found.input, size=32), network=network)


def trainable(model):
    return sum(int(np.prod(w.shape)) for w in model.trainable_weights)


@pytest.mark.parametrize("name, numbers", [("recipe-meso4", 27_977), ("recipe-mesoinception4", 28_615)])
def test_mesonets_have_the_size_of_the_papers(name, numbers):
    model, frozen = recipe_networks.build(recipe.load(CONFIGS / f"{name}.toml"))
    assert trainable(model) == numbers and not frozen
    assert model.output_shape == (None, 1) and model.input_shape == (None, 256, 256, 3)


def test_a_backbone_with_weights_is_frozen_and_keeps_them(tmp_path):
    settings = small("recipe-web-upload")
    backbone = keras.applications.MobileNet(include_top=False, weights=None, input_shape=(32, 32, 3))
    with h5py.File(tmp_path / "mobilenet_notop.h5", "w") as file:  # as Keras' own files are
        legacy_h5_format.save_weights_to_hdf5_group(file, backbone)
    model, frozen = recipe_networks.build(settings, tmp_path / "mobilenet_notop.h5")
    assert frozen and trainable(model) == 1024 * 1024 + 1024 + 1024 + 1
    kernel = model.get_layer("conv1").get_weights()[0]
    assert np.array_equal(kernel, backbone.get_layer("conv1").get_weights()[0])

    model.compile(recipe_networks.optimizer(settings), loss=settings.train.loss)
    faces = np.random.default_rng(1).random((4, 32, 32, 3), np.float32)
    before = [w.copy() for w in model.get_weights()]
    model.train_on_batch(faces, np.array([[0], [1], [0], [1]]))
    changed = [not np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True)]
    assert not any(changed[:-4]) and any(changed[-4:])  # the head's two layers


def test_a_backbone_at_random_weights_is_trained_whatever_the_recipe_says():
    settings = small("recipe-microservice")
    model, frozen = recipe_networks.build(settings)
    assert settings.network.frozen and not frozen
    assert trainable(model) > 4_000_000


def test_the_head_of_predict_api_has_the_originals_size():
    """With moving averages and the statistics of the input, as its notebook prints it."""
    model, _ = recipe_networks.build(recipe.load(CONFIGS / "recipe-predict-api.toml"))
    assert model.count_params() == 4_412_068


def test_mesonets_have_no_backbone(tmp_path):
    with pytest.raises(ValueError, match="no backbone"):
        recipe_networks.build(recipe.load(CONFIGS / "recipe-meso4.toml"), tmp_path / "some.h5")
