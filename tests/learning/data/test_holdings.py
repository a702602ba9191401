"""Who holds what: sizes, weights and tested samples agree with the data and its split."""

import numpy as np
import pytest

from learning.data import holdings as module
from learning.data import load
from learning.data.dataset import Dataset
from learning.data.holdings import hold
from learning.errors import DataError
from learning.plan import LearningPlan
from learning.trainer import Trainer

PLAN = LearningPlan(clients=6)


@pytest.mark.parametrize("split", ["niid", "cluster", "skew"])
def test_weights_are_the_shares_of_each_clients_samples(split):
    held = hold(LearningPlan(clients=6, split=split), 3, None)
    data = held.dataset
    everything = np.concatenate(held.members)
    assert len(everything) == len(np.unique(everything)) == len(data.train_y) == held.sizes.sum()
    np.testing.assert_allclose(held.weights.sum(1), 1.0, atol=1e-15)
    for client, members in enumerate(held.members):
        assert held.sizes[client] == len(members)
        for label in range(10):
            share = np.mean(data.train_y[members] == label)
            assert held.weights[client, label] == pytest.approx(share, abs=1e-15)
    assert held.stratum_sizes.tolist() == [int((data.test_y == label).sum()) for label in range(10)]


def test_the_seed_decides_the_split_and_nothing_else():
    one, two, again = hold(PLAN, 0, None), hold(PLAN, 1, None), hold(PLAN, 0, None)
    assert one.dataset.digest() == two.dataset.digest()
    assert one.sizes.tolist() == again.sizes.tolist()
    assert all(np.array_equal(a, b) for a, b in zip(one.members, again.members, strict=True))
    assert one.sizes.tolist() != two.sizes.tolist()


def test_a_bounded_test_set_leaves_the_training_samples_alone():
    whole, few = hold(PLAN, 0, None), hold(LearningPlan(clients=6, test=50), 0, None)
    assert 45 <= few.stratum_sizes.sum() <= 55 < whole.stratum_sizes.sum()
    assert few.stratum_sizes.min() >= 1
    assert all(np.array_equal(a, b) for a, b in zip(whole.members, few.members, strict=True))
    np.testing.assert_array_equal(whole.weights, few.weights)


def test_texts_are_counted_in_strata_and_divided_by_group(monkeypatch):
    """Targets [N, L] have no class: cells and owners decide, and a client with two cells has a weight in both."""
    n, rng = 120, np.random.default_rng(0)
    y = rng.integers(0, 7, (n, 5))
    cells, owners = np.arange(n) % 3, np.repeat([0, 1, 2, -1], 30)
    data = Dataset(
        "texts", "a test", rng.integers(0, 7, (n, 5)), y, y[:30], y[:30], 7, 1.0, 0.0, cells, cells[:30], owners, 3
    )
    monkeypatch.setattr(module, "load", lambda *arguments: data)
    held = hold(LearningPlan(clients=3, split="natural"), 0, None)
    assert [members.tolist() for members in held.members] == [list(range(30 * k, 30 * k + 30)) for k in range(3)]
    np.testing.assert_allclose(held.weights, np.full((3, 3), 1 / 3))
    assert held.stratum_sizes.tolist() == [10, 10, 10]


def test_what_is_missing_or_too_small_is_told(tmp_path):
    with pytest.raises(DataError, match="take fewer clients"):
        hold(LearningPlan(clients=500), 0, None)
    with pytest.raises(DataError, match="fetch it with"):
        hold(LearningPlan(dataset="femnist", model="femnist-cnn", split="natural"), 0, tmp_path)
    with pytest.raises(DataError, match="needs samples that belong to groups"):
        hold(LearningPlan(split="natural"), 0, None)


def test_a_trainer_is_told_the_same():
    held = hold(PLAN, 2, None)
    with Trainer(PLAN, "local", backend="rows", seed=2) as trainer:
        np.testing.assert_array_equal(trainer.sizes, held.sizes)
        work = trainer._backend.work
        for client, members in enumerate(held.members):
            np.testing.assert_array_equal(np.sort(work.members(client).numpy()), np.sort(members))
        labels = load("digits").test_y
        assert work.facts.class_starts[-1] == len(labels) == held.stratum_sizes.sum()
