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
    held = work.held_out(task.client)
    index = held if len(held) else work.members(task.client)
    count = max(1, min(task.samples, len(index)))
    spread = torch.linspace(0, len(index) - 1, count, dtype=torch.float64).round().long()
    index = index[spread.to(index.device)]
    slots = (task.first, *[""] * (len(task.mixtures) - 1))
    return tuple(
        _loss(work, work.models(slot), mixture, index) for slot, mixture in zip(slots, task.mixtures, strict=True)
    )


def _loss(work: Work, models: torch.Tensor, mixture: Mixture, index: torch.Tensor) -> float:
    _average(work, models, mixture)
    total = torch.zeros((), dtype=torch.float64, device=work.device)
    with torch.inference_mode():
        for chunk in index.split(_BATCH):
            x, y = work.inputs(work.tensors["train_x"][chunk]), work.tensors["train_y"][chunk]
            total += work.bench.judge(x, y)[1].sum()
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
