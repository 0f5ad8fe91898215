# SPDX-License-Identifier: Apache-2.0
"""`unmask compat-check` against stand-ins of old services that speak the contracts."""

import email
import json
import signal
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

FASTAPI = {
    "Content-Type": "application/json",
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Credentials": "true",
}
FACES = [{"t": 0.0, "score": 0.75}, {"t": 0.48, "score": 0.875}]
META = {"src_fps": 25.0, "total_frames": 75, "used_step": 12, "face_frames": 2, "face_detect_rate": 1.0}
PREDICT = {
    "score": 0.8125, "label": "fake", "frame_samples": FACES, "version": "1", "latency_ms": 900, "meta": META,
}  # fmt: skip


class OldService:
    """Answers every POST with `answer(path, fields)`: a status, headers and an object or text."""

    def __init__(self, answer):
        self.requests = []  # (path, headers, {field: (filename, type, bytes)})
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
                fields = {
                    part.get_param("name", header="content-disposition"): (
                        part.get_filename(),
                        part.get_content_type(),
                        part.get_payload(decode=True),
                    )
                    for part in email.message_from_bytes(head + body).get_payload()
                }
                outer.requests.append((self.path, dict(self.headers), fields))
                status, headers, body = answer(self.path, fields)
                body = body if isinstance(body, str) else json.dumps(body, separators=(",", ":"))
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body.encode())))
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def service():
    """service(answer) starts an old service."""
    started = []

    def start(answer):
        started.append(OldService(answer))
        return started[-1]

    yield start
    for one in started:
        one.server.shutdown()
        one.server.server_close()


@pytest.fixture
def check(unmask, clean_environment):
    def check(*arguments):
        return subprocess.run(
            [unmask, "compat-check", *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=300,
            env=clean_environment,
        )

    return check


@pytest.fixture
def clip(tmp_path):
    file = tmp_path / "clip.mp4"
    file.write_bytes(b"media")
    return file


@pytest.fixture
def compare(service, check, clip):
    """compare(theirs, ours) gives the exit code and the JSON of two predict-api services' answers."""

    def compare(theirs, ours, name="predict-api"):
        old, new = (service(lambda path, fields, answer=answer: answer) for answer in (theirs, ours))
        done = check("--contract", name, "--against", old.url, "--ours", new.url, "--json", clip)
        return done.returncode, json.loads(done.stdout)

    return compare


def kinds(report):
    return [(d["kind"], d["where"]) for d in report["files"][0]["differences"]]


# ---- differences of each kind ----


def test_equal_shapes(compare):
    other = PREDICT | {"score": 0.5625, "unmask": {"engine": "native"}}
    code, report = compare((200, FASTAPI, PREDICT), (200, FASTAPI, other))
    assert code == 0
    assert kinds(report) == [("added", "unmask")]
    file = report["files"][0]
    assert file["same_shape"] and file["same_label"] and file["score_difference"] == -0.25
    assert file["theirs"]["label"] == "fake" and file["theirs"]["score"] == 0.8125
    assert report["summary"] == {
        "files": 1, "unreachable": 0, "same_shape": 1, "judged": 1, "same_label": 1,
        "mean_difference": 0.25, "largest_difference": 0.25,
    }  # fmt: skip


def without(key):
    return {k: v for k, v in PREDICT.items() if k != key}


@pytest.mark.parametrize(
    "answer, expected",
    [
        ((201, FASTAPI, PREDICT), ("status", "")),
        ((200, FASTAPI | {"Content-Type": "text/json"}, PREDICT), ("header", "Content-Type")),
        (
            (200, {k: v for k, v in FASTAPI.items() if k != "Access-Control-Allow-Origin"}, PREDICT),
            ("header", "Access-Control-Allow-Origin"),
        ),
        ((200, FASTAPI, without("version")), ("missing", "version")),
        ((200, FASTAPI, dict(reversed(PREDICT.items()))), ("order", "")),
        ((200, FASTAPI, PREDICT | {"latency_ms": 900.5}), ("type", "latency_ms")),
        ((200, FASTAPI, PREDICT | {"meta": META | {"used_step": "12"}}), ("type", "meta.used_step")),
        (
            (200, FASTAPI, PREDICT | {"frame_samples": [{"t": 0, "score": 0.5}]}),
            ("type", "frame_samples[].t"),
        ),
    ],
)  # fmt: skip
def test_a_difference_of_shape_is_told_and_exits_1(compare, answer, expected):
    code, report = compare((200, FASTAPI, PREDICT), answer)
    assert code == 1
    assert expected in kinds(report)
    assert report["summary"]["same_shape"] == 0


@pytest.mark.parametrize(
    "answer, expected",
    [
        ((200, FASTAPI, PREDICT | {"frame_samples": FACES[:1]}), ("length", "frame_samples")),
        ((200, FASTAPI, PREDICT | {"version": "2"}), ("text", "version")),
        ((200, FASTAPI, {"detail": "no"}), ("outcome", "")),
    ],
)
def test_other_differences_are_told_and_exit_0(compare, answer, expected):
    code, report = compare((200, FASTAPI, PREDICT), answer)
    assert code == 0
    assert kinds(report) == [expected]


def test_html_beside_json(compare):
    page = (500, {"Content-Type": "text/html"}, "<h1>Internal Server Error</h1>")
    code, report = compare(page, (500, FASTAPI, {"error": "no"}))
    assert code == 1
    assert ("format", "") in kinds(report)


def test_another_label(compare):
    code, report = compare(
        (200, FASTAPI, PREDICT), (200, FASTAPI, PREDICT | {"label": "real", "score": 0.25})
    )
    assert code == 0, "a label is no shape"
    assert report["files"][0]["same_label"] is False
    assert report["summary"]["same_label"] == 0


# ---- what is sent, and to whom ----


def test_the_request_is_a_clients(service, check, clip):
    old = service(lambda *_: (200, FASTAPI, PREDICT))
    done = check(
        "--contract", "predict-api", "--against", old.url + "/", "--ours", old.url, "--query", "fps=4",
        "--field", "seed=7", "--token", "s3", clip,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert len(old.requests) == 2
    for path, headers, fields in old.requests:
        assert path == "/predict?fps=4"
        assert headers["Authorization"] == "Bearer s3" and headers["Origin"]
        assert fields["file"] == ("clip.mp4", "video/mp4", b"media")
        assert fields["seed"][2] == b"7"
    assert f"{clip}: fake 0.8125, ours fake 0.8125 (+0.0000); " in done.stdout
    assert "1 of 1 with the same shape; 1 of 1 with the same label (100.0 %)" in done.stdout


def test_a_limit_is_waited_for(service, check, clip):
    def answer(_, fields):
        first = len(old.requests) == 1
        return (429, {"Content-Type": "text/html"}, "slow") if first else (200, FASTAPI, PREDICT)

    old = service(answer)
    new = service(lambda *_: (200, FASTAPI, PREDICT))
    done = check(
        "--contract", "predict-api", "--against", old.url, "--ours", new.url, "--limit-wait", "0", clip
    )
    assert done.returncode == 0
    assert len(old.requests) == 2 and len(new.requests) == 1
    assert "has reached its limit of requests" in done.stderr


def test_unreachable_services_exit_3(service, check, clip):
    new = service(lambda *_: (200, FASTAPI, PREDICT))
    there, gone = new.url, "http://127.0.0.1:1"
    for old, ours in ((gone, there), (there, gone)):
        done = check("--contract", "predict-api", "--against", old, "--ours", ours, "--json", clip)
        assert done.returncode == 3
        assert done.stderr.startswith(f"error: {clip}: {gone}: ")
        assert json.loads(done.stdout)["summary"]["unreachable"] == 1


def test_a_silent_service_is_given_up(service, check, clip):
    held = threading.Event()
    old = service(lambda *_: held.wait(60) and None or (200, FASTAPI, PREDICT))
    arguments = (
        "--contract",
        "predict-api",
        "--against",
        old.url,
        "--ours",
        old.url,
        "--timeout",
        "0.2",
        clip,
    )
    done = check(*arguments)
    held.set()
    assert done.returncode == 3 and "did not answer in time" in done.stderr


def test_an_interrupt_ends_it(service, unmask, clean_environment, clip, until):
    held = threading.Event()
    old = service(lambda *_: held.wait(60) and None or (200, FASTAPI, PREDICT))
    command = [
        unmask,
        "compat-check",
        "--contract",
        "predict-api",
        "--against",
        old.url,
        "--ours",
        old.url,
        clip,
    ]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=clean_environment
    )
    until(lambda: old.requests)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    held.set()
    assert process.returncode == 130


def test_wrong_usage_exits_2(check, clip, tmp_path):
    assert check("--contract", "predict-api", clip).returncode == 2
    missing = check("--contract", "predict-api", "--against", "http://127.0.0.1:1", tmp_path / "none.mp4")
    assert missing.returncode == 2 and "none.mp4" in missing.stderr
    nameless = tmp_path / "clip"
    nameless.write_bytes(b"x")
    way = check("--contract", "microservice-v1", "--against", "http://127.0.0.1:1", nameless)
    assert way.returncode == 2 and "rename it" in way.stderr


# ---- each contract against our own server ----

FLASK = {"Content-Type": "application/json"}
EVERYWHERE = {"Access-Control-Allow-Origin": "http://compat-check.invalid", "Vary": "Origin"}
ONE = {"prediction": "Fake", "probability": 0.6263623237609863}
STATS = {
    "frames_processed": 39, "faces_detected": 39, "processing_time": 3.5, "video_duration": 3.0,
    "total_frames": 75, "fps": 25.0, "faces_per_second": 11.1,
}  # fmt: skip
MESONET = {
    "filename": "clip.mp4", "prediction": "Real", "confidence": 0.75, "num_faces_processed": 39,
    "individual_scores": [0.75] * 39, "avg_score": 0.75, "processing_stats": STATS, "timestamp": 1.5,
}  # fmt: skip
WAYS = [
    ("microservice-v1", "portrait.png", FLASK | EVERYWHERE,
     {"Predictions": [ONE], "face_detection_method": "MTCNN"}, "/detect_deepfake_image", "image"),
    ("microservice-v1", "clip.mp4", FLASK | EVERYWHERE, [ONE, ONE, ONE], "/detect_deepfake_video", "video"),
    ("microservice-v2", "clip.mp4", FLASK | EVERYWHERE,
     {"face_detection_method": "MTCNN", "num_frames": 3, "predictions": [ONE] * 3},
     "/detect_deepfake_video", "video"),
    ("web-upload", "portrait.jpg", FLASK, {"alert": "The image is Real with a confidence of 0.83"}, "/upload",
     "file"),
    ("mesonet-api", "clip.mp4", FASTAPI, MESONET, "/upload", "file"),
    ("predict-api", "clip.mp4", FASTAPI, PREDICT, "/predict", "file"),
]  # fmt: skip


@pytest.mark.parametrize("name, file, headers, body, path, field", WAYS)
def test_a_server_of_its_own(service, check, media, name, file, headers, body, path, field):
    old = service(lambda *_: (200, headers, body))
    done = check("--contract", name, "--against", old.url, "--json", media / file)
    report = json.loads(done.stdout)
    assert done.returncode == 0, report
    assert old.requests[0][0] == path
    sent = old.requests[0][2][field]
    assert sent[0] == file and sent[2] == (media / file).read_bytes()
    assert report["summary"]["same_shape"] == report["summary"]["judged"] == 1
    assert report["ours"].startswith("http://127.0.0.1:")
    assert not [d for d in report["files"][0]["differences"] if d["shape"]]


def test_a_verdict_is_compared_in_the_services_direction(service, check, media):
    old = service(lambda *_: (200, FLASK, {"alert": "The image is Fake with a confidence of 0.02"}))
    done = check("--contract", "web-upload", "--against", old.url, "--json", media / "portrait.jpg")
    file = json.loads(done.stdout)["files"][0]
    assert file["theirs"] == {"label": "Fake", "score": 0.02, "seconds": file["theirs"]["seconds"]}
    assert file["score_difference"] == pytest.approx(file["ours"]["score"] - 0.02)


def test_a_model_that_is_absent_exits_3(check, clip, tmp_path):
    arguments = ("--contract", "predict-api", "--against", "http://127.0.0.1:1", "--models", tmp_path, clip)
    done = check(*arguments)
    assert done.returncode == 3 and done.stderr.startswith("error: ")


def test_under_the_prefix_the_checks_origin_must_be_allowed(service, check, start_contracts, media):
    """The main listener is closed to web pages, as whose the files are sent to compare CORS."""
    old = service(lambda path, fields: (200, FASTAPI, PREDICT))
    sent = ["--contract", "predict-api", "--against", old.url, media / "one_frame.mp4", "--ours"]
    closed = check(*sent, start_contracts().urls["unmask"] + "/compat/predict-api")
    assert closed.returncode == 3
    assert "start it with --allow-origin http://compat-check.invalid" in closed.stderr
    opened = start_contracts(flags=["--allow-origin", "http://compat-check.invalid"])
    done = check(*sent, opened.urls["unmask"] + "/compat/predict-api", "--json")
    assert "outcome" not in done.stdout and json.loads(done.stdout)["summary"]["judged"] == 1
