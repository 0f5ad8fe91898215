# SPDX-License-Identifier: Apache-2.0
"""web-upload by the engine `faithful`: scores are those of the original's own steps, done here by Pillow."""

import re
import subprocess

import numpy as np
import pytest
import requests
from PIL import Image
from small_models import projection

NAME = "web-upload"


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return projection(tmp_path_factory.mktemp("models") / "upload.onnx", 224, 224)


@pytest.fixture(scope="module")
def served(start_contracts, model):
    # Each upload comes from an address of its own, so that the limit of five a minute is not met.
    flags = ["--contract-engine", f"{NAME}=faithful", "--contract-model", f"{NAME}={model.path}"]
    return start_contracts(NAME, flags=[*flags, "--trusted-proxy", "127.0.0.1"])


@pytest.fixture(scope="module")
def upload(served):
    count = iter(range(1, 250))

    def upload(file):
        headers = {"X-Forwarded-For": f"192.0.2.{next(count)}"}
        with open(file, "rb") as content:
            files = {"file": (file.name, content)}
            url = served.urls[NAME] + "/upload"
            return requests.post(url, files=files, headers=headers, timeout=120)

    return upload


def by_pillow(file) -> np.ndarray:
    """The original's steps."""
    return np.array(Image.open(file).resize((224, 224)))[..., :3] / 255.0


def check(served, upload, model, file, crop):
    answer = upload(file)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    expected = model.score(crop)
    alert = re.fullmatch(r"The image is (Real|Fake) with a confidence of (\d\.\d\d)", body["alert"])
    assert alert and float(alert[2]) == pytest.approx(expected, abs=0.0051)
    assert alert[1] == ("Real" if expected > 0.7 else "Fake")
    facts = body["unmask"]
    assert (facts["engine"], facts["verdict"], facts["score"]) == ("faithful", "inconclusive", None)
    assert facts["reasons"] == ["not_calibrated"] and facts["detector"] == "none"
    assert facts["model"] == "upload.onnx:1"
    (face,) = served.faces(facts["report_id"])
    assert 1 - face["score"] == pytest.approx(expected, abs=2e-6)
    return body


@pytest.mark.parametrize("name", ["portrait.png", "portrait.jpg", "no_face.png"])
def test_the_score_is_the_originals(served, upload, model, media, name):
    check(served, upload, model, media / name, by_pillow(media / name))


@pytest.mark.parametrize("size", [(1, 1), (224, 224), (50, 600), (1000, 20)])
def test_of_any_size(served, upload, model, media, tmp_path, size):
    file = tmp_path / "a.png"
    Image.open(media / "portrait.png").resize(size).save(file)
    check(served, upload, model, file, by_pillow(file))


def test_exif_orientation_is_not_applied(served, upload, model, media, tmp_path):
    file = tmp_path / "turned.jpg"
    picture = Image.open(media / "portrait.png").crop((0, 0, 400, 300))
    exif = Image.Exif()
    exif[0x0112] = 6
    picture.save(file, exif=exif, quality=95)
    check(served, upload, model, file, by_pillow(file))


def test_opaque_alpha_changes_nothing(served, upload, model, media, tmp_path):
    file = tmp_path / "opaque.png"
    Image.open(media / "portrait.png").convert("RGBA").save(file)
    check(served, upload, model, file, by_pillow(file))


def test_palette_pictures_are_resized_by_nearest(served, upload, model, media, tmp_path):
    """The original fails on the one channel that it gets; its colours are what it would have meant."""
    file = tmp_path / "palette.png"
    Image.open(media / "portrait.png").convert("P", palette=Image.Palette.ADAPTIVE).save(file)
    crop = np.array(Image.open(file).resize((224, 224)).convert("RGB")) / 255.0
    check(served, upload, model, file, crop)


def test_what_is_no_picture_answers_as_ever(upload, media):
    answer = upload(media / "text.png")
    assert answer.status_code == 500
    assert answer.json()["alert"] == "An error occurred: cannot identify image file 'uploads/text.png'"


def refusal(unmask, *arguments):
    command = [unmask, "serve", "--listen", "127.0.0.1:0", "--contract-engine", f"{NAME}=faithful"]
    done = subprocess.run([*command, *map(str, arguments)], capture_output=True, text=True, timeout=120)
    assert done.returncode != 0
    return done.stderr


def test_a_start_without_the_right_model(unmask, tmp_path):
    assert "--contract-model web-upload=PATH" in refusal(unmask)
    assert "no network at" in refusal(unmask, "--contract-model", f"{NAME}={tmp_path / 'none.onnx'}")
    small = projection(tmp_path / "small.onnx", 64, 64).path
    said = refusal(unmask, "--contract-model", f"{NAME}={small}")
    assert "[1,224,224,3]" in said and "found [1,64,64,3]" in said and "small.onnx" in said


def test_compat_check_runs_it(unmask, served, model, media):
    url = served.urls[NAME]
    command = [unmask, "compat-check", "--contract", NAME, "--against", url, "--contract-engine", "faithful"]
    command += ["--contract-model", model.path, media / "portrait.png"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "scores differ by 0.0000 on average" in done.stdout
