"""How averages of models do on a client's held-out samples."""

from collections.abc import Iterable, Iterator, Sequence

import torch

from learning.valuation.sets import Mixture, ValueTask
from learning.work import Work

_CHUNK = 1024  # parameters at once: a chunk of all rows stays in the second-level cache
_BATCH = 250  # samples at once, as in evaluation

Batch = tuple[torch.Tensor, torch.Tensor]
"""Inputs and labels."""


def measure(work: Work, task: ValueTask) -> tuple[float, ...]:
    """Return the mean loss of each of the task's mixtures, nats a sample, on the client's held-out samples.

    All mixtures are judged on the same samples, evenly spread over those that the client holds out (over all of its
    samples if it holds none out), so that what differs between two losses is the models. Models are not changed.
    """
    return mean_losses(work, task.client, task.samples, averages(work, task))


def averages(work: Work, task: ValueTask) -> Iterator[torch.Tensor]:
    """Put the average of each of the task's mixtures on the bench in turn, and yield the bench's row [P]."""
    slots = (task.first, *[""] * (len(task.mixtures) - 1))
    for slot, mixture in zip(slots, task.mixtures, strict=True):
        _average(work, work.models(slot), mixture)
        yield work.bench.row


def mean_losses(work: Work, client: int, most: int, models: Iterable[torch.Tensor]) -> tuple[float, ...]:
    """Return the mean loss of each of ``models`` [P] on at most so many of the client's held-out samples."""
    index = held_index(work, client, most)
    loaded = samples(work, index)
    means = []
    for model in models:
        if model is not work.bench.row:
            work.bench.row.copy_(model)
        total = torch.zeros((), dtype=torch.float64, device=work.device)
        for part in sample_losses(work, loaded):
            total += part.sum()
        means.append(float(total) / len(index))
    return tuple(means)


def held_index(work: Work, client: int, most: int) -> torch.Tensor:
    """Return at most so many of the samples that a client holds out (of all it has if none), evenly spread."""
    held = work.held_out(client)
    return spread(held if len(held) else work.members(client), most)


def spread(index: torch.Tensor, most: int) -> torch.Tensor:
    """Return at most so many of these samples, at least one, evenly spread."""
    places = torch.linspace(0, len(index) - 1, max(1, min(most, len(index))), dtype=torch.float64).round().long()
    return index[places.to(index.device)]


def samples(work: Work, index: torch.Tensor) -> list[Batch]:
    """Return training samples as the network sees them with their labels, in parts of at most 250.

    Those that many models are judged on are fetched once.
    """
    x, y = work.tensors["train_x"], work.tensors["train_y"]
    return [(work.inputs(x[chunk]), y[chunk]) for chunk in index.split(_BATCH)]


def sample_losses(work: Work, loaded: Sequence[Batch]) -> list[torch.Tensor]:
    """Return the loss of the model on the bench on each of these `samples`, float64, part by part."""
    with torch.inference_mode():
        return [work.bench.judge(x, y)[1] for x, y in loaded]


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
