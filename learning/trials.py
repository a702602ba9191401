"""Trying others' models: which samples clients hold out for it, and how models do on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from learning.algorithms.algorithm import START, Graph, Trials
from learning.streams import stream
from learning.work import Work

_CHUNK = 250  # samples at once, as in evaluation


@dataclass(frozen=True)
class TrialTask:
    """Try the model from which ``client`` started the round, and then those of ``rows``, on its held-out samples."""

    client: int
    rows: tuple[int, ...]
    samples: int

    @property
    def cost(self) -> float:
        """Relative length of the task, for sharing work out: samples."""
        return float(self.samples * (1 + len(self.rows)))


@dataclass(frozen=True)
class Tried:
    """Mean cross entropy of the starting model and of each row, and how far each row is from the starting model."""

    before: float
    losses: tuple[float, ...]
    distances: tuple[float, ...]


def hold_out(members: Sequence[NDArray[np.int64]], seed: int) -> tuple[list[NDArray[np.int64]], list[int]]:
    """Return each client's samples with a tenth of them, drawn by seed, put last, and how many that is.

    At least one is held out, and at least one is left to train on: of a single sample nothing is held out.
    """
    ordered, held = [], []
    for client, indices in enumerate(members):
        count = min(max(1, len(indices) // 10), len(indices) - 1)
        out = np.zeros(len(indices), dtype=bool)
        out[stream(seed, "held-out", 0, client).permutation(len(indices))[:count]] = True
        ordered.append(np.concatenate([indices[~out], indices[out]]))
        held.append(count)
    return ordered, held


def try_models(work: Work, task: TrialTask) -> Tried:
    """Return how one client's candidates do on its held-out samples; on all of its samples if it holds none out."""
    samples = work.held_out(task.client)
    index = samples if len(samples) else work.members(task.client)
    start = work.tensors[f"slot/{START}"][task.client]
    rows = [work.tensors["rows"][row] for row in task.rows]
    losses = _losses(work, (start, *rows), index)
    # Both in float64: late in training models lie close together, and their difference has few digits left.
    distances = [float((row.double() - start.double()).square().sum().sqrt()) for row in rows]
    return Tried(losses[0], tuple(losses[1:]), tuple(distances))


def _losses(work: Work, rows: Sequence[torch.Tensor], index: torch.Tensor) -> list[float]:
    """Return each model's mean loss on the samples ``index``; these are fetched once for all models."""
    total = torch.zeros(len(rows), dtype=torch.float64, device=work.device)
    with torch.inference_mode():
        for chunk in index.split(_CHUNK):
            x, y = work.inputs(work.tensors["train_x"][chunk]), work.tensors["train_y"][chunk]
            for k, row in enumerate(rows):
                work.bench.row.copy_(row)
                total[k] += work.bench.judge(x, y)[1].sum()
    return (total / len(index)).tolist()


def trial_tasks(chosen: Graph, clients: NDArray[np.int64], work: Work) -> list[TrialTask]:
    """Return one task for each of ``clients`` [k]: ``chosen`` bool [k, k] says whose models among them it tries."""
    rows = [tuple(clients[row].tolist()) for row in chosen]
    return [TrialTask(i, tried, max(1, len(work.held_out(i)))) for i, tried in zip(clients.tolist(), rows, strict=True)]


def collect(chosen: Graph, results: Sequence[Tried]) -> Trials:
    """Return the results of `trial_tasks` as matrices."""
    losses, distances = np.full(chosen.shape, np.nan), np.full(chosen.shape, np.nan)
    for i, tried in enumerate(results):
        losses[i, chosen[i]] = tried.losses
        distances[i, chosen[i]] = tried.distances
    return Trials(np.array([tried.before for tried in results]), losses, distances)
