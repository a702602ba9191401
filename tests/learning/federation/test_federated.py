"""Clients asked in messages compute what the plain loop computes, to the bit, and what is their own stays theirs."""

from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from learning.algorithms import ALGORITHMS, method_named
from learning.algorithms.algorithm import held_out
from learning.data.holdings import hold
from learning.errors import LearningError
from learning.federation.in_process import InProcess, in_process
from learning.federation.messages import SLACK, Done, Hello, Refused, Start, Work, decode, encode
from learning.federation.share import private_slots
from learning.plan import LearningPlan
from learning.privacy.guard import Guard
from learning.privacy.keys import seeded_keys
from learning.trainer import Trainer
from learning.work import begun
from mechanism.market.clients import Market, Types
from mechanism.market.mechanisms import market_mechanism

PLAN = LearningPlan(clients=4, steps=4, split="skew", batch=16)
TYPES = {"cost": np.linspace(0.1, 0.4, 4), "gain": np.full(4, 1.5e4)}


def told(trainer: Trainer, rounds: int = 3) -> list[np.ndarray]:
    """Everything that whole rounds of a trainer compute, in the loop's order."""
    found: list[np.ndarray] = []
    types = Types(trainer.sizes, **TYPES)
    for number in range(1, rounds + 1):
        found.append(trainer.train(number))
        found += [trainer.measure().drop] if trainer.plan.held_out else []
        d, effective = trainer.differences()[0], trainer.effective()
        found += [d, *trainer.evaluate(), *([] if effective is None else [effective])]
        graph = trainer.implied_imports()
        if graph is None:
            graph = market_mechanism("ipfl-exact").clear(types.truthful(), Market(d, 1.0, effective=effective)).imports
        found += [graph, trainer.present] + ([] if effective is None else [trainer.joint(graph)])
        trainer.judge(graph)
        trainer.aggregate(graph)
        found += trainer.evaluate()
    return [*found, *(tensor.numpy().copy() for tensor in trainer.state.tensors().values()), trainer.epsilon]


def same(one: list[np.ndarray], other: list[np.ndarray]) -> bool:
    return len(one) == len(other) and all(map(np.array_equal, one, other))


@dataclass
class Recorded:
    """A transport that writes down what passes; ``within`` as a network says it."""

    inner: InProcess
    within: bool = False
    least: int = 2
    run: str = "recorded"
    passed: list[bytes] = field(default_factory=list)

    @property
    def names(self):
        return tuple(f"name{k}" for k in range(len(self.inner.clients)))

    def exchange(self, requests):
        replies = self.inner.exchange(requests)
        self.passed += [request.payload for request in requests] + replies
        return replies

    def close(self):
        self.inner.close()


def clients_of(plan: LearningPlan, name: str, seed: int = 0, keys=()) -> InProcess:
    """Clients with the samples that a run in one process would give them."""
    method = method_named(name)
    holdings = hold(plan, seed, None, *held_out(plan, method))
    work = begun(plan, seed, holdings, method.slots, method.memory, method.gradients)
    guard = None
    if plan.dp_epsilon:
        samples = [len(work.members(k)) for k in range(plan.clients)]
        guard = Guard(plan, samples, method.local_spec(plan, False).all_steps, keys, holdings.sizes.tolist())
    return in_process(work, holdings, method, guard)


VARIANTS = [(name, PLAN) for name in ALGORITHMS] + [
    ("ipfl", replace(PLAN, held_out=True)),
    ("ipfl-effective", replace(PLAN, conduct=("honest", "honest", "shuffle", "ones"))),
    ("ditto", replace(PLAN, conduct=("honest", "flip", "honest", "noise"), optimizer="adamw")),
]


@pytest.mark.parametrize(("name", "plan"), VARIANTS)
def test_every_method_computes_what_the_plain_loop_does(name, plan):
    with Trainer(plan, name, "rows") as rows, Trainer(plan, name, "federated") as federated:
        assert federated.backend == "federated"
        assert same(told(rows), told(federated))


@pytest.mark.parametrize("name", [name for name, method in ALGORITHMS.items() if method.tries is None])
def test_a_server_without_data_computes_it_too(name):
    clients = clients_of(PLAN, name)
    for client in clients.clients:  # elsewhere, they begin with no more than their samples
        client._load = lambda start, load=client._load: replace(load(start), private={})
    with (
        Trainer(PLAN, name, "rows") as rows,
        Trainer(PLAN, name, "federated", transport=Recorded(clients)) as server,
    ):
        assert not {"train_x", "train_y", "test_x", "test_y"} & set(server._backend.work.tensors)
        one, other = told(rows), told(server)
        for slot in private_slots(method_named(name), PLAN):  # the server's is what it was at the start
            place = list(rows.state.tensors()).index(f"slot/{slot}") - len(rows.state.tensors()) - 1
            assert np.array_equal(other[place], rows.state.initial.expand(4, -1))
            one[place] = other[place]
        assert same(one, other)


def test_privacy_stops_the_same_clients_with_the_same_words():
    plan, keys = replace(PLAN, dp_epsilon=3.0, rounds=2), seeded_keys(3, 4)
    with Trainer(plan, "ipfl", "rows", keys=keys) as rows, Trainer(plan, "ipfl", "federated", keys=keys) as federated:
        expected, notices = told(rows), rows.notices
        assert same(expected, told(federated))
        assert notices == federated.notices
        assert len(notices) == 4
    clients = clients_of(plan, "ipfl", keys=keys)
    for client in clients.clients:
        load = client._load
        client._load = lambda start, load=load: replace(load(start), tells=True)
        client._appetite.check = lambda *given: None  # a third round of two is refused else
    with Trainer(plan, "ipfl", "federated", transport=Recorded(clients)) as server:
        assert same(expected, told(server))
        assert server.notices == notices


def test_methods_that_hand_out_raw_models_are_refused():
    with pytest.raises(LearningError, match="fedfomo lets clients try the models of others"):
        Trainer(PLAN, "fedfomo", "federated", transport=Recorded(clients_of(PLAN, "fedfomo")))


def test_attackers_are_simulated_only():
    plan = replace(PLAN, conduct=("ones", "honest", "honest", "honest"))
    with pytest.raises(LearningError, match="simulated in one process"):
        Trainer(plan, "ipfl", "federated", transport=Recorded(clients_of(PLAN, "ipfl")))


@pytest.mark.parametrize(
    ("name", "plan"), [("ipfl", replace(PLAN, held_out=True)), ("ipfl-effective", PLAN), ("ditto", PLAN)]
)
def test_no_sample_no_label_count_no_key_and_no_raw_model_of_another_is_ever_sent(name, plan):
    private = replace(plan, dp_epsilon=50.0, dp_noise=1.0)
    keys = seeded_keys(3, 4)
    transport = Recorded(clients_of(private, name, keys=keys))
    with Trainer(private, name, "federated", transport=transport) as server:
        told(server, 2)
    whole = b"".join(transport.passed)
    for k, client in enumerate(transport.inner.clients):
        bench, share = client._share.bench, client._share
        x, y = bench.tensors["train_x"], bench.tensors["train_y"]
        for sample in (*x[:20], *bench.inputs(x[:20])):
            assert sample.numpy().tobytes() not in whole
        counts = np.bincount(y.numpy(), minlength=10)
        for row in (share.weights, counts, counts.astype(float), counts.astype(np.float32), counts.astype(np.int64)):
            assert np.asarray(row).tobytes() not in whole
        listed = str(counts.tolist()).replace(" ", "")[1:-1]
        assert listed.encode() not in whole
        assert keys[k] not in whole
        assert keys[k].hex().encode() not in whole
        for slot in private_slots(method_named(name), plan):
            assert share.private[slot].numpy().tobytes() not in whole
    said = [decode(payload, 2**30, Start, Hello, Work, Done, Refused) for payload in transport.passed]
    uploads = {(m.client, arrays["rows"].tobytes()) for m, arrays in said if isinstance(m, Done) and "rows" in arrays}
    assert len(uploads) == 8
    for message, arrays in said:
        sent = [row.tobytes() for array in arrays.values() for row in np.atleast_2d(array)]
        if isinstance(message, Work):
            assert not {model for client, model in uploads if client != message.client} & set(sent)
    if name == "ditto":
        assert private_slots(method_named(name), plan) == {"personal"}


def test_a_client_does_not_let_the_server_say_what_it_must_not():
    clients = clients_of(replace(PLAN, dp_epsilon=5.0, dp_delta=0.0), "ipfl", keys=seeded_keys(3, 4))
    start = Start("r", 0, 4, "ann", "ipfl", 0, replace(PLAN, dp_epsilon=5.0, dp_delta=0.0).to_dict())
    client = clients.clients[0]

    def answer(message, arrays=None):
        return decode(client.answer(encode(message, arrays)), SLACK + 2**20, Hello, Done, Refused)[0]

    hello = answer(start)
    assert (hello.samples, hello.classes) == (len(client._share.bench.tensors["train_y"]), 10)
    row = {"rows": np.zeros(hello.parameters, dtype=np.float32)}
    for message, words in (
        (Work("r", 1, 1, 0, "train", {"first": True, "delta": 0.5}), "asks for delta"),
        (Work("r", 1, 1, 0, "train", {"first": True, "delta": "x"}), "could not convert"),
        (Work("other", 1, 1, 0, "train"), "another run"),
        (Work("r", 1, 1, 1, "train"), "another client"),
        (Work("r", 1, 1, 0, "shell"), "no task"),
        (Work("r", 1, 1, 0, "line", {"slopes": [0.0]}), "does not ask what models are worth"),
        (Work("r", 1, 1, 0, "train", {}), "first"),
    ):
        refused = answer(message, row)
        assert isinstance(refused, Refused), message
        assert words in refused.reason
    assert "no message" in decode(client.answer(b"hello"), SLACK, Refused)[0].reason
