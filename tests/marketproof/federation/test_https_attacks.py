"""What a registered client, or a damaged register, does to a server: nothing that others notice."""

import contextlib
import socket
import ssl
import threading

import pytest

pytest.importorskip("cryptography")
pytest.importorskip("uvicorn")

from marketproof.federation import https_server, listening
from marketproof.federation.https_client import NEXT
from mechanism.errors import InputError
from tests.marketproof.federation.party import PATIENT, Party, ask


def test_a_damaged_certificate_in_the_register_lets_nobody_stay_who_is_revoked(party, monkeypatch):
    looked, real = threading.Semaphore(0), party.register.state
    monkeypatch.setattr(https_server, "_WATCH", 0.02)
    monkeypatch.setattr(party.register, "state", lambda: (looked.release(), real())[1])
    (party.register.folder / "clients/carol.crt").write_text("nonsense")
    party.register.revoke("alice")
    with pytest.raises(InputError, match="no certificate"):
        party.transport._look()
    assert list(party.transport._known.values()) == ["bob"]
    (party.register.folder / "clients/carol.crt").unlink()
    for _ in range(5):
        assert looked.acquire(timeout=PATIENT)  # it goes on looking
    assert list(party.transport._known.values()) == ["bob"]


@pytest.mark.parametrize("session", ["\xff" * 32, "short", "a" * 65, "a b" * 8])
def test_a_session_of_odd_letters_is_refused(party, session):
    connection = party.raw("alice")
    connection.request("POST", NEXT, headers={"session": session.encode("latin-1"), "first": "1"})
    assert connection.getresponse().status == 404


def test_one_certificate_has_so_many_connections_and_the_oldest_goes(party):
    party.join("bob", lambda payload, most: payload)
    party.online("bob")
    first, *others = [party.raw("alice") for _ in range(listening.EACH + 1)]
    for connection in (first, *others):
        connection.connect()
    others[-1].request("POST", NEXT, headers={"session": "0" * 32, "first": "1"})
    assert others[-1].getresponse().status == 204
    with contextlib.suppress(ConnectionResetError):
        assert first.sock.recv(1) == b""
    assert ask(party, (1, b"x")) == [b"x"]


def test_strangers_who_only_connect_take_no_more_than_some_descriptors(party, monkeypatch):
    """Without a key, and without a word of TLS: else they would take all, and the server could not write its record."""
    monkeypatch.setattr(listening, "COMING", 5)
    party.join("alice", lambda payload, most: payload)
    party.online("alice")
    crowd = [socket.create_connection(("127.0.0.1", party.transport.port), timeout=PATIENT) for _ in range(25)]
    for stranger in crowd[:15]:
        with contextlib.suppress(ConnectionResetError):
            assert stranger.recv(1) == b""
    party.join("bob", lambda payload, most: payload)
    party.online("alice", "bob")
    assert ask(party, (0, b"x"), (1, b"y")) == [b"x", b"y"]
    for stranger in crowd:
        stranger.close()


@pytest.mark.parametrize("begun", [b"", b"POST /v1/next HTTP/1.1\r\nsession: 0"])
def test_who_calls_and_does_not_ask_is_hung_up_on(tmp_path, monkeypatch, begun):
    monkeypatch.setattr(listening, "_IDLE", 0.2)
    made = Party(tmp_path)
    connection = made.raw("alice")
    connection.connect()
    connection.sock.sendall(begun)
    with contextlib.suppress(ConnectionResetError, ssl.SSLEOFError):
        assert connection.sock.recv(1) == b""
    connection.close()
    made.transport.close()


def test_a_long_request_arrives_whole(party):
    party.join("alice", lambda payload, most: str(len(payload)).encode())
    party.online("alice")
    assert ask(party, (0, b"0" * (3 * 2**20 + 1))) == [str(3 * 2**20 + 1).encode()]
