"""What a client says of its bills, and that it leaves in time."""

import threading
from types import SimpleNamespace

import numpy as np
import pytest

from learning.federation.messages import SLACK, Audit, Bill, Done, Hello, MessageError, Start, Work, decode, encode
from learning.models.exported import load_model
from learning.plan import LearningPlan
from marketproof.federation import https_client
from marketproof.federation.bills import COLUMNS, told_of
from marketproof.federation.join import Door, Papers, beginning_of, join, said_of
from mechanism.errors import InputError

PATIENT = 120.0


def test_a_client_is_told_what_a_run_is_and_which_columns_it_reads():
    plan = {
        "rounds": 5,
        "dp_epsilon": 4.0,
        "agreed": {"target": "bought", "columns": [["age", 0.0, 100.0], ["\x1b", "f"]]},
    }
    said = beginning_of(Start("r", 0, 2, "a", "ipfl", 3, plan))
    assert said.startswith("ipfl, seed 3: 5 rounds among 2 clients, privacy budget 4; of your table it reads 'bought'")
    assert "'age' as 0.0, 100.0" in said
    assert said.isprintable()
    assert "without privacy" in beginning_of(Start("r", 0, 2, "a", "ipfl", 3, {"rounds": 5}))


ROW = {"gain": 9.0, "cost": 1.0, "paid": 3.0, "received": 2.0, "centre": 0.5, "utility": 6.5}
BILL = Bill("r", 1, 1, 0, "a", (("b", 3.0),), (("b", 2.0),), 0.5, 9.0, 1.0, 6.5)


def audited(bills=(BILL,), **changed):
    """What a client finds in an audit of one round, held against its bills."""
    papers = Papers(lambda line: None)
    for bill in bills:
        papers.bill(bill)
    row = dict.fromkeys(COLUMNS, 0.0) | ROW | changed
    papers.audit(Audit("r", 0, "a", {"rounds": 1, "words": ["\x1b[2J"]}), {"rounds": np.array([list(row.values())])})
    return papers.audits[0]["checked_here"]


def test_an_audit_is_held_against_the_bills_and_must_add_up():
    assert audited() | {"words": []} == {"adds_up": True, "bills": 1, "agrees_with_bills": True, "words": []}
    assert not audited(received=4.0)["adds_up"]
    assert not audited(paid=2.0, utility=7.5)["agrees_with_bills"]
    assert audited(paid=2.0, utility=7.5)["adds_up"]
    assert audited(bills=[])["bills"] == 0


@pytest.mark.parametrize(
    "rounds", [np.zeros((2, 10)), np.zeros((1, 9)), np.zeros((1, 10), dtype=np.float32), np.full((1, 10), np.nan)]
)
def test_rounds_that_are_none_are_no_audit(rounds):
    papers = Papers(lambda line: None)
    with pytest.raises(MessageError):
        papers.audit(Audit("r", 0, "a", {"rounds": 1}), {"rounds": rounds})
    assert papers.audits == []


def test_a_server_does_not_fill_a_clients_memory_with_bills(monkeypatch):
    monkeypatch.setattr("marketproof.federation.join._ROOM", 2000)
    papers = Papers(lambda line: None)
    papers.bill(BILL)
    papers._room = 100
    with pytest.raises(InputError, match="no more are kept"):
        papers.bill(BILL)
    assert len(papers.bills) == 1


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
    assert join(door, None, 1.0, 1.0, told.append, hours=1e-5).bills == []
    assert "hours are over; this client takes part no longer" in told[-1]

    def stopped(*given):
        raise KeyboardInterrupt

    monkeypatch.setattr(https_client, "attend", stopped)
    with pytest.raises(KeyboardInterrupt):
        join(door, None, 1.0, 1.0, told.append, hours=100.0)


def test_a_client_keeps_the_model_that_it_uses_after_each_round(tmp_path, monkeypatch):
    pytest.importorskip("cryptography")
    from marketproof.federation.keys import make_identity

    np.savez(tmp_path / "mine.npz", x=np.eye(6), y=np.arange(6) % 2, classes=2)
    plan = LearningPlan(dataset="own", split="owners", clients=2, model="mlp", steps=1, batch=2, rounds=2)
    kept = tmp_path / "models" / "ipfl__ipfl-exact-0.safetensors"
    run, found = "federation-ipfl__ipfl-exact-0", []

    def attend(host, port, certificate, identity, answer, *more):
        start = Start(run, 1, 2, "bob", "ipfl", 0, plan.to_dict())
        hello = decode(answer(encode(start), SLACK), SLACK, Hello)[0]
        for number in (1, 2):
            row = np.full(hello.parameters, 0.25 * number, dtype=np.float32)
            judge = Work(run, number, number, 1, "judge", {"slot": "", "common": False})
            decode(answer(encode(judge, {"rows": row}), SLACK), SLACK, Done)
            decode(answer(encode(Bill(run, number, 9, 1, "bob")), SLACK), SLACK, Done)
            found.append({part for tensor in load_model(kept).parameters() for part in tensor.flatten().tolist()})

    monkeypatch.setattr(https_client, "attend", attend)
    door = Door("h", 1, tmp_path / "server.crt", make_identity(tmp_path, "bob").key)
    join(door, tmp_path / "mine.npz", 1.0, 1.0, models=tmp_path / "models")
    assert found == [{0.25}, {0.5}]


def test_a_line_of_many_trades_tells_the_first_and_how_many_more():
    """Of two hundred clients a round has forty thousand trades: the terminal shows a line of them."""
    paid = tuple((f"client{k}", 1.0) for k in range(199))
    said = said_of(Bill("r", 1, 1, 0, "a", paid, ()))
    assert "client11 (paid 1), and 187 more; from you import nobody" in said
    everybody = np.full((200, 200), True) & ~np.eye(200, dtype=bool)
    record = SimpleNamespace(present=np.ones(200, dtype=bool), imports=everybody, prices=np.ones((200, 200)))
    told = told_of(record, [f"c{k}" for k in range(200)])
    assert told.startswith("in: c0, c1, ")
    assert told.endswith("c0 from c12 for 1, and 39,788 more")
    assert "39800 moved" in told
