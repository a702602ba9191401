"""FedProx: the average is FedAvg's, the proximal term is in the clients' steps."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from learning.algorithms.fedprox import FEDPROX, MU
from learning.differences import combine
from learning.errors import LearningError
from learning.trainer import Trainer
from tests.learning.algorithms.rendering import (
    PLAN,
    PULLED,
    SIZES,
    agree,
    models,
    plain_sgd,
    play,
    server,
    weighted_mean,
)


def test_the_server_gives_everybody_the_average_weighted_by_samples():
    rows, initial = models()
    step = server("fedprox", rows, initial)
    agree(combine(step.matrix, rows, initial), weighted_mean(rows, SIZES).expand(5, -1), 1e-6)
    assert step.graph.sum() == 20


def test_rounds_are_those_of_plain_torch_with_the_term_in_the_loss():
    """Three rounds, so that w is not θ_0; without the term they would differ by far more than rounding."""
    with Trainer(PULLED, "fedprox", backend="rows", seed=3) as trainer:
        expected = trainer.state.rows.clone()
        without = expected.clone()
        for number in (1, 2, 3):
            graph = play(trainer, number)[-1]
            trained = [plain_sgd(trainer, i, number, expected[i], MU, expected[i]) for i in range(5)]
            expected = weighted_mean(torch.stack(trained), trainer.sizes).expand(5, -1)
            plain = [plain_sgd(trainer, i, number, without[i]) for i in range(5)]
            without = weighted_mean(torch.stack(plain), trainer.sizes).expand(5, -1)
            agree(trainer.state.rows, expected, 1e-5)
            assert np.array_equal(graph, ~np.eye(5, dtype=bool))
        assert float((expected - without).abs().max()) > 1e-4


def test_a_step_under_which_the_pull_diverges_is_refused():
    with pytest.raises(LearningError, match=r"lr \* \(mu \+ weight_decay\).*take a smaller lr"):
        FEDPROX.local_spec(replace(PLAN, lr=38.0), True)
