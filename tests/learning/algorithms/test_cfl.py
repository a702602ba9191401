"""CFL: when a cluster is cut, where, and what its members get."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from learning.algorithms.cfl import bipartition, clusters_of
from learning.differences import combine
from learning.trainer import Trainer
from tests.learning.algorithms.rendering import (
    PLAN,
    SIZES,
    agree,
    models,
    plain_sgd,
    play,
    same_in_a_pool,
    same_when_resumed,
    server,
    weighted_mean,
)

STRONG = replace(PLAN, lr=0.05, steps=40, split_beta=0.1, split="niid")
"""Local steps long enough that clients pull a cluster apart."""


def halves(updates: torch.Tensor) -> set[frozenset[int]]:
    """Cut members in two by complete linkage on 1 − cosine, merging the closest two again and again."""
    unit = updates / updates.norm(dim=1, keepdim=True)
    d = 1 - unit @ unit.T
    groups = [{i} for i in range(len(updates))]
    while len(groups) > 2:
        pairs = [(a, b) for a in range(len(groups)) for b in range(a)]
        a, b = min(pairs, key=lambda ab: max(float(d[i, j]) for i in groups[ab[0]] for j in groups[ab[1]]))
        groups[b] |= groups.pop(a)
    return {frozenset(group) for group in groups}


def plain_step(rows, start, sizes, clusters):
    """The server's step as loops: cut, then average; returns models and clusters."""
    updates = (rows - start).double()
    after: list[list[int]] = []
    for members in clusters:
        total = sum(sizes[i] for i in members)
        mean = sum(sizes[i] / total * updates[i] for i in members).norm()
        if len(members) > 1 and mean < 2.0 and max(updates[i].norm() for i in members) > 2.5:
            after += [[members[k] for k in half] for half in halves(updates[members])]
        else:
            after.append(members)
    out = torch.empty_like(rows)
    for members in after:
        out[members] = weighted_mean(rows[members], np.asarray(sizes)[members])
    return out, {frozenset(members) for members in after}


def opposed(length: float, drift: float = 0.0) -> tuple[torch.Tensor, torch.Tensor]:
    """Five updates in two directions that cancel in the mean weighted by samples: clients 0, 3 against 1, 2, 4."""
    noise, start = models()
    direction = torch.nn.functional.normalize(noise[0], dim=0)
    side = torch.tensor([1.0, -1.0, -1.0, 1.0, -1.0])[:, None]
    weight = torch.tensor([95.0, 140.0, 140.0, 95.0, 140.0])[:, None] / 140.0
    small = 0.02 * torch.nn.functional.normalize(noise - start, dim=1)
    common = drift * torch.nn.functional.normalize(torch.linspace(-1, 1, len(start)), dim=0)
    return start + length * side * weight * direction + small + common, start


@pytest.mark.parametrize(
    ("length", "drift", "count"),
    [(3.0, 0.0, 2), (3.0, 1.8, 2), (2.4, 0.0, 1), (3.0, 2.2, 1)],
    ids=["still and disagreeing", "nearly still", "no long update", "still moving"],
)
def test_the_server_cuts_and_averages_as_the_loops_do(length, drift, count):
    rows, start = opposed(length, drift)
    step = server("cfl", rows, start)
    expected, clusters = plain_step(rows, start, SIZES, [[0, 1, 2, 3, 4]])
    assert len(clusters) == count
    agree(combine(step.matrix, rows, start), expected, 1e-6)
    assert {frozenset(members) for members in clusters_of(step.memory)} == clusters
    assert np.array_equal(step.graph, (step.memory > 0) & ~np.eye(5, dtype=bool))


def test_a_cluster_stays_cut_and_is_cut_again_by_itself():
    rows, start = opposed(3.0)
    first = server("cfl", rows, start)
    assert [sorted(c) for c in clusters_of(first.memory)] == [[0, 3], [1, 2, 4]]
    calm = server("cfl", start.expand(5, -1) + 0.1, start, memory=first.memory)
    np.testing.assert_array_equal(calm.memory, first.memory)
    angry = start.expand(5, -1).clone()
    angry[1, 0] += 30.0  # 10 samples of 95 against 60: the cluster of 1, 2, 4 stands still
    angry[4, 0] -= 5.0
    again = server("cfl", angry, start, memory=first.memory)
    expected, clusters = plain_step(angry, start, SIZES, [[0, 3], [1, 2, 4]])
    assert {frozenset(c) for c in clusters_of(again.memory)} == clusters
    assert len(clusters) == 3
    agree(combine(again.matrix, angry, start), expected, 3e-5)


@pytest.mark.parametrize("seed", range(5))
def test_bipartition_is_complete_linkage(seed):
    rows, initial = models(seed, m=7)
    unit = torch.nn.functional.normalize((rows - initial).double(), dim=1)
    assert set(map(frozenset, bipartition((unit @ unit.T).numpy()))) == halves((rows - initial).double())


def test_rounds_are_those_of_plain_torch_while_clusters_part():
    with Trainer(STRONG, "cfl", backend="rows", seed=3) as trainer:
        rows, clusters = trainer.state.rows.clone(), {frozenset(range(5))}
        for number in (1, 2, 3):
            rows.copy_(trainer.state.rows)  # chaotic at this learning rate: one round at a time
            graph = play(trainer, number)[-1]
            trained = torch.stack([plain_sgd(trainer, i, number, rows[i]) for i in range(5)])
            expected, clusters = plain_step(trained, rows, trainer.sizes, [sorted(c) for c in clusters])
            agree(trainer.state.rows, expected, 1e-5)
            same = np.array([[any({i, j} <= c for c in clusters) for j in range(5)] for i in range(5)])
            np.testing.assert_array_equal(graph, same & ~np.eye(5, dtype=bool))
        assert len(clusters) > 1


def test_a_stopped_run_remembers_its_clusters(tmp_path):
    same_when_resumed("cfl", tmp_path, STRONG)


def test_the_pool_agrees_bitwise():
    same_in_a_pool("cfl", STRONG)
