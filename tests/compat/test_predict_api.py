# SPDX-License-Identifier: Apache-2.0
"""predict-api by the clients that its users have: requests, httpx, curl."""

import json
import math
import socket
import struct
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
import requests

NAME = "predict-api"
FPS = 25  # of the clips


@pytest.fixture(scope="module")
def served(start_contracts):
    """One server for all tests that leave it as it was."""
    return start_contracts(NAME)


@pytest.fixture(scope="module")
def url(served):
    return served.urls[NAME]


def post(url, file, query="", **options):
    with open(file, "rb") as content:
        return requests.post(f"{url}/predict{query}", files={"file": content}, timeout=300, **options)


def as_fastapi(value) -> bytes:
    """What JSONResponse sends."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def is_float32(value):
    return struct.unpack("f", struct.pack("f", value))[0] == value


def times(body):
    return [sample["t"] for sample in body["frame_samples"]]


def invalid(kind, loc, message, value=None, **more):
    return {"detail": [{"type": kind, "loc": loc, "msg": message, "input": value, **more}]}


MISSING = invalid("missing", ["body", "file"], "Field required")
NO_NUMBER = "Input should be a valid number, unable to parse string as a number"


# ---- the documented answers ----


def test_predict(url, media):
    before = time.monotonic()
    answer = post(url, media / "clip.mp4")
    took = (time.monotonic() - before) * 1000
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "application/json"
    body = answer.json()
    assert answer.content == as_fastapi(body), "not as FastAPI writes JSON"
    assert list(body) == ["score", "label", "frame_samples", "version", "latency_ms", "meta", "unmask"]
    assert 0 <= body["score"] <= 1 and is_float32(body["score"])
    assert body["label"] == ("fake" if body["score"] >= 0.5 else "real")
    assert (body["label"] == "fake") == (body["unmask"]["verdict"] == "manipulated")
    for sample in body["frame_samples"]:
        assert list(sample) == ["t", "score"]
        assert 0 <= sample["score"] <= 1 and is_float32(sample["score"])
    assert times(body) == pytest.approx([0, 0.48, 0.96, 1.44, 1.92, 2.4, 2.88])  # 25/2 = 12.5 rounds to 12
    assert body["version"] == "1"
    assert isinstance(body["latency_ms"], int) and 0 < body["latency_ms"] <= took
    assert body["meta"] == {
        "src_fps": 25.0, "total_frames": 75, "used_step": 12, "face_frames": 7, "face_detect_rate": 1.0,
    }  # fmt: skip
    assert list(body["meta"]) == ["src_fps", "total_frames", "used_step", "face_frames", "face_detect_rate"]
    assert body["unmask"]["engine"] == "native" and body["unmask"]["frames_analysed"] == 7


@pytest.mark.parametrize(
    ("fps", "step"),
    [("2", 12), ("10", 2), ("0", 12), ("-0.0", 12), ("25", 1), ("inf", 1), ("Infinity", 1), (" 5.0 ", 5),
     ("1_0", 2), ("1e1", 2), ("0.5", 50), ("0.0001", 250), ("-3", 250), ("7&fps=5", 5)],
)  # fmt: skip
def test_fps_chooses_the_step(url, media, fps, step):
    body = post(url, media / "clip.mp4", f"?fps={fps.replace(' ', '%20')}").json()
    assert body["meta"]["used_step"] == step
    assert times(body) == pytest.approx([index / FPS for index in range(0, 75, step)])


def test_same_answer_by_httpx_and_curl_and_again(url, media):
    clip = media / "clip.mp4"
    with httpx.Client(timeout=120) as client:
        by_httpx = client.post(f"{url}/predict?fps=1", files={"file": ("a.mp4", clip.read_bytes())}).json()
    command = ["curl", "-sS", "-F", f"file=@{clip};filename=", f"{url}/predict?fps=1"]
    by_curl = json.loads(subprocess.run(command, capture_output=True, check=True, timeout=120).stdout)
    again = post(url, clip, "?fps=1").json()
    for body in (by_httpx, by_curl, again):
        del body["latency_ms"], body["unmask"]
    assert by_httpx == by_curl == again


def test_other_containers(url, media):
    body = post(url, media / "vp8.webm").json()
    assert body["meta"]["total_frames"] == 25 and times(body) == pytest.approx([0, 0.48, 0.96])


# ---- what the original gets wrong ----


def test_a_single_frame_is_judged(url, media):
    body = post(url, media / "one_frame.mp4").json()
    assert times(body) == [0.0] and body["meta"]["face_frames"] == 1
    assert post(url, media / "portrait.png").json()["meta"]["total_frames"] == 1


def test_frames_without_a_face_lower_the_rate_in_the_additive_fields(url, media):
    body = post(url, media / "half_face.mp4").json()
    assert body["meta"]["face_detect_rate"] == 1.0
    assert 0 < body["unmask"]["face_detect_rate"] < 1


def test_uploads_of_the_same_name_do_not_mix(url, media):
    clips = ["clip.mp4", "one_frame.mp4"] * 5

    def ask(name):
        content = (media / name).read_bytes()
        answer = requests.post(f"{url}/predict", files={"file": ("same.mp4", content)}, timeout=300)
        return answer.json()["meta"]["total_frames"]

    with ThreadPoolExecutor(10) as pool:
        assert list(pool.map(ask, clips)) == [75, 1] * 5


def test_health_answers_during_an_analysis(url, media):
    with ThreadPoolExecutor() as pool:
        running = pool.submit(post, url, media / "long.mp4", "?fps=25")
        slowest = 0
        while not running.done():
            before = time.monotonic()
            assert requests.get(f"{url}/health", timeout=60).json()["ok"] is True
            slowest = max(slowest, time.monotonic() - before)
        assert running.result().status_code == 200
    assert slowest < 5


# ---- errors ----


def test_a_video_without_a_face(url, media):
    answer = post(url, media / "no_face.mp4")
    assert answer.status_code == 400
    assert answer.json()["detail"] == "No frames extracted (no faces and fallback failed)"
    assert answer.content == as_fastapi(answer.json())


@pytest.mark.parametrize("name", ["text.mp4", "empty.mp4", "truncated.mp4", "audio.mp4", "portrait.avif"])
def test_what_is_no_video(url, media, name):
    answer = post(url, media / name)
    assert answer.status_code == 400
    body = answer.json()
    assert body["detail"] == "Failed to open video"
    assert body["unmask"]["message"], "why, beyond what the original tells"


def test_fps_that_is_no_number_of_frames(url, media):
    answer = post(url, media / "clip.mp4", "?fps=nan")
    assert answer.status_code == 400
    assert answer.content == b'{"detail":"cannot convert float NaN to integer"}'


@pytest.mark.parametrize("text", ["abc", "", "1,5", "--1"])
def test_fps_that_is_no_number(url, media, text):
    answer = post(url, media / "clip.mp4", f"?fps={text}")
    assert answer.status_code == 422
    assert answer.content == as_fastapi(invalid("float_parsing", ["query", "fps"], NO_NUMBER, text))


def test_a_missing_file(url):
    everything = [
        requests.post(f"{url}/predict", timeout=60),
        requests.post(f"{url}/predict", data={"file2": "x"}, timeout=60),
        requests.post(f"{url}/predict", json={"file": 1}, timeout=60),
        requests.post(f"{url}/predict", files={"other": b"x"}, timeout=60),
    ]
    for answer in everything:
        assert answer.status_code == 422
        assert answer.content == as_fastapi(MISSING)


def test_text_in_place_of_the_file(url):
    answer = requests.post(f"{url}/predict", files={"file": (None, "grüße")}, timeout=60)
    message = "Value error, Expected UploadFile, received: <class 'str'>"
    body = invalid("value_error", ["body", "file"], message, "grüße", ctx={"error": {}})
    assert (answer.status_code, answer.content) == (422, as_fastapi(body))


def test_two_faults_at_once(url):
    answer = requests.post(f"{url}/predict?fps=x", timeout=60)
    details = [entry["loc"] for entry in answer.json()["detail"]]
    assert (answer.status_code, details) == (422, [["query", "fps"], ["body", "file"]])


@pytest.mark.parametrize(
    ("content_type", "body", "detail"),
    [
        ("multipart/form-data", b"hello", "Missing boundary in multipart."),
        ("multipart/form-data; boundary=xx", b"hello", "There was an error parsing the body"),
        ("multipart/form-data; boundary=xx", b"--yy\r\n\r\n--yy--", "There was an error parsing the body"),
    ],
)
def test_broken_forms(url, content_type, body, detail):
    answer = requests.post(f"{url}/predict", data=body, headers={"Content-Type": content_type}, timeout=60)
    assert (answer.status_code, answer.json()) == (400, {"detail": detail})


def test_of_two_files_the_last_counts(url, media):
    parts = [("file", (media / name).read_bytes()) for name in ("clip.mp4", "one_frame.mp4")]
    answer = requests.post(f"{url}/predict", files=parts, timeout=120)
    assert answer.json()["meta"]["total_frames"] == 1


def test_routes_and_methods(url):
    for path in ("/", "/nope", "/predict/x"):
        answer = requests.get(url + path, timeout=60)
        assert (answer.status_code, answer.content) == (404, b'{"detail":"Not Found"}')
    for method, path, allow in [
        ("GET", "/predict", "POST"), ("PUT", "/predict", "POST"), ("POST", "/health", "GET"),
        ("HEAD", "/health", "GET"), ("OPTIONS", "/predict", "POST"),
    ]:  # fmt: skip
        answer = requests.request(method, url + path, timeout=60)
        assert (answer.status_code, answer.headers["Allow"]) == (405, allow)
        assert answer.content == (b"" if method == "HEAD" else b'{"detail":"Method Not Allowed"}')


def test_a_slash_too_many(served, media):
    for root in (served.urls[NAME], f"{served.urls['unmask']}/compat/{NAME}"):
        answer = requests.get(f"{root}/health/?a=b", allow_redirects=False, timeout=60)
        assert (answer.status_code, answer.content) == (307, b"")
        with open(media / "one_frame.mp4", "rb") as content:
            answer = requests.post(f"{root}/predict/?fps=1", files={"file": content}, timeout=60)
        assert answer.status_code == 200 and answer.history[0].status_code == 307


def test_too_large_an_upload(start_contracts, media):
    small = start_contracts(NAME, flags=["--max-upload", "20000"])
    answer = post(small.urls[NAME], media / "clip.mp4")
    assert answer.status_code == 413 and "20000" in answer.json()["detail"]


def test_a_client_that_leaves_ends_its_analysis(served, url, media, until):
    host, port = url.removeprefix("http://").split(":")
    content = (media / "long.mp4").read_bytes()
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.mp4"\r\n\r\n'
    body = head + content + b"\r\n--b--\r\n"
    with socket.create_connection((host, int(port))) as client:
        client.sendall(
            b"POST /predict?fps=25 HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\n"
            b"Content-Length: %d\r\n\r\n" % len(body) + body
        )
        until(lambda: [a["state"] for a in served.analyses(1)] == ["running"])
        begun = served.analyses(1)[0]["id"]
    until(lambda: {a["id"]: a["state"] for a in served.analyses()}[begun] == "cancelled")


# ---- CORS, as Starlette's middleware ----


def test_cors(url):
    plain = requests.get(f"{url}/health", timeout=60)
    assert "Access-Control-Allow-Origin" not in plain.headers
    there = requests.get(f"{url}/nope", headers={"Origin": "http://a.b"}, timeout=60)
    assert there.headers["Access-Control-Allow-Origin"] == "*"
    assert there.headers["Access-Control-Allow-Credentials"] == "true"
    cookie = requests.get(f"{url}/health", headers={"Origin": "http://a.b", "Cookie": "a=b"}, timeout=60)
    assert cookie.headers["Access-Control-Allow-Origin"] == "http://a.b"
    assert cookie.headers["Vary"] == "Origin"


def test_preflight(url):
    headers = {
        "Origin": "http://a.b",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization, x-a",
    }
    answer = requests.options(f"{url}/predict", headers=headers, timeout=60)
    assert (answer.status_code, answer.content) == (200, b"OK")
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert answer.headers["Access-Control-Allow-Origin"] == "http://a.b"
    assert answer.headers["Access-Control-Allow-Headers"] == "authorization, x-a"
    assert answer.headers["Access-Control-Allow-Methods"] == "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"
    assert answer.headers["Access-Control-Max-Age"] == "600"


# ---- settings ----


def test_health_of_the_built_in_model(url):
    answer = requests.get(f"{url}/health", timeout=60)
    body = answer.json()
    assert answer.status_code == 200 and list(body) == ["ok", "tfserving", "unmask"]
    (version,) = body["tfserving"]["model_version_status"]
    assert list(version) == ["version", "state", "status"]
    assert version["state"] == "AVAILABLE" and version["version"].isdigit()
    assert version["status"] == {"error_code": "OK", "error_message": ""}


def test_settings_of_the_original(start_contracts, media):
    env = {"MODEL_VERSION": "2024-07", "DEFAULT_FPS": "5", "MAX_FRAMES": "3", "THRESHOLD": "0"}
    url = start_contracts(NAME, env=env).urls[NAME]
    body = post(url, media / "clip.mp4").json()
    assert body["version"] == "2024-07" and body["meta"]["used_step"] == 5
    assert times(body) == pytest.approx([0, 0.2, 0.4]), "it stops after MAX_FRAMES faces"
    assert body["label"] == "fake", "every score is at or above THRESHOLD"


def test_settings_from_an_env_file(start_contracts, media, tmp_path):
    file = tmp_path / "settings.env"
    file.write_text('export MODEL_VERSION="from file" # comment\nTHRESHOLD=1\nREQUIRE_AUTH=no\n')
    url = start_contracts(NAME, flags=["--env-file", file], env={"THRESHOLD": "0"}).urls[NAME]
    body = post(url, media / "one_frame.mp4").json()
    assert body["version"] == "from file"
    assert body["label"] == "fake", "the environment wins over the file"


@pytest.fixture(scope="module")
def guarded(start_contracts):
    env = {"REQUIRE_AUTH": "true", "JWT_SECRET": "s3cret"}
    return start_contracts(NAME, env=env).urls[NAME]


class TestAuth:
    @pytest.fixture
    def url(self, guarded):
        return guarded

    @pytest.mark.parametrize(
        ("header", "status", "detail"),
        [
            (None, 403, "Not authenticated"),
            ("Bearer", 403, "Not authenticated"),
            ("Basic czNjcmV0", 403, "Invalid authentication credentials"),
            ("Bearer wrong", 401, "Invalid token"),
            ("Bearer  s3cret", 401, "Invalid token"),
        ],
    )
    def test_refuses(self, url, media, header, status, detail):
        headers = {"Authorization": header} if header else {}
        for answer in (
            post(url, media / "clip.mp4", headers=headers),
            requests.post(f"{url}/predict?fps=x", headers=headers, timeout=60),  # auth beats 422
        ):
            assert (answer.status_code, answer.json()) == (status, {"detail": detail})
            assert "WWW-Authenticate" not in answer.headers

    @pytest.mark.parametrize("scheme", ["Bearer", "bearer", "bEARER"])
    def test_lets_in(self, url, media, scheme):
        headers = {"Authorization": f"{scheme} s3cret"}
        assert post(url, media / "one_frame.mp4", headers=headers).status_code == 200
        answer = requests.post(f"{url}/predict", headers=headers, timeout=60)
        assert (answer.status_code, answer.content) == (422, as_fastapi(MISSING))

    def test_leaves_health_open(self, url):
        assert requests.get(f"{url}/health", timeout=60).status_code == 200

    def test_warns_of_the_known_secret(self, start_contracts):
        served = start_contracts(NAME, env={"REQUIRE_AUTH": "1"})
        assert "change-me" in served.log.read_text()

    def test_refuses_the_known_secret_when_strict(self, unmask, clean_environment, tmp_path):
        listen = ["--listen", "127.0.0.1:0", "--contract", f"{NAME}=127.0.0.1:0"]
        command = [unmask, "serve", *listen, "--strict"]
        environment = clean_environment | {"REQUIRE_AUTH": "1", "JWT_SECRET": "change-me"}
        done = subprocess.run(
            command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=60
        )
        assert done.returncode != 0 and "JWT_SECRET" in done.stderr


def test_under_the_main_listener(served, media):
    root = f"{served.urls['unmask']}/compat/{NAME}"
    assert requests.get(f"{root}/health", timeout=60).json()["ok"] is True
    assert post(root, media / "one_frame.mp4").status_code == 200
    assert requests.get(f"{root}/nope", timeout=60).content == b'{"detail":"Not Found"}'


def test_scores_are_finite(url, media):
    assert math.isfinite(post(url, media / "clip.mp4").json()["score"])
