# SPDX-License-Identifier: Apache-2.0
"""KServe's protocol v2 as tritonclient, Triton's own client, speaks it, and every way to get it wrong."""

import json
import socket

import numpy as np
import pytest
import requests
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException


@pytest.fixture
def client(serving):
    with triton.InferenceServerClient(serving.kserve, network_timeout=60) as client:
        yield client


def image(values, binary=True):
    tensor = triton.InferInput("image", list(values.shape), "FP32")
    tensor.set_data_from_numpy(values, binary_data=binary)
    return tensor


def test_health_and_metadata(client):
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("face")
    assert client.is_model_ready("face", "1")
    assert not client.is_model_ready("face", "99")
    assert not client.is_model_ready("other")
    server = client.get_server_metadata()
    assert server["name"] == "unmask"
    assert "binary_tensor_data" in server["extensions"]
    assert client.get_model_metadata("face", "1") == {
        "name": "face",
        "versions": ["1"],
        "platform": "openvino",
        "inputs": [{"name": "image", "datatype": "FP32", "shape": [-1, 3, 160, 160]}],
        "outputs": [{"name": "logit", "datatype": "FP32", "shape": [-1, 1]}],
    }


@pytest.mark.parametrize("binary_in", [True, False])
@pytest.mark.parametrize("binary_out", [True, False, None])
def test_infer_in_json_and_binary_both_ways(client, faces, logits, binary_in, binary_out):
    outputs = None if binary_out is None else [triton.InferRequestedOutput("logit", binary_data=binary_out)]
    result = client.infer(
        "face", [image(faces, binary_in)], outputs=outputs, request_id="seven", model_version="1"
    )
    answer = result.get_response()
    assert answer["id"] == "seven"
    assert (answer["model_name"], answer["model_version"]) == ("face", "1")
    assert ("data" in answer["outputs"][0]) == (binary_out is False)
    np.testing.assert_allclose(result.as_numpy("logit"), logits.reshape(3, 1), atol=1e-5)


def test_the_same_tensor_gives_the_same_bits_each_way(client, faces):
    ways = [client.infer("face", [image(faces, binary)]).as_numpy("logit") for binary in (True, False)]
    ways.append(np.concatenate([client.infer("face", [image(f[None])]).as_numpy("logit") for f in faces]))
    assert ways[0].tobytes() == ways[1].tobytes() == ways[2].tobytes()


def test_many_requests_on_one_connection(client, faces, logits):
    for _ in range(20):
        got = client.infer("face", [image(faces[:1])]).as_numpy("logit")
        np.testing.assert_allclose(got, logits[:1].reshape(1, 1), atol=1e-5)


@pytest.mark.parametrize(
    "model, version, status, words",
    [
        ("other", "", "404", "unknown model: 'other'"),
        ("face", "99", "404", "version 99 is not found"),
        ("face", "x", "404", "version x is not found"),
    ],
)
def test_unknown_models_and_versions(client, faces, model, version, status, words):
    for ask in (
        lambda: client.infer(model, [image(faces[:1])], model_version=version),
        lambda: client.get_model_metadata(model, version),
    ):
        with pytest.raises(InferenceServerException) as error:
            ask()
        assert error.value.status() == status
        assert words in error.value.message()


def fp16(values):
    tensor = triton.InferInput("image", list(values.shape), "FP16")
    tensor.set_data_from_numpy(values.astype(np.float16))
    return tensor


def named(values):
    tensor = triton.InferInput("pixels", list(values.shape), "FP32")
    tensor.set_data_from_numpy(values)
    return tensor


def not_a_number(values):
    values = values.copy()
    values[0, 0, 0, 0] = np.nan
    return image(values)


@pytest.mark.parametrize(
    "make, words",
    [
        (fp16, "data-type is 'FP16'"),
        (named, "unexpected inference input 'pixels'"),
        (not_a_number, "not finite"),
        (lambda faces: image(faces[:, :, :80]), "Expected [-1,3,160,160], got [1,3,80,160]"),
        (lambda faces: image(faces[0]), "Expected [-1,3,160,160], got [3,160,160]"),
    ],
)
def test_inputs_that_do_not_fit(client, faces, logits, make, words):
    with pytest.raises(InferenceServerException) as error:
        client.infer("face", [make(faces[:1])])
    assert error.value.status() == "400"
    assert words in error.value.message()
    good = client.infer("face", [image(faces[:1])]).as_numpy("logit")
    np.testing.assert_allclose(good, logits[:1].reshape(1, 1), atol=1e-5)


def test_outputs_that_there_are_not(client, faces):
    with pytest.raises(InferenceServerException) as error:
        client.infer("face", [image(faces[:1])], outputs=[triton.InferRequestedOutput("score")])
    assert error.value.status() == "400"
    assert "unexpected inference output 'score'" in error.value.message()


def body_of(faces):
    """tritonclient's own bytes, and the length of the JSON in them."""
    return triton.InferenceServerClient.generate_request_body([image(faces)])


def infer(serving, body, length=None, **headers):
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    if length is not None:
        headers["Inference-Header-Content-Length"] = str(length)
    answer = requests.post(
        serving.urls["kserve"] + "/v2/models/face/infer", data=body, headers=headers, timeout=60
    )
    assert answer.headers["Content-Type"] in ("application/json", "application/octet-stream")
    return answer


def test_broken_bodies(serving, faces):
    body, length = body_of(faces[:1])
    assert infer(serving, body, length).status_code == 200
    for broken, header, words in [
        (body, length + 1, "not JSON"),
        (body, length - 1, "not JSON"),
        (body, len(body) + 1, "the body has"),
        (body, "x", "expected a number of bytes"),
        (body, "-5", "expected a number of bytes"),
        (body, 0, "is 0"),
        (body, None, "not JSON"),
        (body[:-1], length, "bytes follow the JSON"),
        (body + b"x", length, "bytes follow the JSON"),
        (body[:length], length, "bytes follow the JSON"),
        (b"", None, "not JSON"),
        (b"[" * 1_000_000, None, "nested deeper"),
        (b"<html>", None, "not JSON"),
    ]:
        answer = infer(serving, broken, header)
        assert answer.status_code == 400, words
        assert words in answer.json()["error"]


def test_numbers_that_are_none(serving, faces):
    for token in ("NaN", "Infinity", "1e999", "1e39", '"1"', "null"):
        data = "[" + ",".join(["0"] * (3 * 160 * 160 - 1) + [token]) + "]"
        head = '{"inputs": [{"name": "image", "datatype": "FP32", "shape": [1,3,160,160], "data": '
        body = head + data + "}]}"
        answer = infer(serving, body)
        assert answer.status_code == 400, token
        assert answer.json()["error"]


@pytest.mark.parametrize(
    "shape", [[2**31, 3, 160, 160], [10**18, 10**18], [129, 3, 160, 160], [0, 3, 160, 160], []]
)
def test_huge_and_empty_shapes(serving, shape):
    body = {"inputs": [{"name": "image", "datatype": "FP32", "shape": shape, "data": [1.0]}]}
    answer = infer(serving, json.dumps(body))
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_a_body_that_ends_early_harms_nobody(serving, faces):
    body, length = body_of(faces[:1])
    host, port = serving.kserve.split(":")
    with socket.create_connection((host, int(port)), timeout=60) as raw:
        head = (
            f"POST /v2/models/face/infer HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
            f"Inference-Header-Content-Length: {length}\r\n\r\n"
        )
        raw.sendall(head.encode() + body[:1000])
    assert infer(serving, body, length).status_code == 200


def test_compressed_bodies_are_refused(serving, faces):
    body, length = body_of(faces[:1])
    answer = infer(serving, body, length, Content_Encoding="gzip")
    assert answer.status_code == 400
    assert "uncompressed" in answer.json()["error"]


def test_other_paths_and_methods(serving):
    base = serving.urls["kserve"]
    assert requests.get(base + "/v2/nothing", timeout=60).status_code == 404
    assert requests.get(base + "/v1/models/face", timeout=60).status_code == 404
    answer = requests.get(base + "/v2/models/face/infer", timeout=60)
    assert answer.status_code == 405
    assert answer.json()["error"]
    assert requests.get(serving.urls["unmask"] + "/v2", timeout=60).status_code == 404


def test_limits_of_body_and_memory(start_serving, faces):
    small = start_serving("--serve-max-body", "200K", "--serve-max-batch", 2)
    body, length = body_of(faces[:1])
    answer = infer(small, body, length)
    assert answer.status_code == 413
    assert "at most 204800" in answer.json()["error"]
    assert requests.get(small.urls["kserve"] + "/v2/health/ready", timeout=60).status_code == 200


def test_batches_have_a_limit(start_serving, faces):
    two = start_serving("--serve-max-batch", 2)
    assert infer(two, *body_of(faces[:2])).status_code == 200
    answer = infer(two, *body_of(faces))
    assert answer.status_code == 400
    assert "too large (at most 2)" in answer.json()["error"]
