# SPDX-License-Identifier: Apache-2.0
"""predict-api by the engine `faithful` on a model in this process: the original's scores."""

import numpy as np
import pytest
import requests
from originals import SAME_SCORE, frames, middle_square, predict_face, predict_input
from small_models import projection

NAME = "predict-api"


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return projection(tmp_path_factory.mktemp("models") / "predict.onnx", 64, 64)


@pytest.fixture(scope="module")
def served(start_contracts, model):
    flags = ["--contract-engine", f"{NAME}=faithful", "--contract-model", f"{NAME}={model.path}"]
    return start_contracts(NAME, flags=flags, env={"MAX_FRAMES": "5"})


def post(served, file, query=""):
    with open(file, "rb") as content:
        url = f"{served.urls[NAME]}/predict{query}"
        answer = requests.post(url, files={"file": content}, timeout=300)
    assert answer.status_code == 200, answer.text
    return answer.json()


def check(body, times, expected):
    assert [sample["t"] for sample in body["frame_samples"]] == pytest.approx(times, abs=1e-3)
    scores = [sample["score"] for sample in body["frame_samples"]]
    assert scores == pytest.approx(expected, abs=SAME_SCORE)
    assert body["score"] == pytest.approx(float(np.mean(np.float32(scores))), abs=1e-6)
    assert body["label"] == ("fake" if body["score"] >= 0.5 else "real")
    facts = body["unmask"]
    assert (facts["engine"], facts["verdict"], facts["score"]) == ("faithful", "inconclusive", None)
    assert "not_calibrated" in facts["reasons"] and facts["model"] == "predict.onnx:1"


def test_the_scores_are_the_originals(served, model, media):
    body = post(served, media / "clip.mp4", "?fps=1")
    indices = [0, 25, 50]  # of 75 frames, 25 a second
    pictures = frames(media / "clip.mp4")
    check(
        body,
        [index / 25 for index in indices],
        [model.score(predict_input(predict_face(pictures[index]))) for index in indices],
    )
    assert body["unmask"]["detector"] == "haar"
    assert body["meta"] == {
        "src_fps": 25.0,
        "total_frames": 75,
        "used_step": 25,
        "face_frames": 3,
        "face_detect_rate": 1.0,
    }


def test_frames_without_a_face_are_left_out(served, media):
    body = post(served, media / "half_face.mp4", "?fps=1")
    assert [sample["t"] for sample in body["frame_samples"]] == [0, 1, 2]
    assert body["unmask"]["frames_analysed"] == 5


def test_it_stops_at_max_frames(served, media):
    body = post(served, media / "clip.mp4", "?fps=10")
    assert [sample["t"] for sample in body["frame_samples"]] == pytest.approx([0, 0.08, 0.16, 0.24, 0.32])


def test_the_fallback_judges_the_middle_of_some_frames(served, model, media):
    body = post(served, media / "no_face.mp4")
    indices = list(range(0, 50, 3))  # of 50 frames: stride 50 div 16
    pictures = frames(media / "no_face.mp4")
    expected = [model.score(predict_input(middle_square(pictures[index]))) for index in indices]
    check(body, [index / 25 for index in indices], expected)
    assert body["meta"]["face_frames"] == 0 and body["meta"]["face_detect_rate"] == 0.0
    assert body["unmask"]["reasons"] == ["not_calibrated"] and body["unmask"]["detector"] == "none"


def test_health_tells_of_the_embedded_model(served):
    body = requests.get(f"{served.urls[NAME]}/health", timeout=60).json()
    assert body["ok"] is True and body["unmask"] == {"engine": "faithful"}
    assert body["tfserving"]["model_version_status"][0]["state"] == "AVAILABLE"
