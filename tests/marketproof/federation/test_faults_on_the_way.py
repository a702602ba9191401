"""Clients that die, are late or answer nonsense over the network: the round is played without them, and they come back.

Where each fault of a federation is injected by a test:

| fault | over the network | in messages |
|---|---|---|
| late | here | test_https, test_flower, learning: test_faults |
| dies, and is started again later | here | learning: test_faults |
| killed with SIGKILL in training, started again at once | test_federation (over Flower it is away) | |
| NaN, wrong shape, another type, wrong layout | here | learning: test_faults |
| huge payload, endless one in chunks | here | test_https, test_fence |
| a replayed round, another client's answer | here | test_https, learning: test_faults |
| nonsense, part of a message | here | learning: test_faults, test_messages |
| the server killed with SIGKILL in mid-round | test_federation, with Flower's too | learning: test_faults |
| a key that is wrong, missing or revoked | test_hosts, with Flower's too | test_https, test_flower |
| all clients at once | here | |
| clients leave and come back between rounds | here, test_hosts | |
"""

import json
import threading

import numpy as np
import pytest

pytest.importorskip("cryptography")
pytest.importorskip("uvicorn")

from safetensors.numpy import load_file

from learning.federation.messages import Done, Work, decode, encode
from marketproof.federation import https_server
from marketproof.running.execution import Place
from marketproof.running.execution import run as train
from marketproof.running.recorder import recorded_config
from mechanism.market.accounting import MONEY
from tests.marketproof.federation.crew import PATIENT, Crew, Dead
from tests.marketproof.federation.federation import tensors
from tests.marketproof.federation.test_federation import TASK

PAUSE = 0.05
SHORT = TASK.replace("clients = 2", "clients = 3").replace("steps = 20", "steps = 2")


@pytest.fixture(autouse=True)
def hasty(monkeypatch, quick):
    """Who is silent is held to be gone soon."""
    monkeypatch.setattr(https_server, "SILENT", 2.0)
    monkeypatch.setattr(https_server, "POLL", 0.2)
    monkeypatch.setattr("marketproof.federation.https_client.SIGN", 0.3)


def changed(change):
    """A true answer whose arrays ``change`` has touched."""

    def fault(crew, client, payload, most):
        done, arrays = decode(client.answer(payload), most, Done)
        return encode(done, change(arrays["rows"].copy()))

    return fault


def nan(row):
    row[3] = np.nan
    return {"rows": row}


def endless(crew, client, payload, most):
    """Chunks without end: of an iterator nobody knows the length, so that they are sent as such."""
    return iter(lambda: b"\x00" * 2**16, b"")


def earlier(name):
    """The last answer of a client, as it was sent; the liar's is of the round before, which he has just repeated."""
    return lambda crew, client, payload, most: crew.last[name]


FAULTS = {
    "NaN": (changed(nan), "not finite"),
    "a wrong shape": (changed(lambda row: {"rows": row[:-1]}), "expected float32"),
    "another type": (changed(lambda row: {"rows": row.astype(float)}), "expected float32"),
    "a wrong layout": (changed(lambda row: {"weights": row}), "array"),
    "nonsense": (lambda crew, client, payload, most: b"\x00" * 100, "no message of this protocol"),
    "part of a message": (lambda crew, client, payload, most: client.answer(payload)[:-5], "longer than the message"),
    "a huge payload": (lambda crew, client, payload, most: b"\x00" * (most + 1), "longer than"),
    "an endless payload": (endless, "longer than"),
    "a replayed round": (earlier("bob"), "is for round"),
    "another client's answer": (earlier("alice"), "is for client"),
}


class Liar(Crew):
    """Bob answers with the k-th fault in round 2 k, asked to train; what a client last answered to that is kept."""

    def __init__(self, folder):
        super().__init__(folder, ("alice", "bob", "carol"), self.lie)
        self.last, self.here = {}, threading.Event()

    def lie(self, name, message, client, payload, most):
        if not (isinstance(message, Work) and message.task == "train"):
            return client.answer(payload)
        if name == "alice":
            self.here.clear()
        number, odd = divmod(message.round, 2)
        if name == "bob" and not odd:
            if number == list(FAULTS).index("another client's answer") + 1:
                self.here.wait(PATIENT)
            return list(FAULTS.values())[number - 1][0](self, client, payload, most)
        self.last[name] = client.answer(payload)
        if name == "alice":
            self.here.set()
        return self.last[name]


@pytest.fixture(scope="module")
def lied(tmp_path_factory, quick):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(https_server, "POLL", 0.2)
        crew = Liar(tmp_path_factory.mktemp("liar"))
        run = crew.serve(SHORT.replace("rounds = 3", f"rounds = {2 * len(FAULTS) + 1}"))
    market = load_file(run / "markets/ipfl__ipfl-exact-0.safetensors")
    return market, json.loads((run / "manifest.json").read_text())["notices"]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_round_is_played_without_who_answers_wrongly(lied, fault):
    market, notices = lied
    number = 2 * (list(FAULTS).index(fault) + 1)
    assert market["present"][number - 1].tolist() == [1, 0, 1]
    assert market["imports"][number - 1][1].sum() == market["imports"][number - 1][:, 1].sum() == 0
    (line,) = [line for line in notices if f"away in round {number}, asked to train" in line]
    assert "client 1 (bob)" in line
    assert FAULTS[fault][1] in line


def test_who_answered_wrongly_is_back_in_the_next_round_and_the_books_balance(lied):
    market, notices = lied
    assert market["present"][::2].all()
    assert len(notices) == len(FAULTS)
    assert market["imports"].any()
    assert np.isfinite(market["accuracy"]).all()
    moved = np.where(market["imports"], market["prices"], 0.0)
    assert np.abs(moved.sum(axis=1).sum(axis=-1) - moved.sum(axis=2).sum(axis=-1)).max() <= MONEY


def dies(crew, client, payload):
    raise Dead


def is_late(crew, client, payload):
    crew.over.wait(PATIENT)
    return client.answer(payload)


class Lost(Crew):
    """Bob does ``fault`` in place of training in round 2; if he died, he is started again after it."""

    def __init__(self, folder, fault):
        super().__init__(folder, ("alice", "bob", "carol"), self.fail, self.look)
        self.fault, self.over = fault, threading.Event()

    def fail(self, name, message, client, payload, most):
        if name == "bob" and isinstance(message, Work) and (message.round, message.task) == (2, "train"):
            return self.fault(self, client, payload)
        return client.answer(payload)

    def look(self, line):
        if "round 2:" not in line:
            return
        self.over.set()
        if self.dead.is_set():
            self.join("bob")
            for _ in range(1200):
                if "bob" in self.opened.online():
                    break
                threading.Event().wait(PAUSE)


@pytest.mark.parametrize(("fault", "reason"), [(dies, "no sign of life"), (is_late, "no answer within")])
def test_the_round_is_played_without_who_is_silent_and_it_comes_back(tmp_path, monkeypatch, fault, reason):
    crew, real = Lost(tmp_path, fault), https_server.HttpsTransport.__init__

    def opened(self, *given):
        real(self, *given)
        crew.opened = self

    monkeypatch.setattr(https_server.HttpsTransport, "__init__", opened)
    run = crew.serve(SHORT, 4.0 if fault is is_late else PATIENT)
    market = load_file(run / "markets/ipfl__ipfl-exact-0.safetensors")
    assert market["present"].tolist() == [[1, 1, 1], [1, 0, 1], [1, 1, 1]]
    assert market["imports"][1][1].sum() == market["imports"][1][:, 1].sum() == 0
    assert np.isfinite(market["accuracy"]).all()
    notices = json.loads((run / "manifest.json").read_text())["notices"]
    assert [line for line in notices if "bob" in line and "away in round 2" in line and reason in line], notices
    imbalance = json.loads((run / "audit.json").read_text())["methods"]["ipfl/ipfl-exact"]["budget_imbalance"]
    assert abs(imbalance) < 1e-6


class Alone(Crew):
    """The clients; everybody dies in round 2, and is started again when the server says that it goes on waiting."""

    def __init__(self, folder):
        super().__init__(folder, ("alice", "bob", "carol"), self.fail, self.look)
        self.fallen = set()

    def fail(self, name, message, client, payload, most):
        if isinstance(message, Work) and (message.round, message.task) == (2, "train") and name not in self.fallen:
            self.fallen.add(name)
            raise Dead
        return client.answer(payload)

    def look(self, line):
        if "is begun again" in line:
            for name in self.names:
                self.join(name)


def test_a_round_in_which_everybody_is_lost_is_played_when_they_are_back(tmp_path):
    crew = Alone(tmp_path)
    run = crew.serve(SHORT)
    assert len([line for line in crew.told if "round 2 is begun again: nobody trained" in line]) == 1
    assert load_file(run / "markets/ipfl__ipfl-exact-0.safetensors")["present"].all()
    config = recorded_config(run).model_copy(update={"federation": ""})
    train(config, tmp_path / "alone", Place("rows", "cpu"), resume=False, quiet=True)
    for kind in ("markets", "models"):
        assert tensors(run, kind) == tensors(tmp_path / "alone", kind)
