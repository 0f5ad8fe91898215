# SPDX-License-Identifier: Apache-2.0
"""The unmodified clients of JavaScript and Python work: by polling, by WebSocket, and by upgrade."""

import json
import os
import queue
import subprocess
from pathlib import Path

import pytest
from conformance import PATIENCE, ROOT, running_server

import socketio as python_socketio

TRANSPORTS = ["polling", "websocket", "default"]


# ---- socket.io-client on Node ----


@pytest.fixture(scope="session")
def node_environment():
    clients = Path(os.environ.get("UNMASK_TEST_CLIENTS", ROOT / "third_party" / "test_clients"))
    if not (clients / "node_modules" / "socket.io-client").is_dir():
        pytest.fail(f"socket.io-client is missing in {clients}: run tools/setup.sh --tests", pytrace=False)
    return os.environ | {"UNMASK_TEST_CLIENTS": str(clients)}


@pytest.fixture
def start_node(node_environment):
    def start(host, transports, scenario):
        command = ["node", Path(__file__).with_name("client.cjs"), f"http://{host}", transports, scenario]
        return subprocess.Popen(command, env=node_environment, stdout=subprocess.PIPE, encoding="utf-8")

    return start


@pytest.fixture
def node(start_node, host):
    """Runs a scenario of client.cjs to its end and gives what it printed."""

    def run(transports, scenario):
        with start_node(host, transports, scenario) as process:
            printed, _ = process.communicate(timeout=3 * PATIENCE)
        assert process.returncode == 0, printed
        return [json.loads(line) for line in printed.splitlines()]

    return run


def node_bytes(data):
    """As JSON.stringify prints a Buffer."""
    return {"type": "Buffer", "data": list(data)}


@pytest.mark.parametrize("transports", TRANSPORTS)
class TestNode:
    def test_events_and_acks(self, node, transports):
        values = [
            [],
            [1, "2", {"3": [True]}],
            [None, "Größe 人 🙂"],
            [node_bytes(b"\1\2\3"), {"deep": node_bytes(b"x")}],
        ]
        acks = [value[0] if value else None for value in values]  # emitWithAck gives the first value
        printed = node(transports, "events")
        assert printed[0:8:2] == values
        assert printed[1:8:2] == acks
        assert printed[8] == ["yes", 5, node_bytes(b"\7")]

    def test_transport_and_heartbeat(self, node, transports):
        expected = "polling" if transports == "polling" else "websocket"
        assert node(transports, "transport") == [expected, "alive"]

    def test_order(self, node, transports):
        assert node(transports, "order") == [True]

    def test_namespaces(self, node, transports):
        assert node(transports, "namespaces") == [
            [[{"token": "main"}], [{"token": "custom"}], "Invalid namespace", True],
            ["in custom"],
            ["in main"],
        ]

    def test_refusal(self, node, transports):
        assert node(transports, "refused") == ["not authorized", [{"token": "right"}]]

    def test_disconnection_by_the_server(self, node, transports):
        assert node(transports, "disconnected") == ["io server disconnect", "again"]

    def test_time_out_of_an_ack(self, node, transports):
        assert node(transports, "timeout") == ["operation has timed out", "still here"]

    def test_reconnection(self, start_node, transports):
        with running_server() as address:
            process = start_node(address, transports, "reconnect")
            assert json.loads(process.stdout.readline()) == "connected"
        with running_server(address.rsplit(":", 1)[1]), process:
            printed, _ = process.communicate(timeout=3 * PATIENCE)
        assert process.returncode == 0, printed
        reason, answer = [json.loads(line) for line in printed.splitlines()]
        assert reason in ("transport close", "transport error")
        assert answer == "again"


# ---- python-socketio ----


class PythonClient:
    """Collects events, and lets a test await them."""

    def __init__(self, **options):
        self.client = python_socketio.Client(reconnection_delay=0.1, reconnection_delay_max=0.2, **options)
        self.events = queue.Queue()
        self.client.on("*", lambda event, *values: self.events.put((event, *values)))
        self.client.on("disconnect", lambda reason: self.events.put(("disconnect", reason)))
        self.client.on("question", lambda value: ("yes", value, b"\7"))

    def next(self):
        return self.events.get(timeout=PATIENCE)


@pytest.fixture
def python_client(host):
    made = []

    def connect(transports, address=host, **options):
        one = PythonClient()
        made.append(one)
        chosen = {} if transports == "default" else {"transports": [transports]}
        one.client.connect(f"http://{address}", wait_timeout=PATIENCE, **chosen, **options)
        return one

    yield connect
    for one in made:
        one.client.shutdown()  # ends attempts to reconnect, too


@pytest.mark.parametrize("transports", TRANSPORTS)
class TestPython:
    def test_events_and_acks(self, python_client, transports):
        one = python_client(transports)
        assert one.next() == ("auth", {})
        for values in [(), (1, "2", {"3": [True]}), (None, "Größe 人 🙂"), (b"\1\2\3", {"deep": b"x"})]:
            one.client.emit("message", values)
            assert one.next() == ("message-back", *values)
            assert one.client.call("message-with-ack", values, timeout=PATIENCE) == (
                values if len(values) > 1 else None if not values else values[0]
            )
        one.client.emit("ask-back", 5)
        assert one.next() == ("answer", "yes", 5, b"\7")

    def test_transport(self, python_client, transports):
        one = python_client(transports)
        assert one.client.transport() == ("polling" if transports == "polling" else "websocket")

    def test_heartbeat(self, python_client, transports):
        one = python_client(transports)
        assert one.client.call("work", 1200, timeout=PATIENCE) == 1200
        assert one.client.connected

    def test_namespaces(self, python_client, transports):
        one = python_client(transports, namespaces=["/", "/custom"], auth={"token": "abc"})
        one.client.on("*", lambda event, *values: one.events.put((event, *values)), namespace="/custom")
        one.client.emit("message", "in custom", namespace="/custom")
        received = [one.next()]
        while received[-1][0] != "message-back":
            received.append(one.next())
        assert received[-1] == ("message-back", "in custom")
        assert ("auth", {"token": "abc"}) in received

    def test_refusal(self, host, transports):
        one = PythonClient()
        one.client.on("connect_error", lambda data: one.events.put(("connect_error", data)))
        chosen = {} if transports == "default" else {"transports": [transports]}
        with pytest.raises(python_socketio.exceptions.ConnectionError):
            one.client.connect(f"http://{host}", auth={"token": "wrong"}, wait_timeout=PATIENCE, **chosen)
        assert one.next() == ("connect_error", {"message": "not authorized"})

    def test_disconnection_by_the_server(self, python_client, transports):
        one = python_client(transports)
        one.client.emit("disconnect-me", True)
        while (event := one.next())[0] != "disconnect":
            pass
        assert event == ("disconnect", "server disconnect")

    def test_reconnection(self, python_client, transports):
        with running_server() as address:
            one = python_client(transports, address)
            assert one.next() == ("auth", {})
        with running_server(address.rsplit(":", 1)[1]):
            assert one.next()[0] == "disconnect"
            assert one.next() == ("auth", {})
            assert one.client.call("message-with-ack", "again", timeout=PATIENCE) == "again"
            one.client.disconnect()
