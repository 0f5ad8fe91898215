# SPDX-License-Identifier: Apache-2.0
"""mesonet-api over HTTP by the clients that its users have: requests, httpx, curl."""

import json
import socket
import struct
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
import requests

NAME = "mesonet-api"
RESULT = [
    "prediction",
    "confidence",
    "num_faces_processed",
    "individual_scores",
    "avg_score",
    "processing_stats",
]
STATS = ["frames_processed", "faces_detected", "processing_time", "video_duration", "total_frames", "fps"]
README = ["faces_detected", "processing_time", "frame_analysis"]


@pytest.fixture(scope="module")
def served(start_contracts):
    """One server for all tests that leave it as it was."""
    return start_contracts(NAME)


@pytest.fixture(scope="module")
def url(served):
    return served.urls[NAME]


def post(url, file, kind="video/mp4", name="clip.mp4"):
    with open(file, "rb") as content:
        return requests.post(f"{url}/upload", files={"file": (name, content, kind)}, timeout=300)


def as_fastapi(value) -> bytes:
    """What JSONResponse sends."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def check_result(body, frames):
    scores = body["individual_scores"]
    assert len(scores) == body["num_faces_processed"] > 0
    for score in [*scores, body["avg_score"]]:
        assert 0 <= score <= 1 and struct.unpack("f", struct.pack("f", score))[0] == score
    real = body["avg_score"] > 0.5
    assert body["prediction"] == ("Real" if real else "DeepFake")
    assert body["confidence"] == (body["avg_score"] if real else 1 - body["avg_score"])
    assert (body["prediction"] == "DeepFake") == (body["unmask"]["verdict"] == "manipulated")
    stats = body["processing_stats"]
    assert list(stats) == [*STATS, "faces_per_second"]
    assert stats["frames_processed"] == frames and stats["faces_detected"] == len(scores)
    assert stats["processing_time"] > 0 and stats["faces_per_second"] > 0
    assert body["faces_detected"] == len(scores)
    assert body["processing_time"] == f"{stats['processing_time']:.1f}s"
    suspicious = sum(score <= 0.5 for score in scores)
    assert body["frame_analysis"] == {"total_frames": frames, "suspicious_frames": suspicious}


# ---- the documented answers ----


def test_upload(url, media):
    before = time.time()
    answer = post(url, media / "clip.mp4", name="Größe 人.mp4")
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert answer.content == as_fastapi(body), "not as FastAPI writes JSON"
    assert list(body) == ["filename", *RESULT, "timestamp", *README, "unmask"]
    assert body["filename"] == "Größe 人.mp4"
    assert before <= body["timestamp"] <= time.time()
    check_result(body, frames=39)
    stats = body["processing_stats"]
    assert (stats["video_duration"], stats["total_frames"], stats["fps"]) == (3.0, 75, 25.0)


def test_frames_are_those_of_the_original(served, url, media):
    body = post(url, media / "clip.mp4").json()
    frames = sorted({face["frame"] for face in served.faces(body["unmask"]["report_id"])})
    # 75 frames: thirds of 25, of which every frame would be 25/13 = 1 apart
    assert frames == [start + i for start in (0, 25, 50) for i in range(13)]


def test_every_frame_of_a_short_clip(url, media):
    body = post(url, media / "vp8.webm", "video/webm").json()
    assert body["processing_stats"]["total_frames"] == body["processing_stats"]["frames_processed"] == 25
    assert post(url, media / "one_frame.mp4").json()["num_faces_processed"] == 1


def test_a_video_without_a_face(url, media):
    answer = post(url, media / "no_face.mp4")
    body = answer.json()
    assert answer.status_code == 200 and answer.content == as_fastapi(body)
    assert list(body) == ["error", "processing_stats", "timestamp", "unmask"]
    assert body["error"] == "No faces detected in video"
    assert list(body["processing_stats"]) == STATS
    assert body["processing_stats"]["faces_detected"] == 0


def test_httpx_and_curl(url, media):
    clip = media / "one_frame.mp4"
    with httpx.Client(timeout=120) as client:
        files = {"file": ("a.mp4", clip.read_bytes(), "video/mp4")}
        by_httpx = client.post(f"{url}/upload", files=files).json()
    command = ["curl", "-sS", "-F", f"file=@{clip};type=video/mp4;filename=a.mp4", f"{url}/upload"]
    by_curl = json.loads(subprocess.run(command, capture_output=True, check=True, timeout=120).stdout)
    for key in ("filename", "individual_scores", "avg_score", "prediction"):
        assert by_httpx[key] == by_curl[key]


def test_root_and_health(url):
    answer = requests.get(url + "/", timeout=60)
    body = answer.json()
    assert list(body) == ["service", "version", "status", "detector_ready", "endpoints", "usage"]
    assert answer.content.startswith(
        b'{"service":"Deepfake Detection API","version":"1.0.0","status":"running","detector_ready":true,'
        b'"endpoints":{"websocket":"Connect to /socket.io/ for real-time detection",'
        b'"http_upload":"POST /upload for file upload","health":"GET /health for health check"}'
    )
    body = requests.get(f"{url}/health", timeout=60).json()
    assert list(body) == [
        "status", "detector_loaded", "model_path", "label_path", "timestamp", "system", "unmask",
    ]  # fmt: skip
    assert body["status"] == "healthy" and body["detector_loaded"] is True
    assert body["model_path"] == "models/Meso4_DF.h5"
    assert body["label_path"] == "models/mesonet_idx_to_class.pkl"
    assert abs(body["timestamp"] - time.time()) < 60


# ---- what comes in ----


@pytest.mark.parametrize("kind", ["application/octet-stream", ""])
@pytest.mark.parametrize("name", ["one_frame.mp4", "vp8.webm", "clip.avi"])
def test_a_video_without_a_type_is_known_by_its_bytes(url, media, kind, name):
    assert post(url, media / name, kind).status_code == 200


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("portrait.png", "image/png"),
        ("portrait.png", "application/octet-stream"),
        ("text.mp4", "application/octet-stream"),
        ("clip.mp4", "text/plain"),
        ("clip.mp4", "audio/mp4"),
        ("clip.mp4", "VIDEO/mp4"),
    ],
)
def test_what_is_no_video_by_its_type(url, media, name, kind):
    answer = post(url, media / name, kind)
    assert (answer.status_code, answer.content) == (400, b'{"detail":"File must be a video"}')


@pytest.mark.parametrize("name", ["text.mp4", "empty.mp4", "truncated.mp4", "audio.mp4", "portrait.heic"])
def test_a_broken_video(url, media, name):
    answer = post(url, media / name)
    body = answer.json()
    assert answer.status_code == 500
    assert body["detail"] == "Could not open video file" and body["unmask"]["message"]


def test_a_broken_video_when_strict(start_contracts, media):
    strict = start_contracts(NAME, flags=["--strict"]).urls[NAME]
    assert post(strict, media / "text.mp4").status_code == 400


def test_missing_file_and_text(url):
    answer = requests.post(f"{url}/upload", timeout=60)
    missing = {"type": "missing", "loc": ["body", "file"], "msg": "Field required", "input": None}
    assert (answer.status_code, answer.content) == (422, as_fastapi({"detail": [missing]}))
    answer = requests.post(f"{url}/upload", data={"file": "text"}, timeout=60)
    text = {
        "type": "value_error", "loc": ["body", "file"],
        "msg": "Value error, Expected UploadFile, received: <class 'str'>", "input": "text",
        "ctx": {"error": {}},
    }  # fmt: skip
    # An urlencoded field is text as well.
    assert (answer.status_code, answer.content) == (422, as_fastapi({"detail": [text]}))


def test_routes_and_methods(url):
    answer = requests.get(f"{url}/nope", timeout=60)
    assert (answer.status_code, answer.content) == (404, b'{"detail":"Not Found"}')
    for method, path, allow in [("GET", "/upload", "POST"), ("HEAD", "/health", "GET"), ("POST", "/", "GET")]:
        answer = requests.request(method, url + path, timeout=60)
        assert (answer.status_code, answer.headers["Allow"]) == (405, allow)


def test_cors(url):
    plain = requests.get(f"{url}/health", timeout=60)
    assert "Access-Control-Allow-Origin" not in plain.headers
    answer = requests.get(f"{url}/health", headers={"Origin": "http://a.b"}, timeout=60)
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Access-Control-Allow-Credentials"] == "true"
    headers = {"Origin": "http://a.b", "Access-Control-Request-Method": "POST"}
    answer = requests.options(f"{url}/upload", headers=headers, timeout=60)
    assert (answer.status_code, answer.content) == (200, b"OK")
    assert answer.headers["Access-Control-Allow-Origin"] == "http://a.b"


def test_labels_of_the_readme(start_contracts, media):
    url = start_contracts(NAME, env={"MESONET_LABELS": "readme"}).urls[NAME]
    assert post(url, media / "one_frame.mp4").json()["prediction"] in ("deepfake", "real")


def test_too_large_an_upload(start_contracts, media):
    small = start_contracts(NAME, flags=["--max-upload", "20000"])
    assert post(small.urls[NAME], media / "clip.mp4").status_code == 413


def test_uploads_of_the_same_name_do_not_mix(url, media):
    clips = ["clip.mp4", "one_frame.mp4"] * 5
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda name: post(url, media / name, name="same.mp4").json(), clips))
    assert [body["processing_stats"]["total_frames"] for body in answers] == [75, 1] * 5


def test_a_client_that_leaves_ends_its_analysis(served, url, media, until):
    host, port = url.removeprefix("http://").split(":")
    head = (
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.mp4"\r\n'
        b"Content-Type: video/mp4\r\n\r\n"
    )
    body = head + (media / "long.mp4").read_bytes() + b"\r\n--b--\r\n"
    with socket.create_connection((host, int(port))) as client:
        client.sendall(
            b"POST /upload HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\n"
            b"Content-Length: %d\r\n\r\n" % len(body) + body
        )
        until(lambda: [a["state"] for a in served.analyses(1)] == ["running"])
        begun = served.analyses(1)[0]["id"]
    until(lambda: {a["id"]: a["state"] for a in served.analyses()}[begun] == "cancelled")


def test_under_the_main_listener(served, media):
    root = f"{served.urls['unmask']}/compat/{NAME}"
    assert requests.get(f"{root}/", timeout=60).json()["status"] == "running"
    assert post(root, media / "one_frame.mp4").status_code == 200
