"""One client's local training: SGD with momentum on its own samples, pulled to its target."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray

from learning.algorithms.algorithm import LocalSpec
from learning.optimizers import rate
from learning.streams import stream
from learning.work import Work


@dataclass(frozen=True)
class TrainTask:
    """Train client ``client`` in round ``round_index`` as ``spec`` says.

    Privately (`learning.privacy.training`) where ``key`` is its noise key: the noise has then a standard deviation of
    ``noise`` clipping norms.
    """

    client: int
    round_index: int
    spec: LocalSpec
    key: bytes = field(default=b"", repr=False)
    noise: float = 0.0

    @property
    def cost(self) -> float:
        """Relative length of the task, for sharing work out: steps."""
        spec: LocalSpec | None = self.spec
        steps = 0
        while spec is not None:
            steps, spec = steps + spec.steps, spec.then
        return float(steps)


def batch_order(
    samples: int, batch: int, steps: int, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the samples that ``steps`` batches visit and where each batch ends.

    Epochs follow each other, each newly shuffled; the last batch of an epoch holds what is left, as a data loader's
    does. First the visited positions int64 in 0..samples-1, then int64 [steps + 1] of cuts, from 0.
    """
    full, rest = divmod(samples, batch)
    epoch = [batch] * full + ([rest] if rest else [])
    epochs = -(-steps // len(epoch))
    cuts = np.concatenate([[0], np.cumsum((epoch * epochs)[:steps])]).astype(np.int64)
    order = np.concatenate([rng.permutation(samples) for _ in range(epochs)])
    return order[: cuts[-1]].astype(np.int64), cuts


def dropout(work: Work, purpose: str, task: TrainTask) -> Callable[[int], Sequence[torch.Tensor]]:
    """Return what draws a batch's dropout masks [n, *shape] of 0 or 1/(1 − rate), from a stream of the client's own."""
    if not work.network.drops:
        return lambda samples: ()
    seed = int(stream(work.facts.seed, f"dropout/{purpose}", task.round_index, task.client).integers(2**63))
    generator = torch.Generator().manual_seed(seed)  # on the CPU, so that every device sees the same masks
    return lambda samples: work.masks(samples, generator)


def train_client(work: Work, task: TrainTask) -> float:
    """Train one client's model in place and return the mean of its batches' losses, of the first work if it has more.

    A step adds to the gradient g of the mean loss the pull ``spec.pull`` · (θ − target) and the correction, and the
    plan's optimiser, new in every round, does the rest (see `learning.optimizers`).
    """
    plan, spec, bench = work.facts.plan, task.spec, work.bench
    row, gradient, move = bench.row, bench.gradient, work.optimizer
    members = work.members(task.client)
    purpose = f"batches/{spec.model}" if spec.model else "batches"
    rng = stream(work.facts.seed, purpose, task.round_index, task.client)
    order, cuts = batch_order(len(members), plan.batch, spec.steps, rng)
    visited = members[torch.from_numpy(order).to(work.device)]
    labels = work.tensors["train_y"][visited]
    target = work.models(spec.target)[task.client] if spec.pull else None
    model = work.models(spec.model)[task.client]
    correction = work.models(spec.correction)[task.client] if spec.correction else None
    seen = torch.zeros_like(gradient) if spec.gradient else None
    total = torch.zeros((), dtype=torch.float64, device=work.device)

    row.copy_(model)
    move.reset(rate(plan, task.round_index))
    masks = dropout(work, purpose, task)
    for start, end in zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True):
        x = work.inputs(work.tensors["train_x"][visited[start:end]])
        gradient.zero_()
        loss = bench.loss(x, labels[start:end], masks(end - start))
        loss.backward()
        total += loss.detach()
        if seen is not None:
            seen.add_(gradient)
        if target is not None:
            torch.sub(row, target, out=work.scratch)
            gradient.add_(work.scratch, alpha=spec.pull)
        if correction is not None:
            gradient.add_(correction)
        move.step(row, gradient)
    model.copy_(row)
    if seen is not None:
        work.models(spec.gradient)[task.client] = seen / spec.steps
    if spec.then is not None:
        further = train_client(work, replace(task, spec=spec.then))
        if not math.isfinite(further):
            return further  # divergence anywhere is the trainer's to report
    return float(total) / spec.steps
