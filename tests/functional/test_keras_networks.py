# SPDX-License-Identifier: Apache-2.0
"""Whole Keras models, rebuilt from their own config and weights, compute what real Keras computes."""

import json

import h5py
import numpy as np
import pytest
from keras_models import Refused, assert_same, change_config, fill, outputs_of, portrait, quick_keras

keras = quick_keras()
layers = keras.layers


def save(model, path):
    model.save(path)
    return path


# The last feature map is an output too: a head may be at the end of its softmax.
@pytest.mark.parametrize(
    "name, side",
    [
        ("EfficientNetB0", 64),
        ("EfficientNetV2B0", 64),
        ("MobileNet", 64),
        ("MobileNetV2", 64),
        ("MobileNetV3Small", 64),
        ("MobileNetV3Large", 64),
        ("Xception", 75),
        ("ResNet50", 64),
        ("ResNet50V2", 64),
        ("VGG16", 48),
        ("InceptionV3", 80),
        ("DenseNet121", 64),
    ],
)
def test_networks_of_keras_applications(name, side, tmp_path):
    top = (
        {"include_top": False, "pooling": "avg"} if name.startswith("VGG") else {}
    )  # its top has 10^8 weights
    base = getattr(keras.applications, name)(weights=None, input_shape=(side, side, 3), **top)
    features = [layer.output for layer in base.layers if len(layer.output.shape) == 4][-1]
    model = fill(keras.Model(base.input, [features, base.output]))
    suffix = "h5" if name in ("EfficientNetB0", "MobileNetV3Small", "Xception") else "keras"
    assert_same(model, save(model, tmp_path / f"model.{suffix}"), portrait(side)[:2] * 255)


def every_layer():
    """A network of the layers that keras.applications do not use."""
    image = keras.Input((24, 20, 3), name="image")
    x = layers.Resizing(26, 22)(image)
    x = layers.RandomFlip()(layers.Rescaling([0.5, 1, 2], offset=[0.1, 0, -0.1])(x))
    x = layers.Normalization(mean=[0.3, 0.4, 0.5], variance=[0.1, 0.2, 0.3])(x)
    a = layers.Conv2D(8, 3, groups=1, strides=2, padding="same", activation="elu")(x)
    a = layers.PReLU(shared_axes=[1, 2])(layers.Conv2D(8, (1, 3), groups=4, padding="same")(a))
    b = layers.MaxPooling2D(3, 2, padding="same")(
        layers.SeparableConv2D(8, 3, depth_multiplier=2, padding="same")(x)
    )
    b = layers.PReLU()(layers.LeakyReLU(negative_slope=0.2)(b))
    merged = [layers.Average()([a, b]), layers.Maximum()([a, b]), layers.Minimum()([a, b])]
    merged += [layers.Subtract()([a, b]), layers.Multiply()([a, b])]
    x = layers.Concatenate()(merged)
    x = layers.ZeroPadding2D(((1, 0), (2, 3)))(layers.Cropping2D(((1, 2), (0, 1)))(x))
    x = layers.UpSampling2D(2, interpolation="nearest")(x)
    x = layers.UpSampling2D((1, 2), interpolation="bilinear")(x)
    x = layers.AveragePooling2D(3, 2, padding="same")(
        layers.DepthwiseConv2D(3, strides=2, depth_multiplier=2)(x)
    )
    for name in ("gelu", "silu", "hard_sigmoid", "softplus", "tanh", "mish", "selu", "softsign", "hard_silu"):
        x = layers.Activation(name)(layers.BatchNormalization(scale=name != "tanh", center=name != "mish")(x))
    x = layers.LayerNormalization()(layers.SpatialDropout2D(0.5)(x))
    x = layers.GaussianNoise(0.5)(layers.Permute((3, 1, 2))(x))
    x = layers.Reshape((-1, 5))(x)
    x = layers.Dense(6, activation="softmax")(x)
    flat = layers.Dropout(0.5)(layers.Flatten()(x))
    y = 1 / (2 + keras.ops.sigmoid(layers.Dense(7)(flat) * 0.5)) - flat[:, :0].shape[1]
    return keras.Model(image, [y, layers.GlobalMaxPooling2D(keepdims=True)(a), layers.Softmax()(flat)])


@pytest.mark.parametrize("suffix", ["keras", "h5"])
def test_every_other_layer(suffix, tmp_path):
    model = fill(every_layer())
    assert_same(model, save(model, tmp_path / f"model.{suffix}"), portrait(24)[:2, :, :20])


def nested():
    """A shared model within a model, a Sequential one, and parts that are not trained."""
    inner_image = keras.Input((16, 16, 3))
    x = layers.Conv2D(4, 3, activation="relu")(inner_image)
    x = layers.BatchNormalization()(x)
    frozen = layers.Conv2D(5, 3, activation="relu")
    frozen.trainable = False
    inner = keras.Model(inner_image, layers.BatchNormalization()(frozen(x)), name="inner")
    head = keras.Sequential(
        [layers.GlobalAveragePooling2D(), layers.Dense(6, activation="tanh"), layers.Dense(3)]
    )
    image = keras.Input((16, 16, 3))
    left, right = inner(image), inner(layers.Rescaling(-1.0, offset=1.0)(image))
    shared = layers.Conv2D(5, 1)
    x = layers.Add()([shared(left), shared(right), shared(shared(left))])
    return keras.Model(image, head(x, training=True))


@pytest.mark.parametrize("suffix", ["keras", "h5"])
def test_models_within_models_and_shared_layers(suffix, tmp_path):
    model = fill(nested())
    assert_same(model, save(model, tmp_path / f"model.{suffix}"), portrait(16)[:2])


@pytest.mark.parametrize("suffix", ["keras", "h5"])
def test_a_notebooks_sequential_model_around_a_base(suffix, tmp_path):
    base = keras.applications.MobileNetV2(include_top=False, weights=None, input_shape=(32, 32, 3))
    base.trainable = False
    parts = [base, layers.GlobalAveragePooling2D(), layers.Dense(8, activation="relu"), layers.Dropout(0.5)]
    model = fill(keras.Sequential([keras.Input((32, 32, 3)), *parts, layers.Dense(1, activation="sigmoid")]))
    assert_same(model, save(model, tmp_path / f"model.{suffix}"), portrait(32)[:2] * 255)


def test_config_of_keras_2(tmp_path):
    """As TensorFlow 2.13 writes a functional model with arithmetic between its layers."""
    image = keras.Input((8, 8, 3), name="image")
    conv = layers.Conv2D(4, 3, name="conv", activation="hard_silu")
    dense = layers.Dense(2, name="dense")
    y = dense(layers.Flatten(name="flat")(keras.ops.relu6(conv(image) + 3.0) * 0.25))
    model = fill(keras.Model(image, y))

    def layer(kind, name, inputs, **config):
        return {
            "class_name": kind,
            "config": {"name": name, "trainable": True, "dtype": "float32", **config},
            "name": name,
            "inbound_nodes": inputs,
        }

    shape = {"batch_input_shape": [None, 8, 8, 3], "sparse": False, "ragged": False}
    conv2d = {
        "filters": 4,
        "kernel_size": [3, 3],
        "strides": [1, 1],
        "padding": "valid",
        "activation": "hard_silu",
    }
    add, multiply = "tf.__operators__.add", "tf.math.multiply"
    config = {
        "name": "model",
        "trainable": True,
        "layers": [
            layer("InputLayer", "image", [], **shape),
            layer("Conv2D", "conv", [[["image", 0, 0, {}]]], **conv2d),
            layer(
                "TFOpLambda", add, [["conv", 0, 0, {"y": 3.0, "name": None}]], function="__operators__.add"
            ),
            layer("ReLU", "relu6", [[[add, 0, 0, {}]]], max_value=6.0, negative_slope=0.0, threshold=0.0),
            layer(
                "TFOpLambda", multiply, [["relu6", 0, 0, {"y": 0.25, "name": None}]], function="math.multiply"
            ),
            layer("Flatten", "flat", [[[multiply, 0, 0, {}]]], data_format="channels_last"),
            layer("Dense", "dense", [[["flat", 0, 0, {}]]], units=2, activation="linear", use_bias=True),
        ],
        "input_layers": [["image", 0, 0]],
        "output_layers": [["dense", 0, 0]],
    }
    path = save(model, tmp_path / "model.h5")
    with h5py.File(path, "r+") as file:
        file.attrs["keras_version"] = "2.13.1"
        file.attrs["model_config"] = json.dumps({"class_name": "Functional", "config": config})
    assert_same(model, path, portrait(8)[:2])


def refusal(path, side=16):
    with pytest.raises(Refused) as refused:
        outputs_of(path, np.zeros((1, side, side, 3)))
    return refused.value.message


def small(*more):
    return fill(keras.Sequential([keras.Input((16, 16, 3)), layers.Conv2D(2, 3, name="first"), *more]))


def test_python_code_in_a_model_is_refused(tmp_path):
    model = small(layers.Lambda(lambda x: x, name="code"))
    for suffix in ("h5", "keras"):
        message = refusal(save(model, tmp_path / f"model.{suffix}"))
        assert "'code'" in message and "Lambda" in message and "never run" in message


def test_an_unknown_layer_is_named_with_its_path(tmp_path):
    inner = keras.Sequential(
        [keras.Input((14, 14, 2)), layers.Conv2DTranspose(2, 3, name="odd")], name="inner"
    )
    for suffix in ("h5", "keras"):
        message = refusal(save(small(inner), tmp_path / f"model.{suffix}"))
        assert "'inner/odd'" in message and "Conv2DTranspose" in message


def test_weights_that_do_not_fit_the_config_name_both_shapes(tmp_path):
    def more_filters(config):
        config["config"]["layers"][1]["config"]["filters"] = 3

    message = refusal(change_config(save(small(), tmp_path / "model.keras"), more_filters))
    assert "'first'" in message and "[3, 3, 3, 2]" in message and "[3, 3, 3, 3]" in message


@pytest.mark.parametrize("module", ["my_package.layers", "keras_cv.layers"])
def test_a_custom_class_with_the_name_of_a_layer_is_refused(module, tmp_path):
    def foreign(config):
        config["config"]["layers"][1]["module"] = module

    assert module in refusal(change_config(save(small(), tmp_path / "model.keras"), foreign))


def test_classes_of_tf_keras_are_keras_own(tmp_path):
    def legacy(config):
        config["config"]["layers"][1]["module"] = "tf_keras.src.layers.convolutional.conv2d"

    model = small()
    assert_same(model, change_config(save(model, tmp_path / "model.keras"), legacy), portrait(16)[:2])


def relu(name):
    return {"module": "keras.layers", "class_name": "ReLU", "config": {"name": name}}


def sequential(name, parts):
    return {"module": "keras", "class_name": "Sequential", "config": {"name": name, "layers": parts}}


def repeated(name, layer, times):
    """A functional model that calls one layer again and again."""
    start = {"class_name": "InputLayer", "config": {"name": "in", "batch_shape": [None, 14, 14, 2]}}
    own = layer["config"]["name"]
    calls = [[["in", 0, 0, {}]], *([[own, i, 0, {}]] for i in range(times - 1))]
    body = {"name": name, "layers": [start, layer | {"inbound_nodes": calls}]}
    body |= {"input_layers": [["in", 0, 0]], "output_layers": [[own, times - 1, 0]]}
    return {"module": "keras", "class_name": "Functional", "config": body}


def test_models_nested_too_deeply_or_too_often_are_refused(tmp_path):
    deep = many = relu("r")
    for level in range(12):
        deep = sequential(f"s{level}", [deep])
    for level in range(6):  # ten million calls in a few lines
        many = repeated(f"m{level}", many, 15)
    for bomb, words in ((deep, "nested deeper"), (many, "calls more than")):
        path = save(small(), tmp_path / "model.keras")
        change_config(path, lambda config, bomb=bomb: config["config"]["layers"].append(bomb))
        assert words in refusal(path)


def test_archives_that_are_damaged_are_refused(tmp_path):
    path = save(small(), tmp_path / "model.keras")
    data = path.read_bytes()
    for size in (10, len(data) // 2, len(data) - 30):
        path.write_bytes(data[:size])
        refusal(path)
