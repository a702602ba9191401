"""FedFomo: which models are tried, on which samples, and what the trials weigh."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from learning.algorithms import Uploads
from learning.algorithms.algorithm import Trials
from learning.algorithms.fedfomo import DOWNLOADS, aggregate, tries
from learning.data.holdings import hold_out
from learning.differences import combine
from learning.trainer import Trainer
from tests.learning.algorithms.rendering import (
    PLAN,
    agree,
    loss_of,
    models,
    plain_sgd,
    play,
    server,
)

MIXING = replace(PLAN, clients=9, split_beta=1.0)
"""More clients than are downloaded, alike enough to be of use to each other."""


def looking(m: int, number: int, memory: np.ndarray | None = None, seed: int = 0) -> Uploads:
    kept = np.zeros((m, m)) if memory is None else memory
    return Uploads(PLAN, ~np.eye(m, dtype=bool), np.ones(m), np.eye(m), np.ones(m), kept, seed, number)


def plain_mix(rows, start, before, losses, chosen):
    """The mixture as loops; returns models and raw weights."""
    out, raw = rows.double().clone(), np.zeros(chosen.shape)
    for i in range(len(rows)):
        for j in np.flatnonzero(chosen[i]):
            raw[i, j] = (before[i] - losses[i, j]) / float((rows[j].double() - start[i].double()).norm())
        positive = np.maximum(raw[i], 0)
        if positive.sum() > 0:
            out[i] = start[i].double()
            for j in range(len(rows)):
                out[i] += positive[j] / positive.sum() * (rows[j].double() - start[i].double())
    return out, raw


@pytest.mark.parametrize("seed", range(4))
def test_the_server_mixes_as_the_loops_do(seed):
    rows, initial = models(seed)
    start = initial + 0.1 * models(seed + 9)[0]
    rng = np.random.default_rng(seed)
    chosen = (rng.random((5, 5)) < 0.6) | np.eye(5, dtype=bool)
    before, losses = rng.random(5), np.where(chosen, rng.random((5, 5)), np.nan)
    losses[2] = np.where(chosen[2], 2.0, np.nan)  # nothing helps client 2
    distances = np.where(chosen, torch.cdist(start.double(), rows.double()).numpy(), np.nan)
    memory = rng.random((5, 5))
    step = server("fedfomo", rows, initial, trials=Trials(before, losses, distances), memory=memory)
    expected, raw = plain_mix(rows, start, before, losses, chosen)
    agree(combine(step.matrix, rows, initial), expected, 1e-6)
    np.testing.assert_array_equal(step.matrix[2], np.eye(5)[2])
    np.testing.assert_allclose(step.memory, memory + raw, atol=1e-9)
    np.testing.assert_array_equal(step.graph, (np.maximum(raw, 0) > 0) & ~np.eye(5, dtype=bool))


def test_a_model_that_is_the_start_and_one_whose_loss_is_no_number_weigh_nothing():
    distances = np.array([[1.0, 0.0, 1.0], [1.0, 1.0, 1.0], [1.0, 1.0, 1.0]])
    losses = np.array([[1.0, 1.0, np.inf], [np.nan, 1.0, 0.5], [3.0, 3.0, 3.0]])
    trials = Trials(np.full(3, 2.0), losses, distances)
    matrix = aggregate(replace(looking(3, 1), trials=trials)).matrix
    np.testing.assert_allclose(matrix, [[1, 0, 0], [0, 0.4, 0.6], [0, 0, 1]])
    with pytest.raises(ValueError, match="trials"):
        aggregate(looking(3, 1))


def test_everybody_tries_its_own_model_and_six_others():
    chosen = tries(looking(10, 1))
    assert chosen.diagonal().all()
    assert (chosen.sum(1) == 1 + DOWNLOADS).all()
    assert tries(looking(4, 1)).all()
    assert tries(looking(1, 1)).all()
    np.testing.assert_array_equal(chosen, tries(looking(10, 1)))
    assert not np.array_equal(chosen, tries(looking(10, 2)))
    assert not np.array_equal(chosen, tries(looking(10, 1, seed=1)))


def test_from_the_seventh_round_on_the_best_so_far_are_tried_and_before_that_sometimes_others():
    memory = np.random.default_rng(0).normal(size=(40, 40))
    np.fill_diagonal(memory, -np.inf)
    best = np.argsort(-memory, axis=1)[:, :DOWNLOADS]
    expected = np.eye(40, dtype=bool)
    np.put_along_axis(expected, best, True, axis=1)
    np.testing.assert_array_equal(tries(looking(40, 7, memory)), expected)
    exploring = (tries(looking(40, 1, memory)) != expected).any(1).sum()
    assert 4 <= exploring <= 22  # 40 clients with probability 0.3


def test_a_tenth_is_held_out_of_training_by_seed():
    members = [np.arange(100), np.arange(200, 215), np.array([7]), np.array([8, 9])]
    ordered, held = hold_out(members, 0)
    assert held == [10, 1, 0, 1]
    for mine, all_ in zip(ordered, members, strict=True):
        np.testing.assert_array_equal(np.sort(mine), all_)
    again, other = hold_out(members, 0)[0], hold_out(members, 1)[0]
    np.testing.assert_array_equal(ordered[0], again[0])
    assert set(ordered[0][-10:]) != set(other[0][-10:])
    with Trainer(MIXING, "fedfomo", backend="rows") as trainer, Trainer(MIXING, "local", backend="rows") as local:
        work, theirs = trainer._backend.work, local._backend.work
        np.testing.assert_array_equal(trainer.sizes, local.sizes)  # the market sees all samples
        for i in range(9):
            training, out = work.members(i).tolist(), work.held_out(i).tolist()
            assert len(out) == max(1, local.sizes[i] // 10)
            assert sorted(training + out) == sorted(theirs.members(i).tolist())
            assert len(theirs.held_out(i)) == 0


def test_rounds_are_those_of_plain_torch():
    imported = 0
    with Trainer(MIXING, "fedfomo", backend="rows", seed=3) as trainer:
        work = trainer._backend.work
        start, memory = trainer.state.rows.clone(), np.zeros((9, 9))
        for number in (1, 2, 3):
            graph = play(trainer, number)[-1]
            trained = torch.stack([plain_sgd(trainer, i, number, start[i]) for i in range(9)])
            chosen = tries(looking(9, number, memory, seed=3))
            before = [loss_of(trainer, start[i], work.held_out(i)) for i in range(9)]
            losses = np.array([[loss_of(trainer, row, work.held_out(i)) for row in trained] for i in range(9)])
            mixed, raw = plain_mix(trained, start, before, losses, chosen)
            start, memory = mixed.float(), memory + raw
            agree(trainer.state.rows, start, 1e-5)
            np.testing.assert_allclose(trainer.state.memory, memory, atol=1e-4)
            np.testing.assert_array_equal(graph, (raw > 0) & ~np.eye(9, dtype=bool))
            imported += graph.sum()
    assert 0 < imported < 3 * 9 * DOWNLOADS
