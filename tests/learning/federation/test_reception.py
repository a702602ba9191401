"""What clients say of themselves, or do not say, ends nobody's run; who comes later takes part from then on."""

from dataclasses import replace

import numpy as np
import pytest

from learning.errors import LearningError
from learning.federation.messages import SLACK, Done, Hello, Refused, Start, Work, decode, encode
from learning.federation.reception import TooFew
from learning.federation.transport import Absence
from learning.trainer import Trainer
from marketproof.running.loop import play_round
from mechanism.market.accounting import MONEY
from mechanism.market.clients import Types
from tests.learning.federation.test_faults import Faulty
from tests.learning.federation.test_federated import PLAN, clients_of, same, told

NOBODY = np.zeros((4, 4), dtype=bool)


class Met:
    """A transport on which ``fault`` takes the place of what one client says of itself, while it lasts."""

    def __init__(self, fault, who=1, name="ipfl", plan=PLAN):
        self.transport, self.fault, self.who, self.greeted = Faulty(clients_of(plan, name)), fault, who, []
        self.worked, self.plain, self.transport.exchange = [], self.transport.exchange, self.exchange

    def exchange(self, requests):
        found = []
        for request, reply in zip(requests, self.plain(requests), strict=True):
            message = decode(request.payload, 2**30, Start, Work)[0]
            if request.client == self.who:
                (self.greeted if isinstance(message, Start) else self.worked).append(message)
            hit = self.fault is not None and request.client == self.who and isinstance(message, Start)
            found.append(self.fault(reply) if hit else reply)
        return found


def saying(**change):
    """A greeting in which something is changed."""
    return lambda reply: encode(replace(decode(reply, SLACK, Hello)[0], **change))


ODD = {
    "parameters": (saying(parameters=3), "its parameters is '3'"),
    "layout": (saying(layout="odd"), "its layout is 'odd'"),
    "shape beyond all memory": (saying(shape=(10**12,)), "its shape is"),
    "classes": (saying(classes=7), "its classes is '7'"),
    "another's": (saying(client=0), "another run or client"),
    "another run's": (saying(run="x"), "another run or client"),
    "reports beyond what a market takes": (saying(gain=1.1e15), "'gain' does not fit"),
    "held": (saying(held=400, samples=300), "holds out 400 of 300"),
    "silent": (lambda reply: Absence("no sign of life for 30 s"), "no sign of life"),
    "too late": (lambda reply: Absence("no answer within 600 s", late=True), "no answer within 600 s"),
    "nonsense": (lambda reply: b"\x00" * 50, "no message of this protocol"),
    "endless": (lambda reply: bytes(SLACK + 1), "expected at most"),
    "refused": (lambda reply: encode(Refused("faulty", 0, 0, 1, "its file\nis damaged")), "its file is damaged"),
    "no greeting": (lambda reply: encode(Done("faulty", 0, 0, 1)), "expected hello or refused"),
}


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("who", [0, 1])
def test_who_says_odd_things_of_itself_is_away_and_the_others_begin(odd, who):
    fault, words = ODD[odd]
    if odd == "another's" and who == 0:
        fault = saying(client=1)
    party = Met(fault, who)
    with Trainer(PLAN, "ipfl", "federated", transport=party.transport) as server:
        assert np.isfinite(server.train(1)).all()
        assert server.present.tolist() == [k != who for k in range(4)]
        (line,) = server.notices
        assert f"client {who} ({'ab'[who]}) is away in round 1, asked what it is: " in line
        assert words in line
        assert party.worked == []  # it is not asked to work
        server.aggregate(NOBODY)
        server.train(2)
        assert len(server.notices) == 1  # the same is said once


def test_a_greeting_that_asks_for_endless_steps_is_one_clients():
    party = Met(saying(samples=10**12), plan=replace(PLAN, epochs=10))
    with Trainer(replace(PLAN, epochs=10), "ipfl", "federated", transport=party.transport) as server:
        server.train(1)
        assert "steps" in server.notices[0]
        assert not server.present[1]


def test_amounts_beyond_the_markets_are_one_clients():
    party = Met(lambda reply: reply.replace(b'"gain":0.0', b'"gain":9e99'))
    with Trainer(PLAN, "ipfl", "federated", transport=party.transport) as server:
        server.train(1)
        assert not server.present[1]


def test_too_few_that_agree_are_no_market():
    party = Met(None)
    party.transport.exchange = lambda requests: [Absence("no answer within 1 s") for _ in requests]
    with pytest.raises(TooFew, match=r"0 of 4 clients take part; expected 2 at least: client 0 .a. takes no part"):
        Trainer(PLAN, "ipfl", "federated", transport=party.transport)


def test_a_client_that_never_answers_costs_a_deadline_ever_more_seldom():
    party = Met(ODD["too late"][0])
    with Trainer(PLAN, "ipfl", "federated", transport=party.transport) as server:
        asked = []
        for number in range(1, 21):
            before = len(party.greeted)
            server.train(number)
            server.aggregate(NOBODY)
            asked += [number] * (len(party.greeted) - before)
        assert asked == [1, 2, 4, 8, 16]
        party.fault = None
        for number in range(21, 33):
            server.train(number)
            server.aggregate(NOBODY)
        assert server.present.all()


def test_a_client_that_is_always_late_with_its_work_costs_ever_less():
    late = Faulty(
        clients_of(PLAN, "ipfl"), lambda *_: Absence("no answer within 1 s", late=True), rounds=tuple(range(1, 30))
    )
    with Trainer(PLAN, "ipfl", "federated", transport=late) as server:
        for number in range(1, 20):
            server.train(number)
            assert server.present.tolist() == [True, False, True, True]
            server.aggregate(NOBODY)
        assert [int(line.split("round ")[1].split(",")[0]) for line in server.notices] == [1, 2, 4, 8, 16]


def types_of(server):
    book = server._backend.greetings
    return Types(server.sizes.astype(float), *np.array([(0.2, 0.0 if hello is None else 1.5e4) for hello in book]).T)


@pytest.mark.parametrize("name", ["ipfl", "ipfl-effective", "fedavg", "scaffold", "ditto"])
def test_who_comes_later_takes_part_from_the_next_round_on(name):
    """It begins with everybody's common model; until then it trades nothing, and the ledger balances."""
    party = Met(ODD["silent"][0], name=name)
    with Trainer(PLAN, name, "federated", transport=party.transport) as server:
        assert server.sizes[1] == 1
        server.types = lambda: types_of(server)
        for number in (1, 2, 3, 4):
            party.fault = party.fault if number < 3 else None
            record = play_round(server, types_of(server), 1.0, "ipfl-exact", number)
            assert record.present.tolist() == [True, number >= 3, True, True]
            assert abs(record.accounts.paid.sum() - record.accounts.received.sum()) <= MONEY
            if number < 3:
                assert not record.imports[1].any()
                assert not record.imports[:, 1].any()
        assert server.sizes[1] == len(party.transport.inner.clients[1]._share.bench.tensors["train_y"])
        assert record.size[1] == server.sizes[1]
        assert record.imports[1].any()
        assert len(server.notices) == 1


def test_a_run_with_a_late_client_goes_on_to_the_same_bits_after_a_kill(tmp_path):
    def played(server, rounds):
        found = []
        for number in rounds:
            server.train(number)
            graph = server.implied_imports()
            server.aggregate(NOBODY if graph is None else graph)
            found += [server.present.copy(), *server.evaluate()]
        return found

    party = Met(ODD["silent"][0])
    with Trainer(PLAN, "fedavg", "federated", transport=party.transport) as server:
        played(server, (1,))
        party.fault = None
        before = played(server, (2,))
        server.save(tmp_path / "state")
        expected = played(server, (3, 4))
    assert before[0].all()
    again = Met(ODD["silent"][0])  # it is away when the server is started again, and comes a round later
    with Trainer(PLAN, "fedavg", "federated", transport=again.transport) as server:
        assert server.sizes[1] == 1
        server.load(tmp_path / "state")
        assert server.sizes[1] > 1  # what it said is known
        again.fault = None
        assert same(played(server, (3, 4)), expected)


def test_who_comes_back_with_other_reports_is_away_until_it_says_the_same_again():
    party = Met(None)
    with Trainer(PLAN, "ipfl", "federated", transport=party.transport) as server:
        server.train(1)
        client = party.transport.inner.clients[1]
        client._start, client._cost = None, 5.0  # started anew, with another cost
        server.train(2)
        assert server.present.tolist() == [True, False, True, True]
        assert "it came back with other data or reports than it began with" in server.notices[0]
        server.train(3)
        assert not server.present[1]
        client._cost = 0.0
        server.train(4)
        assert server.present.all()
        assert server._backend.greetings[1].cost == 0.0


def test_a_server_that_was_killed_knows_what_clients_said_before(tmp_path):
    party = Met(None)
    with Trainer(PLAN, "ipfl", "federated", transport=party.transport) as server:
        server.train(1)
        server.aggregate(NOBODY)
        server.save(tmp_path / "state")
    again = Met(saying(samples=7))
    with Trainer(PLAN, "ipfl", "federated", transport=again.transport) as server:
        server.load(tmp_path / "state")
        server.train(2)
        assert not server.present[1]
        assert "other data or reports" in server.notices[0]
        assert server.sizes[1] > 7


def test_a_round_in_which_nobody_is_there_says_why():
    party = Met(None)
    with Trainer(PLAN, "ipfl", "federated", transport=party.transport) as server:
        party.transport.exchange = lambda requests: [Absence("gone") for _ in requests]
        server._backend._asker.reception.unmet = set(range(4))
        with pytest.raises(LearningError, match=r"nobody trained: client . .*is away in round 1, asked what it is"):
            server.train(1)


def test_a_late_client_with_more_samples_counts_at_a_delta_that_suits_it():
    """Else it would refuse; the others keep theirs, at which their ledgers count."""
    plan = replace(PLAN, dp_epsilon=5.0, dp_delta=0.0)
    party = Met(saying(samples=10**7), plan=plan)
    with Trainer(plan, "ipfl", "federated", transport=party.transport) as server:
        backend = server._backend
        assert {backend._delta_of(k) for k in range(4)} == {1e-8}  # it is there at the beginning
        backend._delta = 1e-5  # as if it came after that
        assert [backend._delta_of(k) for k in range(4)] == [1e-5, 1e-8, 1e-5, 1e-5]
    given = replace(plan, dp_delta=1e-4)
    with Trainer(given, "ipfl", "federated", transport=Met(saying(samples=10**7), plan=given).transport) as server:
        assert {server._backend._delta_of(k) for k in range(4)} == {1e-4}


def test_a_greeting_changes_nothing_of_what_is_computed():
    """A client away at the first greeting that is there in round 1 gives the plain loop's bits."""
    party = Met(ODD["silent"][0])
    with Trainer(PLAN, "fedavg", "rows") as rows, Trainer(PLAN, "fedavg", "federated", transport=party.transport) as it:
        party.fault = None
        assert same(told(rows, 2), told(it, 2))
