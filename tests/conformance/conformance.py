# SPDX-License-Identifier: Apache-2.0
"""The conformance server and how to talk to it.

It pings 300 ms after a pong and waits for the next for 200 ms, or for seconds where a test is not about that,
since the machine may be busy. It takes 1,000,000 bytes, and closes a session that is in no namespace for 1 s.
Engine.IO messages are echoed at /engine.io/, Socket.IO is at /socket.io/.
"""

import os
import subprocess
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from websockets.sync.client import connect

ROOT = Path(__file__).resolve().parents[2]
PING_INTERVAL, PING_TIMEOUT, RELAXED_PING_TIMEOUT = 0.3, 0.2, 8
MAX_PAYLOAD = 1_000_000
PATIENCE = 30  # seconds until something that has to come counts as missing


@contextmanager
def running_server(port=0, ping_timeout=RELAXED_PING_TIMEOUT):
    """The address of a server that ends cleanly at the end; it listens on ::1 with the same port."""
    default = ROOT / "build" / "release" / "socketio-conformance-server"
    binary = Path(os.environ.get("UNMASK_CONFORMANCE_SERVER", default)).resolve()
    if not binary.exists():
        message = f"{binary} is missing: build it (make build) or set UNMASK_CONFORMANCE_SERVER"
        pytest.fail(message, pytrace=False)
    command = [binary, "--port", str(port), str(ping_timeout)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            address = process.stdout.readline().removeprefix("listening on ").strip()
            assert address.startswith("127.0.0.1:"), address
            assert process.stdout.readline().startswith("listening on [::1]:")
            yield address
            process.terminate()
            assert process.wait(PATIENCE) == 0
        finally:
            process.kill()


class Server:
    """One path of a server."""

    def __init__(self, host, path):
        self.host = host
        self.path = path
        self.http = requests.Session()
        self.http.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=32))

    def url(self, query):
        return f"http://{self.host}{self.path}?{query}"

    def get(self, query, **options):
        return self.http.get(self.url(query), timeout=PATIENCE, **options)

    def post(self, query, body, **options):
        return self.http.post(self.url(query), data=body, timeout=PATIENCE, **options)

    def request(self, method, query, **options):
        return self.http.request(method, self.url(query), timeout=PATIENCE, **options)

    def web_socket(self, query="EIO=4&transport=websocket"):
        url = f"ws://{self.host}{self.path}?{query}"
        return connect(url, max_size=None, ping_interval=None, compression=None)
