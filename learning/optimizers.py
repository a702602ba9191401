"""How a gradient moves a model: a few operations on flat rows, the same arithmetic as `torch.optim`."""

from __future__ import annotations

import math
from typing import Protocol

import torch

from learning.plan import LearningPlan


class Optimizer(Protocol):
    """Moves a row [P] by its gradient [P]; forgets what it remembers at `reset`."""

    def reset(self, lr: float) -> None:
        """Start anew, with this learning rate."""
        ...

    def step(self, row: torch.Tensor, gradient: torch.Tensor) -> None:
        """Move ``row`` in place; ``gradient`` may be used as working memory."""
        ...


class Sgd:
    """v ← μ v + g + ω θ, θ ← θ − lr v: `torch.optim.SGD` with momentum μ and weight decay ω."""

    def __init__(self, plan: LearningPlan, like: torch.Tensor) -> None:
        self._momentum, self._decay, self._lr = plan.momentum, plan.weight_decay, plan.lr
        self._velocity = torch.zeros_like(like)

    def reset(self, lr: float) -> None:
        """Start anew, with this learning rate."""
        self._lr = lr
        self._velocity.zero_()

    def step(self, row: torch.Tensor, gradient: torch.Tensor) -> None:
        """Move ``row`` in place."""
        if self._decay:
            gradient.add_(row, alpha=self._decay)
        moved = self._velocity.mul_(self._momentum).add_(gradient) if self._momentum else gradient
        row.add_(moved, alpha=-self._lr)


class AdamW:
    """θ ← θ − lr ω θ − lr m̂ / (√v̂ + 1e-8): `torch.optim.AdamW` with its default moments 0.9 and 0.999."""

    FIRST, SECOND, EPSILON = 0.9, 0.999, 1e-8

    def __init__(self, plan: LearningPlan, like: torch.Tensor) -> None:
        self._decay, self._lr, self._count = plan.weight_decay, plan.lr, 0
        self._mean, self._square = torch.zeros_like(like), torch.zeros_like(like)

    def reset(self, lr: float) -> None:
        """Start anew, with this learning rate."""
        self._lr, self._count = lr, 0
        self._mean.zero_()
        self._square.zero_()

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


def optimizer(plan: LearningPlan, like: torch.Tensor) -> Optimizer:
    """Return the plan's optimiser for rows like ``like``."""
    return AdamW(plan, like) if plan.optimizer == "adamw" else Sgd(plan, like)


def rate(plan: LearningPlan, round_index: int) -> float:
    """Return the learning rate of a round: constant, or by half a cosine from lr in the first to lr_end in the last."""
    if not plan.lr_end or plan.rounds < 2:
        return plan.lr
    share = min(round_index - 1, plan.rounds - 1) / (plan.rounds - 1)
    return plan.lr_end + (plan.lr - plan.lr_end) * (1.0 + math.cos(math.pi * share)) / 2.0
