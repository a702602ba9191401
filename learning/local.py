"""One client's local training: steps of an optimiser on its own samples, pulled to its target."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from learning.algorithms.algorithm import LocalSpec
from learning.plan import LearningPlan
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
        return float(self.spec.all_steps)


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


def descend(
    work: Work,
    task: TrainTask,
    who: int | torch.Tensor,
    row: torch.Tensor,
    gradient: torch.Tensor,
    differentiate: Callable[[int], None],
) -> None:
    """Take the task's steps with the models of ``who``, a client or several, put into ``row`` [P] or [c, P].

    ``differentiate(step)`` writes the gradient g of the mean loss into ``gradient``. A step adds the pull ``pull`` ·
    (θ − target) and the correction, and the plan's optimiser, new in every round, does the rest.
    """
    spec, models = task.spec, work.models(task.spec.model)
    target = work.models(spec.target)[who] if spec.pull else None
    correction = work.models(spec.correction)[who] if spec.correction else None
    seen = torch.zeros_like(gradient) if spec.gradient else None
    apart = torch.empty_like(gradient)
    row.copy_(models[who])
    move = optimizer(work.facts.plan, row, task.round_index)
    for step in range(spec.steps):
        differentiate(step)
        if seen is not None:
            seen.add_(gradient)
        if target is not None:
            gradient.add_(torch.sub(row, target, out=apart), alpha=spec.pull)
        if correction is not None:
            gradient.add_(correction)
        move.step(row, gradient)
    models[who] = row
    if seen is not None:
        work.models(spec.gradient)[who] = seen / spec.steps


def train_client(work: Work, task: TrainTask) -> float:
    """Train one client's model in place and return the mean of its batches' losses."""
    spec, bench, tensors = task.spec, work.bench, work.tensors
    members = work.members(task.client, spec.whole)
    purpose = f"batches/{spec.model}" if spec.model else "batches"
    rng = stream(work.facts.seed, purpose, task.round_index, task.client)
    order, cuts = batch_order(len(members), work.facts.plan.batch, spec.steps, rng)
    visited, ends = members[torch.from_numpy(order).to(work.device)], cuts.tolist()
    labels = tensors["train_y"][visited]
    total = torch.zeros((), dtype=torch.float64, device=work.device)
    masks = dropout(work, purpose, task)

    def differentiate(step: int) -> None:
        start, end = ends[step : step + 2]
        x = work.inputs(tensors["train_x"][visited[start:end]])
        bench.gradient.zero_()
        loss = bench.loss(x, labels[start:end], masks(end - start))
        loss.backward()
        total.add_(loss.detach())

    descend(work, task, task.client, bench.row, bench.gradient, differentiate)
    return float(total) / spec.steps


class Sgd:
    """v ← μ v + g + ω θ, θ ← θ − lr v: `torch.optim.SGD` with momentum μ and weight decay ω."""

    def __init__(self, plan: LearningPlan, like: torch.Tensor, lr: float) -> None:
        self._momentum, self._decay, self._lr = plan.momentum, plan.weight_decay, lr
        self._velocity = torch.zeros_like(like)

    def step(self, row: torch.Tensor, gradient: torch.Tensor) -> None:
        """Move ``row`` in place."""
        if self._decay:
            gradient.add_(row, alpha=self._decay)
        moved = self._velocity.mul_(self._momentum).add_(gradient) if self._momentum else gradient
        row.add_(moved, alpha=-self._lr)


class AdamW:
    """θ ← θ − lr ω θ − lr m̂ / (√v̂ + 1e-8): `torch.optim.AdamW` with its default moments 0.9 and 0.999."""

    FIRST, SECOND, EPSILON = 0.9, 0.999, 1e-8

    def __init__(self, plan: LearningPlan, like: torch.Tensor, lr: float) -> None:
        self._decay, self._lr, self._count = plan.weight_decay, lr, 0
        self._mean, self._square = torch.zeros_like(like), torch.zeros_like(like)

    def step(self, row: torch.Tensor, gradient: torch.Tensor) -> None:
        """Move ``row`` in place."""
        self._count += 1
        row.mul_(1.0 - self._lr * self._decay)
        self._mean.lerp_(gradient, 1.0 - self.FIRST)
        self._square.mul_(self.SECOND).addcmul_(gradient, gradient, value=1.0 - self.SECOND)
        size = self._lr / (1.0 - self.FIRST**self._count)
        torch.sqrt(self._square, out=gradient)
        gradient.div_(math.sqrt(1.0 - self.SECOND**self._count)).add_(self.EPSILON)
        row.addcdiv_(self._mean, gradient, value=-size)


def optimizer(plan: LearningPlan, like: torch.Tensor, round_index: int) -> Sgd | AdamW:
    """Return the plan's optimiser for rows like ``like``, at the learning rate of a round."""
    return (AdamW if plan.optimizer == "adamw" else Sgd)(plan, like, rate(plan, round_index))


def rate(plan: LearningPlan, round_index: int) -> float:
    """Return the learning rate of a round: constant, or by half a cosine from lr in the first to lr_end in the last."""
    if not plan.lr_end or plan.rounds < 2:
        return plan.lr
    share = min(round_index - 1, plan.rounds - 1) / (plan.rounds - 1)
    return plan.lr_end + (plan.lr - plan.lr_end) * (1.0 + math.cos(math.pi * share)) / 2.0
