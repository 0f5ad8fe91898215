# SPDX-License-Identifier: Apache-2.0
"""Socket.IO, protocol 5, from its public text: what a client sees on the wire."""

import json
import time
from contextlib import contextmanager

import pytest
from conformance import MAX_PAYLOAD, PATIENCE
from websockets.exceptions import ConnectionClosed


class Wire:
    """A client that answers pings and shows every other packet."""

    def __init__(self, web_socket):
        self.web_socket = web_socket

    def send(self, *frames):
        for frame in frames:
            self.web_socket.send(frame)

    def receive(self):
        while (frame := self.web_socket.recv(PATIENCE)) == "2":
            self.web_socket.send("3")
        return frame

    def close_code(self):
        """Of the server's close frame, after whatever came before."""
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                self.receive()
        return closed.value.rcvd.code


@contextmanager
def open_session(server):
    with server.web_socket() as web_socket:
        assert web_socket.recv(PATIENCE).startswith("0")
        yield Wire(web_socket)


@pytest.fixture
def session(socketio):
    """Open, and in no namespace yet."""
    with open_session(socketio) as wire:
        yield wire


@contextmanager
def open_wire(server):
    with open_session(server) as wire:
        wire.send("40")
        assert wire.receive().startswith('40{"sid":"')
        assert wire.receive() == '42["auth",{}]'
        yield wire


@pytest.fixture
def wire(socketio):
    """Connected to the main namespace."""
    with open_wire(socketio) as wire:
        yield wire


class TestConnect:
    def test_to_the_main_namespace(self, session):
        session.send("40")
        handshake = json.loads(session.receive().removeprefix("40"))
        assert list(handshake) == ["sid"]
        assert isinstance(handshake["sid"], str)
        assert session.receive() == '42["auth",{}]'

    def test_to_the_main_namespace_with_a_payload(self, session):
        session.send('40{"token":"123"}')
        assert session.receive().startswith('40{"sid":"')
        assert session.receive() == '42["auth",{"token":"123"}]'

    def test_to_a_custom_namespace(self, session):
        session.send("40/custom,")
        assert session.receive().startswith('40/custom,{"sid":"')
        assert session.receive() == '42/custom,["auth",{}]'

    def test_to_a_custom_namespace_with_a_payload(self, session):
        session.send('40/custom,{"token":"abc"}')
        assert session.receive().startswith('40/custom,{"sid":"')
        assert session.receive() == '42/custom,["auth",{"token":"abc"}]'

    def test_to_a_custom_namespace_without_comma(self, session):
        session.send("40/custom")
        assert session.receive().startswith('40/custom,{"sid":"')

    def test_the_sid_is_not_the_sessions(self, socketio):
        with socketio.web_socket() as web_socket:
            session_id = json.loads(web_socket.recv(PATIENCE)[1:])["sid"]
            web_socket.send("40")
            assert json.loads(web_socket.recv(PATIENCE)[2:])["sid"] != session_id

    def test_each_namespace_has_a_sid_of_its_own(self, wire):
        wire.send("40/custom,")
        first = json.loads(wire.receive().removeprefix("40/custom,"))["sid"]
        wire.receive()
        wire.send("41/custom,", "40/custom,")
        assert json.loads(wire.receive().removeprefix("40/custom,"))["sid"] != first

    def test_to_an_unknown_namespace(self, session):
        session.send("40/random")
        assert session.receive() == '44/random,{"message":"Invalid namespace"}'

    def test_an_unknown_namespace_leaves_the_others_alone(self, wire):
        wire.send("40/random", '42["message",1]')
        assert wire.receive() == '44/random,{"message":"Invalid namespace"}'
        assert wire.receive() == '42["message-back",1]'

    def test_refused_by_the_handler(self, session):
        session.send('40{"token":"wrong"}')
        assert session.receive() == '44{"message":"not authorized"}'
        session.send("40")
        assert session.receive().startswith('40{"sid":"')

    def test_events_behind_the_connect_packet_are_handled(self, session):
        session.send("40", '42["message","early"]')
        assert session.receive().startswith('40{"sid":"')
        assert session.receive() == '42["auth",{}]'
        assert session.receive() == '42["message-back","early"]'

    @pytest.mark.parametrize("payload", ["abc", '"text"', "[1]", "{", "12x"])
    def test_a_malformed_handshake_closes(self, session, payload):
        session.send("40" + payload)
        assert session.close_code() == 1000

    def test_anything_before_connect_closes(self, session):
        session.send('42["message"]')
        assert session.close_code() == 1000

    def test_an_invalid_packet_closes(self, session):
        session.send("4abc")
        assert session.close_code() == 1000

    def test_a_second_connect_closes(self, wire):
        wire.send("40")
        assert wire.close_code() == 1000

    def test_none_in_time_closes(self, session):
        began = time.monotonic()
        assert session.close_code() == 1000
        assert time.monotonic() - began > 0.9

    def test_none_after_the_last_namespace_was_left_closes(self, wire):
        wire.send("41")
        assert wire.close_code() == 1000


class TestDisconnect:
    def test_from_the_main_namespace(self, wire):
        wire.send("41")
        assert wire.web_socket.recv(PATIENCE) == "2"  # the session goes on

    def test_from_a_custom_namespace(self, wire):
        wire.send("40/custom")
        assert wire.receive().startswith("40/custom,")
        assert wire.receive() == '42/custom,["auth",{}]'
        wire.send("41/custom", '42["message","message to main namespace"]')
        assert wire.receive() == '42["message-back","message to main namespace"]'

    def test_by_the_server(self, wire):
        wire.send('42["disconnect-me",false]', '42["message","still on its way"]')
        assert wire.receive() == "41"
        wire.send("40")
        assert wire.receive().startswith('40{"sid":"')

    def test_by_the_server_with_the_session(self, wire):
        wire.send('42["disconnect-me",true]')
        assert wire.receive() == "41"
        assert wire.close_code() == 1000

    @pytest.mark.parametrize("how", ["packet", "close", "silence"])
    def test_the_handler_learns_why(self, socketio, strict_host, how):
        if how == "silence":
            socketio.host = strict_host
        with open_session(socketio) as other:
            other.send("40")
            sid = json.loads(other.receive()[2:])["sid"]
            other.receive()
            if how == "packet":
                other.send("41")
            elif how == "silence":
                with pytest.raises(ConnectionClosed):
                    while True:
                        other.web_socket.recv(PATIENCE)
        expected = {
            "packet": "client namespace disconnect",
            "close": "transport close",
            "silence": "ping timeout",
        }[how]
        with open_wire(socketio) as wire:
            reason, deadline = "", time.monotonic() + PATIENCE
            while not reason and time.monotonic() < deadline:
                wire.send(f'421["reason-of","{sid}"]')
                reason = json.loads(wire.receive().removeprefix("431"))[0]
        assert reason == expected

    def test_an_event_to_a_namespace_that_was_left_closes(self, wire):
        wire.send("40/custom")
        assert wire.receive().startswith("40/custom,")
        assert wire.receive() == '42/custom,["auth",{}]'
        wire.send("41/custom", '42/custom,["message"]')
        assert wire.close_code() == 1000


class TestEvents:
    @pytest.mark.parametrize(
        "arguments", ["", ',1,"2",{"3":[true]}', ",null", ',"Größe 人 🙂"', ",-1.5e3,0", ",[[[]]],{}"]
    )
    def test_plain_events_come_back(self, wire, arguments):
        wire.send(f'42["message"{arguments}]')
        expected = ["message-back", *json.loads(f"[{arguments.removeprefix(',')}]")]
        answer = wire.receive()
        assert answer.startswith("42")
        assert json.loads(answer[2:]) == expected

    def test_events_of_a_custom_namespace_come_back(self, wire):
        wire.send("40/custom,")
        assert wire.receive().startswith("40/custom,")
        wire.receive()
        wire.send('42/custom,["message",1]')
        assert wire.receive() == '42/custom,["message-back",1]'

    def test_binary_events_come_back(self, wire):
        placeholders = '{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}'
        wire.send(f'452-["message",{placeholders}]', b"\x01\x02\x03", b"\x04\x05\x06")
        assert wire.receive() == f'452-["message-back",{placeholders}]'
        assert wire.receive() == b"\x01\x02\x03"
        assert wire.receive() == b"\x04\x05\x06"

    def test_binary_events_of_a_custom_namespace_come_back(self, wire):
        wire.send("40/custom,")
        wire.receive()
        wire.receive()
        wire.send('451-/custom,["message",{"a":{"_placeholder":true,"num":0}}]', b"")
        assert wire.receive() == '451-/custom,["message-back",{"a":{"_placeholder":true,"num":0}}]'
        assert wire.receive() == b""

    def test_attachments_come_in_the_order_of_their_numbers(self, wire):
        wire.send('452-["message",{"_placeholder":true,"num":1},{"_placeholder":true,"num":0}]', b"A", b"B")
        assert wire.receive() == (
            '452-["message-back",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]'
        )
        assert [wire.receive(), wire.receive()] == [b"B", b"A"]

    def test_ten_attachments_are_accepted(self, wire):
        placeholders = ",".join(f'{{"_placeholder":true,"num":{i}}}' for i in range(10))
        wire.send(f'4510-["message",{placeholders}]', *[bytes([i]) for i in range(10)])
        assert wire.receive() == f'4510-["message-back",{placeholders}]'
        assert [wire.receive() for _ in range(10)] == [bytes([i]) for i in range(10)]

    def test_numbers_may_be_names(self, wire):
        wire.send('42[7,"x"]', '42["message"]')  # unknown events are ignored
        assert wire.receive() == '42["message-back"]'

    def test_order_is_kept(self, wire):
        wire.send(*[f'42["message",{i}]' for i in range(500)])
        assert [wire.receive() for _ in range(500)] == [f'42["message-back",{i}]' for i in range(500)]

    @pytest.mark.parametrize(
        "packet",
        [
            "4abc",
            "4",
            "47",
            "42{}",
            "42",
            "42[]",
            '42"message"',
            "42[null]",
            '42["message"',
            '42["connect"]',
            '42["disconnect"]',
            '42abc["message-with-ack",1,"2",{"3":[false]}]',
            '4299999999999999999999["message"]',
            '43["no id"]',
            "431{}",
            '44{"message":"from a client"}',
            '45["message"]',
            '45-["message"]',
            '4511-["message"]',
            '42["message",' + "[" * 100 + "]" * 100 + "]",
            "42/" + "n" * 300 + ',["message"]',
        ],
    )
    def test_malformed_packets_close(self, wire, packet):
        wire.send(packet)
        assert wire.close_code() == 1000

    @pytest.mark.parametrize(
        "frames",
        [
            [b"\x01"],  # no packet waits for it
            ['451-["message",{"_placeholder":true,"num":0}]', '42["message"]'],  # text before the attachment
            ['451-["message",{"_placeholder":true,"num":1}]', b"\x01"],  # no such attachment
            ['451-["message",{"_placeholder":true,"num":"0"}]', b"\x01"],
            ['451-["message",{"_placeholder":true}]', b"\x01"],
            ['451-["message",' + '{"_placeholder":true,"num":0},' * 2 + "0]", b"\x01"],  # used twice
        ],
    )
    def test_malformed_attachments_close(self, wire, frames):
        wire.send(*frames)
        assert wire.close_code() == 1000


class TestAcks:
    def test_plain(self, wire):
        wire.send('42456["message-with-ack",1,"2",{"3":[false]}]')
        assert wire.receive() == '43456[1,"2",{"3":[false]}]'

    def test_empty(self, wire):
        wire.send('420["message-with-ack"]')
        assert wire.receive() == "430[]"

    def test_of_a_custom_namespace(self, wire):
        wire.send("40/custom,")
        wire.receive()
        wire.receive()
        wire.send('42/custom,5["message-with-ack",1]')
        assert wire.receive() == "43/custom,5[1]"

    def test_binary(self, wire):
        placeholders = '{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}'
        wire.send(f'452-789["message-with-ack",{placeholders}]', b"\x01\x02\x03", b"\x04\x05\x06")
        assert wire.receive() == f"462-789[{placeholders}]"
        assert wire.receive() == b"\x01\x02\x03"
        assert wire.receive() == b"\x04\x05\x06"

    def test_from_the_client(self, wire):
        wire.send('42["ask-back","why?"]')
        assert wire.receive() == '420["question","why?"]'
        wire.send('430["because",{"n":1}]')
        assert wire.receive() == '42["answer","because",{"n":1}]'

    def test_from_the_client_with_attachments(self, wire):
        wire.send('42["ask-back"]')
        assert wire.receive() == '420["question"]'
        wire.send('461-0[{"_placeholder":true,"num":0}]', b"\x01")
        assert wire.receive() == '451-["answer",{"_placeholder":true,"num":0}]'
        assert wire.receive() == b"\x01"

    def test_from_the_client_only_once(self, wire):
        wire.send('42["ask-back"]')
        assert wire.receive() == '420["question"]'
        wire.send("430[1]", "430[2]", '42["message"]')
        assert [wire.receive(), wire.receive()] == ['42["answer",1]', '42["message-back"]']

    def test_that_never_come_end_in_a_time_out(self, wire):
        wire.send('42["ask-back"]')
        assert wire.receive() == '420["question"]'
        assert wire.receive() == '42["answer","no answer"]'

    def test_nobody_awaits_are_ignored(self, wire):
        wire.send("4399[1]", '42["message"]')
        assert wire.receive() == '42["message-back"]'


class TestLimits:
    def test_an_overlong_message_is_told_to_the_application(self, wire):
        wire.send('42["message","' + "x" * MAX_PAYLOAD + '"]', '42["message",1]')
        assert wire.receive() == f'42["too-large",{MAX_PAYLOAD}]'
        assert wire.receive() == '42["message-back",1]'

    def test_an_overlong_message_is_told_in_its_namespace(self, wire):
        wire.send("40/custom,")
        wire.receive()
        wire.receive()
        wire.send('42/custom,["message","' + "x" * MAX_PAYLOAD + '"]')
        assert wire.receive() == f'42/custom,["too-large",{MAX_PAYLOAD}]'

    def test_an_overlong_attachment_is_told_after_the_last(self, wire):
        placeholders = '{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}'
        wire.send(f'452-["message",{placeholders}]', b"x" * (MAX_PAYLOAD + 1), b"small", '42["message",1]')
        assert wire.receive() == f'42["too-large",{MAX_PAYLOAD}]'
        assert wire.receive() == '42["message-back",1]'

    def test_attachments_of_an_overlong_text_are_dropped(self, wire):
        padding = "x" * MAX_PAYLOAD
        wire.send(f'451-["message",{{"_placeholder":true,"num":0}},"{padding}"]', b"small", '42["message",1]')
        assert wire.receive() == f'42["too-large",{MAX_PAYLOAD}]'
        assert wire.receive() == '42["message-back",1]'

    def test_an_overlong_first_message_closes(self, session):
        session.send("4" + "x" * MAX_PAYLOAD)
        assert session.close_code() == 1000

    def test_an_overlong_post_is_413_and_told(self, socketio):
        query = "EIO=4&transport=polling"
        query += "&sid=" + json.loads(socketio.get(query).text[1:])["sid"]
        socketio.post(query, "40")
        received = []
        while '42["auth",{}]' not in received:
            received += socketio.get(query).text.split("\x1e")
        assert socketio.post(query, "4" * (MAX_PAYLOAD + 1)).status_code == 413
        told = socketio.get(query).text
        while told == "2":
            socketio.post(query, "3")
            told = socketio.get(query).text
        assert f'42["too-large",{MAX_PAYLOAD}]' in told.split("\x1e")

    def test_a_busy_handler_does_not_hold_up_the_heartbeat(self, wire):
        wire.send('421["work",1500]')
        began, pings = time.monotonic(), 0
        while (frame := wire.web_socket.recv(PATIENCE)) == "2":
            wire.send("3")
            pings += 1
        assert frame == "431[1500]"
        assert time.monotonic() - began > 1.4
        assert pings >= 2

    def test_busy_handlers_of_many_clients_do_not_hold_up_polling(self, socketio, later):
        """More clients than the server has threads for handlers, and each pong is a POST."""

        def client(_):
            query = "EIO=4&transport=polling"
            query += "&sid=" + json.loads(socketio.get(query).text[1:])["sid"]
            assert socketio.post(query, '40\x1e421["work",700]').text == "ok"
            while True:
                answer = socketio.get(query)
                assert answer.status_code == 200
                packets = answer.text.split("\x1e")
                if "431[700]" in packets:
                    return "done"
                if "2" in packets:
                    assert socketio.post(query, "3").text == "ok"

        clients = [later(client, i) for i in range(8)]
        assert [c.result(3 * PATIENCE) for c in clients] == ["done"] * 8

    def test_a_flood_of_events_is_slowed_down_and_not_lost(self, wire):
        wire.send('421000["work",1000]')  # meanwhile nothing is handled
        chunk = "x" * 100_000
        for i in range(100):
            wire.send(f'42{i}["work",0,"{chunk}"]')
        assert [wire.receive() for _ in range(101)] == ["431000[1000]", *(f"43{i}[0]" for i in range(100))]
