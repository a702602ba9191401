"""One number per method and seed: accuracy, utility, welfare; who is ahead, and how it is drawn and tabled.

Money is in the unit of the gain law. "Over the run" means summed over rounds. A spread is the sample standard deviation
over seeds; with one seed none is known, which is None.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis.findings.several.statistics import highest
from analysis.page import theme
from analysis.page.export import Cell, Table
from analysis.run.ledger import figures
from analysis.run.records import Run
from mechanism.errors import UnknownNameError
from mechanism.market.accounting import scale
from mechanism.space import Floats
from mechanism.wording import listed, typeset

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def spread(values: Floats, axis: int = -1) -> Floats | None:
    """Return the sample standard deviation along ``axis``; None of a single value, whose spread nobody knows."""
    return np.asarray(values.std(axis=axis, ddof=1)) if values.shape[axis] > 1 else None


@dataclass(frozen=True, eq=False)
class MethodScores:
    """One number per method and seed: ``values`` ``[methods, seeds]`` (further axes may follow) in ``unit``."""

    name: str
    unit: str
    methods: tuple[str, ...]
    values: Floats

    @property
    def mean(self) -> Floats:
        """Mean over seeds ``[methods, …]``."""
        return np.asarray(self.values.mean(axis=1))

    @property
    def spread(self) -> Floats | None:
        """Sample standard deviation over seeds ``[methods, …]``, None with one seed."""
        return spread(self.values, axis=1)

    @property
    def seeds(self) -> int:
        """Number of seeds."""
        return int(self.values.shape[1])


def best_accuracy(run: Run) -> MethodScores:
    """Personal accuracy as the paper counts it, in percent: each client's best round, averaged over benign clients."""
    return MethodScores("Best personal accuracy", "%", run.methods, 100.0 * _figure(run, "accuracy_best"))


def judged(run: Run) -> str:
    """Return by which models of a round the methods are judged, in a sentence."""
    words = {"trained": "after local training, before aggregation", "aggregated": "after aggregation"}
    by = [(words[how], [m for m in run.methods if run.judged[m] == how]) for how in words]
    parts = [f"{how}{f' under {listed(names)}' if len(names) < len(run.methods) else ''}" for how, names in by if names]
    return f"Accuracy is that of the models {', and '.join(parts)}."


def final_accuracy(run: Run) -> MethodScores:
    """Personal accuracy when each client last took part, in percent, averaged over benign clients."""
    return MethodScores("Final personal accuracy", "%", run.methods, 100.0 * _figure(run, "accuracy_final"))


def _figure(run: Run, name: str) -> Floats:
    """Return a figure of the summary ``[methods, seeds]``, unrounded."""
    return np.stack([figures(run.traces[method])[name] for method in run.methods])


def known(run: Run, method: str) -> str:
    """Return the name of a method of the run.

    `UnknownNameError` if the run has no such method; the message names those that it has.
    """
    if method not in run.mechanisms:
        raise UnknownNameError(f"the run has no method {method!r:.80}; it has {', '.join(run.mechanisms)}")
    return method


def harmful(run: Run, method: str, seed: int) -> tuple[int, ...]:
    """Return the numbers of attackers and free-riders under a seed."""
    return tuple(np.flatnonzero(~run.traces[method].benign[run.seeds.index(seed)]).tolist())


def client_utility(run: Run, method: str) -> Floats:
    """Return every client's utility over the run, money, ``[seeds, m]``."""
    return np.asarray(run.traces[known(run, method)].utility.sum(axis=1))


def mean_utility(run: Run) -> MethodScores:
    """Mean benign client's utility over the run, money (the paper's measure)."""
    values = run.rounds * _figure(run, "utility_mean")
    return MethodScores("Mean utility of a client over the run", "money", run.methods, values)


def utility_per_round(run: Run) -> MethodScores:
    """Mean benign client's utility per round, money: what runs of different length can be compared by."""
    return MethodScores("Utility per client and round", "money", run.methods, _figure(run, "utility_mean"))


def welfare(run: Run) -> MethodScores:
    """Welfare SW: the sum of all clients' utilities over the run, money."""
    return MethodScores("Welfare over the run", "money", run.methods, _figure(run, "welfare"))


def slack(run: Run, method: str) -> float:
    """Return the money below which a difference in a method's accounts is rounding: the audit's tolerance, scaled."""
    trace = run.traces[method]
    return run.audit.tolerance * max(scale(amounts) for amounts in (trace.gain, trace.cost, trace.paid, trace.utility))


@dataclass(frozen=True)
class Lead:
    """The method with the highest mean, and which others are ``near`` it, best first: places in ``methods``.

    ``near`` is None where there is one seed, so that nobody knows how far seeds differ.
    """

    best: int
    near: tuple[int, ...] | None

    def near_to(self, method: int) -> bool:
        """Whether a method is the best or about as good, as far as is known."""
        return method == self.best or self.near is None or method in self.near


def lead(scores: MethodScores) -> Lead:
    """Return who is ahead: another method is near that is not told apart from the best by paired seeds (`highest`)."""
    best = int(np.argmax(scores.mean))
    if scores.seeds == 1:
        return Lead(best, None)
    _, near = highest({name: each.tolist() for name, each in zip(scores.methods, scores.values, strict=True)})
    order = np.argsort(-scores.mean, kind="stable")
    return Lead(best, tuple(int(k) for k in order if scores.methods[k] in near))


def method_dots(scores: MethodScores, ax: Axes | None = None, *, from_zero: bool = False, labels: bool = True) -> Axes:
    """Draw a dot per method, first method on top, numbers in a column at the right.

    Whiskers are one standard deviation over seeds (none with one seed). ``from_zero`` draws stems from a zero line, for
    quantities whose sign matters. ``labels`` writes the methods' names.
    """
    count = len(scores.methods)
    ax = theme.axes(ax, height=0.9 + 0.36 * count)
    theme.style(ax, grid="x", title=scores.name, x=scores.unit)
    rows, mean, spread = np.arange(count), scores.mean, scores.spread
    if from_zero:
        ax.axvline(0.0, color=theme.ZERO, linewidth=1.0, zorder=1.5)
    for k in rows:
        tone = theme.colour(int(k))
        if from_zero:
            ax.plot(
                [0.0, mean[k]],
                [k, k],
                color=tone,
                linestyle=theme.line(int(k)),
                linewidth=2.5,
                solid_capstyle="butt",
                zorder=2,
            )
        if spread is not None:
            ax.errorbar(mean[k], k, xerr=spread[k], color=theme.INK, linewidth=1.2, capsize=3.5, zorder=3)
        ax.plot([mean[k]], [k], marker=theme.mark(int(k)), markersize=8, color=tone, markeredgecolor="white", zorder=4)
        text = typeset(float(mean[k]))
        if spread is not None:
            text += f" ± {typeset(float(spread[k]), 2)}"
        theme.beside_row(ax, float(k), text)
    theme.method_rows(ax, scores.methods, labels=labels)
    return ax


def on_effective_data(run: Run) -> tuple[str, ...]:
    """Return the markets that were cleared on effective data, measured and not reported."""
    return tuple(m for m in run.markets if run.market_round(m, run.seeds[0], 1).market.effective is not None)


def leading(run: Run) -> str:
    """Return the method that the report speaks of first.

    The market on measured effective data, else the exact one, else any market, else the most accurate.
    """
    for name in on_effective_data(run):
        return name
    for name in run.markets:
        if run.mechanisms[name] == "ipfl-exact":
            return name
    if run.markets:
        return run.markets[0]
    return run.methods[int(np.argmax(best_accuracy(run).mean))]


def beside(left: MethodScores, right: MethodScores) -> Figure:
    """Draw two scores of the same methods side by side: accuracy beside utility."""
    whole = theme.figure(theme.WIDTH, 1.05 + 0.38 * len(left.methods))
    first, second = whole.subplots(1, 2)
    method_dots(left, first)
    method_dots(right, second, from_zero=True, labels=False)
    return whole


def of_method(spread: Floats | None, k: int) -> float | None:
    """Return a method's spread, None where none is known."""
    return None if spread is None else float(spread[k])


def scores_table(*scores: MethodScores) -> Table:
    """Return the means and spreads of several scores, a row per method."""
    columns = ["method"]
    for score in scores:
        columns += [f"{score.name} ({score.unit})", f"± ({score.unit})"]
    rows = []
    for k, name in enumerate(scores[0].methods):
        cells: list[Cell] = [name]
        for score in scores:
            cells += [float(score.mean[k]), of_method(score.spread, k)]
        rows.append(tuple(cells))
    seeds = scores[0].seeds
    means = "Means and standard deviations over seeds" if seeds > 1 else "One seed: no spread is known"
    return Table(means, tuple(columns), tuple(rows))
