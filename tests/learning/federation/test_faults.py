"""Clients that are late, dead, wrong or hostile are away for the round, and nothing else happens."""

from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from learning.backends import federated
from learning.errors import LearningError
from learning.federation.in_process import InProcess
from learning.federation.messages import KINDS, SLACK, Done, Hello, Refused, Work, decode, encode
from learning.federation.transport import Absence, Request
from learning.trainer import Trainer
from learning.valuation.effective import COMMON
from marketproof.running.loop import play_round
from mechanism.market.accounting import MONEY
from mechanism.market.clients import Types
from tests.learning.federation.test_federated import PLAN, TYPES, clients_of, same, told


@dataclass
class Faulty:
    """A transport on which ``fault`` takes the place of one client's replies to a task in some rounds."""

    inner: InProcess
    fault: object = None
    task: str = "train"
    rounds: tuple[int, ...] = (2,)
    who: int = 1
    within: bool = False
    least: int = 2
    run: str = "faulty"
    last: dict[int, bytes] = field(default_factory=dict)

    @property
    def names(self):
        return tuple("abcd"[: len(self.inner.clients)])

    def exchange(self, requests: list[Request]):
        replies = self.inner.exchange(requests)
        found = []
        for request, reply in zip(requests, replies, strict=True):
            message = decode(request.payload, 2**30, *KINDS.values())[0]
            hit = isinstance(message, Work) and (request.client, message.task) == (self.who, self.task)
            hit = hit and message.round in self.rounds and self.fault is not None
            found.append(self.fault(self, request, reply) if hit else reply)
            if isinstance(message, Work):
                self.last[request.client] = reply
        return found

    def close(self):
        self.inner.close()


def changed(change):
    """A reply whose message and arrays ``change`` has touched."""

    def fault(faulty, request, reply):
        done, arrays = decode(reply, 2**30, Done)
        return encode(*change(done, {name: array.copy() for name, array in arrays.items()}))

    return fault


def nan(done, arrays):
    arrays["rows"][3] = np.nan
    return done, arrays


FAULTS = {
    "late": (lambda *_: Absence("no answer within 60 s"), "no answer within 60 s"),
    "dead": (lambda *_: Absence("the connection was closed"), "connection was closed"),
    "NaN": (changed(nan), "not finite"),
    "wrong shape": (changed(lambda d, a: (d, {"rows": a["rows"][:-1]})), "expected float32"),
    "another type": (changed(lambda d, a: (d, {"rows": a["rows"].astype(float)})), "expected float32"),
    "another layout": (changed(lambda d, a: (d, {"weights": a["rows"]})), "array"),
    "a huge payload": (lambda f, request, reply: reply + bytes(request.most), "expected at most"),
    "garbage": (lambda *_: b"\x80\x04\x95" * 50, "no message"),
    "nothing": (lambda *_: b"", "no message"),
    "cut off": (lambda f, request, reply: reply[:-5], "longer than the message"),
    "a replayed round": (lambda faulty, *_: faulty.last[1], "is for round '1'"),
    "another client's answer": (lambda faulty, *_: faulty.last[0], "is for client '0'"),
    "another run": (changed(lambda d, a: (replace(d, run="x"), a)), "is for run 'x'"),
    "an answer to another request": (changed(lambda d, a: (replace(d, serial=d.serial + 1), a)), "is for serial"),
    "too many numbers": (changed(lambda d, a: (replace(d, numbers=(0.0, 0.0)), a)), "2 numbers"),
    "diverged": (changed(lambda d, a: (replace(d, numbers=(1e9,)), a)), "diverged"),
    "a loss below all": (changed(lambda d, a: (replace(d, numbers=(-1e308,)), a)), "diverged"),
    "refused": (changed(lambda d, a: (Refused(d.run, d.round, d.serial, d.client, "no\nmore"), {})), "no more"),
    "a budget where none is": (
        changed(lambda d, a: (Refused(d.run, d.round, d.serial, d.client, "so", (1.0,)), {})),
        "so",
    ),
    "a question back": (changed(lambda d, a: (replace(d, wants=((0, 0.25, ""),)), a)), "asks for mixtures"),
}


@pytest.mark.parametrize(("fault", "words"), FAULTS.values(), ids=FAULTS.keys())
def test_who_answers_wrongly_is_away_for_the_round_and_back_in_the_next(fault, words):
    here = np.array([True, False, True, True])
    clean = Trainer(PLAN, "ipfl", "federated", transport=Faulty(clients_of(PLAN, "ipfl")))
    with Trainer(PLAN, "ipfl", "federated", transport=Faulty(clients_of(PLAN, "ipfl"), fault)) as server, clean:
        types = Types(server.sizes, **TYPES)
        for number, present in ((1, None), (2, here), (3, None)):
            before = server.state.rows[1].clone()
            record = play_round(server, types, 1.0, "ipfl-exact", number)
            expected = clean.train(number, present)
            assert np.array_equal(record.training_loss, expected)
            assert np.array_equal(record.present, np.ones(4, bool) if present is None else present)
            clean.aggregate(record.imports)
            for name, tensor in server.state.tensors().items():
                assert np.array_equal(tensor, clean.state.tensors()[name]), name
            if number == 2:
                assert np.array_equal(server.state.rows[1], before)
                assert not record.imports[1].any()
                assert not record.imports[:, 1].any()
                assert record.accounts.paid[1] == record.accounts.received[1] == 0.0
            assert abs(record.accounts.paid.sum() - record.accounts.received.sum()) <= MONEY
            assert np.isfinite(record.accuracy).all()
        assert len(server.notices) == 1
        assert server.notices[0].startswith("client 1 (b) is away in round 2, asked to train: ")
        assert words in server.notices[0]
        assert "\n" not in server.notices[0]


def largest(done, arrays):
    """A model of the largest numbers that there are, with the signs of the client's own."""
    return done, {"rows": np.copysign(np.finfo(np.float32).max, arrays["rows"]), "probe": arrays["probe"]}


def test_a_model_of_the_largest_numbers_ends_no_round():
    transport = Faulty(clients_of(PLAN, "ipfl-effective"), changed(largest), rounds=(2,))
    with Trainer(PLAN, "ipfl-effective", "federated", transport=transport) as server:
        types = Types(server.sizes, **TYPES)
        for number in (1, 2, 3):
            record = play_round(server, types, 1.0, "ipfl-exact", number)
            assert not record.imports[:, 1].any() or number != 2
            assert record.present[[0, 2, 3]].all()


WORTHLESS = changed(lambda d, a: (replace(d, numbers=tuple(1e308 * (-1) ** k for k in range(len(d.numbers)))), a))


@pytest.mark.parametrize(("task", "words"), [("value", "a loss is above"), ("judge", "its accuracy is 1e+308")])
def test_numbers_that_nobody_measures_are_not_taken(task, words):
    plan = replace(PLAN, held_out=True)
    transport = Faulty(clients_of(plan, "ipfl"), WORTHLESS, task)
    with Trainer(plan, "ipfl", "federated", transport=transport) as server:
        for number in (1, 2):
            server.train(number)
            curve, (accuracy, loss) = server.measure(), server.evaluate()
            assert np.isfinite(curve.drop).all()
            assert (np.abs(loss) < 100).all()
            assert ((accuracy >= 0) & (accuracy <= 1)).all()
            server.aggregate(np.zeros((4, 4), dtype=bool))
        assert words in server.notices[0]
        assert not server.present[1]


def test_a_client_says_that_it_has_very_many_samples_and_takes_no_memory_for_it():
    transport = Faulty(clients_of(PLAN, "ipfl"))
    plain = transport.exchange

    def exchange(requests):
        replies = plain(requests)
        hello = decode(replies[1], SLACK, Hello, Done)[0]
        return [replies[0], encode(replace(hello, samples=10**12)), *replies[2:]]

    transport.exchange = exchange
    with Trainer(PLAN, "ipfl", "federated", transport=transport) as server:
        assert server.sizes[1] == 10**12
        transport.exchange = plain
        assert np.isfinite(server.train(1)).all()


@pytest.mark.parametrize("task", ["judge", "line", "mix"])
def test_who_goes_away_in_mid_round_trades_nothing(task):
    fault = Faulty(clients_of(PLAN, "ipfl-effective"), FAULTS["dead"][0], task, (3,), who=0)
    with Trainer(PLAN, "ipfl-effective", "federated", transport=fault) as server:
        types = Types(server.sizes, **TYPES)
        for number in (1, 2, 3, 4):
            record = play_round(server, types, 1.0, "ipfl-exact", number)
            bought = record.imports.any()
            assert abs(record.accounts.paid.sum() - record.accounts.received.sum()) <= MONEY
            assert record.present[0] == (number != 3)
            if number == 3:
                assert not record.imports[0].any()
                assert not record.imports[:, 0].any()
        assert len(server.notices) == 1
        assert bought


HOSTILE_MEASURES = {
    "a seller's raw model": (lambda d, a: (replace(d, wants=((1, 1.0, ""),), numbers=()), {})),
    "itself": (lambda d, a: (replace(d, wants=((0, 0.25, ""),), numbers=()), {})),
    "nobody": (lambda d, a: (replace(d, wants=((99, 0.25, ""),), numbers=()), {})),
    "one thing twice": (lambda d, a: (replace(d, wants=((1, 0.25, ""),) * 2, numbers=()), {})),
    "an unknown kind": (lambda d, a: (replace(d, wants=((1, 0.25, "eval"),), numbers=()), {})),
    "a share of 1": (lambda d, a: (replace(d, wants=(), numbers=(1.0,) * 6), {})),
    "too few numbers": (lambda d, a: (replace(d, wants=(), numbers=(0.0,)), {})),
}


@pytest.mark.parametrize("change", HOSTILE_MEASURES.values(), ids=HOSTILE_MEASURES.keys())
def test_a_client_that_measures_gets_no_more_than_measuring_needs(change):
    seen = []

    def fault(faulty, request, reply):
        done, arrays = decode(reply, 2**30, Done)
        if "gradient" in arrays:
            return reply
        seen.append(request)
        return encode(*change(done, arrays))

    transport = Faulty(clients_of(PLAN, "ipfl-effective"), fault, "line", (2,), who=0)
    with Trainer(PLAN, "ipfl-effective", "federated", transport=transport) as server:
        for number in (1, 2):
            server.train(number)
            effective = server.effective()
            server.aggregate(np.zeros((4, 4), dtype=bool))
        assert not effective[0].any()
        assert server.present.tolist() == [False, True, True, True]
        assert len(seen) == 1  # nothing was sent to it after that


@pytest.mark.parametrize(("wanted", "given"), [(COMMON, 1), (1, 0)])
def test_mixtures_are_of_sellers_towards_whom_the_loss_falls_most(monkeypatch, wanted, given):
    """At most `MOST`: none here, so that nobody gets a mixture of another's model, but of the common start."""
    monkeypatch.setattr(federated, "MOST", 0)
    sent = []

    def fault(faulty, request, reply):
        sent.append(decode(request.payload, 2**30, Work)[1])
        if "probe" in sent[-1] or "models" in sent[-1]:
            return reply
        done, _ = decode(reply, 2**30, Done)
        return encode(replace(done, wants=((wanted, 0.25, ""),), numbers=()), {})

    transport = Faulty(clients_of(PLAN, "ipfl-effective"), fault, "line", (2,), who=0)
    with Trainer(PLAN, "ipfl-effective", "federated", transport=transport) as server:
        for number in (1, 2):
            server.train(number)
            server.effective()
            server.aggregate(np.zeros((4, 4), dtype=bool))
    assert sum("models" in arrays for arrays in sent) == given


def test_a_client_that_asks_for_mixtures_before_its_gradient_gets_none():
    ask = changed(lambda done, arrays: (replace(done, wants=((1, 0.25, ""),)), {}))
    transport = Faulty(clients_of(PLAN, "ipfl-effective"), ask, "line", (2,), who=0)
    with Trainer(PLAN, "ipfl-effective", "federated", transport=transport) as server:
        server.train(1)
        server.aggregate(np.zeros((4, 4), dtype=bool))
        server.train(2)
        assert not server.effective()[0].any()
        assert "asks for mixtures where none are given" in server.notices[0]


def test_a_run_that_nobody_trains_says_why():
    late = Faulty(clients_of(PLAN, "ipfl"), None)
    late.exchange, plain = lambda requests: [Absence("no answer within 1 s") for _ in requests], late.exchange
    with pytest.raises(LearningError, match=r"client 0 .a. takes no part: no answer within 1 s"):
        Trainer(PLAN, "ipfl", "federated", transport=late)
    late.exchange, dead = plain, late.exchange
    with Trainer(PLAN, "ipfl", "federated", transport=late) as server:
        late.exchange = dead
        with pytest.raises(LearningError, match=r"nobody trained: client 0 .a. is away in round 1, asked to train"):
            server.train(1)


@pytest.mark.parametrize("name", ["ditto", "ipfl-effective"])
def test_a_killed_server_and_its_clients_go_on_to_the_same_bits(name, tmp_path):
    """A round that the server lost is repeated: clients take their private models of before it."""
    with Trainer(PLAN, name, "federated", transport=Faulty(clients_of(PLAN, name))) as server:
        expected = told(server, 3)
    clients = clients_of(PLAN, name)
    for k, client in enumerate(clients.clients):
        client._keep = tmp_path / str(k)
    with Trainer(PLAN, name, "federated", transport=Faulty(clients)) as server:
        done = told(server, 2)
        server.save(tmp_path / "state")
        server.train(3)  # and is killed
    again = clients_of(PLAN, name)  # so are the clients
    for k, client in enumerate(again.clients):
        client._keep = tmp_path / str(k)
    with Trainer(PLAN, name, "federated", transport=Faulty(again)) as server:
        server.load(tmp_path / "state")
        rest = told_from(server, 3)
    states = len(server.state.tensors()) + 1
    assert same(done[:-states] + rest, expected)


def told_from(server: Trainer, number: int) -> list[np.ndarray]:
    train = server.train
    server.train = lambda _: train(number)
    return told(server, 1)
