"""FedAMP: attention weights, cloud models, and the pull to them."""

from math import exp

import numpy as np
import pytest
import torch

from learning.algorithms.fedamp import LAM
from learning.differences import combine
from learning.trainer import Trainer
from tests.learning.algorithms.rendering import PULLED, agree, models, plain_sgd, play, server


def clouds(rows: torch.Tensor, initial: torch.Tensor) -> torch.Tensor:
    """Return u_i = 0.3 θ_i + 0.7 Σ_j exp(10 cos_ij) θ_j / Σ_k exp(10 cos_ik) as loops in float64."""
    updates = (rows - initial).double()
    found = []
    for i in range(len(rows)):
        weight = {
            j: exp(10 * float(torch.nn.functional.cosine_similarity(updates[i], updates[j], dim=0)))
            for j in range(len(rows))
            if j != i
        }
        cloud = 0.3 * rows[i].double()
        for j, value in weight.items():
            cloud = cloud + 0.7 * value / sum(weight.values()) * rows[j].double()
        found.append(cloud)
    return torch.stack(found)


@pytest.mark.parametrize("seed", range(3))
def test_the_server_makes_the_cloud_models_of_the_formula(seed):
    rows, initial = models(seed)
    step = server("fedamp", rows, initial)
    agree(combine(step.matrix, rows, initial), clouds(rows, initial), 1e-6)
    assert step.into == "cloud"
    np.testing.assert_allclose(step.matrix.sum(1), 1.0)
    assert step.graph.sum() == 20


def test_a_client_alone_is_its_own_cloud():
    rows, initial = models(m=1)
    np.testing.assert_array_equal(server("fedamp", rows, initial).matrix, [[1.0]])


def test_rounds_are_those_of_plain_torch():
    with Trainer(PULLED, "fedamp", backend="rows", seed=3) as trainer:
        initial, rows, cloud = trainer.state.initial.clone(), trainer.state.rows.clone(), None
        for number in (1, 2, 3):
            play(trainer, number)
            target = [None] * 5 if cloud is None else cloud.float()
            without = torch.stack([plain_sgd(trainer, i, number, rows[i]) for i in range(5)])
            rows = torch.stack([plain_sgd(trainer, i, number, rows[i], LAM, target[i]) for i in range(5)])
            cloud = clouds(rows, initial)
            agree(trainer.state.rows, rows, 1e-5)
            agree(trainer.state.slots["cloud"], cloud, 1e-5)
        assert float((rows - without).abs().max()) > 1e-4
