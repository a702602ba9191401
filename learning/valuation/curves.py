"""Measured learning curves: by how much each client's loss fell for each set of others' models that it tried."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from learning.errors import LearningError
from learning.valuation.sets import EXTRA, POINTS, ValueTask
from mechanism.space import Floats

BINS: int = 32
"""Points of a mean curve, and knots of a table, at most."""

WIDTH: int = POINTS + EXTRA
"""Columns of a curve: sets that a client tries at most."""


@dataclass(frozen=True, eq=False)
class Curve:
    """What m clients measured on S sets each: ``own`` [m], ``start`` [m], ``total`` [m, S], ``drop`` [m, S], float64.

    ``own``: a client's samples n_i. ``start``: its own model's loss, nats a sample (0 if it measured nothing).
    ``total``: the samples x behind the models of a set, own included; 0 marks a column without a set, whose drop is 0.
    ``drop``: its own model's loss less the average's, nats a sample; negative where the average is worse.
    """

    own: Floats
    start: Floats
    total: Floats
    drop: Floats

    def __post_init__(self) -> None:
        m = len(self.own)
        shapes = self.start.shape == (m,) and self.total.ndim == 2 and self.total.shape == self.drop.shape
        if not shapes or len(self.total) != m:
            raise LearningError(
                f"a curve has own {list(self.own.shape)}, start {list(self.start.shape)}, total "
                f"{list(self.total.shape)} and drop {list(self.drop.shape)}; expected [m], [m], [m, S] and [m, S]"
            )
        good = np.isfinite(self.own).all() and np.isfinite(self.start).all() and (self.own > 0).all()
        tried = self.total > 0
        within = np.isfinite(self.total) & ((self.total >= self.own[:, None]) | ~tried) & (self.total >= 0)
        if not (good and within.all() and np.isfinite(self.drop).all() and (self.drop[~tried] == 0).all()):
            raise LearningError(
                "a curve has a number that is not finite, a size <= 0, or a set with less data than its importer has"
            )

    @property
    def tried(self) -> NDArray[np.bool_]:
        """Which columns hold a set, bool [m, S]."""
        return self.total > 0

    @property
    def sets(self) -> int:
        """How many sets were measured in all."""
        return int(self.tried.sum())

    @property
    def weights(self) -> Floats:
        """Weight of each point [m, S]: 1 over the number of its client's sets, so that clients count alike."""
        tried = self.tried
        return np.asarray(tried / np.maximum(1, tried.sum(axis=1, keepdims=True)))

    def disposed(self) -> Curve:
        """Return what the sets are worth to clients that may leave unused what they bought: drops of at least 0.

        The better of one's own model and the average is picked on the samples on which it is judged, so that with few
        held-out samples some of the drops that are left are luck.
        """
        return replace(self, drop=np.maximum(0.0, self.drop))


def collect(
    sizes: ArrayLike, tasks: Sequence[ValueTask], losses: Sequence[Sequence[float]], width: int = WIDTH
) -> Curve:
    """Return the curve that the results of `measure` make.

    ``sizes`` [m] as in the tasks; ``losses[k]`` belongs to ``tasks[k]``. A client without a task tried nothing.
    `LearningError` if a loss is not finite (training diverged, or an average of its models does), or the results do not
    fit.
    """
    own = np.asarray(sizes, dtype=np.float64)
    columns = max([width, *(len(task.mixtures) - 1 for task in tasks)])
    start, total, drop = np.zeros(len(own)), np.zeros((len(own), columns)), np.zeros((len(own), columns))
    for task, found in zip(tasks, losses, strict=True):
        i, loss = task.client, np.asarray(found, dtype=np.float64)
        if loss.shape != (len(task.mixtures),):
            raise LearningError(f"client {i} tried {len(task.mixtures)} models and has {loss.size} losses")
        if not np.isfinite(loss).all():
            raise LearningError(
                f"client {i} measures a loss that is not finite on an average of models; take a smaller lr, lam or eta"
            )
        count = len(loss) - 1
        start[i], drop[i, :count] = loss[0], loss[0] - loss[1:]
        total[i, :count] = [own[list(rows)].sum() for rows, _ in task.mixtures[1:]]
    return Curve(own, start, total, drop)


def joined(first: Curve, second: Curve) -> Curve:
    """Return both curves' sets, the second's after the first's; ``own`` and ``start`` are the first's.

    A client that is in the second alone takes its start from there.
    """
    if not np.array_equal(first.own, second.own):
        raise LearningError("two curves of different clients, or of clients of other sizes, cannot be joined")
    start = np.where(first.tried.any(axis=1), first.start, second.start)
    return Curve(
        first.own,
        start,
        np.concatenate([first.total, second.total], axis=1),
        np.concatenate([first.drop, second.drop], axis=1),
    )


def grid(curve: Curve, most: int = BINS) -> Floats:
    """Return at most ``most`` rising totals that span the curve: all of its sizes and totals, or quantiles of them."""
    values = np.unique(np.concatenate([curve.own, curve.total[curve.tried]]))
    if len(values) <= most:
        return values
    return np.asarray(values[np.linspace(0, len(values) - 1, most).round().astype(int)])


def mean_curve(curve: Curve, rise: Callable[[Floats], Floats]) -> tuple[Floats, Floats]:
    """Return the mean measured curve: rising totals [b] and levels in nats [b], at most `BINS` of them.

    Clients have different sizes, and what they measure starts at their own. So client i's curve is set on the law's
    level at n_i: points (n_i, rise(n_i)) and (x, rise(n_i) + drop), where ``rise(x)`` is the law's fall of loss up to
    x, in nats, from any one origin. Points are averaged between `grid` totals (each total on its own if there are few),
    every client with the same weight.
    """
    tried = curve.tried
    measuring = tried.any(axis=1)
    base = rise(curve.own)
    x = np.concatenate([curve.own[measuring], curve.total[tried]])
    y = np.concatenate([base[measuring], (base[:, None] + curve.drop)[tried]])
    w = np.concatenate([np.ones(int(measuring.sum())), curve.weights[tried]])
    edges = grid(curve)
    which = np.searchsorted(edges, x, side="right")
    sums = [np.bincount(which, weights=part, minlength=len(edges) + 1) for part in (w, w * x, w * y)]
    filled = sums[0] > 0
    return sums[1][filled] / sums[0][filled], sums[2][filled] / sums[0][filled]


def concavity_defect(curve: Curve, rise: Callable[[Floats], Floats]) -> float:
    """Return how far, in nats, the mean curve lies below its concave, non-decreasing hull at most.

    0: what was measured is, on average, concave and does not fall, as every gain law is.
    """
    from mechanism.market.gains import TableGain

    x, y = mean_curve(curve, rise)
    if len(x) < 2:
        return 0.0
    return max(0.0, TableGain(tuple(x.tolist()), tuple(y.tolist())).concavity_defect)
