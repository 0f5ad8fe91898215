# SPDX-License-Identifier: Apache-2.0
"""Fixtures for the tests of the Engine.IO and Socket.IO protocols."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from conformance import PING_TIMEOUT, Server, running_server


@pytest.fixture(scope="session")
def host():
    """The address of a server that all tests share."""
    with running_server() as address:
        yield address


@pytest.fixture(scope="session")
def strict_host():
    """Likewise of one that soon takes silence for death."""
    with running_server(ping_timeout=PING_TIMEOUT) as address:
        yield address


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
