# SPDX-License-Identifier: Apache-2.0
"""`unmask compat-check --transport`: Socket.IO of mesonet-api, against the real python-socketio."""

import json
import subprocess

import pytest
from old_mesonet import OldMesonet

NAME = "mesonet-api"
TRANSPORTS = ["websocket", "polling"]


@pytest.fixture
def old():
    """old(change) starts an old service."""
    started = []

    def start(*arguments, **settings):
        started.append(OldMesonet(*arguments, **settings))
        return started[-1]

    yield start
    for service in started:
        service.close()


@pytest.fixture(scope="module")
def ours(start_contracts):
    return start_contracts(NAME).urls[NAME]


@pytest.fixture
def check(unmask, clean_environment):
    def check(service, *arguments):
        command = [
            unmask,
            "compat-check",
            "--contract",
            NAME,
            "--against",
            service,
            "--json",
            *map(str, arguments),
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=clean_environment)
        return done, json.loads(done.stdout) if done.stdout else None

    return check


def shapes(report):
    """(kind, where) of the differences that a client might stumble over."""
    return {(d["kind"], d["where"]) for file in report["files"] for d in file["differences"] if d["shape"]}


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_the_original_has_the_shape_that_we_have(old, ours, check, media, transport):
    service = old()
    done, report = check(service.url, "--transport", transport, "--ours", ours, media / "clip.mp4")
    assert done.returncode == 0, done.stdout + done.stderr
    assert not shapes(report)
    assert service.received == [(media / "clip.mp4").read_bytes()] and service.transports == [transport]
    (file,) = report["files"]
    assert file["theirs"]["label"] == "DeepFake" and file["theirs"]["score"] == 0.375
    assert file["ours"]["label"] in ("DeepFake", "Real")
    added = {d["where"] for d in file["differences"] if d["kind"] == "added"}
    assert "prediction_complete.unmask" in added
    assert "prediction_progress/batch_complete.time_remaining" in added


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_long_video_goes_in_chunks(old, ours, check, media, tmp_path, transport):
    large = tmp_path / "large.mp4"
    content = (media / "clip.mp4").read_bytes()
    free = 1_500_000  # a box that players skip
    large.write_bytes(content + free.to_bytes(4, "big") + b"free" + bytes(free - 8))
    service = old()
    done, report = check(service.url, "--transport", transport, "--ours", ours, large)
    assert done.returncode == 0 and not shapes(report), done.stdout + done.stderr
    assert service.received == [large.read_bytes()]


def test_what_is_no_video_is_an_error_at_both(old, ours, check, media):
    done, report = check(old().url, "--transport", "websocket", "--ours", ours, media / "text.mp4")
    assert done.returncode == 0 and not report["files"][0]["differences"], done.stdout


def change_of(event, edit):
    """Lets `edit` change that event's payload."""
    return lambda name, payload: edit(dict(payload)) if name == event else payload


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (change_of("prediction_started", lambda p: p | {"video_size": str(p["video_size"])}),
         {("type", "prediction_started.video_size")}),
        (change_of("prediction_complete", lambda p: p | {"extra": 1}),
         {("missing", "prediction_complete.extra")}),
        (change_of("prediction_started", lambda p: dict(reversed(p.items()))),
         {("order", "prediction_started")}),
        (change_of("prediction_started", lambda p: None), {("events", "")}),
        (lambda name, p: None if p.get("stage") == "video_loaded" else p, {("events", "")}),
    ],
    ids=["type", "missing", "order", "no event", "no stage"],
)  # fmt: skip
def test_differences_of_shape_are_found(old, ours, check, media, change, expected):
    service = old(change)
    done, report = check(service.url, "--transport", "websocket", "--ours", ours, media / "one_frame.mp4")
    found = shapes(report) - {("events", "")} | (shapes(report) & expected)  # one frame has fewer batches
    assert done.returncode == 1 and found == expected, done.stdout


def test_heartbeats_are_answered(old, ours, check, media):
    """A service with short patience keeps the client that waits longer than that."""
    slow = old(ping_interval=0.2, ping_timeout=5)

    async def wait_first(sid, data, work=slow.process):
        await slow.io.sleep(1)
        await work(sid, data["video"], "single_upload")

    slow.io.on("predict_video", wait_first)
    done, report = check(slow.url, "--transport", "polling", "--ours", ours, media / "clip.mp4")
    assert done.returncode == 0 and not shapes(report), done.stdout + done.stderr


def test_services_that_cannot_be_asked(old, ours, check, media):
    clip = media / "one_frame.mp4"
    gone, _ = check("http://127.0.0.1:1", "--transport", "websocket", "--ours", ours, clip)
    assert gone.returncode == 3 and "http://127.0.0.1:1: connecting" in gone.stderr
    secure, _ = check("https://127.0.0.1:1", "--transport", "websocket", "--ours", ours, clip)
    assert secure.returncode == 3 and "expected http://HOST" in secure.stderr
    engine = old(transports=["polling"])
    no_websocket, _ = check(engine.url, "--transport", "websocket", "--ours", ours, clip)
    assert no_websocket.returncode == 3 and "no WebSocket, status 403" in no_websocket.stderr


def test_it_is_of_mesonet_api_alone(unmask, clean_environment):
    command = [
        unmask,
        "compat-check",
        "--contract",
        "predict-api",
        "--against",
        "http://a",
        "--transport",
        "polling",
        "x",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=clean_environment)
    assert done.returncode == 2 and "--transport is of mesonet-api alone" in done.stderr
