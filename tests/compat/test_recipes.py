# SPDX-License-Identifier: Apache-2.0
"""The recipes of the replaced services, end to end: trained for two steps on made faces, imported, and served
by the engine `faithful` under the name of the service, with the scores that the trained network gives."""

import csv
import io
import json
import os
import re
import subprocess
import sys
import tarfile

import cv2
import numpy as np
import pytest
import requests
from making import PORTRAIT, ROOT
from originals import SAME_SCORE, cut, frames, predict_face, predict_input
from PIL import Image

TRAINING = ROOT / "training"
TORCH = TRAINING / ".venv" / "bin" / "python"
QUICK = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
CONTRACTS = {
    "recipe-microservice": "microservice-v2",
    "recipe-predict-api": "predict-api",
    "recipe-web-upload": "web-upload",
    "recipe-meso4": "mesonet-api",
    "recipe-mesoinception4": "mesonet-api",
}


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    """A data directory: 24 videos, of each a real face and a fake with another mouth; six of them for val."""
    folder = tmp_path_factory.mktemp("faces")
    portrait = cv2.imread(str(PORTRAIT))[65:190, 165:290]
    random, rows = np.random.default_rng(5), []
    with tarfile.open(folder / "dfdc-faces-00.tar", "w") as tar:
        for video in range(24):
            split = "val" if video % 4 == 0 else "train"
            for label in ("real", "fake"):
                shift = random.integers(-40, 40, 3)
                image = np.clip(portrait.astype(int) + shift, 0, 255).astype(np.uint8)
                if label == "fake":
                    image[80:105, 40:85] = random.integers(0, 255, (25, 45, 3), np.uint8)
                rows.append([f"{label}{video}", label, f"real{video}", split, 0])
                jpeg = cv2.imencode(".jpg", image)[1].tobytes()
                member = tarfile.TarInfo(f"{split}/{label}/{label}{video}.jpg")
                member.size = len(jpeg)
                tar.addfile(member, io.BytesIO(jpeg))
    with open(folder / "dfdc-faces.csv", "w", newline="") as handle:
        csv.writer(handle).writerows([["id", "label", "original", "split", "shard"], *rows])
    return folder


def python(backend):
    """The interpreter that trains with a backend of Keras, and what it needs."""
    if backend == "jax":
        return sys.executable, {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu", "XLA_FLAGS": QUICK}
    if not TORCH.exists():
        pytest.skip("training/.venv, which has PyTorch, is absent (make train-setup)")
    return TORCH, {"KERAS_BACKEND": "torch"}


@pytest.fixture
def train(unmask, clean_environment, faces, tmp_path):
    """train(recipe, backend) gives the folder of a run of two steps, and what it printed."""

    def train(recipe, backend):
        configs = tmp_path / "configs"
        configs.mkdir()
        for file in (TRAINING / "configs").glob("recipe-*.toml"):
            # The smallest EfficientNet stands for the largest, and two batches are enough.
            text = file.read_text().replace("EfficientNetB7", "EfficientNetB0")
            (configs / file.name).write_text(re.sub(r"(?m)^batch = \d+", "batch = 6", text))
        interpreter, settings = python(backend)
        run = tmp_path / "run"
        command = [interpreter, TRAINING / "train_recipe.py", "--config", configs / f"{recipe}.toml"]
        options = ["--data", faces, "--run", run, "--epochs", "1", "--epoch-steps", "2", "--threads", "1"]
        done = subprocess.run(
            [*command, *options],
            capture_output=True,
            text=True,
            env=clean_environment | settings | {"UNMASK": str(unmask)},
            timeout=900,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return run, done.stdout

    return train


SCORE = """
import sys, keras, numpy
model = keras.saving.load_model(sys.argv[1])
print(model.predict_on_batch(numpy.load(sys.argv[2])[None])[0, 0])
"""


def score(run, backend, crop, tmp_path) -> float:
    """What the trained network itself gives for one crop."""
    interpreter, settings = python(backend)
    np.save(tmp_path / "crop.npy", crop.astype(np.float32))
    command = [interpreter, "-c", SCORE, run / "model.keras", tmp_path / "crop.npy"]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | settings, timeout=300)
    assert done.returncode == 0, done.stderr
    return float(done.stdout.split()[-1])


def ask(served, contract, media):
    """The contract's number for a file of a face, and the crop that the original would have judged."""
    if contract == "web-upload":
        with open(media / "portrait.png", "rb") as content:
            answer = requests.post(f"{served.urls[contract]}/upload", files={"file": content}, timeout=300)
        assert answer.status_code == 200, answer.text
        crop = np.array(Image.open(media / "portrait.png").resize((224, 224)))[..., :3] / 255
        return float(answer.json()["alert"].split()[-1]), crop
    if contract == "microservice-v2":
        with open(media / "portrait.png", "rb") as content:
            url = f"{served.urls[contract]}/detect_deepfake_image"
            body = requests.post(url, files={"image": content}, timeout=300).json()
        (found,) = body["predictions"]
        (face,) = served.faces(body["unmask"]["report_id"])
        crop = cv2.resize(cut(cv2.imread(str(media / "portrait.png")), face["box"]), (224, 224))
        return abs(found["probability"] - (found["prediction"] == "Real")), crop
    first = frames(media / "one_frame.mp4")[0]
    with open(media / "one_frame.mp4", "rb") as content:
        path = "/predict" if contract == "predict-api" else "/upload"
        files = {"file": ("clip.mp4", content, "video/mp4")}
        body = requests.post(served.urls[contract] + path, files=files, timeout=300).json()
    if contract == "predict-api":
        return body["frame_samples"][0]["score"], predict_input(predict_face(first))
    (face,) = served.faces(body["unmask"]["report_id"])
    crop = cv2.resize(cut(first, face["box"]), (256, 256))[..., ::-1] / 255
    return body["individual_scores"][0], crop


# With PyTorch every recipe; with JAX, which the tests install, those whose networks are quick to compile.
@pytest.mark.parametrize(
    "recipe, backend",
    [(recipe, "torch") for recipe in CONTRACTS] + [("recipe-meso4", "jax"), ("recipe-web-upload", "jax")],
)
def test_a_trained_recipe_is_served_under_the_name_of_its_service(
    train, unmask, clean_environment, start_contracts, media, tmp_path, recipe, backend
):
    run, printed = train(recipe, backend)
    figures = json.loads((run / "figures.json").read_text())
    assert figures["val"]["faces"] == 12 and figures["steps"] == 2
    assert 0 <= figures["val"]["auc"]["value"] <= 1

    # As it tells the user to: the ONNX file of PyTorch, or the Keras file.
    command = printed.splitlines()[-1].split()
    assert command[3].endswith("model.onnx" if backend == "torch" else "model.keras")
    models = tmp_path / "models"
    subprocess.run([unmask, *command[1:], "--models", models], check=True, env=clean_environment, timeout=300)
    contract = CONTRACTS[recipe]
    flags = ["--contract-engine", f"{contract}=faithful"]
    served = start_contracts(
        contract, flags=[*flags, "--contract-model", f"{contract}={models / recipe / '1'}"]
    )
    found, crop = ask(served, contract, media)
    expected = score(run, backend, crop, tmp_path)
    assert found == pytest.approx(expected, abs=SAME_SCORE)
    assert served.stop() == 0

    # Another contract's crops are not what it was trained on.
    other = "web-upload" if contract == "predict-api" else "predict-api"
    flags = ["--contract", f"{other}=127.0.0.1:0", "--contract-engine", f"{other}=faithful"]
    done = subprocess.run(
        [unmask, "serve", "--listen", "127.0.0.1:0", *flags]
        + ["--contract-model", f"{other}={models / recipe / '1'}"],
        capture_output=True,
        text=True,
        env=clean_environment,
        timeout=120,
    )
    assert done.returncode != 0 and "the contract's crops are" in done.stderr
