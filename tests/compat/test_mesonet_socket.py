# SPDX-License-Identifier: Apache-2.0
"""mesonet-api over Socket.IO by the clients that its users have: python-socketio and socket.io-client."""

import base64
import contextlib
import json
import os
import queue
import subprocess
import time
from pathlib import Path

import pytest
import requests
from making import ROOT

import socketio

NAME = "mesonet-api"
PATIENCE = 60  # seconds until something that has to come counts as missing
ENDS = {"prediction_complete", "prediction_error", "reconstruction_error"}
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


class Client:
    """One connected python-socketio client that keeps all events."""

    def __init__(self, url, transports=None, path="socket.io"):
        self.io = socketio.Client(reconnection=False)
        self.events = queue.Queue()
        self.io.on("*", lambda event, *values: self.events.put((event, *values)))
        self.io.connect(url, transports=transports, socketio_path=path, wait_timeout=PATIENCE)

    def next(self, event=None):
        """The payload of the next event, which must be `event`; or the next event as a pair."""
        got = self.events.get(timeout=PATIENCE)
        if event is None:
            return got
        assert got[0] == event, got
        return got[1]

    def until(self, *names):
        """All events to the first that is one of `names`."""
        seen = [self.next()]
        while seen[-1][0] not in names:
            seen.append(self.next())
        return seen

    def call(self, event, data):
        return self.io.call(event, data, timeout=PATIENCE)


@pytest.fixture
def connect(url):
    with contextlib.ExitStack() as stack:

        def connect(transports=None, hello=True, **options):
            client = Client(options.pop("url", url), transports, **options)
            stack.callback(client.io.disconnect)
            if hello:
                client.next("connection_established")
            return client

        yield connect


@pytest.fixture
def client(connect):
    return connect(["websocket"])


def b64(file):
    return base64.b64encode(Path(file).read_bytes()).decode()


def cut(text, pieces):
    size = -(-len(text) // pieces)
    return [text[i : i + size] for i in range(0, len(text), size)]


def check_error(payload, error, *keys):
    assert list(payload) == ["error", *keys, "timestamp"]
    assert payload["error"] == error
    assert abs(payload["timestamp"] - time.time()) < PATIENCE


@pytest.fixture(scope="module")
def clip(media):
    return b64(media / "clip.mp4")


@pytest.fixture(scope="module")
def short(media):
    return b64(media / "one_frame.mp4")


# ---- the documented events ----


@pytest.mark.parametrize("transports", [["polling"], ["websocket"], ["polling", "websocket"]])
def test_hello_and_ping(connect, transports):
    client = connect(transports, hello=False)
    hello = client.next("connection_established")
    assert list(hello) == ["sid", "status", "detector_ready"]
    assert hello == {"sid": client.io.get_sid(), "status": "connected", "detector_ready": True}
    client.io.emit("ping", {})
    pong = client.next("pong")
    assert list(pong) == ["timestamp", "detector_ready"] and pong["detector_ready"] is True
    # python-socketio gives an acknowledgement without values as None or ()
    assert not client.call("ping", "anything")


@pytest.mark.parametrize("path", ["socket.io", "compat/mesonet-api/socket.io"])
def test_paths(served, connect, path):
    root = served.urls["unmask" if path.startswith("compat") else NAME]
    connect(url=root, path=path).io.emit("ping", {})
    handshake = requests.get(f"{root}/{path}?EIO=4&transport=polling", timeout=60)
    assert handshake.status_code == 200
    facts = json.loads(handshake.text[1:])
    assert list(facts) == ["sid", "upgrades", "pingTimeout", "pingInterval", "maxPayload"]
    assert (facts["pingTimeout"], facts["pingInterval"], facts["maxPayload"]) == (20000, 25000, 1000000)


@pytest.mark.parametrize("prefix", ["", "data:video/mp4;base64,"])
def test_predict_video(client, clip, prefix):
    client.io.emit("predict_video", {"video": prefix + clip})
    events = client.until(*ENDS)
    started = events.pop(0)
    assert started[0] == "prediction_started"
    assert list(started[1]) == ["message", "video_size", "timestamp"]
    assert started[1]["message"] == "Starting video processing"
    assert started[1]["video_size"] == len(base64.b64decode(clip))

    name, result = events.pop()
    assert name == "prediction_complete"
    assert list(result) == [*RESULT, "timestamp", "source", *README, "unmask"]
    assert result["source"] == "single_upload"
    assert list(result["processing_stats"]) == [*STATS, "faces_per_second"]
    assert result["processing_stats"]["frames_processed"] == 39

    assert {name for name, _ in events} == {"prediction_progress"}
    stages = [payload for _, payload in events]
    assert [s["stage"] for s in stages] == (
        ["video_loaded", "processing_frames"] + 5 * ["batch_complete"] + ["running_prediction"]
    )
    assert list(stages[0]) == ["stage", "total_frames", "duration", "fps", "timestamp"]
    assert (stages[0]["total_frames"], stages[0]["duration"], stages[0]["fps"]) == (75, 3.0, 25.0)
    assert list(stages[1]) == ["stage", "frames_to_process", "timestamp"]
    assert stages[1]["frames_to_process"] == 39
    assert [s["processed"] for s in stages[2:7]] == [8, 16, 24, 32, 39]
    for batch in stages[2:7]:
        assert list(batch) == ["stage", "processed", "total", "faces_found", "time_remaining", "timestamp"]
        assert batch["total"] == 39 and batch["faces_found"] <= batch["processed"]
    assert list(stages[7]) == ["stage", "faces_count", "timestamp"]
    assert stages[7]["faces_count"] == result["num_faces_processed"]
    times = [s["timestamp"] for s in stages] + [result["timestamp"]]
    assert times == sorted(times)


def test_a_video_without_a_face(client, media):
    client.io.emit("predict_video", {"video": b64(media / "no_face.mp4")})
    name, result = client.until(*ENDS)[-1]
    assert name == "prediction_complete"
    assert list(result) == ["error", "processing_stats", "timestamp", "unmask"]
    assert result["error"] == "No faces detected in video"
    assert list(result["processing_stats"]) == STATS


def test_an_acknowledgement_comes_after_the_whole_job(client, clip):
    assert not client.call("predict_video", {"video": clip})
    assert client.events.queue[-1][0] == "prediction_complete"


@pytest.mark.parametrize("transports", [["polling"], ["websocket"], ["polling", "websocket"]])
def test_chunks(connect, clip, transports):
    client = connect(transports)
    pieces = cut("data:video/mp4;base64," + clip, 5)
    for i, piece in enumerate(pieces):
        client.io.emit("video_chunk", {"chunk_id": i, "total_chunks": 5, "chunk": piece, "is_last": i == 4})
        got = client.next("chunk_received")
        assert list(got) == ["chunk_id", "chunks_received", "total_expected", "timestamp"]
        assert (got["chunk_id"], got["chunks_received"], got["total_expected"]) == (i, i + 1, 5)
    events = client.until(*ENDS)
    assert events[0][1]["message"] == "Starting video processing (from chunks)"
    assert events[0][1]["video_size"] == len(base64.b64decode(clip))
    assert events[-1][0] == "prediction_complete" and events[-1][1]["source"] == "chunked_upload"
    # The assembly is gone: the next video begins anew.
    client.io.emit("video_chunk", {"chunk": "AAAA"})
    got = client.next("chunk_received")
    assert (got["chunk_id"], got["chunks_received"], got["total_expected"]) == (0, 1, None)


def test_chunks_out_of_order_repeated_negative_and_with_holes(client, short):
    pieces = cut(short, 4)
    sent = [(70, pieces[3]), (-5, "rubbish"), (9, pieces[2]), (0, pieces[1]), (-5, pieces[0])]
    for chunk_id, piece in sent:
        client.io.emit("video_chunk", {"chunk_id": chunk_id, "chunk": piece})
    counts = [client.next("chunk_received")["chunks_received"] for _ in range(5)]
    assert counts == [1, 2, 3, 4, 4]
    client.io.emit("video_chunk", {"chunk_id": 71, "chunk": "=", "is_last": True})
    assert client.until(*ENDS)[-1][0] == "prediction_complete"


def test_chunks_with_textual_ids(client, short):
    for chunk_id, piece in zip(["b", "a", "c"], [cut(short, 3)[i] for i in (1, 0, 2)], strict=True):
        client.io.emit("video_chunk", {"chunk_id": chunk_id, "chunk": piece, "total_chunks": 3})
    assert client.until(*ENDS)[-1][0] == "prediction_complete"


def test_mixed_ids_cannot_be_ordered(client, short):
    client.io.emit("video_chunk", {"chunk_id": 0, "chunk": short})
    client.io.emit("video_chunk", {"chunk_id": "1", "chunk": short, "is_last": True})
    text = "Failed to reconstruct video: '<' not supported between instances of 'str' and 'int'"
    check_error(client.until(*ENDS)[-1][1], text)


def test_binary_chunks_are_not_taken(client, media):
    client.io.emit("video_chunk", {"chunk": (media / "one_frame.mp4").read_bytes(), "is_last": True})
    client.next("chunk_received")
    text = "Failed to reconstruct video: sequence item 0: expected str instance, bytes found"
    check_error(client.next("reconstruction_error"), text)


def test_bad_base64_in_chunks(client):
    client.io.emit("video_chunk", {"chunk": "QUJ", "is_last": True})
    client.next("chunk_received")
    check_error(client.next("reconstruction_error"), "Failed to reconstruct video: Incorrect padding")


@pytest.mark.parametrize("chunk", [None, "", 0, []])
def test_an_empty_chunk(client, chunk):
    client.io.emit("video_chunk", {"chunk_id": "x", "chunk": chunk})
    error = client.next("chunk_error")
    check_error(error, "No chunk data provided", "chunk_id")
    assert error["chunk_id"] == "x"


@pytest.mark.parametrize(
    ("data", "kind"), [("text", "str"), (7, "int"), (None, "NoneType"), ([1], "list"), (b"x", "bytes")]
)
def test_a_payload_that_is_no_dictionary(client, data, kind):
    for event, error in [("video_chunk", "chunk_error"), ("predict_video", "prediction_error")]:
        client.io.emit(event, (data,))
        check_error(client.next(error), f"'{kind}' object has no attribute 'get'")


@pytest.mark.parametrize("chunk_id", [[1], {"a": 1}])
def test_an_id_that_is_no_key(client, chunk_id):
    client.io.emit("video_chunk", {"chunk_id": chunk_id, "chunk": "AAAA"})
    check_error(client.next("chunk_error"), f"unhashable type: '{type(chunk_id).__name__}'")


@pytest.mark.parametrize(
    ("data", "error"),
    [
        ({}, "No video data provided"),
        ({"video": ""}, "No video data provided"),
        ({"video": None}, "No video data provided"),
        ({"video": "QUJ"}, "Incorrect padding"),
        ({"video": "QUJDR"}, "Invalid base64-encoded string: number of data characters (5) cannot be 1 more "
                             "than a multiple of 4"),
        ({"video": "grüße"}, "string argument should contain only ASCII characters"),
        ({"video": 7}, "argument of type 'int' is not iterable"),
        ({"video": b"bytes"}, "a bytes-like object is required, not 'str'"),
        ({"video": [1]}, "argument should be a bytes-like object or ASCII string, not 'list'"),
    ],
)  # fmt: skip
def test_bad_videos(client, data, error):
    client.io.emit("predict_video", data)
    check_error(client.next("prediction_error"), error)


def test_what_is_no_video(client, media):
    client.io.emit("predict_video", {"video": b64(media / "text.mp4")})
    check_error(client.until(*ENDS)[-1][1], "Could not open video file")


def test_unknown_events_and_wrong_arguments_are_ignored(client):
    client.io.emit("nobody_knows", {"a": 1})
    client.io.emit("ping")
    client.io.emit("predict_video", (1, 2))
    with pytest.raises(socketio.exceptions.TimeoutError):
        client.io.call("nobody_knows", {}, timeout=0.3)
    client.io.emit("ping", {})
    client.next("pong")


# ---- what the original does not survive ----


@pytest.mark.parametrize("transports", [["websocket"], ["polling", "websocket"]])
def test_a_message_that_is_too_long(connect, short, transports):
    client = connect(transports)
    while client.io.eio.transport() != "websocket":
        time.sleep(0.01)
    client.io.emit("predict_video", {"video": "A" * 1_500_000})
    error = client.next("prediction_error")
    assert "1000000" in error["error"] and "chunk" in error["error"]
    client.io.emit("video_chunk", {"chunk": short[:100]})
    client.next("chunk_received")
    client.io.emit("video_chunk", {"chunk": "A" * 1_500_000})
    assert "1000000" in client.next("chunk_error")["error"]
    assert not client.call("predict_video", {"video": short})


def test_two_uploads_at_once_on_one_connection(client, clip, short):
    for i in range(3):
        for name, text in (("first", clip), ("second", short)):
            client.io.emit(
                "video_chunk",
                {"upload_id": name, "chunk_id": i, "total_chunks": 3, "chunk": cut(text, 3)[i]},
            )
    done = []
    while len(done) < 2:
        name, payload = client.next()
        assert name not in ("prediction_error", "reconstruction_error"), payload
        if name == "prediction_complete":
            done.append(payload["processing_stats"]["total_frames"])
    assert sorted(done) == [1, 75]


def test_two_uploads_that_mix_their_ids_end_in_an_error_or_a_result(client, clip, short):
    for i in range(3):
        for text in (clip, short):
            client.io.emit("video_chunk", {"chunk_id": i, "total_chunks": 3, "chunk": cut(text, 3)[i]})
    client.until(*ENDS)
    client.io.emit("ping", {})
    client.until("pong")


def test_clients_do_not_mix(connect, clip, short):
    clients = [connect(["websocket"]) for _ in range(6)]
    for i in range(4):
        for j, client in enumerate(clients):
            piece = cut(short if j % 2 else clip, 4)[i]
            client.io.emit("video_chunk", {"chunk_id": i, "total_chunks": 4, "chunk": piece})
    for j, client in enumerate(clients):
        name, payload = client.until(*ENDS)[-1]
        assert name == "prediction_complete", payload
        assert payload["processing_stats"]["total_frames"] == (1 if j % 2 else 75)


def open_files(served):
    return len(os.listdir(f"/proc/{served.process.pid}/fd"))


def test_leaving_in_mid_upload_frees_everything(start_contracts, connect, short, until):
    served = start_contracts(NAME)
    before = open_files(served)
    for _ in range(3):
        client = connect(["websocket"], url=served.urls[NAME])
        client.io.emit("video_chunk", {"chunk": short})
        client.next("chunk_received")
        assert open_files(served) > before
        client.io.disconnect()
    until(lambda: open_files(served) <= before)


def test_leaving_in_mid_analysis_ends_it(served, connect, media, until):
    client = connect(["websocket"])
    pieces = cut(b64(media / "long.mp4"), -(-(media / "long.mp4").stat().st_size * 4 // 3) // 500_000 + 1)
    for i, piece in enumerate(pieces):
        client.io.emit("video_chunk", {"chunk_id": i, "total_chunks": len(pieces), "chunk": piece})
    client.until("prediction_progress", *ENDS)
    newest = served.analyses(1)[0]
    assert newest["state"] == "running"
    client.io.disconnect()
    until(lambda: {a["id"]: a["state"] for a in served.analyses()}[newest["id"]] == "cancelled")


def test_an_upload_over_the_limit(start_contracts, connect):
    small = start_contracts(NAME, flags=["--max-upload", "30000"])
    client = connect(["websocket"], url=small.urls[NAME])
    for i in range(5):
        client.io.emit("video_chunk", {"chunk_id": i, "chunk": "A" * 10_000})
    assert [client.next()[0] for _ in range(5)] == 4 * ["chunk_received"] + ["chunk_error"]


def test_a_long_analysis_leaves_heartbeats_and_others_alone(connect, media):
    busy = connect(["websocket"])
    pieces = cut(b64(media / "long.mp4"), 1 + (media / "long.mp4").stat().st_size // 300_000)
    for i, piece in enumerate(pieces):
        busy.io.emit("video_chunk", {"chunk_id": i, "chunk": piece, "is_last": i == len(pieces) - 1})
    busy.until("prediction_started")
    other = connect(["websocket"])
    slowest = 0
    for _ in range(20):
        before = time.monotonic()
        assert not other.call("ping", {})
        slowest = max(slowest, time.monotonic() - before)
    assert slowest < 5
    assert busy.until(*ENDS)[-1][0] == "prediction_complete"


# ---- socket.io-client on Node ----


@pytest.mark.parametrize("transports", ["polling", "websocket", "default"])
def test_socket_io_client(url, media, transports):
    clients = Path(os.environ.get("UNMASK_TEST_CLIENTS", ROOT / "third_party" / "test_clients"))
    if not (clients / "node_modules" / "socket.io-client").is_dir():
        pytest.fail(f"socket.io-client is missing in {clients}: run tools/setup.sh --tests", pytrace=False)
    command = ["node", Path(__file__).with_name("mesonet_client.cjs"), url, transports, media / "clip.mp4"]
    environment = os.environ | {"UNMASK_TEST_CLIENTS": str(clients)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=2 * PATIENCE)
    assert done.returncode == 0, done.stdout + done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    names = [name for name, _ in events]
    assert names[0] == "connection_established"
    assert names.count("chunk_received") == 4
    complete = [payload for name, payload in events if name == "prediction_complete"]
    assert [payload["source"] for payload in complete] == ["single_upload", "chunked_upload"]
    assert complete[0]["individual_scores"] == complete[1]["individual_scores"]
    assert names.count("acknowledged") == 2
    assert names.index("acknowledged") > names.index("prediction_complete")
