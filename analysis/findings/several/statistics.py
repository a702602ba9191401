"""Is one method better than another, or is it noise: paired differences with intervals, and ranks over tasks.

A difference is taken seed by seed: methods that are compared saw the same data, split and start. Its 95 % interval is
Student's t of these differences, exact where they are normal; with three to five seeds a bootstrap would rest on too
few numbers. "Seen" is said of a difference only whose interval leaves zero out; where many are asked about at once,
Holm's correction keeps the chance of a single false one at 5 %. Over tasks methods are ranked (Friedman 1937), and two
count as told apart where their mean ranks differ by Nemenyi's critical difference (Demsar, JMLR 7, 2006).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis.page import theme
from mechanism.space import Floats
from mechanism.wording import listed, plural

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LEVEL = 0.95
FEWEST = 3
"""Pairs from which on something is claimed of many comparisons: of two the spread is guessed from one difference."""
SMALL = 1e-9
"""Numbers closer than this, relative to the largest, are equal."""


@dataclass(frozen=True)
class Difference:
    """The mean of what one has more than another, pair by pair; ``low``, ``high``: its 95 % interval.

    ``p``: two-sided, of Student's t; all three None of a single pair, of which no noise is known.
    """

    mean: float
    low: float | None
    high: float | None
    p: float | None
    pairs: int

    @property
    def seen(self) -> bool:
        """Whether the interval leaves zero out."""
        return self.low is not None and self.high is not None and (self.low > 0.0 or self.high < 0.0)

    def kept(self, corrected: float | None) -> bool:
        """Whether it is seen as one of many: on enough pairs, with its p value after `holm` below 5 %."""
        return self.seen and self.pairs >= FEWEST and corrected is not None and corrected < 1.0 - LEVEL


def paired(mine: Sequence[float], other: Sequence[float]) -> Difference:
    """Return ``mine`` less ``other``: mean d, interval d ± t(n - 1) s / √n, p.

    `ValueError` where the two are not of one length, are empty, or hold what is no number.
    """
    from scipy.special import stdtr, stdtrit

    a, b = np.asarray(mine, dtype=np.float64), np.asarray(other, dtype=np.float64)
    if a.shape != b.shape or a.ndim != 1 or not a.size or not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise ValueError("a paired difference wants two equally long lists of finite numbers")
    each, n = a - b, len(a)
    mean, slack = float(each.mean()), SMALL * max(1.0, float(np.abs([a, b]).max()))
    mean = 0.0 if abs(mean) <= slack else mean
    if n == 1:
        return Difference(mean, None, None, None, 1)
    error = float(each.std(ddof=1)) / float(np.sqrt(n))
    if error <= slack:
        return Difference(mean, mean, mean, float(mean == 0.0), n)
    half = float(stdtrit(n - 1, 0.5 + LEVEL / 2)) * error
    return Difference(mean, mean - half, mean + half, 2.0 * float(stdtr(n - 1, -abs(mean) / error)), n)


def interval(values: Sequence[float]) -> tuple[float, float | None]:
    """Return the mean of values, and half of its 95 % interval; None of a single one."""
    one = paired(values, np.zeros(len(values)).tolist())
    return one.mean, None if one.high is None else one.high - one.mean


def holm(values: Sequence[float]) -> list[float]:
    """Return p values that may be read one by one (Holm 1979): the k-th smallest times n - k + 1, never falling."""
    order = np.argsort(values, kind="stable")
    raised = np.maximum.accumulate(np.asarray(values, dtype=np.float64)[order] * np.arange(len(order), 0, -1))
    told = np.empty(len(order))
    told[order] = np.minimum(raised, 1.0)
    return [float(p) for p in told]


def highest(values: Mapping[str, Sequence[float]]) -> tuple[str, list[str]]:
    """Return who has the highest mean over seeds, and from whom it is not told apart: all, where there is one seed.

    Told apart is who is behind with p < 5 % of the paired difference, after Holm over all others.
    """
    best = max(values, key=lambda name: float(np.mean(values[name])))
    others = [name for name in values if name != best]
    each = [paired(values[best], values[name]).p for name in others]
    raised = holm([1.0 if p is None else p for p in each])
    return best, [name for name, p in zip(others, raised, strict=True) if p >= 1.0 - LEVEL]


def told(one: Difference, mine: str, other: str, write: Callable[[float], str], seeds: str = "seed") -> str:
    """Return a difference in a sentence, which claims nothing within noise.

    >>> one = paired([3.0, 3.2, 3.1], [1.0, 1.1, 1.2])
    >>> told(one, "ipfl", "local", lambda x: f"{x:.2f}")
    'ipfl has 2.00 more than local (95 % interval 1.75 to 2.25, 3 seeds)'
    >>> told(paired([1.0, 0.0], [0.5, 0.6]), "ipfl", "local", lambda x: f"{x:.1f}")
    'no difference seen between ipfl and local (95 % interval -7.0 to 6.9, 2 seeds)'
    """
    if one.low is None or one.high is None:
        return f"{mine} {_by(one.mean, write)} {other} (one {seeds}: nobody knows the noise)"
    reach = f"(95 % interval {write(one.low)} to {write(one.high)}, {plural(one.pairs, seeds)})"
    if not one.seen:
        return f"no difference seen between {mine} and {other} {reach}"
    return f"{mine} {_by(one.mean, write)} {other} {reach}"


def _by(mean: float, write: Callable[[float], str]) -> str:
    return f"has {write(abs(mean))} {'more' if mean > 0 else 'less'} than" if mean else "has as much as"


@dataclass(frozen=True, eq=False)
class Ranking:
    """Mean ranks of methods over blocks (1: highest), Friedman's test of all being alike, and who is told apart.

    ``critical``: Nemenyi's difference of mean ranks at 5 %; ``p`` is that of Friedman's chi-square.
    """

    methods: tuple[str, ...]
    ranks: Floats
    blocks: int
    p: float
    critical: float

    @property
    def groups(self) -> list[tuple[str, ...]]:
        """Methods that are not told apart, the best first: each group as large as can be, none inside another."""
        order = np.argsort(self.ranks, kind="stable")
        sorted_ranks, found, reached = self.ranks[order], [], 0
        for first in range(len(order)):
            last = int(np.searchsorted(sorted_ranks, sorted_ranks[first] + self.critical, side="right"))
            if last - first > 1 and last > reached:
                found.append(tuple(self.methods[k] for k in order[first:last]))
            reached = max(reached, last)
        return found

    def words(self, blocks: str = "task") -> str:
        """Return what the ranks say and what they do not."""
        order = np.argsort(self.ranks, kind="stable")
        best = self.methods[order[0]]
        behind = [self.methods[k] for k in order if self.ranks[k] - self.ranks[order[0]] > self.critical]
        head = f"Over {plural(self.blocks, blocks)} {best} ranks highest (mean rank {self.ranks[order[0]]:.2f})"
        if self.p >= 1.0 - LEVEL:
            return f"{head}, but no difference among the methods is seen (Friedman p = {self.p:.2g})."
        apart = f"it is told apart from {listed(behind)}" if behind else "it is told apart from none"
        return f"{head}; {apart} (Friedman p = {self.p:.2g}, critical difference {self.critical:.2f})."


def ranking(values: Mapping[str, Sequence[float]]) -> Ranking:
    """Return the ranks of methods over blocks, such as tasks: per method a number for each, higher is better.

    Equal numbers share their ranks. Seeds of one task are no blocks of their own: take their mean. Friedman's
    chi-square is corrected for ties; the critical difference is q √(k (k + 1) / 6 N), q the studentised range's 95 %
    quantile over √2 for k methods. `ValueError` with fewer than three methods or two blocks, or other lengths.
    """
    from scipy.special import chdtrc
    from scipy.stats import rankdata, studentized_range

    table = np.array([list(each) for each in values.values()], dtype=np.float64).T
    if table.ndim != 2 or table.shape[0] < 2 or table.shape[1] < 3 or not np.isfinite(table).all():
        raise ValueError(
            "a ranking wants three or more methods, each with finite numbers for the same two or more blocks"
        )
    n, k = table.shape
    near = SMALL * np.maximum(1.0, np.abs(table).max(axis=1, keepdims=True))
    ranks = rankdata(-np.round(table / near) * near, axis=1)
    sums, spread = ranks.sum(axis=0), float(((ranks - (k + 1) / 2) ** 2).sum())
    square = (k - 1) * float(((sums - n * (k + 1) / 2) ** 2).sum()) / spread if spread else 0.0
    quantile = float(studentized_range.ppf(LEVEL, k, np.inf)) / float(np.sqrt(2.0))
    critical = quantile * float(np.sqrt(k * (k + 1) / (6.0 * n)))
    return Ranking(tuple(values), ranks.mean(axis=0), n, float(chdtrc(k - 1, square)), critical)


def draw_ranks(one: Ranking, title: str = "") -> Figure:
    """Draw mean ranks on a line, names at their ends; a bar joins methods that are not told apart (Demsar 2006)."""
    order, k, groups = np.argsort(one.ranks, kind="stable"), len(one.methods), one.groups
    left, top = (k + 1) // 2, 0.5 + 0.28 * len(groups)
    rows = top + 0.5 * left
    whole = theme.figure(theme.WIDTH, 0.9 + 0.42 * rows)
    ax = whole.add_subplot()
    ax.set_xlim(-0.35 * k, 1.35 * k + 1)
    ax.set_ylim(rows + 0.3, -1.3)
    ax.axis("off")
    ax.plot([1, k], [0, 0], color=theme.INK, linewidth=1.2)
    for tick in range(1, k + 1):
        ax.plot([tick, tick], [0, -0.15], color=theme.INK, linewidth=1.0)
        theme.write(ax, tick, -0.25, str(tick), ha="center", va="bottom", fontsize=theme.SMALL)
    ax.plot([1, 1 + one.critical], [-0.95, -0.95], color=theme.LOSS, linewidth=2.0)
    theme.write(ax, 1 + one.critical / 2, -1.0, f"critical difference {one.critical:.2f}", ha="center", va="bottom",
                fontsize=theme.SMALL)  # fmt: skip
    for at, method in enumerate(order):
        rank, first = float(one.ranks[method]), at < left
        y = top + 0.5 * (at if first else k - 1 - at)
        end = 0.8 if first else k + 0.2
        ax.plot([rank, rank, end], [0, y, y], color=theme.SOFT, linewidth=1.0)
        name = f"{theme.plain(one.methods[method])}  {rank:.2f}"
        theme.write(ax, end, y, f" {name} ", ha="right" if first else "left", va="center", fontsize=theme.SMALL)
    for row, group in enumerate(groups):
        ends = [float(one.ranks[one.methods.index(name)]) for name in group]
        y = 0.3 + 0.28 * row
        ax.plot([min(ends) - 0.06, max(ends) + 0.06], [y, y], color=theme.INK, linewidth=4.0, solid_capstyle="round")
    if title:
        ax.set_title(theme.plain(title, 120), fontsize=theme.BODY, color=theme.INK, loc="left")
    return whole
