# SPDX-License-Identifier: Apache-2.0
"""Fixtures for the tests of the Engine.IO and Socket.IO protocols, against a test-only server.

The server pings 300 ms after a pong and waits 200 ms for the next, takes 1,000,000 bytes, and closes a session
that is in no namespace for 1 s. Engine.IO messages are echoed at /engine.io/, Socket.IO is at /socket.io/.
"""

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from websockets.sync.client import connect

ROOT = Path(__file__).resolve().parents[2]
PING_INTERVAL, PING_TIMEOUT = 0.3, 0.2
MAX_PAYLOAD = 1_000_000
PATIENCE = 10  # seconds until something that has to come counts as missing


class Server:
    """Where the server is, and how to talk to it."""

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

    def web_socket(self, query="EIO=4&transport=websocket", **options):
        return connect(
            f"ws://{self.host}{self.path}?{query}", max_size=None, ping_interval=None, compression=None, **options
        )


@pytest.fixture(scope="session")
def host():
    """The address of a running conformance server, which ends cleanly at the end."""
    default = ROOT / "build" / "release" / "socketio-conformance-server"
    binary = Path(os.environ.get("UNMASK_CONFORMANCE_SERVER", default)).resolve()
    if not binary.exists():
        pytest.fail(f"{binary} is missing: build it (make build) or set UNMASK_CONFORMANCE_SERVER", pytrace=False)
    with subprocess.Popen([binary, "--port", "0"], stdout=subprocess.PIPE, text=True) as process:
        address = process.stdout.readline().removeprefix("listening on ").strip()
        assert address.startswith("127.0.0.1:"), address
        assert process.stdout.readline().startswith("listening on [::1]:")
        yield address
        process.terminate()
        assert process.wait(PATIENCE) == 0


@pytest.fixture
def engine(host):
    server = Server(host, "/engine.io/")
    yield server
    server.http.close()


@pytest.fixture
def socketio(host):
    server = Server(host, "/socket.io/")
    yield server
    server.http.close()


@pytest.fixture
def later():
    """Runs a call beside the test: later(function, *arguments).result(PATIENCE)."""
    with ThreadPoolExecutor() as pool:
        yield pool.submit

