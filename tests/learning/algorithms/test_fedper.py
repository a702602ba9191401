"""FedPer: the body is the average, the last layer stays its client's own."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from learning.algorithms.fedper import body
from learning.trainer import HELD, Trainer
from tests.learning.algorithms.rendering import PLAN, agree, plain_sgd, play, weighted_mean

HEAD = 10 * 64 + 10
"""Numbers of the last layer of the digits' network, at the end of a row."""


def test_rounds_are_those_of_plain_torch():
    with Trainer(PLAN, "fedper", backend="rows", seed=3) as trainer:
        expected = trainer.state.rows.clone()
        for number in (1, 2, 3):
            graph = play(trainer, number)[-1]
            expected = torch.stack([plain_sgd(trainer, i, number, expected[i]) for i in range(5)])
            expected[:, :-HEAD] = weighted_mean(expected[:, :-HEAD], trainer.sizes)
            agree(trainer.state.rows, expected, 1e-5)
            np.testing.assert_array_equal(graph, ~np.eye(5, dtype=bool))
        heads = expected[:, -HEAD:]
        assert float((heads - heads[0]).abs().max(1).values[1:].min()) > 1e-3


def test_who_was_away_finds_the_newest_body_and_its_own_last_layer():
    with Trainer(PLAN, "fedper", backend="rows") as trainer:
        play(trainer, 1)
        before = trainer.state.rows[2].clone()
        trainer.train(2, np.arange(5) != 2)
        trainer.aggregate(trainer.implied_imports())
        rows = trainer.state.rows
        assert torch.equal(rows[2, -HEAD:], before[-HEAD:])
        assert (rows[:, :-HEAD] == rows[0, :-HEAD]).all()
        assert not torch.equal(rows[2, :-HEAD], before[:-HEAD])


@pytest.mark.parametrize("conduct", ["shuffle", "ones"])
def test_poison_enters_the_body_and_nobodys_last_layer(conduct):
    plan = replace(PLAN, conduct=(conduct, *["honest"] * 4))
    with Trainer(plan, "fedper", backend="rows") as trainer:
        trainer.train(1)
        uploads, kept = trainer.state.rows.clone(), trainer.state.slots[HELD][0].clone()
        trainer.aggregate(trainer.implied_imports())
        body_of_all = weighted_mean(uploads[:, :-HEAD], trainer.sizes)
        agree(trainer.state.rows[:, :-HEAD], body_of_all.expand(5, -1), 1e-6)
        assert torch.equal(trainer.state.rows[0, -HEAD:], kept[-HEAD:])
        assert torch.equal(trainer.state.rows[1:, -HEAD:], uploads[1:, -HEAD:])


ADAPTERS = ("m.0.v.lora_A.weight", "m.0.v.lora_B.weight", "m.1.v.lora_A.weight", "m.1.v.lora_B.weight")


@pytest.mark.parametrize(
    ("parameters", "shared"),
    [
        (("a.weight", "a.bias", "b.norm.weight", "b.norm.bias"), ("a.weight", "a.bias")),
        (("only.weight", "only.bias"), ()),
        (ADAPTERS, ADAPTERS[:2]),
    ],
)
def test_the_body_is_all_layers_but_the_last(parameters, shared):
    assert body(parameters) == shared
