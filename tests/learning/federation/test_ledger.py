"""A client's ledger is its own: written before anybody sees a release, the same release counted once, another again."""

from dataclasses import replace

import numpy as np
import pytest

from learning.errors import CheckpointError
from learning.federation import keeping
from learning.federation.client import Client
from learning.federation.messages import SLACK, Done, Hello, Refused, Start, Work, decode, encode
from learning.privacy.accounting import Ledger, sampling_rate
from learning.privacy.keys import seeded_keys
from tests.learning.federation.test_federated import PLAN, clients_of

PRIVATE = replace(PLAN, dp_epsilon=4.0, dp_noise=1.0, dp_delta=1e-5)


class Asked:
    """One private client in its own folder, asked to train; a new one of the same folder is the same client again."""

    def __init__(self, folder) -> None:
        inner = clients_of(PRIVATE, "ditto", keys=seeded_keys(3, 4)).clients[0]
        share = inner._load(None)
        self.client = Client(lambda start: replace(share, tells=True), keep=folder)
        self.width = self.ask(Start("r", 0, 4, "ann", "ditto", 0, PRIVATE.to_dict())).parameters
        self.samples = len(share.bench.members(0))

    def ask(self, message, arrays=None):
        found, self.arrays = decode(self.client.answer(encode(message, arrays)), SLACK + 2**20, Hello, Done, Refused)
        return found

    def train(self, number: int, start: float = 0.0):
        row = {"rows": np.full(self.width, start, dtype=np.float32)}
        return self.ask(Work("r", number, 1, 0, "train", {"first": number == 1, "delta": 1e-5}), row)


def spent(samples: int, rounds: int) -> float:
    ledger = Ledger(1.0, 1e-5, sampling_rate(PLAN.batch, samples))
    ledger.record(rounds * 2 * PLAN.steps)
    return ledger.epsilon()


def test_a_repeated_round_costs_nothing_and_another_start_costs_again(tmp_path):
    one = Asked(tmp_path)
    first = one.train(1)
    model = one.arrays["rows"].tobytes()
    assert first.epsilon == spent(one.samples, 1)
    again = Asked(tmp_path)  # killed, and started again
    repeated = again.train(1)
    assert again.arrays["rows"].tobytes() == model
    assert repeated.epsilon == first.epsilon
    other = again.train(1, start=0.01)  # a server that asks for the round from another model gets another release
    assert other.epsilon == spent(one.samples, 2)
    assert again.arrays["rows"].tobytes() != model


def test_a_spent_budget_stays_spent_and_rounds_that_are_over_are_not_trained(tmp_path):
    one, number = Asked(tmp_path), 1
    while isinstance(answer := one.train(number), Done):
        assert answer.epsilon <= PRIVATE.dp_epsilon
        number += 1
    assert number > 2
    assert len(answer.spent) == 2
    assert answer.spent[0] <= PRIVATE.dp_epsilon < answer.spent[1]
    again = Asked(tmp_path)
    assert len(again.train(number + 1).spent) == 1  # it was said
    assert "is over" in again.train(1).reason


def test_a_ledger_is_written_before_its_round_is_trained(tmp_path, monkeypatch):
    one = Asked(tmp_path)

    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("learning.federation.client.perform", killed)
    with pytest.raises(KeyboardInterrupt):
        one.train(1)
    monkeypatch.undo()
    memory = keeping.recalled(tmp_path, "r")
    assert [row["steps"] for row in memory.spent] == [2 * PLAN.steps]
    assert memory.round == 1


def test_what_a_client_keeps_is_its_owners_to_read(tmp_path):
    (tmp_path / "memory").mkdir(mode=0o755)
    keeping.keep(tmp_path / "memory", "r", keeping.Memory())
    assert (tmp_path / "memory").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("content", [b"", b"{}", b"\x08\x00\x00\x00\x00\x00\x00\x00{}      "])
def test_a_damaged_memory_is_refused(tmp_path, content):
    (tmp_path / "r.safetensors").write_bytes(content)
    with pytest.raises(CheckpointError, match="is damaged"):
        keeping.recalled(tmp_path, "r")
    with pytest.raises(CheckpointError, match="a run is called"):
        keeping.recalled(tmp_path, "../r")
