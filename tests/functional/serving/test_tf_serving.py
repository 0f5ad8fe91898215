# SPDX-License-Identifier: Apache-2.0
"""TensorFlow Serving's REST interface (its api_rest.md), asked with requests and curl."""

import json
import subprocess

import numpy as np
import pytest
import requests

FACE = "/v1/models/face"


def predict(serving, body, path=FACE):
    text = body if isinstance(body, (str, bytes)) else json.dumps(body)
    return requests.post(f"{serving.tf}{path}:predict", data=text, timeout=60)


def test_status_and_metadata(serving):
    available = {"version": "1", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}
    for path in (FACE, FACE + "/versions/1"):
        answer = requests.get(serving.tf + path, timeout=60)
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.json() == {"model_version_status": [available]}
    answer = requests.get(serving.tf + FACE + "/metadata", timeout=60).json()
    assert answer["model_spec"] == {"name": "face", "signature_name": "", "version": "1"}
    signature = answer["metadata"]["signature_def"]["signature_def"]["serving_default"]
    sizes = [dimension["size"] for dimension in signature["inputs"]["image"]["tensor_shape"]["dim"]]
    assert sizes == ["-1", "3", "160", "160"]
    assert signature["inputs"]["image"]["dtype"] == "DT_FLOAT"
    assert list(signature["outputs"]) == ["logit"]


@pytest.mark.parametrize("path", [FACE, FACE + "/versions/1"])
def test_predict_by_rows_and_columns(serving, faces, logits, path):
    plain = faces.tolist()
    for question, key in [
        ({"instances": plain}, "predictions"),
        ({"instances": [{"image": face} for face in plain]}, "predictions"),
        ({"signature_name": "serving_default", "instances": plain}, "predictions"),
        ({"inputs": plain}, "outputs"),
        ({"inputs": {"image": plain}}, "outputs"),
    ]:
        answer = predict(serving, question, path)
        assert answer.status_code == 200, answer.text
        assert list(answer.json()) == [key]
        np.testing.assert_allclose(answer.json()[key], logits.reshape(3, 1), atol=1e-5)


def test_predict_as_curl_asks(serving, faces, logits, tmp_path):
    (tmp_path / "question.json").write_text(json.dumps({"instances": faces[:1].tolist()}))
    done = subprocess.run(
        ["curl", "-sS", "-d", f"@{tmp_path / 'question.json'}", "-X", "POST", f"{serving.tf}{FACE}:predict"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    np.testing.assert_allclose(json.loads(done.stdout)["predictions"], logits[:1].reshape(1, 1), atol=1e-5)


@pytest.mark.parametrize(
    "path, status, words",
    [
        ("/v1/models/other", 404, "Could not find any versions of model other"),
        ("/v1/models/face/versions/9", 404, "Could not find version 9 of model face"),
        ("/v1/models/face/versions/x", 400, "Malformed request: GET /v1/models/face/versions/x"),
        ("/v1/models/face/labels/stable", 400, "Unrecognized servable version label: stable"),
        ("/v1/models/other/metadata", 404, "Servable not found for request: Latest(other)"),
        ("/v1/models/face/versions/9/metadata", 404, "Servable not found for request: Specific(face, 9)"),
        ("/v1/nothing", 400, "Malformed request: GET /v1/nothing"),
        ("/v1/models/face:predict", 400, "Malformed request: GET /v1/models/face:predict"),
    ],
)
def test_questions_about_what_there_is_not(serving, path, status, words):
    answer = requests.get(serving.tf + path, timeout=60)
    assert answer.status_code == status
    assert answer.json() == {"error": words}


@pytest.mark.parametrize(
    "path, status, words",
    [
        ("/v1/models/other:predict", 404, "Servable not found for request: Latest(other)"),
        ("/v1/models/face/versions/9:predict", 404, "Servable not found for request: Specific(face, 9)"),
        ("/v1/models/face/labels/canary:predict", 400, "Unrecognized servable version label: canary"),
        ("/v1/models/face:explain", 400, "Malformed request: POST /v1/models/face:explain"),
        ("/v1/models/face", 400, "Malformed request: POST /v1/models/face"),
        ("/v1/models/face:classify", 501, "ask face:predict"),
    ],
)
def test_predictions_of_what_there_is_not(serving, path, status, words):
    answer = requests.post(serving.tf + path, data='{"instances": [1]}', timeout=60)
    assert answer.status_code == status
    assert words in answer.json()["error"]


@pytest.mark.parametrize(
    "body, words",
    [
        ("", "The document is empty"),
        ("nonsense", "JSON Parse error"),
        ('{"instances": [[1', "JSON Parse error"),
        ('{"instances": [NaN]}', "JSON Parse error"),
        ('{"instances": [1e39]}', "does not fit"),
        ("[" * 1_000_000, "nested deeper"),
        ("[]", "Is not object"),
        ("{}", "Missing 'inputs' or 'instances' key"),
        ('{"instances": [1], "inputs": [1]}', "only one of"),
        ('{"instances": []}', "No values in 'instances'"),
        ('{"instances": [[1.0, 2.0], [3.0]]}', "differ in length"),
        ('{"instances": [[1.0, 2.0]]}', "has the shape [1,2] (expected [n,3,160,160])"),
        ('{"instances": [{"b64": "AAAA"}]}', "keys must be equal to: image"),
        ('{"inputs": {"pixels": [1]}}', "Missing named input: image"),
        ('{"signature_name": "other", "instances": [1]}', 'Serving signature name: "other" not found'),
    ],
)
def test_bodies_that_make_no_sense(serving, faces, logits, body, words):
    answer = predict(serving, body)
    assert answer.status_code == 400
    assert words in answer.json()["error"]
    good = predict(serving, {"instances": faces[:1].tolist()})
    np.testing.assert_allclose(good.json()["predictions"], logits[:1].reshape(1, 1), atol=1e-5)


def test_the_native_interface_keeps_its_own_paths(serving):
    assert "models" in requests.get(serving.urls["unmask"] + "/v1/models", timeout=60).json()
    assert requests.get(serving.tf + "/v1/analyses", timeout=60).status_code == 400
    assert requests.get(serving.tf + "/healthz", timeout=60).status_code == 404


def test_pages_of_other_sites_are_refused_in_the_protocols_words(serving):
    for url in (serving.tf + FACE, serving.urls["kserve"] + "/v2/models/face"):
        answer = requests.get(url, headers={"Origin": "https://foreign.example"}, timeout=60)
        assert answer.status_code == 403
        assert answer.headers["Content-Type"] == "application/json"
        assert list(answer.json()) == ["error"]
        assert "--allow-origin https://foreign.example" in answer.json()["error"]


def test_what_is_offered_is_a_setting(run):
    done = run("serve", "--tf-serving", "127.0.0.1:0", "--serve-model", "other", code=3)
    assert "no model 'other'" in done.stderr
    done = run("serve", "--serve-model", "face", code=2)
    assert "--tf-serving or --kserve" in done.stderr
