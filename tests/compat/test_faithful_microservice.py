# SPDX-License-Identifier: Apache-2.0
"""The microservices by the engine `faithful`: MTCNN, blue first, 224x224, 0..255: the original's scores."""

import cv2
import numpy as np
import pytest
import requests
from making import ROOT
from originals import SAME_SCORE, cut, frames
from small_models import projection

NAMES = ["microservice-v1", "microservice-v2"]
SAMPLES = ROOT.parent / "shared" / "samples"


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return projection(tmp_path_factory.mktemp("models") / "faces.onnx", 224, 224, value_range=255)


@pytest.fixture(scope="module")
def served(start_contracts, model):
    flags = []
    for name in NAMES:
        flags += ["--contract-engine", f"{name}=faithful", "--contract-model", f"{name}={model.path}"]
    return start_contracts(*NAMES, flags=flags)


def post(served, name, kind, file, **fields):
    with open(file, "rb") as content:
        url = f"{served.urls[name]}/detect_deepfake_{kind}"
        answer = requests.post(url, files={kind: (file.name, content)}, data=fields, timeout=300)
    assert answer.status_code == 200, answer.text
    return answer.json()


def crop(bgr):
    return cv2.resize(bgr, (224, 224)).astype(np.float32)


def item(fake):
    return (
        {"prediction": "Fake", "probability": fake}
        if fake > 0.5
        else {"prediction": "Real", "probability": 1 - fake}
    )


def check(found, expected, tolerance):
    wanted = item(expected)
    assert found["prediction"] == wanted["prediction"]
    assert found["probability"] == pytest.approx(wanted["probability"], abs=tolerance)


@pytest.mark.parametrize("name", NAMES)
def test_the_score_of_a_picture_is_the_originals(served, model, media, name):
    file = media / "portrait.png"
    body = post(served, name, "image", file)
    (found,) = body["Predictions" if name.endswith("v1") else "predictions"]
    (face,) = served.faces(body["unmask"]["report_id"])
    assert face["box"] == [182, 61, 86, 111]  # as the package mtcnn 0.1.1 finds it, given blue first
    check(found, model.score(crop(cut(cv2.imread(str(file)), face["box"]))), 1e-5)
    facts = body["unmask"]
    assert (facts["engine"], facts["detector"], facts["model"]) == ("faithful", "mtcnn", "faces.onnx:1")
    assert (facts["verdict"], facts["score"], facts["reasons"]) == ("inconclusive", None, ["not_calibrated"])
    assert body["face_detection_method"] == "MTCNN"


def test_without_face_detection_it_is_the_whole_picture(served, model, media):
    file = media / "no_face.png"
    body = post(served, NAMES[1], "image", file, face_detection="0")
    check(body["predictions"][0], model.score(crop(cv2.imread(str(file)))), 1e-5)
    assert body["unmask"]["detector"] == "none"


def test_no_face(served, media):
    body = post(served, NAMES[1], "image", media / "no_face.png")
    assert body["predictions"] == [{"error": "No Face Detected"}, []]
    assert body["unmask"]["reasons"] == ["no_face", "not_calibrated"]


def test_a_finder_that_is_absent_is_replaced_and_the_answer_says_so(served, media):
    body = post(served, NAMES[1], "image", media / "portrait.png", face_detection_method="SSD")
    assert body["face_detection_method"] == "SSD" and body["unmask"]["detector"] == "mtcnn"
    assert len(body["predictions"]) == 1


def test_the_scores_of_a_video_are_the_originals(served, model, media):
    body = post(served, NAMES[1], "video", media / "clip.mp4", num_frames="4", seed="7")
    assert body["num_frames"] == 4 and len(body["predictions"]) == 4
    pictures = frames(media / "clip.mp4")
    faces = served.faces(body["unmask"]["report_id"])
    expected = [model.score(crop(cut(pictures[face["frame"]], face["box"]))) for face in faces]
    # Predictions come in the order in which the frames were drawn, faces in the order of the frames.
    found = [
        p["probability"] if p["prediction"] == "Fake" else 1 - p["probability"] for p in body["predictions"]
    ]
    assert sorted(found) == pytest.approx(sorted(expected), abs=SAME_SCORE)


def test_the_samples_get_the_documented_answer(served):
    files = sorted(SAMPLES.glob("*/*.mp4"))
    if not files:
        pytest.skip(f"{SAMPLES} is absent")
    body = post(served, NAMES[0], "video", files[0])
    assert isinstance(body, list) and body
    assert body[0] == {"error": "No Faces Detected, Try Changing the num_frame"} or all(
        sorted(found) == ["prediction", "probability"] for found in body
    )
