"""The HTTPS link: replies are of whom they say, in order, in time, and not too long; nobody else gets past the door."""

import contextlib
import http.client
import socket
import threading

import pytest

pytest.importorskip("cryptography")
pytest.importorskip("uvicorn")

from learning.federation.transport import Absence
from marketproof.federation import https_server
from marketproof.federation.https_client import NEXT, Refused, attend
from marketproof.federation.https_server import HttpsTransport
from marketproof.federation.keys import make_identity
from mechanism.errors import InputError
from tests.marketproof.federation.party import MOST, PATIENT, ask


def test_each_answers_its_own_requests_in_their_order(party):
    ends = [
        party.join(name, lambda payload, most, name=name: name.encode() + b":" + payload) for name in ("alice", "bob")
    ]
    party.online("alice", "bob")
    replies = ask(party, (1, b"1"), (0, b"2"), (0, b"3"), (1, b"4"))
    assert replies == [b"bob:1", b"alice:2", b"alice:3", b"bob:4"]
    party.transport.close()
    for thread in party.threads:
        thread.join(PATIENT)
    assert ends == [[None], [None]]  # told that it is over


def test_who_is_not_there_is_absent_at_once_and_the_others_are_heard(party):
    party.join("alice", lambda payload, most: payload)
    party.online("alice")
    assert ask(party, (0, b"x"), (1, b"y")) == [b"x", Absence("no sign of life for 30 s")]


def test_who_is_late_is_absent_and_its_late_answer_is_dropped(party):
    party.transport._deadline = 0.5
    gate, first = threading.Event(), []

    def slow(payload, most):
        first.append(payload)
        if len(first) == 1:
            gate.wait(PATIENT)
        return payload

    party.join("alice", slow)
    party.online("alice")
    assert ask(party, (0, b"round 1")) == [Absence("no answer within 0.5 s")]
    party.transport._deadline = PATIENT
    gate.set()
    assert ask(party, (0, b"round 2")) == [b"round 2"]


@pytest.mark.parametrize("chunked", [False, True])
def test_an_answer_without_end_is_cut_off(party, chunked):
    """Whether it says how long it is, or comes in chunks for ever."""
    party.online()
    connection = party.raw("alice")
    session = {"session": "0" * 32, "first": "1"}
    connection.request("POST", NEXT, headers=session)
    assert connection.getresponse().read() == b""
    got = []
    thread = threading.Thread(target=lambda: got.extend(ask(party, (0, b"x"))))
    thread.start()
    connection.request("POST", NEXT, headers=session)
    answer = connection.getresponse()
    name = answer.getheader("request")
    assert answer.read() == b"x"

    def endless():
        while True:
            yield b"0" * 512

    headers = session | {"answers": name}
    with contextlib.suppress(OSError, http.client.HTTPException):
        if chunked:
            connection.request("POST", NEXT, endless(), headers, encode_chunked=True)
        else:
            connection.request("POST", NEXT, b"0" * (MOST + 1), headers)
    thread.join(PATIENT)
    assert got == [Absence(f"its answer was longer than {MOST} bytes")]


def test_a_reply_from_another_round_or_to_anothers_request_is_not_taken(party):
    """Bob answers with the name of alice's request, then with a made-up one; alice's stands."""
    seen = []

    def alice(payload, most):
        connection = party.raw("bob")
        for name in ("00000000", *seen):
            connection.request("POST", NEXT, b"forged", {"session": "b" * 32, "first": "1", "answers": name})
            connection.getresponse().read()
        return b"mine"

    real = https_server._say

    async def listening(send, status, body=b"", headers=()):
        seen.extend(value.decode() for name, value in headers if name == b"request")
        await real(send, status, body, headers)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(https_server, "_say", listening)
        party.join("alice", alice)
        party.online("alice")
        assert ask(party, (0, b"x"), (1, b"y"))[0] == b"mine"
        assert seen


def test_the_newest_process_with_a_key_is_its_client(party):
    """A client that was killed is back at once; of two processes with one key the older is told to go."""
    old = party.join("alice", lambda payload, most: b"old")
    party.online("alice")
    assert ask(party, (0, b"x")) == [b"old"]
    party.join("alice", lambda payload, most: b"new")
    party.threads[0].join(PATIENT)
    assert "another process joined with the same key" in str(old[0])
    assert ask(party, (0, b"x")) == [b"new"]


def test_a_key_that_is_not_registered_is_refused_and_learns_nothing(party):
    asked = []
    end = party.join("stranger", lambda payload, most: asked.append(payload) or b"", patience=PATIENT)
    party.threads[0].join(PATIENT)
    assert isinstance(end[0], Refused)
    assert "does not know this key" in str(end[0])
    assert (asked, party.transport.online()) == ([], [])


def test_no_key_is_refused(party):
    connection = party.raw()

    def ask_anyway():  # with TLS 1.3 the first reading tells
        connection.request("POST", NEXT, headers={"session": "0" * 32})
        connection.getresponse()

    with pytest.raises(OSError):  # of TLS
        ask_anyway()


def test_a_revoked_key_is_refused_from_the_next_request_on(party, monkeypatch):
    monkeypatch.setattr(https_server, "_WATCH", 0.02)
    asked = []
    end = party.join("alice", lambda payload, most: asked.append(payload) or payload)
    party.online("alice")
    assert ask(party, (0, b"before")) == [b"before"]
    party.register.revoke("alice")
    assert ask(party, (0, b"after")) in ([Absence("its key was revoked")], [b"after"])  # half a second may pass
    party.threads[0].join(PATIENT)
    assert "does not know this key" in str(end[0])
    assert ask(party, (0, b"secret")) == [Absence("its key was revoked")]
    assert b"secret" not in asked


def test_who_is_registered_while_the_server_runs_may_join(party):
    party.transport.names = ("alice", "bob", "carol")
    party.register.add(party.keys["stranger"].certificate, "carol")
    party.transport._look()
    party.join("stranger", lambda payload, most: payload)
    party.online("carol")


def test_who_is_registered_under_a_name_that_the_run_has_not_is_told_how_to_come_in(party):
    party.register.add(party.keys["stranger"].certificate, "dave")
    party.transport._look()
    end = party.join("stranger", lambda payload, most: payload)
    party.threads[0].join(PATIENT)
    assert "the run began without your name" in str(end[0])
    assert "--expect NAME" in str(end[0])
    assert party.transport.online() == []


def test_whose_key_is_awaited_is_away_until_it_is_registered(party):
    party.transport.names = ("alice", "bob", "carol")
    assert ask(party, (2, b"x")) == [Absence("no key is registered under its name so far")]


def test_plain_http_is_refused_by_the_tls_server(party):
    with socket.create_connection(("127.0.0.1", party.transport.port), timeout=PATIENT) as plain:
        plain.sendall(b"POST /v1/next HTTP/1.1\r\nhost: x\r\nsession: 00000000000000000000\r\n\r\n")
        with contextlib.suppress(ConnectionResetError):
            assert b"HTTP" not in plain.recv(1000)


def test_another_server_is_not_trusted(party, tmp_path):
    other = make_identity(tmp_path / "other", "server", ["127.0.0.1"])
    with pytest.raises(InputError, match="is not the server of"):
        attend("127.0.0.1", party.transport.port, other.certificate, party.keys["alice"], lambda a, b: b"", 0.0)


def test_a_server_that_is_not_there_is_told_in_a_line(party):
    party.transport.close()
    with pytest.raises(InputError, match="cannot be reached"):
        attend("127.0.0.1", party.transport.port, party.server.certificate, party.keys["alice"], lambda a, b: b"", 0.0)


def test_a_port_in_use_is_told_in_a_line(party):
    with pytest.raises(InputError, match="cannot be listened on"):
        HttpsTransport("127.0.0.1", party.transport.port, party.server, party.register, 1.0)


def test_clients_go_on_with_a_server_that_went_away_and_was_started_again(party):
    party.join("alice", lambda payload, most: payload, patience=PATIENT)
    party.online("alice")
    assert ask(party, (0, b"x")) == [b"x"]
    port = party.transport.port
    party.transport._watching.cancel()
    party.transport._listener.close()  # no word to anybody
    party.transport = HttpsTransport("127.0.0.1", port, party.server, party.register, PATIENT)
    party.transport.names = ("alice", "bob")
    party.online("alice")
    assert ask(party, (0, b"y")) == [b"y"]
    party.transport.close()


def test_a_client_reads_no_more_than_it_wants(party):
    """It says so as if it had been sent nothing, and goes on."""
    asked = []

    def work():
        attend(
            "127.0.0.1", party.transport.port, party.server.certificate, party.keys["alice"],
            lambda payload, most: asked.append(payload) or payload or b"empty", 0.0, most=lambda: 10,
        )  # fmt: skip

    party.threads.append(threading.Thread(target=work))
    party.threads[-1].start()
    party.online("alice")
    assert ask(party, (0, b"0" * 11), (0, b"0" * 10)) == [b"empty", b"0" * 10]
    assert asked == [b"", b"0" * 10]
