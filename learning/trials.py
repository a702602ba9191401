"""Trying others' models on the samples that clients hold out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from learning.algorithms.algorithm import START, Graph, Trials
from learning.state import State
from learning.valuation.sets import ValueTask
from learning.work import Work


def trial_tasks(chosen: Graph, clients: NDArray[np.int64], work: Work) -> list[ValueTask]:
    """Return one task for each of ``clients`` [k]: the model from which it started the round, then those it tries.

    ``chosen`` bool [k, k] says whose models among them that is. All samples that the client holds out are used.
    """
    tasks = []
    for i, row in zip(clients.tolist(), chosen, strict=True):
        tried = tuple(((j,), (1.0,)) for j in (i, *clients[row].tolist()))
        samples = len(work.held_out(i)) or len(work.members(i))
        tasks.append(ValueTask(i, tried, samples, first=START))
    return tasks


def collect(chosen: Graph, clients: NDArray[np.int64], results: Sequence[tuple[float, ...]], state: State) -> Trials:
    """Return the results of `trial_tasks` as matrices, with how far each model is from the one that it may replace."""
    losses, distances = np.full(chosen.shape, np.nan), np.full(chosen.shape, np.nan)
    for k, (i, found) in enumerate(zip(clients.tolist(), results, strict=True)):
        losses[k, chosen[k]] = found[1:]
        # In float64: late in training models lie close together, and their difference has few digits left.
        start = state.slots[START][i].double()
        apart = [float((state.rows[j].double() - start).square().sum().sqrt()) for j in clients[chosen[k]].tolist()]
        distances[k, chosen[k]] = apart
    return Trials(np.array([found[0] for found in results]), losses, distances)
