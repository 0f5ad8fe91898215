# SPDX-License-Identifier: Apache-2.0
"""predict-api in front of TensorFlow Serving: what it asks, and what becomes of every way to fail."""

import socket
import struct
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from tf_serving_stand_in import STATUS, closed_port, red_means, stand_in

NAME = "predict-api"
FAITHFUL = ["--contract-engine", f"{NAME}=faithful"]
POOL = "HTTPConnectionPool(host='tfserving', port=8501): "
PREDICT = "/v1/models/deepfake:predict"


@pytest.fixture(scope="module")
def serving():
    with stand_in() as server:
        yield server


@pytest.fixture(scope="module", params=["default", "strict"])
def served(request, start_contracts, serving):
    env = {"TF_SERVING_URL": serving.url, "REQUEST_TIMEOUT": "1.5"}
    strict = ["--strict"] if request.param == "strict" else []
    contracts = start_contracts(NAME, flags=[*FAITHFUL, *strict], env=env)
    contracts.fault = 503 if strict else 400
    return contracts


@pytest.fixture
def url(served, serving):
    serving.mode = "ok"
    serving.requests.clear()
    serving.asked.clear()
    serving.gone.clear()
    return served.urls[NAME]


def post(url, file, query=""):
    with open(file, "rb") as content:
        return requests.post(f"{url}/predict{query}", files={"file": content}, timeout=120)


def float32(value):
    return struct.unpack("f", struct.pack("f", value))[0]


@pytest.mark.parametrize("mode", ["ok", "outputs"])
def test_scores_are_those_of_the_remote_model(url, serving, media, mode):
    serving.mode = mode
    answer = post(url, media / "clip.mp4")
    assert answer.status_code == 200, answer.text
    ((method, path, asked),) = serving.requests
    assert (method, path, list(asked)) == ("POST", PREDICT, ["instances"])
    pictures = asked["instances"]
    assert all(len(p) == 64 and len(p[0]) == 64 and len(p[0][0]) == 3 for p in pictures)
    assert all(0 <= value <= 1 for p in pictures for row in p for pixel in row for value in pixel)
    body = answer.json()
    scores = [sample["score"] for sample in body["frame_samples"]]
    assert scores == [float32(mean) for mean in red_means(pictures)]
    assert body["score"] == pytest.approx(sum(scores) / len(scores), abs=1e-6)
    assert body["label"] == ("fake" if body["score"] >= 0.5 else "real")
    assert body["meta"]["face_frames"] == len(scores) and body["meta"]["face_detect_rate"] == 1.0
    assert body["unmask"]["engine"] == "faithful"


def test_the_fallback_without_a_face(url, serving, media):
    body = post(url, media / "no_face.mp4").json()
    indices = list(range(0, 50, 3))  # of 50 frames: stride 50 div 16
    assert [sample["t"] for sample in body["frame_samples"]] == [index / 25 for index in indices]
    assert body["meta"]["face_frames"] == 0 and body["meta"]["face_detect_rate"] == 0.0
    assert len(serving.requests[-1][2]["instances"]) == len(indices)


def test_a_single_frame(url, media):
    assert len(post(url, media / "one_frame.mp4").json()["frame_samples"]) == 1


def test_connections_are_kept(url, serving, media):
    before = serving.connections
    for _ in range(3):
        assert post(url, media / "one_frame.mp4").status_code == 200
    assert serving.connections <= before + 1


def test_health(url, serving):
    body = requests.get(f"{url}/health", timeout=60).json()
    assert body["ok"] is True and body["tfserving"] == STATUS
    serving.mode = "404"
    answer = requests.get(f"{url}/health", timeout=60)
    assert answer.status_code == 200
    assert {**answer.json(), "unmask": None} == {"ok": False, "tfserving": "status=404", "unmask": None}


@pytest.mark.parametrize(
    ("mode", "detail"),
    [
        ("500", 'TF Serving error 500: {"error":"boom"}'),
        (
            "404",
            'TF Serving error 404: {"error": "Servable not found for request: Latest(deepfake)"}',
        ),
        ("nan", 'Malformed TF Serving response: {"predictions": [[NaN]]}'),
        ("empty", 'Malformed TF Serving response: {"predictions": []}'),
        ("short", 'Malformed TF Serving response: {"predictions": []}'),
        ("other", 'Malformed TF Serving response: {"foo": 1}'),
        ("malformed", "Expecting ',' delimiter: line 1 column 22 (char 21)"),
        ("html", "Expecting value: line 1 column 1 (char 0)"),
        (
            "half",
            "('Connection broken: IncompleteRead(21 bytes read, 79 more expected)', "
            "IncompleteRead(21 bytes read, 79 more expected))",
        ),
        (
            "close",
            "('Connection aborted.', RemoteDisconnected('Remote end closed connection without response'))",
        ),
        ("garbage", "('Connection aborted.', BadStatusLine('the answer is not HTTP'))"),
        ("hang", POOL + "Read timed out. (read timeout=1.5)"),
    ],
)
def test_upstream_faults(served, url, serving, media, mode, detail):
    serving.mode = mode
    answer = post(url, media / "one_frame.mp4")
    assert (answer.status_code, answer.json()) == (served.fault, {"detail": detail})


def test_a_score_with_two_numbers(served, url, serving, media):
    serving.mode = "shape"
    answer = post(url, media / "one_frame.mp4")
    assert answer.status_code == served.fault
    assert answer.json()["detail"].startswith('Malformed TF Serving response: {"predictions": [[0.')


def test_a_long_upstream_error_is_cut(served, url, serving, media):
    serving.mode = "long"
    detail = post(url, media / "one_frame.mp4").json()["detail"]
    assert len(detail) == len("Malformed TF Serving response: ") + 400


def test_broken_videos_stay_the_clients_fault(url, serving, media):
    answer = post(url, media / "text.mp4")
    assert (answer.status_code, answer.json()["detail"]) == (400, "Failed to open video")
    assert serving.requests == []


def test_nobody_listens(start_contracts, media):
    port = closed_port()
    env = {"TF_SERVING_URL": f"http://127.0.0.1:{port}"}
    served = start_contracts(NAME, flags=FAITHFUL, env=env)
    answer = post(served.urls[NAME], media / "one_frame.mp4")
    refused = "(Caused by NewConnectionError('Failed to establish a new connection: [Errno 111] "
    assert answer.status_code == 400
    assert answer.json() == {
        "detail": f"{POOL}Max retries exceeded with url: {PREDICT} {refused}Connection refused'))"
    }
    health = requests.get(f"{served.urls[NAME]}/health", timeout=60).json()
    assert health["ok"] is False and "Max retries exceeded" in health["tfserving"]
    for text in (answer.text, str(health)):
        assert str(port) not in text and "127.0.0.1" not in text, "the inner address is nobody's business"
    assert str(port) in served.log.read_text(), "but the operator's"


def test_a_client_that_leaves_ends_the_question(url, served, serving, media, until):
    serving.mode = "hang"
    host, port = url.removeprefix("http://").split(":")
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.mp4"\r\n\r\n'
    body = head + (media / "one_frame.mp4").read_bytes() + b"\r\n--b--\r\n"
    with socket.create_connection((host, int(port))) as client:
        client.sendall(
            b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\n"
            b"Content-Length: %d\r\n\r\n" % len(body) + body
        )
        assert serving.asked.wait(60)
    assert serving.gone.wait(60)
    until(lambda: [a["state"] for a in served.analyses(1)] == ["cancelled"])


def test_health_does_not_wait_behind_uploads_nor_hold_them_up(url, serving, media):
    serving.mode = "hang"
    with ThreadPoolExecutor(12) as pool:
        waiting = [pool.submit(requests.get, f"{url}/health", timeout=60) for _ in range(12)]
        assert serving.asked.wait(60)
        answer = requests.post(f"{url}/predict", timeout=60)
        assert answer.status_code == 422
        assert not all(health.done() for health in waiting)
    assert all(health.result().json()["ok"] is False for health in waiting)
