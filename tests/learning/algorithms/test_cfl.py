"""CFL: when a cluster is cut, where, and what its members get."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from learning.algorithms.cfl import EPS_MAX, EPS_MEAN, bipartition, histories
from learning.differences import combine
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

STRONG = replace(PLAN, lr=0.05, steps=40, split_beta=0.1, split="niid")
"""Local steps long enough that clients pull a cluster apart."""


def clusters_of(memory: np.ndarray) -> list[list[int]]:
    """Who has one history, each cluster in rising order."""
    found: dict[tuple[float, ...], list[int]] = {}
    for place, history in enumerate(histories(memory)):
        found.setdefault(history, []).append(place)
    return list(found.values())


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
    direction = F.normalize(noise[0], dim=0)
    side = torch.tensor([1.0, -1.0, -1.0, 1.0, -1.0])[:, None]
    weight = torch.tensor([95.0, 140.0, 140.0, 95.0, 140.0])[:, None] / 140.0
    small = 0.02 * F.normalize(noise - start, dim=1)
    common = drift * F.normalize(torch.linspace(-1, 1, len(start)), dim=0)
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
    together = [[i != j and any({i, j} <= cluster for cluster in clusters) for j in range(5)] for i in range(5)]
    assert np.array_equal(step.graph, together)


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
    unit = F.normalize((rows - initial).double(), dim=1)
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


class Forest:
    """The same method as a tree of clusters: nodes are numbers, a cut makes two new ones; models are averaged in loops.

    ``node`` says in which cluster each client was last; 0 is the cluster of all, in which newcomers are too.
    """

    def __init__(self, clients: int) -> None:
        self.node, self.parent = [0] * clients, {0: -1}

    def under(self, node: int, top: int) -> bool:
        while node not in (top, -1):
            node = self.parent[node]
        return node == top

    def step(self, rows: torch.Tensor, start: torch.Tensor, sizes: np.ndarray, here: list[int]) -> torch.Tensor:
        updates = (rows - start).double()
        nodes = {self.node[i] for i in here}
        inner = {n for n in nodes if any(n != other and self.under(other, n) for other in nodes)}
        for old in sorted(nodes - inner):
            members = [i for i in here if self.node[i] == old]
            if len(members) < 2 or self.mean(updates, sizes, members).norm() >= EPS_MEAN:
                continue
            if max(updates[i].norm() for i in members) > EPS_MAX:
                for half in halves(updates[members]):
                    new = len(self.parent)
                    self.parent[new] = old
                    for k in half:
                        self.node[members[k]] = new
        late = [i for i in here if self.node[i] in inner]
        parts = {self.node[i]: [j for j in here if self.node[j] == self.node[i]] for i in here if i not in late}
        for i in late:
            near = {
                node: float(F.cosine_similarity(updates[i], self.mean(updates, sizes, members), dim=0))
                for node, members in parts.items()
                if self.under(node, self.node[i])
            }
            self.node[i] = max(near, key=lambda node: near[node])
        out = rows.clone()
        for i in here:
            members = [j for j in here if self.node[j] == self.node[i]]
            out[i] = weighted_mean(rows[members], np.asarray(sizes)[members])
        return out

    @staticmethod
    def mean(updates: torch.Tensor, sizes: np.ndarray, members: list[int]) -> torch.Tensor:
        total = sum(float(sizes[i]) for i in members)
        return sum(float(sizes[i]) / total * updates[i] for i in members)


AWAY = {
    "back after cuts": [(0, 2, 6)],
    "comes late, the first index": [(0, 1, 5)],
    "comes late, the last index": [(5, 1, 5)],
    "several, in turns": [(0, 2, 6), (3, 1, 4), (5, 3, 7), (1, 5, 6)],
}
"""Who is away from which round to which."""


@pytest.mark.parametrize("away", AWAY.values(), ids=AWAY)
@pytest.mark.parametrize("seed", [1, 3])
def test_cut_clusters_stay_cut_whoever_comes_and_goes(away, seed):
    m = 6
    forest, parted = Forest(m), np.zeros((m, m), dtype=bool)
    with Trainer(replace(STRONG, clients=m), "cfl", backend="rows", seed=seed) as trainer:
        for number in range(1, 9):
            here = [i for i in range(m) if not any(i == k and a <= number <= b for k, a, b in away)]
            present = np.isin(np.arange(m), here)
            start = trainer.state.rows.clone()
            trainer.train(number, present)
            expected = forest.step(trainer.state.rows.clone(), start, trainer.sizes, here)
            graph = trainer.implied_imports()
            trainer.aggregate(graph)
            agree(trainer.state.rows, expected, 1e-5)
            pairs = np.array([[i != j and forest.node[i] == forest.node[j] for j in range(m)] for i in range(m)])
            np.testing.assert_array_equal(graph, pairs & present[:, None] & present[None, :])
            assert not (graph & parted).any()
            parted |= present[:, None] & present[None, :] & ~graph & ~np.eye(m, dtype=bool)
    assert len({forest.node[i] for i in range(m)}) > 1


def corner(*lengths: float) -> torch.Tensor:
    """An update along the first axes."""
    return F.pad(torch.tensor(lengths), (0, 300 - len(lengths)))


@pytest.mark.parametrize("place", range(5), ids=lambda place: f"place {place}")
@pytest.mark.parametrize("new", [True, False], ids=["newcomer", "returner"])
def test_who_was_not_there_joins_the_cluster_that_moves_as_it_does_whatever_its_index(new, place):
    """Four clients, parted in round 1 into two that move along one axis and two along another. A fifth was away."""
    order = [k for k in range(5) if k != place]
    moves = [corner(0, 0, 2), corner(0, 0, 2, 1), corner(3), corner(3, 1)]
    for own, expected in ((corner(0.5, 0, 4), order[:2]), (corner(4, 0, 0.5), order[2:])):
        memory, rows = np.zeros((5, 5)), torch.zeros(5, 300)
        memory[order, 0] = [2, 2, -2, -2]
        if not new:  # it was there when another client was parted from all of these
            memory[order, 1], memory[:, 0] = memory[order, 0], 1
        for client, move in zip(order, moves, strict=True):
            rows[client] = move
        rows[place] = own
        sizes = np.full(5, 10.0)
        step = server("cfl", rows, torch.zeros(300), memory=memory, sizes=sizes, round_index=4)
        together = [*expected, place]
        assert sorted(np.flatnonzero(step.matrix[place])) == sorted(together)
        np.testing.assert_allclose(step.matrix[place, together], 1 / 3)
        others = [k for k in order if k not in expected]
        assert sorted(np.flatnonzero(step.matrix[others[0]])) == others
        np.testing.assert_array_equal(step.memory[place], memory[expected[0]])


def test_without_a_direction_it_joins_the_largest_cluster_and_of_equal_ones_that_of_the_lowest_client():
    memory, rows = np.zeros((6, 6)), torch.eye(6, 300)
    rows[5] = 0.0
    memory[:5, 0] = [1, -1, -1, 1, -1]
    step = server("cfl", rows, torch.zeros(300), memory=memory, sizes=np.ones(6), round_index=2)
    assert sorted(clusters_of(step.memory)) == [[0, 3], [1, 2, 4, 5]]
    memory[4], memory[4, 0] = 0.0, 2.0  # a cluster of its own: two of two are left
    step = server("cfl", rows, torch.zeros(300), memory=memory, sizes=np.ones(6), round_index=2)
    assert sorted(clusters_of(step.memory)) == [[0, 3, 5], [1, 2], [4]]


def test_a_returner_whose_parts_are_all_away_is_not_put_with_those_from_whom_it_was_parted():
    memory, rows = np.zeros((3, 5)), torch.eye(3, 300)
    memory[:, 0] = [1, -1, -1]  # those with whom 1 and 2 were in a cluster, cut since, are not here
    step = server("cfl", rows, torch.zeros(300), memory=memory, sizes=np.ones(3), round_index=4)
    assert sorted(clusters_of(step.memory)) == [[0], [1, 2]]
    np.testing.assert_array_equal(step.memory, memory)
