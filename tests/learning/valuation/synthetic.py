"""Curves of a known law."""

import numpy as np

from learning.valuation import Curve, collect, value_tasks


def measured(law, m=12, seed=0, noise=0.0, spread=0.0, low=50, high=400) -> Curve:
    """A curve whose losses fall as ``law(x)`` says, times exp(spread · normal) by client, with noise in nats."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(low, high, m).astype(float)
    tasks = value_tasks(sizes, [10] * m, seed, 1)
    losses = []
    for task in tasks:
        totals = np.array([sizes[list(rows)].sum() for rows, _ in task.mixtures])
        loss = rng.uniform(0.2, 0.8) + np.exp(spread * rng.normal()) * law(totals)
        losses.append(loss + noise * rng.normal(size=len(loss)))
    return collect(sizes, tasks, losses)
