# SPDX-License-Identifier: Apache-2.0
"""TensorFlow Serving's REST interface as far as predict-api uses it, with every way to fail.

Its "model" gives a picture the mean of its red channel, so that a test can compute what to expect.
"""

import json
import socket
import socketserver
import threading
from contextlib import contextmanager

STATUS = {
    "model_version_status": [
        {"version": "1", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}
    ]
}


def red_means(instances):
    return [sum(pixel[0] for row in picture for pixel in row) / 64**2 for picture in instances]


class StandIn(socketserver.ThreadingTCPServer):
    """Answers by `mode`; what it was asked is in `requests`, and `asked` is set by each question."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.mode = "ok"
        self.requests = []  # (method, path, parsed body)
        self.connections = 0
        self.asked = threading.Event()
        self.gone = threading.Event()  # the client has left a silent server

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"

    def answer(self, method, path, body):
        """(status, body) or raw bytes after which the connection ends."""
        if path not in ("/v1/models/deepfake", "/v1/models/deepfake:predict"):
            return 404, json.dumps({"error": f"Malformed request: {method} {path}"})
        if method == "GET" and self.mode in ("ok", "nan"):
            # TensorFlow Serving indents by one space.
            return 200, json.dumps(STATUS, indent=1)
        scores = red_means(body["instances"]) if body else [0.5]
        match self.mode:
            case "ok":
                return 200, json.dumps({"predictions": [[score] for score in scores]}, indent=4)
            case "outputs":
                return 200, json.dumps({"outputs": [[score] for score in scores]})
            case "500":
                return 500, '{"error":"boom"}'
            case "404":
                return 404, json.dumps({"error": "Servable not found for request: Latest(deepfake)"})
            case "nan":
                return 200, '{"predictions": [' + ", ".join(["[NaN]"] * len(scores)) + "]}"
            case "shape":
                return 200, json.dumps({"predictions": [[score, 1 - score] for score in scores]})
            case "short":
                return 200, json.dumps({"predictions": [[score] for score in scores[1:]]})
            case "empty":
                return 200, '{"predictions": []}'
            case "other":
                return 200, '{"foo": 1}'
            case "malformed":
                return 200, '{"predictions": [[0.1'
            case "html":
                return 200, "<html>a proxy's page</html>"
            case "half":
                return b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"predictions": [[0.1'
            case "close":
                return b""
            case "garbage":
                return b"garbage\r\n\r\n"
            case "long":
                return 200, json.dumps({"error": "x" * 10_000})
        raise AssertionError(self.mode)


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        self.server.connections += 1
        while self.one_request():
            pass

    def one_request(self):
        line = self.rfile.readline().decode()
        if not line:
            return False
        method, path, _ = line.split()
        length = 0
        while (header := self.rfile.readline().strip().decode()) != "":
            name, _, value = header.partition(":")
            if name.lower() == "content-length":
                length = int(value)
        body = json.loads(self.rfile.read(length)) if length else None
        self.server.requests.append((method, path, body))
        self.server.asked.set()
        if self.server.mode == "hang":
            self.rfile.read(1)  # nothing, when the client gives up
            self.server.gone.set()
            return False
        answer = self.server.answer(method, path, body)
        if isinstance(answer, bytes):
            self.wfile.write(answer)
            return False
        status, text = answer
        data = text.encode()
        self.wfile.write(
            b"HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
            % (status, len(data))
            + data
        )
        return True


@contextmanager
def stand_in():
    with StandIn() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def closed_port():
    """A port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]
