# SPDX-License-Identifier: Apache-2.0
"""What a stranger may send to the listeners: each gets its refusal, the next good request its answer, and
nothing stays behind."""

import json
import re
import socket
import struct
from pathlib import Path

import pytest
import requests

FACE = "/v2/models/face/infer"
LENGTH = "Inference-Header-Content-Length"
MILLION = 1_000_000


def question(face, **members):
    """A body of KServe with one binary tensor, and its headers."""
    tensor = {"name": "image", "datatype": "FP32", "shape": [1, 3, 160, 160]}
    tensor |= {"parameters": {"binary_data_size": len(face)}} | members.pop("tensor", {})
    head = json.dumps({"inputs": [tensor]} | members).encode()
    return head + face, {LENGTH: str(len(head))}


@pytest.fixture(scope="module")
def face(faces):
    return faces[0].tobytes()


@pytest.fixture
def still_good(serving, face, logits):
    """still_good() asks a good question of the server, which must be the process that it was."""

    def still_good():
        body, headers = question(face)
        answer = requests.post(serving.urls["kserve"] + FACE, data=body, headers=headers, timeout=60)
        assert answer.status_code == 200, answer.text
        assert abs(answer.json()["outputs"][0]["data"][0] - logits[0]) < 1e-4
        assert serving.process.poll() is None

    yield still_good
    still_good()


def refused(answer):
    assert 400 <= answer.status_code < 500, answer.text
    assert answer.json()["error"] and len(answer.content) < 2_000, "names of strangers are cut"


def test_json_made_to_cost(serving, still_good):
    number = b"1" * MILLION
    for body in (
        b'{"instances":' + b"[" * 10 * MILLION,
        b'{"x":' + b"[" * MILLION + b"]" * MILLION + b',"instances":[1]}',
        b"{" + b",".join(b'"k%d":1' % i for i in range(200_000)) + b"}",
        b"{" + b",".join(b'"instances":[1]' for _ in range(200_000)) + b"}",
        b'{"instances":[' + b"{}," * MILLION + b"{}]}",
        b'{"instances":[' + b'{"image":[]},' * 200_000 + b"{}]}",
        b'{"instances":[{"' + b"x" * 5 * MILLION + b'":1}]}',
        b'{"signature_name":"' + b"x" * 5 * MILLION + b'","instances":[1]}',
        b'{"instances":[' + b"1," * 10 * MILLION + b"1]}",
        b'{"instances":[' + number + b"]}",
        b'{"instances":[1e' + number + b"]}",
        '{"instances":[1]}'.encode("utf-16"),
        b'{"instances":["\xff\xfe"]}',
        b'{"instances":[1]}\x00',
    ):
        refused(requests.post(serving.tf + "/v1/models/face:predict", data=body, timeout=120))


def test_tensors_that_lie(serving, face, still_good):
    binary = {"name": "logit", "parameters": {"binary_data": True}}
    sizes = (-1, 1.5, 1e300, 2**64, "4")
    shapes = ([2**62, 4], [2**32, 2**32, 1, 1], [1] * 4000, [[1]], "1")
    for body, headers in (
        *(question(face, tensor={"parameters": {"binary_data_size": size}}) for size in sizes),
        *(question(face, tensor={"shape": shape}) for shape in shapes),
        question(struct.pack("<f", float("inf")) + face[4:]),
        question(face, tensor={"name": "n" * 60_000}),
        question(face, tensor={"datatype": "F" * 60_000}),
        question(face, outputs=[binary] * 1000),
        question(face, outputs=[binary | {"name": "x" * 50_000}]),
        question(face, id="i" * 50_000),
        *((question(face)[0], {LENGTH: n}) for n in ("18446744073709551616", "+12", "0x10", "", "9" * 8000)),
        (b'{"inputs":[' + b"{}," * MILLION + b"{}]}", {}),
    ):
        refused(requests.post(serving.urls["kserve"] + FACE, data=body, headers=headers, timeout=120))


def send(serving, text, end=False) -> bytes:
    """What the server answers to bytes; `end`: the client says that no more come."""
    host, port = serving.kserve.split(":")
    answer = b""
    with socket.create_connection((host, int(port)), timeout=60) as raw:
        try:
            raw.sendall(text)
            if end:
                raw.shutdown(socket.SHUT_WR)
            while b"\r\n\r\n" not in answer and (part := raw.recv(65536)):
                answer += part
        except ConnectionError:
            pass  # it was refused before all was sent
    return answer


POST = b"POST " + FACE.encode() + b" HTTP/1.1\r\nHost: localhost\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    "text, status",
    [
        (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 100_000 + b"\r\n", 431),
        (b"GET /" + b"y" * MILLION + b" HTTP/1.1\r\n\r\n", 431),
        (b"GET /v2 HTTP/1.1\r\nHost: a\x00b\r\n\r\n", 400),
        (b"GET /v2\x00x HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
        (b"GET /v2/models/..%2fface%00 HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
        (b"GET /v2/models/..%2f..%2fetc%2fpasswd HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
        (b"GET /v2/models/face/versions/..%2f1 HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
        (POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n12345", 400),
        (POST + b"Content-Length: 9223372036854775807\r\n\r\n12345", 413),
        (POST + b"Content-Length: 99999999999999999999999\r\n\r\n12345", 400),
        (POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400),
        (CHUNKED + b"FFFFFFFFFFFFFFFFFFFFF\r\nabc", 400),
        (CHUNKED + b"-1\r\nabc", 400),
        (CHUNKED + b"1;" + b"x" * MILLION + b"\r\na\r\n0\r\n\r\n", 400),
        (CHUNKED + b"1\r\na\r\n0\r\n" + b"X: y\r\n" * 100_000 + b"\r\n", 400),
        (CHUNKED + b"1\r\na\r\n" * 50_000 + b"0\r\n\r\n", 400),
    ],
    ids=range(17),
)
def test_requests_that_are_none(serving, still_good, text, status):
    answer = send(serving, text)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 %d " % status), answer[:200]
    assert answer or len(text) > 100_000, "only a client that still sends may miss its refusal"


@pytest.mark.parametrize("text", [CHUNKED + b"1000\r\nabc", POST + b"Content-Length: 500000\r\n\r\nabc"])
def test_bodies_that_stop(serving, still_good, text):
    answer = send(serving, text, end=True)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 4")


def test_nothing_stays_behind(serving, face, still_good):
    def memory() -> int:
        status = Path(f"/proc/{serving.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) << 10

    def attack():
        for body in (
            b'{"instances":[' + b"1," * 5 * MILLION + b"1]}",
            b'{"x":"' + b"y" * 20 * MILLION + b'"}',
        ):
            refused(requests.post(serving.tf + "/v1/models/face:predict", data=body, timeout=120))
        refused(requests.post(serving.urls["kserve"] + FACE, data=question(face)[0], timeout=120))

    for _ in range(3):  # the allocator keeps what it met once
        attack()
    before = memory()
    for _ in range(10):
        attack()
    assert memory() - before < 48 << 20  # a leak of the bodies alone would be 300 MB
