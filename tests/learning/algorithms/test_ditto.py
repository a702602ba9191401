"""Ditto: the common stream is FedAvg's, and beside it everybody's own model is pulled to it and used."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from learning.algorithms.ditto import LAM
from learning.differences import combine
from learning.errors import LearningError
from learning.trainer import Trainer
from tests.learning.algorithms.rendering import (
    PLAN,
    SIZES,
    agree,
    models,
    plain_sgd,
    play,
    server,
    weighted_mean,
)


def test_the_server_averages_the_uploads():
    rows, initial = models()
    step = server("ditto", rows, initial)
    agree(combine(step.matrix, rows, initial), weighted_mean(rows, SIZES).expand(5, -1), 1e-6)
    assert step.into == ""
    assert step.graph.sum() == 20


def test_rounds_are_those_of_plain_torch_in_both_streams():
    with Trainer(PLAN, "ditto", backend="rows", seed=3) as trainer:
        common = trainer.state.rows.clone()
        personal = common.clone()
        for number in (1, 2, 3):
            play(trainer, number)
            own = [plain_sgd(trainer, i, number, personal[i], LAM, common[i], "batches/personal") for i in range(5)]
            uploads = [plain_sgd(trainer, i, number, common[i]) for i in range(5)]
            personal = torch.stack(own)
            common = weighted_mean(torch.stack(uploads), trainer.sizes).expand(5, -1)
            agree(trainer.state.rows, common, 1e-5)
            agree(trainer.state.slots["personal"], personal, 1e-5)
        assert float((common - personal).abs().max()) > 1e-3


def test_the_common_stream_is_bitwise_fedavg():
    with Trainer(PLAN, "ditto", backend="rows") as ditto, Trainer(PLAN, "fedavg", backend="rows") as fedavg:
        for number in (1, 2):
            mine, theirs = play(ditto, number), play(fedavg, number)
        assert torch.equal(ditto.state.rows, fedavg.state.rows)
        np.testing.assert_array_equal(mine[-1], theirs[-1])


def test_the_personal_model_is_what_clients_use():
    with Trainer(PLAN, "ditto", backend="rows") as trainer:
        play(trainer, 1)
        accuracy, loss = trainer.evaluate()
        trainer.state.rows.zero_()
        np.testing.assert_array_equal(trainer.evaluate(), (accuracy, loss))
        trainer.state.slots["personal"].zero_()
        assert not np.array_equal(trainer.evaluate()[1], loss)


def test_a_personal_model_that_is_not_finite_is_reported():
    with Trainer(replace(PLAN, steps=1), "ditto", backend="rows") as trainer:
        trainer.state.slots["personal"][3, 5] = float("inf")
        with pytest.raises(LearningError, match=r"client 3 (is not finite|diverged)"):
            trainer.train(1)
