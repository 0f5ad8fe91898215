# SPDX-License-Identifier: Apache-2.0
"""Engine.IO, protocol 4, from its public text: what a client sees on the wire."""

import json
import socket
import time
from contextlib import contextmanager

import pytest
import requests
from conformance import MAX_PAYLOAD, PATIENCE, PING_INTERVAL, PING_TIMEOUT, RELAXED_PING_TIMEOUT, Server
from websockets.exceptions import ConnectionClosed, InvalidStatus

POLLING = "EIO=4&transport=polling"
WEBSOCKET = "EIO=4&transport=websocket"


def open_polling(engine):
    """A new session's query for further requests."""
    answer = engine.get(POLLING)
    assert answer.status_code == 200
    return f"{POLLING}&sid={json.loads(answer.text[1:])['sid']}"


@contextmanager
def open_web_socket(engine):
    with engine.web_socket() as web_socket:
        assert web_socket.recv(PATIENCE).startswith("0")
        yield web_socket


def refused(engine, query):
    """The answer to a WebSocket that is refused."""
    with pytest.raises(InvalidStatus) as refusal, engine.web_socket(query):
        pass
    return refusal.value.response


def await_close(web_socket):
    """The close code, after whatever came before."""
    with pytest.raises(ConnectionClosed) as closed:
        for _ in range(100):
            web_socket.recv(PATIENCE)
    return closed.value.rcvd.code if closed.value.rcvd else None


class TestHandshake:
    def test_polling_opens_a_session(self, engine):
        answer = engine.get(POLLING)
        assert answer.status_code == 200
        assert answer.headers["Content-Type"].lower() == "text/plain; charset=utf-8"
        assert answer.text[0] == "0"
        handshake = json.loads(answer.text[1:])
        assert isinstance(handshake.pop("sid"), str)
        assert handshake == {
            "upgrades": ["websocket"],
            "pingInterval": 300,
            "pingTimeout": RELAXED_PING_TIMEOUT * 1000,
            "maxPayload": MAX_PAYLOAD,
        }

    def test_web_socket_opens_a_session(self, engine):
        with engine.web_socket() as web_socket:
            packet = web_socket.recv(PATIENCE)
        handshake = json.loads(packet.removeprefix("0"))
        assert isinstance(handshake.pop("sid"), str)
        assert handshake == {
            "upgrades": [],
            "pingInterval": 300,
            "pingTimeout": RELAXED_PING_TIMEOUT * 1000,
            "maxPayload": MAX_PAYLOAD,
        }

    def test_the_slash_at_the_end_may_be_missing(self, engine):
        engine.path = "/engine.io"
        assert engine.get(POLLING).status_code == 200

    def test_ipv6_is_served_too(self, engine):
        port = engine.host.rsplit(":", 1)[1]
        engine.host = f"[::1]:{port}"
        assert engine.get(POLLING).status_code == 200

    def test_a_cache_buster_is_ignored(self, engine):
        assert engine.get(POLLING + "&t=abc").status_code == 200

    @pytest.mark.parametrize(
        ("query", "code", "message"),
        [
            ("transport=polling", 5, "Unsupported protocol version"),
            ("EIO=abc&transport=polling", 5, "Unsupported protocol version"),
            ("EIO=3&transport=polling", 5, "Unsupported protocol version"),
            ("EIO=4", 0, "Transport unknown"),
            ("EIO=4&transport=abc", 0, "Transport unknown"),
            ("EIO=4&transport=websocket", 3, "Bad request"),  # without asking for an upgrade
            ("EIO=4&transport=polling&sid=abc", 1, "Session ID unknown"),
        ],
    )
    def test_bad_queries_are_refused(self, engine, query, code, message):
        answer = engine.get(query)
        assert answer.status_code == 400
        assert answer.json() == {"code": code, "message": message}

    @pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
    def test_only_get_opens_a_session(self, engine, method):
        answer = engine.request(method, POLLING)
        assert answer.status_code == 400
        assert answer.json() == {"code": 2, "message": "Bad handshake method"}

    def test_a_post_to_an_unknown_session_is_refused(self, engine):
        answer = engine.post(POLLING + "&sid=abc", "4hello")
        assert answer.status_code == 400
        assert answer.json()["code"] == 1

    @pytest.mark.parametrize(
        "query",
        [
            "transport=websocket",
            "EIO=abc&transport=websocket",
            "EIO=3&transport=websocket",
            "EIO=4",
            "EIO=4&transport=abc",
            "EIO=4&transport=polling",
            "EIO=4&transport=websocket&sid=abc",
        ],
    )
    def test_bad_web_sockets_are_refused(self, engine, query):
        assert refused(engine, query).status_code == 400

    def test_pages_of_other_origins_get_cors_headers(self, engine):
        answer = engine.get(POLLING, headers={"Origin": "https://example.org"})
        assert answer.headers["Access-Control-Allow-Origin"] == "https://example.org"
        assert answer.headers["Access-Control-Allow-Credentials"] == "true"
        preflight = engine.request(
            "OPTIONS",
            POLLING,
            headers={"Origin": "https://example.org", "Access-Control-Request-Headers": "x-token"},
        )
        assert preflight.status_code == 200
        assert preflight.headers["Access-Control-Allow-Methods"] == "OPTIONS, GET, POST"
        assert preflight.headers["Access-Control-Allow-Headers"] == "x-token"


class TestMessagesByPolling:
    @pytest.mark.parametrize(
        "payload",
        [
            "4hello",
            "4test1\x1e4test2\x1e4test3",
            "4hello\x1ebAQIDBA==",
            "4",
            "4Größe 人 🙂",
        ],
    )
    def test_payloads_come_back(self, engine, payload):
        query = open_polling(engine)
        pushed = engine.post(query, payload.encode())
        assert (pushed.status_code, pushed.text) == (200, "ok")
        assert engine.get(query).content.decode() == payload

    def test_a_waiting_poll_gets_a_message_at_once(self, engine, later):
        query = open_polling(engine)
        poll = later(engine.get, query)
        assert engine.post(query, "4hello").text == "ok"
        assert poll.result(PATIENCE).text == "4hello"

    @pytest.mark.parametrize("body", ["abc", "", "\x1e", "4ok\x1e", "b***", "2", "0", b"4\xff\xfe"])
    def test_malformed_payloads_close_the_session(self, engine, body):
        query = open_polling(engine)
        assert engine.post(query, body).status_code == 400
        assert engine.get(query).status_code == 400

    def test_binary_bodies_are_of_the_past(self, engine):
        query = open_polling(engine)
        answer = engine.post(query, b"\x01\x02", headers={"Content-Type": "application/octet-stream"})
        assert answer.status_code == 400
        assert engine.get(query).status_code == 400

    def test_two_polls_at_once_close_the_session(self, engine, later):
        query = open_polling(engine)
        first = later(engine.get, query)
        time.sleep(0.005)
        second = later(engine.get, query)
        answers = sorted((a.result(PATIENCE) for a in (first, second)), key=lambda a: a.status_code)
        assert [a.status_code for a in answers] == [200, 400]
        assert answers[0].text == "1"
        assert engine.get(query).status_code == 400

    def test_two_posts_at_once_close_the_session(self, engine):
        query = open_polling(engine)
        host, port = engine.host.rsplit(":", 1)
        with socket.create_connection((host, int(port)), PATIENCE) as slow:
            head = f"POST {engine.path}?{query} HTTP/1.1\r\nHost: test\r\nContent-Length: 6\r\n\r\n4he"
            slow.sendall(head.encode())
            deadline = time.monotonic() + PATIENCE  # until the server has read the first one's header
            while engine.post(query, "4hello").status_code == 200 and time.monotonic() < deadline:
                engine.get(query)
            slow.sendall(b"llo")
            assert slow.recv(1000).startswith(b"HTTP/1.1 400")
        assert engine.get(query).status_code == 400

    def test_a_cancelled_poll_closes_the_session(self, engine):
        query = open_polling(engine)
        with pytest.raises(requests.exceptions.ReadTimeout):
            requests.get(engine.url(query), timeout=0.05)
        deadline = time.monotonic() + PING_INTERVAL + RELAXED_PING_TIMEOUT / 2
        answer = engine.post(query, "3")
        while answer.status_code == 200 and time.monotonic() < deadline:
            answer = engine.post(query, "3")
        assert answer.json()["code"] == 1

    def test_the_largest_body_is_accepted_and_one_byte_more_is_not(self, engine):
        query = open_polling(engine)
        largest = "4" + "x" * (MAX_PAYLOAD - 1)
        assert engine.post(query, largest).text == "ok"
        assert engine.get(query).text == largest

    def test_a_body_over_the_limit_is_413(self, engine):
        query = open_polling(engine)
        assert engine.post(query, "4" + "x" * MAX_PAYLOAD).status_code == 413

    def test_a_chunked_body_over_the_limit_is_413(self, engine):
        query = open_polling(engine)
        pieces = (b"4" * 100_000 for _ in range(20))
        assert engine.post(query, pieces).status_code == 413

    def test_too_many_packets_close_the_session(self, engine):
        query = open_polling(engine)
        assert engine.post(query, "\x1e".join(["4"] * 10_001)).status_code == 400


class TestMessagesByWebSocket:
    @pytest.mark.parametrize("message", ["4hello", "4", "4Größe 人 🙂", b"\x01\x02\x03", b""])
    def test_messages_come_back(self, engine, message):
        with open_web_socket(engine) as web_socket:
            web_socket.send(message)
            assert web_socket.recv(PATIENCE) == message

    @pytest.mark.parametrize("frame", ["abc", "", "0", "2", "2probe", "bAQID", "7"])
    def test_malformed_packets_close_the_session(self, engine, frame):
        with open_web_socket(engine) as web_socket:
            web_socket.send(frame)
            assert await_close(web_socket) == 1000

    def test_the_largest_message_is_accepted(self, engine):
        with open_web_socket(engine) as web_socket:
            web_socket.send("4" + "x" * (MAX_PAYLOAD - 1))
            assert len(web_socket.recv(PATIENCE)) == MAX_PAYLOAD

    def test_order_is_kept(self, engine):
        with open_web_socket(engine) as web_socket:
            for i in range(500):
                web_socket.send(f"4{i}")
            received = [web_socket.recv(PATIENCE) for _ in range(500)]
        assert [p for p in received if p != "2"] == [f"4{i}" for i in range(500 - received.count("2"))]


class TestHeartbeat:
    @pytest.fixture
    def engine(self, strict_host):
        server = Server(strict_host, "/engine.io/")
        yield server
        server.http.close()

    def test_the_handshake_says_when(self, engine):
        handshake = json.loads(engine.get(POLLING).text[1:])
        assert (handshake["pingInterval"], handshake["pingTimeout"]) == (300, 200)

    def test_polling_is_pinged(self, engine):
        query = open_polling(engine)
        for _ in range(3):
            assert engine.get(query).text == "2"
            assert engine.post(query, "3").status_code == 200

    def test_web_sockets_are_pinged(self, engine):
        with open_web_socket(engine) as web_socket:
            for _ in range(3):
                assert web_socket.recv(PATIENCE) == "2"
                web_socket.send("3")

    def test_a_polling_client_that_says_nothing_at_all_is_closed(self, engine):
        query = open_polling(engine)
        time.sleep(PING_INTERVAL + PING_TIMEOUT)
        assert engine.get(query).status_code == 400

    def test_a_poll_that_waits_is_told_of_the_end(self, engine):
        query = open_polling(engine)
        assert engine.get(query).text == "2"
        assert engine.get(query).text == "1"
        assert engine.get(query).status_code == 400

    def test_a_web_socket_that_does_not_pong_is_closed(self, engine):
        with open_web_socket(engine) as web_socket:
            began = time.monotonic()
            assert await_close(web_socket) == 1000
            assert time.monotonic() - began < PATIENCE

    def test_a_pong_nobody_asked_for_changes_nothing(self, engine):
        with open_web_socket(engine) as web_socket:
            web_socket.send("3")
            assert web_socket.recv(PATIENCE) == "2"
            web_socket.send("3")
            assert web_socket.recv(PATIENCE) == "2"


class TestClose:
    def test_a_polling_client_closes(self, engine, later):
        query = open_polling(engine)
        poll = later(engine.get, query)
        time.sleep(0.02)
        assert engine.post(query, "1").text == "ok"
        assert poll.result(PATIENCE).text == "6"
        assert engine.get(query).status_code == 400

    def test_a_web_socket_client_closes(self, engine):
        with open_web_socket(engine) as web_socket:
            web_socket.send("1")
            assert await_close(web_socket) == 1000


class TestUpgrade:
    @contextmanager
    def upgrade(self, engine, query):
        with engine.web_socket(query.replace("polling", "websocket")) as web_socket:
            web_socket.send("2probe")
            assert web_socket.recv(PATIENCE) == "3probe"
            web_socket.send("5")
            yield web_socket

    def test_polling_becomes_a_web_socket(self, engine):
        query = open_polling(engine)
        with self.upgrade(engine, query) as web_socket:
            web_socket.send("4hello")
            assert web_socket.recv(PATIENCE) == "4hello"

    def test_a_waiting_poll_is_released_by_the_probe(self, engine, later):
        query = open_polling(engine)
        poll = later(engine.get, query)
        time.sleep(0.02)
        with engine.web_socket(query.replace("polling", "websocket")) as web_socket:
            web_socket.send("2probe")
            assert web_socket.recv(PATIENCE) == "3probe"
            assert poll.result(PATIENCE).text == "6"
            assert engine.get(query).text == "6"  # and so is any further one

    def test_what_waited_comes_after_the_upgrade(self, engine):
        query = open_polling(engine)
        engine.post(query, "4one\x1e4two")
        with self.upgrade(engine, query) as web_socket:
            assert [web_socket.recv(PATIENCE) for _ in range(2)] == ["4one", "4two"]

    def test_polling_is_over_after_the_upgrade(self, engine):
        query = open_polling(engine)
        with self.upgrade(engine, query) as web_socket:
            web_socket.send("4hello")
            web_socket.recv(PATIENCE)
            assert engine.get(query).status_code == 400
            assert engine.post(query, "4hello").status_code == 400
            web_socket.send("4still here")
            assert web_socket.recv(PATIENCE) == "4still here"

    def test_a_second_web_socket_is_refused_after_the_upgrade(self, engine):
        query = open_polling(engine)
        with self.upgrade(engine, query) as web_socket:
            web_socket.send("4hello")
            web_socket.recv(PATIENCE)
            assert refused(engine, query.replace("polling", "websocket")).status_code == 400

    def test_a_second_probe_is_refused(self, engine):
        query = open_polling(engine)
        with engine.web_socket(query.replace("polling", "websocket")):
            assert refused(engine, query.replace("polling", "websocket")).status_code == 400

    @pytest.mark.parametrize("frame", ["2", "5", "4hello", b"2probe"])
    def test_a_bad_probe_leaves_polling_as_it_was(self, engine, frame):
        query = open_polling(engine)
        with engine.web_socket(query.replace("polling", "websocket")) as web_socket:
            web_socket.send(frame)
            assert await_close(web_socket) == 1000
        assert engine.post(query, "4hello").text == "ok"
        assert engine.get(query).text == "4hello"

    def test_polling_goes_on_when_the_probe_leaves(self, engine):
        query = open_polling(engine)
        with engine.web_socket(query.replace("polling", "websocket")) as web_socket:
            web_socket.send("2probe")
            assert web_socket.recv(PATIENCE) == "3probe"
        engine.post(query, "4hello")
        assert "4hello" in engine.get(query).text
