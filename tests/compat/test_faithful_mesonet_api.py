# SPDX-License-Identifier: Apache-2.0
"""mesonet-api by the engine `faithful`: the original's scores, and its own weights load."""

import cv2
import numpy as np
import pytest
import requests
from making import ROOT
from originals import SAME_SCORE, cut, frames, mesonet_frames
from small_models import projection

NAME = "mesonet-api"
MESO4 = ROOT.parent / "shared" / "third_party_models" / "mesonet" / "Meso4_DF.h5"
SAMPLES = ROOT.parent / "shared" / "samples"


def flags(model):
    return ["--contract-engine", f"{NAME}=faithful", "--contract-model", f"{NAME}={model}"]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return projection(tmp_path_factory.mktemp("models") / "mesonet.onnx", 256, 256)


@pytest.fixture(scope="module", params=["rgb", "bgr"])
def served(request, start_contracts, model):
    contracts = start_contracts(NAME, flags=flags(model.path), env={"MESONET_CHANNELS": request.param})
    contracts.channels = request.param
    return contracts


def post(served, file):
    with open(file, "rb") as content:
        files = {"file": (file.name, content, "video/mp4")}
        answer = requests.post(f"{served.urls[NAME]}/upload", files=files, timeout=300)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_scores_are_the_originals(served, model, media):
    body = post(served, media / "clip.mp4")
    pictures = frames(media / "clip.mp4")
    indices = mesonet_frames(len(pictures))
    faces = served.faces(body["unmask"]["report_id"])
    assert [face["frame"] for face in faces] == indices and body["num_faces_processed"] == len(indices) == 39
    assert body["unmask"]["detector"] == "blazeface"
    expected = []
    for index, face in zip(indices, faces, strict=True):
        crop = cv2.resize(cut(pictures[index], face["box"]), (256, 256)).astype(np.float32) / 255.0
        expected.append(model.score(crop[..., ::-1] if served.channels == "rgb" else crop))
    assert body["individual_scores"] == pytest.approx(expected, abs=SAME_SCORE)
    assert body["avg_score"] == np.mean(body["individual_scores"])
    assert body["prediction"] == ("Real" if body["avg_score"] > 0.5 else "DeepFake")
    assert body["unmask"]["verdict"] == "inconclusive" and body["unmask"]["score"] is None
    assert body["unmask"]["reasons"] == ["not_calibrated"]


def test_no_face(served, media):
    body = post(served, media / "no_face.mp4")
    assert body["error"] == "No faces detected in video"
    assert body["unmask"]["reasons"] == ["no_face", "not_calibrated"]


@pytest.fixture(scope="module")
def original(start_contracts):
    if not MESO4.exists():
        pytest.skip(f"{MESO4} is absent")
    return start_contracts(NAME, flags=flags(MESO4))


def test_its_own_weights_load(original, media):
    body = post(original, media / "clip.mp4")
    assert body["unmask"]["model"] == "Meso4_DF.h5:1"
    assert len({round(score, 3) for score in body["individual_scores"]}) > 1
    assert all(0 <= score <= 1 for score in body["individual_scores"])


def test_the_samples_get_the_documented_answer(original):
    files = sorted(SAMPLES.glob("*/*.mp4"))
    if not files:
        pytest.skip(f"{SAMPLES} is absent")
    for file in files[:2]:
        body = post(original, file)
        assert body["prediction"] in ("Real", "DeepFake") and len(body["individual_scores"]) > 0
        assert body["processing_stats"]["frames_processed"] in (39, body["processing_stats"]["total_frames"])
