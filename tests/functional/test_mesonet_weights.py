# SPDX-License-Identifier: Apache-2.0
"""MesoNet's published weights give the scores that Keras gives."""

import h5py
import numpy as np
import pytest
from keras_models import Refused, outputs_of, portrait
from making import ROOT

MESONET = ROOT.parent / "shared" / "third_party_models" / "mesonet"


def meso4(layers, x):
    for filters, size, pool in ((8, 3, 2), (8, 5, 2), (16, 5, 2), (16, 5, 4)):
        x = layers.Conv2D(filters, size, padding="same", activation="relu")(x)
        x = layers.BatchNormalization()(x)
        x = layers.MaxPooling2D(pool, padding="same")(x)
    return x


def inception(layers, x, a, b, c, d):
    def conv(x, filters, size, dilation=1):
        return layers.Conv2D(filters, size, padding="same", activation="relu", dilation_rate=dilation)(x)

    branches = [conv(x, a, 1), conv(conv(x, b, 1), b, 3)]
    branches += [conv(conv(x, c, 1), c, 3, 2), conv(conv(x, d, 1), d, 3, 3)]
    x = layers.Concatenate()(branches)
    return layers.MaxPooling2D(2, padding="same")(layers.BatchNormalization()(x))


def mesoinception4(layers, x):
    x = inception(layers, inception(layers, x, 1, 4, 4, 2), 2, 4, 4, 2)
    for pool in (2, 4):
        x = layers.Conv2D(16, 5, padding="same", activation="relu")(x)
        x = layers.MaxPooling2D(pool, padding="same")(layers.BatchNormalization()(x))
    return x


def model_of(body):
    """The network of the paper's authors, with Keras' own numbering of layers."""
    import keras

    layers = keras.layers
    image = keras.Input((256, 256, 3))
    x = layers.Dropout(0.5)(layers.Flatten()(body(layers, image)))
    x = layers.Dropout(0.5)(layers.LeakyReLU(negative_slope=0.1)(layers.Dense(16)(x)))
    return keras.Model(image, layers.Dense(1, activation="sigmoid")(x))


@pytest.mark.parametrize("name, body", [("Meso4", meso4), ("MesoInception", mesoinception4)])
@pytest.mark.parametrize("training", ["DF", "F2F"])
def test_published_weights_score_as_in_keras(name, body, training):
    file = MESONET / f"{name}_{training}.h5"
    if not file.exists():
        pytest.skip(f"MesoNet's weights are not there ({file})")
    model = model_of(body)
    model.load_weights(file)
    crops = portrait(256)
    noise = np.random.default_rng(1).normal(0, 0.2, crops.shape)
    blocks = np.repeat(np.repeat(crops[:, ::8, ::8], 8, 1), 8, 2)
    crops = np.concatenate(
        [
            crops,
            crops[..., ::-1],
            np.clip(crops + noise, 0, 1),
            1 - crops,
            np.roll(crops, 40, 2) / 2 + 0.25,
            blocks,
        ]
    )
    expected = model.predict(crops, verbose=0)
    assert np.ptp(expected) > 0.1  # not all at the sigmoid's end
    (found,) = outputs_of(file, crops).values()
    assert np.abs(found - expected).max() <= 1e-4


def write_weights(path, model):
    """As Keras 2.1 writes them: layers with numbers of their own, weights alone."""
    with h5py.File(path, "w") as file:
        names = [f"{layer.name}_17" for layer in model.layers]
        file.attrs["layer_names"] = [name.encode() for name in names]
        file.attrs["keras_version"] = b"2.1.5"
        for name, layer in zip(names, model.layers, strict=True):
            group = file.create_group(name)
            weights = [f"{name}/w{i}:0".encode() for i in range(len(layer.get_weights()))]
            group.attrs["weight_names"] = weights or np.zeros(0)
            for weight, values in zip(weights, layer.get_weights(), strict=True):
                group.create_dataset(weight.decode(), data=values, compression="gzip", shuffle=True)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """Meso4 with random weights: the model and its file."""
    model = model_of(meso4)
    random = np.random.default_rng(5)
    model.set_weights(
        [random.uniform(0.05, 0.6, w.shape) * (1 if w.ndim == 1 else 0.3) for w in model.get_weights()]
    )
    path = tmp_path_factory.mktemp("weights") / "anything.bin"
    write_weights(path, model)
    return model, path


def test_a_file_is_known_by_its_content_and_order_of_layers(small):
    model, path = small
    crops = portrait(256)
    (found,) = outputs_of(path, crops).values()
    assert np.abs(found - model.predict(crops, verbose=0)).max() <= 1e-4


def broken(small, tmp_path, change):
    path = tmp_path / "broken.h5"
    path.write_bytes(small[1].read_bytes())
    with h5py.File(path, "r+") as file:
        change(file)
    with pytest.raises(Refused) as refusal:
        outputs_of(path, np.zeros((1, 256, 256, 3)))
    return refusal.value.message


def as_text(name):
    return name if isinstance(name, str) else name.decode()


def first(file, weight="w0"):
    layer = next(name for name in map(as_text, file.attrs["layer_names"]) if name.startswith("conv"))
    return file[layer][layer], f"{weight}:0"


def test_wrong_shapes_name_the_layer_and_both_shapes(small, tmp_path):
    def change(file):
        group, name = first(file)
        del group[name]
        group.create_dataset(name, data=np.zeros((3, 3, 4, 8), "f4"))

    message = broken(small, tmp_path, change)
    assert "conv2d_1" in message and "[3, 3, 4, 8]" in message and "[3, 3, 3, 8]" in message


def test_weights_that_are_not_finite_are_refused(small, tmp_path):
    def change(file):
        group, name = first(file)
        group[name][0, 0, 0, 0] = np.nan

    message = broken(small, tmp_path, change)
    assert "not finite" in message and "conv2d_1" in message


def test_a_missing_layer_is_told(small, tmp_path):
    def change(file):
        file.attrs["layer_names"] = file.attrs["layer_names"][:-1]

    message = broken(small, tmp_path, change)
    assert "not of a known one" in message and "--arch" in message


def test_links_out_of_the_file_are_refused(small, tmp_path):
    def change(file):
        group, name = first(file)
        del group[name]
        group[name] = h5py.ExternalLink(str(small[1]), "/")

    assert "link to elsewhere" in broken(small, tmp_path, change)


def test_data_in_another_file_is_refused(small, tmp_path):
    def change(file):
        group, name = first(file)
        shape = group[name].shape
        del group[name]
        group.create_dataset(name, shape, "f4", external=[("/etc/passwd", 0, 4 * 216)])

    assert "another file" in broken(small, tmp_path, change)


def test_virtual_data_is_refused(small, tmp_path):
    def change(file):
        group, name = first(file)
        layout = h5py.VirtualLayout(group[name].shape, "f4")
        layout[...] = h5py.VirtualSource(str(small[1]), group[name].name, group[name].shape)
        del group[name]
        group.create_virtual_dataset(name, layout)

    assert "other data sets" in broken(small, tmp_path, change)


def test_absurd_shapes_are_refused_before_memory_is_taken(small, tmp_path):
    for shape in ((1 << 40, 1 << 20), (1 << 28,), (1 << 20, 1 << 8)):

        def change(file, shape=shape):
            group, name = first(file)
            del group[name]
            group.create_dataset(name, shape, "f4", chunks=(1,) * len(shape))

        message = broken(small, tmp_path, change)
        assert "in the file" in message or "at most" in message


def test_other_filters_are_refused(small, tmp_path):
    def change(file):
        group, name = first(file)
        values = group[name][()]
        del group[name]
        group.create_dataset(name, data=values, compression="lzf")

    assert "gzip" in broken(small, tmp_path, change)


def test_a_truncated_file_is_refused(small, tmp_path):
    path = tmp_path / "cut.h5"
    data = small[1].read_bytes()
    for size in (9, 100, 2048, len(data) // 2, len(data) - 1):
        path.write_bytes(data[:size])
        with pytest.raises(Refused):
            outputs_of(path, np.zeros((1, 256, 256, 3)))
