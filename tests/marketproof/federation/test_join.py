"""What a client says of its bills, and that it leaves in time."""

import threading

import pytest

from learning.federation.messages import Bill
from marketproof.federation import https_client
from marketproof.federation.join import Door, Wishes, join, said_of

PATIENT = 120.0


def test_a_bill_puts_nothing_but_text_on_the_terminal():
    """Names and sentences are the server's: it does not clear the screen or set the window's title."""
    bill = Bill("r", 1, 1, 0, "a", (("\x1b[2J", 1.0),), (), audit=("\x1b]0;owned\x07", "two\nlines\r", "\u202e\x9b"))
    assert said_of(bill).isprintable()


def test_a_client_leaves_when_its_time_is_over(tmp_path, monkeypatch):
    """Whatever it is doing for a server; Ctrl-C before that is Ctrl-C."""
    pytest.importorskip("cryptography")
    from marketproof.federation.keys import make_identity

    key, told = make_identity(tmp_path, "alice").key, []
    door = Door("h", 1, tmp_path / "server.crt", key)
    monkeypatch.setattr(https_client, "attend", lambda *given: threading.Event().wait(PATIENT))
    assert join(door, None, 1.0, 1.0, told.append, Wishes(hours=1e-5)) == []
    assert "hours are over; this client takes part no longer" in told[-1]

    def stopped(*given):
        raise KeyboardInterrupt

    monkeypatch.setattr(https_client, "attend", stopped)
    with pytest.raises(KeyboardInterrupt):
        join(door, None, 1.0, 1.0, told.append, Wishes(hours=100.0))
