# SPDX-License-Identifier: Apache-2.0
"""`unmask model import`: from a file of somebody else to a version that `unmask scan` uses."""

import json
import os
import pickle
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from keras_models import change_config, fill, outputs_of, portrait, quick_keras
from making import PORTRAIT, ROOT

keras = quick_keras()
layers = keras.layers

MESONET = ROOT.parent / "shared" / "third_party_models" / "mesonet"
ONNX = ROOT.parent / "shared" / "third_party_models" / "mobilenetv2-imagenet"
LOGIT = ["--colour", "rgb", "--scale", "255", "--output", "logit", "--crop", "1.2"]
TOLD = ["--colour", "rgb", "--scale", "255", "--output", "p_fake", "--crop", "1.2"]


def classifier(*head, inputs=1):
    image = keras.Input((32, 32, 3))
    others = [keras.Input((32, 32, 3)) for _ in range(inputs - 1)]
    x = layers.GlobalAveragePooling2D()(layers.Conv2D(8, 3, strides=2, activation="relu")(image))
    for other in others:
        x = layers.Add()([x, layers.Dense(8)(layers.GlobalAveragePooling2D()(other))])
    outputs = [part(x) for part in head] or [layers.Dense(1, activation="sigmoid")(x)]
    return fill(
        keras.Model([image, *others] if others else image, outputs if len(outputs) > 1 else outputs[0])
    )


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    """A small Keras model that gives P(fake), and its file."""
    model = classifier()
    path = tmp_path_factory.mktemp("network") / "notebook.keras"
    model.save(path)
    return model, path


@pytest.fixture
def imports(run, tmp_path):
    """Imports into a repository of the test: imports(file, *flags, code=0); its folder is imports.models."""

    def imports(file, *flags, code=0, name="net", **more):
        return run(
            "model", "import", file, "--name", name, "--models", imports.models, *flags, code=code, **more
        )

    imports.models = tmp_path / "models"
    return imports


def card_of(imports, version=1):
    return json.loads((imports.models / "net" / str(version) / "model.json").read_text())


def logit(p):
    return np.log(p / (1 - p))


def test_scores_are_kerass(imports, network):
    model, path = network
    pixels = np.round(portrait(32) * 255)
    p = model.predict_on_batch(pixels / 255)
    imports(path, *TOLD)
    imports(path, "--colour", "bgr", "--scale", "255", "--mean", "1,2,3", "--output", "p_real", "--crop", "2")
    for version, expected in ((1, logit(p)), (2, -logit(p))):
        file = imports.models / "net" / str(version) / "model.xml"
        found = outputs_of(file, np.moveaxis(pixels / 255, 3, 1))["logit"]
        assert np.abs(found - expected).max() < 1e-4
    card = card_of(imports, 2)
    assert card["input"]["color"] == "BGR" and card["input"]["mean"] == [1, 2, 3]
    assert card["input"]["scale"] == [255, 255, 255] and card["calibration"] is None
    golden = json.loads((imports.models / "net" / "1" / "golden.json").read_text())
    assert len({case["logit"] for case in golden["cases"]}) >= 5


@pytest.mark.parametrize("activation", ["softmax", None])
def test_of_two_classes_one_is_fake(imports, tmp_path, activation):
    model = classifier(layers.Dense(2, activation=activation or "sigmoid"))
    model.save(tmp_path / "two.keras")
    pictures = portrait(32)
    p = model.predict_on_batch(pictures)
    imports(tmp_path / "two.keras", *TOLD[:-4], "--output", "class:1", "--crop", "1")
    found = outputs_of(imports.models / "net" / "1" / "model.xml", np.moveaxis(pictures, 3, 1))["logit"][:, 0]
    assert np.abs(found - np.log(p[:, 1] / p[:, 0])).max() < 1e-4
    assert "class:0" in imports(tmp_path / "two.keras", *TOLD, code=3).stderr


def test_what_the_file_does_not_say_is_asked_for(imports, network):
    done = imports(network[1], code=3)
    for flag in ("--colour", "--scale", "--output", "--crop"):
        assert flag in done.stderr
    assert not imports.models.exists() or not any(imports.models.iterdir())


def test_mesonets_weights_say_all_themselves_and_judge(imports, run):
    file = MESONET / "Meso4_DF.h5"
    if not file.exists():
        pytest.skip(f"MesoNet's weights are not there ({file})")
    imports(file)
    card = card_of(imports)
    assert card["input"]["color"] == "RGB" and card["input"]["scale"] == [255, 255, 255]
    done = run("scan", "--models", imports.models, "--model", "net", "--format", "json", PORTRAIT, code=0)
    report = json.loads(done.stdout)
    report = report[0] if isinstance(report, list) else report
    assert report["verdict"] == "inconclusive" and report["reasons"] == ["not_calibrated"]
    assert 0 < report["score"] < 1 and report["model"]["name"] == "net"
    assert "not_calibrated" in run("model", "show", "net", "--models", imports.models, code=0).stdout


def test_an_onnx_classifier_of_a_thousand_classes_is_refused(imports):
    files = sorted(ONNX.glob("*.onnx"))
    if not files:
        pytest.skip(f"the ONNX network is not there ({ONNX})")
    assert "[N,1]" in imports(files[0], *TOLD, code=3).stderr


def test_versions_never_change(imports, network):
    for expected in (1, 2):
        imports(network[1], *TOLD)
        assert card_of(imports, expected)["version"] == expected
    before = {p: p.read_bytes() for p in sorted(imports.models.rglob("*")) if p.is_file()}
    imports(network[1], *TOLD, "--version", "2", code=2)
    bad = network[1].parent / "bad.keras"
    bad.write_bytes(network[1].read_bytes()[:5000])
    imports(bad, *TOLD, code=3)
    assert {p: p.read_bytes() for p in sorted(imports.models.rglob("*")) if p.is_file()} == before


def test_a_pickle_is_refused_with_the_reason_and_a_way(imports, tmp_path):
    class Evil:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "ran"),)

    for protocol in (2, 4, 5):
        (tmp_path / "model.h5").write_bytes(pickle.dumps(Evil(), protocol))
        done = imports(tmp_path / "model.h5", *TOLD, code=3)
        assert "run whatever code" in done.stderr and "torch.onnx.export" in done.stderr
    assert not (tmp_path / "ran").exists()


def test_files_that_are_no_models_are_refused(imports, network, tmp_path):
    data = network[1].read_bytes()
    bad = {
        "empty.h5": b"",
        "random.onnx": bytes((i * 7919 + i // 251) % 256 for i in range(20_000)),
        "text.keras": b"This is no model.\n" * 100,
        "cut.keras": data[: len(data) // 2],
        "picture.h5": PORTRAIT.read_bytes(),
        "header.h5": b"\x89HDF\r\n\x1a\n" + bytes(3000),
    }
    for name, content in bad.items():
        (tmp_path / name).write_bytes(content)
        done = imports(tmp_path / name, *TOLD, code=3)
        assert done.stderr.startswith("error: ") and done.stdout == "", name
    (tmp_path / "folder").mkdir()
    imports(tmp_path / "folder", *TOLD, code=3)
    imports(tmp_path / "absent.h5", *TOLD, code=3)
    assert not imports.models.exists() or not any(imports.models.iterdir())


def test_networks_of_another_shape_are_refused(imports, tmp_path):
    def words(model):
        model.save(tmp_path / "model.keras")
        return imports(tmp_path / "model.keras", *TOLD, code=3).stderr

    assert "2 inputs" in words(classifier(inputs=2))
    assert "2 outputs" in words(classifier(layers.Dense(1), layers.Dense(1)))
    assert "any size" in words(fill(keras.Sequential([keras.Input((None, None, 3)), layers.Conv2D(1, 3)])))
    assert "expected [N,3" in words(fill(keras.Sequential([keras.Input((32, 32, 5)), layers.Conv2D(1, 3)])))


def test_the_size_of_a_network_that_takes_any_is_asked_for(imports, tmp_path):
    parts = [layers.Conv2D(1, 3), layers.GlobalAveragePooling2D()]
    fill(keras.Sequential([keras.Input((None, None, 3)), *parts])).save(tmp_path / "any.keras")
    imports(tmp_path / "any.keras", *LOGIT, "--input-size", "48x40")
    assert (card_of(imports)["input"]["width"], card_of(imports)["input"]["height"]) == (48, 40)


def chain_of_layers(path):
    """A file whose network compiles for minutes."""
    fill(keras.Sequential([keras.Input((32, 32, 3)), layers.Conv2D(1, 32)])).save(path)
    chain = [
        {"module": "keras.layers", "class_name": "ReLU", "config": {"name": f"r{i}", "max_value": 9 + i % 7}}
        for i in range(6000)
    ]
    change_config(path, lambda config: config["config"]["layers"].extend(chain))
    return path


def test_a_network_that_compiles_for_minutes_is_given_up(imports, tmp_path):
    done = imports(chain_of_layers(tmp_path / "chain.keras"), *LOGIT, "--time-limit", "2", code=3)
    assert "longer than 2 s" in done.stderr or "processor time" in done.stderr
    assert not imports.models.exists() or not any(imports.models.iterdir())


def test_the_process_that_reads_the_file_is_confined(unmask, clean_environment, until, tmp_path):
    """Seccomp: 2 is a filter, on each of its threads. What it forbids: confine_test.cpp."""
    path = chain_of_layers(tmp_path / "chain.keras")
    command = [unmask, "model", "import", path, "--name", "net", "--models", tmp_path / "models", *LOGIT]
    process = subprocess.Popen(command, env=clean_environment, stderr=subprocess.DEVNULL)
    try:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")

        def statuses():
            tasks = [
                task
                for child in children.read_text().split()
                for task in Path(f"/proc/{child}/task").glob("*/status")
            ]
            return [dict(line.split(":\t", 1) for line in t.read_text().splitlines()) for t in tasks]

        # Several threads: the engine is at work.
        until(lambda: len(statuses()) > 1 and all(s["Seccomp"] == "2" for s in statuses()))
        assert {(s["NoNewPrivs"], int(s["CapEff"], 16)) for s in statuses()} == {("1", 0)}
    finally:
        process.kill()
        process.wait()


def test_a_repository_that_cannot_be_written_is_told(imports, network, tmp_path):
    imports.models = tmp_path / "file"
    imports.models.write_text("no folder")
    assert "--models" in imports(network[1], *TOLD, code=3).stderr


def test_a_full_disk_leaves_nothing(imports, network, run, unmask, clean_environment):
    """A limit on the size of files stands for the disk's end."""
    imports(network[1], *TOLD)
    limited = (
        f'ulimit -f 1; exec "{unmask}" model import "{network[1]}" --name net --models "{imports.models}" '
    )
    done = subprocess.run(
        ["bash", "-c", limited + " ".join(TOLD)],
        capture_output=True,
        text=True,
        env=clean_environment,
        timeout=120,
    )
    assert done.returncode != 0
    assert [p.name for p in (imports.models / "net").iterdir() if not p.name.startswith(".")] == ["1"]


def test_a_changed_version_is_found(imports, network, run):
    imports(network[1], *TOLD)
    weights = imports.models / "net" / "1" / "model.bin"
    data = bytearray(weights.read_bytes())
    data[0] ^= 1
    weights.write_bytes(data)
    run("model", "show", "net", "--models", imports.models, code=3)
    shutil.rmtree(imports.models)
