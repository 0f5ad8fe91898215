# SPDX-License-Identifier: Apache-2.0
"""What the originals do not survive, at every contract: it is answered, nothing is left of it, and the next
request works."""

import base64
import contextlib
import json
import os
import re
import socket
import struct
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from websockets.sync.client import connect as connect_websocket

B = "frontier"  # the boundary of the forms below


MISSING = {"type": "missing", "loc": ["body", "file"], "msg": "Field required", "input": None}


@dataclass(frozen=True)
class Contract:
    """How a client sends its file to one contract, and what it is told."""

    name: str
    path: str
    field: str
    files: tuple  # two files of `media` that are answered differently; the first is judged
    no_file: tuple  # (status, JSON) where there is none

    @property
    def flask(self):
        """Flask takes a broken form for an empty one, and the first of two files; FastAPI neither."""
        return self.no_file[0] == 400

    @property
    def broken(self):
        """The answer to a form that is none."""
        return self.no_file if self.flask else (400, {"detail": "There was an error parsing the body"})

    @property
    def kind(self):
        return "video/mp4" if self.video else "image/png"

    @property
    def video(self):
        return self.files[0].endswith(".mp4")

    def answer(self, response):
        """What tells one file's answer from another's."""
        body = response.json()
        for key in ("processing_stats", "meta"):
            if key in body:
                return body[key]["total_frames"]
        return body.get("alert") or json.dumps(body.get("Predictions", body.get("predictions")))


PICTURES, VIDEOS = ("portrait.png", "no_face.png"), ("clip.mp4", "no_face.mp4")
CLIPS = ("clip.mp4", "one_frame.mp4")
NO_IMAGE, NO_VIDEO = ((400, {"error": f"No {kind} file provided"}) for kind in ("image", "video"))
CONTRACTS = [
    Contract("microservice-v1", "/detect_deepfake_image", "image", PICTURES, NO_IMAGE),
    Contract("microservice-v2", "/detect_deepfake_video", "video", VIDEOS, NO_VIDEO),
    Contract("web-upload", "/upload", "file", PICTURES, (400, {"alert": "No file part"})),
    Contract("mesonet-api", "/upload", "file", CLIPS, (422, {"detail": [MISSING]})),
    Contract("predict-api", "/predict", "file", CLIPS, (422, {"detail": [MISSING]})),
]


@pytest.fixture(scope="module")
def served(start_contracts):
    return start_contracts(*(c.name for c in CONTRACTS), flags=["--trusted-proxy", "127.0.0.1"])


@pytest.fixture(params=CONTRACTS, ids=lambda c: c.name)
def contract(request):
    return request.param


class Watched:
    """One contract of a server, and what requests to it leave behind."""

    def __init__(self, contract, served, media, address):
        self.contract, self.served, self.media = contract, served, media
        self.url = served.urls[contract.name] + contract.path
        self.headers = {"X-Forwarded-For": address}  # web-upload counts by address

    def part(self, content, field=None, filename="a.png"):
        name = f'name="{field or self.contract.field}"'
        file = "" if filename is None else f'; filename="{filename}"\r\nContent-Type: {self.contract.kind}'
        return f"--{B}\r\nContent-Disposition: form-data; {name}{file}\r\n\r\n".encode() + content + b"\r\n"

    def send(self, body, boundary=B):
        headers = self.headers | {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        return requests.post(self.url, data=body, headers=headers, timeout=300)

    def good(self, name=None, filename="a.png"):
        return (
            self.part((self.media / (name or self.contract.files[0])).read_bytes(), filename=filename) + END
        )

    def expect(self, response, status, body):
        assert (response.status_code, response.json()) == (status, body), response.text[:300]

    # ---- what may not stay ----

    def files(self):
        """Open files that hold uploads; they have no name in the folder."""
        found = []
        for link in Path(f"/proc/{self.served.process.pid}/fd").iterdir():
            try:
                target = os.readlink(link)
            except FileNotFoundError:
                continue
            if f"{self.served.data}/" in target:
                found.append(target)
        return found

    def sockets(self):
        links = Path(f"/proc/{self.served.process.pid}/fd").iterdir()
        count = 0
        for link in links:
            try:
                count += os.readlink(link).startswith("socket:")
            except FileNotFoundError:
                continue
        return count

    def resident(self):
        status = Path(f"/proc/{self.served.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) * 1024

    def busy(self):
        return [a["id"] for a in self.served.analyses() if a["state"] in ("queued", "running")]


END = f"--{B}--\r\n".encode()
counter = iter(range(1, 250))


@pytest.fixture
def watched(contract, served, media, until):
    """The contract; afterwards nothing may be left, and a good file must be judged."""
    watched = Watched(contract, served, media, f"203.0.113.{next(counter)}")
    with requests.Session() as session:  # what is open once a first request has been served
        session.get(served.urls["unmask"] + "/healthz", timeout=60)
    before = len(watched.files())
    yield watched
    until(lambda: not watched.busy())
    until(lambda: len(watched.files()) <= before)
    assert list(served.data.iterdir()) == []
    watched.headers = {"X-Forwarded-For": f"203.0.113.{next(counter)}"}
    assert watched.send(watched.good()).status_code == 200, "the next request does not work"


# ---- forms ----


def test_a_wrong_boundary(watched):
    status, body = watched.contract.broken
    watched.expect(watched.send(watched.good(), boundary="other"), status, body)


@pytest.mark.parametrize("end", [b"", f"--{B}".encode(), f"--{B}-".encode(), f"--{B}\r\nConte".encode()])
def test_a_missing_final_boundary(watched, end):
    """Flask takes such a form for none; FastAPI takes the parts that have ended."""
    picture = watched.part((watched.media / watched.contract.files[0]).read_bytes())
    ended = bool(end) and not watched.contract.flask
    response = watched.send(picture + end)
    if ended:
        assert response.status_code == 200
    else:
        watched.expect(response, *watched.contract.no_file)


def test_a_body_without_anything(watched):
    watched.expect(watched.send(b""), *watched.contract.no_file)


def test_a_body_that_is_cut_in_the_file(watched):
    watched.expect(watched.send(watched.good()[:-5000]), *watched.contract.no_file)


def test_two_file_parts(watched):
    contract = watched.contract
    parts = b"".join(watched.part((watched.media / name).read_bytes()) for name in contract.files)
    counts = contract.files[0 if contract.flask else 1]
    alone = contract.answer(watched.send(watched.good(counts)))
    assert contract.answer(watched.send(parts + END)) == alone


def test_a_file_in_a_field_that_nobody_knows(watched):
    other = watched.part(b"x" * 100_000, field="other")
    watched.expect(watched.send(other + END), *watched.contract.no_file)


def gigabyte(before, after=b""):
    chunk = b"a" * (1 << 20)
    yield before
    for _ in range(1024):
        yield chunk
    yield after


def test_a_text_of_a_gigabyte(watched):
    """Refused early."""
    before = watched.resident()
    try:
        response = watched.send(gigabyte(watched.part(b"", field="note", filename=None)[:-2]))
        assert response.status_code in (400, 413, 500) and len(response.content) < 1000
    except requests.ConnectionError:
        pass  # it has answered and closed while the client still sent
    assert watched.resident() - before < 100 << 20


def test_a_file_of_a_gigabyte_that_nobody_wants(watched):
    """Read and dropped, where there is no limit below."""
    if watched.contract.name not in ("microservice-v1", "predict-api"):
        pytest.skip("one of each framework is enough")
    before = watched.resident()
    body = gigabyte(watched.part(b"", field="note")[:-2], b"\r\n" + watched.good())
    assert watched.send(body).status_code == 200
    assert watched.resident() - before < 200 << 20


# ---- clients that leave ----


def connect(watched):
    host, port = re.match(r"http://(.*):(\d+)", watched.url).groups()
    return socket.create_connection((host, int(port)))


def head(watched, length, query=""):
    return (
        f"POST {watched.contract.path}{query} HTTP/1.1\r\nHost: x\r\n"
        f"X-Forwarded-For: {watched.headers['X-Forwarded-For']}\r\n"
        f"Content-Type: multipart/form-data; boundary={B}\r\nContent-Length: {length}\r\n\r\n"
    ).encode()


@pytest.mark.parametrize("reset", [False, True])
def test_a_disconnect_in_mid_upload(watched, until, reset):
    known = len(watched.served.analyses())
    body = watched.good()
    sockets = watched.sockets()
    for _ in range(4):
        with connect(watched) as client:
            client.sendall(head(watched, len(body)) + body[: len(body) // 2])
            until(lambda: watched.files())  # the file has begun to arrive
            if reset:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        until(lambda: not watched.files())
    until(lambda: watched.sockets() <= sockets + 1)
    assert len(watched.served.analyses()) == known, "half a file was analysed"


def test_a_client_that_leaves_in_mid_analysis(watched, until):
    """Its work stops; pictures are done before one can leave."""
    if not watched.contract.video:
        pytest.skip("a picture takes no time")
    known = {analysis["id"] for analysis in watched.served.analyses()}
    body = watched.part((watched.media / "long.mp4").read_bytes())
    if watched.contract.name.startswith("microservice"):
        body += watched.part(b"1000", field="num_frames", filename=None)
    query = "?fps=25" if watched.contract.name == "predict-api" else ""

    def mine(state):
        return [a["id"] for a in watched.served.analyses() if a["id"] not in known and a["state"] == state]

    with connect(watched) as client:
        client.sendall(head(watched, len(body + END), query) + body + END)
        until(lambda: mine("running"))
    until(lambda: mine("cancelled"))


def test_ten_clients_with_files_of_the_same_name(watched):
    contract = watched.contract

    def ask(i):
        client = Watched(contract, watched.served, watched.media, f"192.0.2.{i + 1}")
        return contract.answer(client.send(client.good(contract.files[i % 2], filename="same.png")))

    alone = [ask(10), ask(11)]
    assert alone[0] != alone[1]
    with ThreadPoolExecutor(10) as pool:
        assert list(pool.map(ask, range(10))) == alone * 5


def test_a_body_cut_at_every_place(served, media, until):
    """The answers are those of the whole body from its last byte on, and of no file before."""
    watched = Watched(CONTRACTS[4], served, media, "203.0.113.250")
    small = b"this is no video"
    whole = watched.part(small) + END
    files = len(watched.files())
    for size in range(0, len(whole) - 2):
        response = watched.send(whole[:size])
        complete = size >= len(watched.part(small)) + len(END) - 4  # the next boundary has come
        expected = (400, "Failed to open video") if complete else (422, None)
        detail = response.json()["detail"]
        assert response.status_code == expected[0], (size, response.text)
        assert not complete or detail == expected[1]
    until(lambda: len(watched.files()) <= files)


# ---- Socket.IO ----


@pytest.fixture
def mesonet(served, media, until):
    """mesonet-api; afterwards no session and no file may be left, and the next client is served."""
    watched = Watched(CONTRACTS[3], served, media, "203.0.113.251")
    yield watched
    until(lambda: watched.busy() == watched.files() == [])
    until(lambda: usage(watched)["sockets_connected"] == 0)
    with open_socket(watched) as client:
        emit(client, "ping", {})
        assert until_event(client, "pong")["detector_ready"] is True
    until(lambda: usage(watched)["sockets_connected"] == 0)


def usage(watched):
    return requests.get(f"{watched.served.urls['mesonet-api']}/", timeout=60).json()["usage"]


@contextlib.contextmanager
def open_socket(watched):
    """A WebSocket on which all is said by hand."""
    root = watched.served.urls["mesonet-api"].replace("http", "ws")
    url = f"{root}/socket.io/?EIO=4&transport=websocket"
    with connect_websocket(url, compression=None, max_size=None, close_timeout=1) as client:
        assert client.recv().startswith("0{")
        client.send("40")
        until_event(client, "connection_established")
        yield client


def emit(client, event, payload):
    client.send("42" + json.dumps([event, payload]))


def until_event(client, *names):
    while True:
        message = client.recv(timeout=60)
        if message == "2":
            client.send("3")
        if message.startswith("42"):
            name, payload = json.loads(message[2:])
            if name in names:
                return payload


def break_off(client):
    """Ends the connection without a word of WebSocket or TCP."""
    client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.socket.close()


def test_sockets_that_break_in_mid_upload(mesonet, until):
    for _ in range(5):
        with open_socket(mesonet) as client:
            emit(client, "video_chunk", {"chunk": "QUJD" * 1000, "total_chunks": 9})
            until_event(client, "chunk_received")
            assert mesonet.files()
            break_off(client)
    until(lambda: not mesonet.files())


def test_a_socket_that_breaks_in_mid_analysis(mesonet, until):
    known = {analysis["id"] for analysis in mesonet.served.analyses()}
    text = base64.b64encode((mesonet.media / "long.mp4").read_bytes()).decode()
    with open_socket(mesonet) as client:
        for i, begin in enumerate(range(0, len(text), 500_000)):
            last = begin + 500_000 >= len(text)
            chunk = text[begin : begin + 500_000]
            emit(client, "video_chunk", {"chunk_id": i, "chunk": chunk, "is_last": last})
        until_event(client, "prediction_progress", "prediction_complete")
        break_off(client)

    def states():
        return [a["state"] for a in mesonet.served.analyses() if a["id"] not in known]

    until(lambda: states() == ["cancelled"])


def test_an_upload_without_an_end_stays_out_of_memory(mesonet):
    chunk = "QUJD" * 225_000
    with open_socket(mesonet) as client:
        emit(client, "video_chunk", {"chunk_id": -1, "chunk": chunk})
        until_event(client, "chunk_received")
        before = mesonet.resident()
        for i in range(150):
            emit(client, "video_chunk", {"chunk_id": i, "chunk": chunk})
            until_event(client, "chunk_received")
        assert mesonet.resident() - before < 40 << 20


@pytest.mark.parametrize(
    "message",
    ["42", "42[", "42{}", '42["a"', '42["video_chunk"]]', "4", "49", "x", "42[]", "451-[]", "43", "\x00"],
)
def test_messages_that_are_none(mesonet, message):
    """The session ends, or the message is ignored; others go on."""
    with open_socket(mesonet) as client, open_socket(mesonet) as other:
        client.send(message)
        emit(other, "ping", {})
        until_event(other, "pong")
