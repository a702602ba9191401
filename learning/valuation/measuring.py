"""How averages of models do on a client's held-out samples."""

from __future__ import annotations

import torch

from learning.valuation.sets import Mixture, ValueTask
from learning.work import Work

_CHUNK = 1024  # parameters at once: a chunk of all rows stays in the second-level cache
_BATCH = 250  # samples at once, as in evaluation


def measure(work: Work, task: ValueTask) -> tuple[float, ...]:
    """Return the mean loss of each of the task's mixtures, nats a sample, on the client's held-out samples.

    All mixtures are judged on the same samples, evenly spread over those that the client holds out (over all of its
    samples if it holds none out), so that what differs between two losses is the models. Models are not changed.
    """
    index = held_index(work, task.client, task.samples)
    slots = (task.first, *[""] * (len(task.mixtures) - 1))
    return tuple(
        _loss(work, work.models(slot), mixture, index) for slot, mixture in zip(slots, task.mixtures, strict=True)
    )


def held_index(work: Work, client: int, most: int) -> torch.Tensor:
    """Return at most so many of the samples that a client holds out (of all it has if none), evenly spread."""
    held = work.held_out(client)
    index = held if len(held) else work.members(client)
    count = max(1, min(most, len(index)))
    spread = torch.linspace(0, len(index) - 1, count, dtype=torch.float64).round().long()
    return index[spread.to(index.device)]


def sample_losses(work: Work, index: torch.Tensor) -> list[torch.Tensor]:
    """Return the loss of the model on the bench on each of these samples, float64, in parts of at most 250."""
    with torch.inference_mode():
        return [
            work.bench.judge(work.inputs(work.tensors["train_x"][chunk]), work.tensors["train_y"][chunk])[1]
            for chunk in index.split(_BATCH)
        ]


def _loss(work: Work, models: torch.Tensor, mixture: Mixture, index: torch.Tensor) -> float:
    _average(work, models, mixture)
    total = torch.zeros((), dtype=torch.float64, device=work.device)
    for part in sample_losses(work, index):
        total += part.sum()
    return float(total) / len(index)


def _average(work: Work, own: torch.Tensor, mixture: Mixture) -> None:
    """Put Σ w_j θ_j on the bench, summed in float64."""
    rows, weights = mixture
    bench = work.bench.row
    if len(rows) == 1:
        bench.copy_(own[rows[0]])
        return
    index = torch.tensor(rows, device=work.device)
    weight = torch.tensor(weights, dtype=torch.float64, device=work.device)
    for start in range(0, own.shape[1], _CHUNK):
        part = slice(start, start + _CHUNK)
        bench[part] = (weight @ own[index, part].double()).to(bench.dtype)
