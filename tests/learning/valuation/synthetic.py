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


def one(totals, drops, own=100.0) -> Curve:
    """The curve of a client alone."""
    return Curve(np.array([own]), np.array([1.0]), np.array([totals], float), np.array([drops], float))


def several(own, total, drop, start=None) -> Curve:
    """A curve from lists; every start is 1 unless given."""
    own = np.array(own, float)
    return Curve(own, np.ones(len(own)) if start is None else np.array(start), np.array(total), np.array(drop))
