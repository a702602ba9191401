"""Who is paid for what: money for models beside the accuracy that they bring, and what junk is paid.

Accuracy gained by trade is a client's when it last took part, less its own under training alone (``local``) of the same
seed: the same data, start and test samples. What an importer gained is brought by those it imported from, in equal
parts for every model and round: sum over i of gained_i * rounds in which i imports j / models that i imports in all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from analysis.findings.base import MEASURED, REFUTED, Drawing, Drawings, Evidence, Finding, panels
from analysis.findings.scores import slack
from analysis.page import theme
from analysis.page.export import Cell, Table
from analysis.run.ledger import figures, final_of_clients
from analysis.run.records import Run
from mechanism.space import Floats
from mechanism.wording import listed, number, typeset

if TYPE_CHECKING:
    from matplotlib.axes import Axes


ALONE = "local"
"""The method that trains alone."""
MOST_ROWS = 60
"""Rows that a table on a page has at most."""
LEAST = 1e-9
"""Points of accuracy below which a difference is rounding."""


def who_was_paid(methods: Mapping[str, Mapping[str, float]], markets: Iterable[str]) -> str:
    """Return in a sentence who was paid for models under each market, and for how much accuracy; "" without a market.

    ``methods``: figures by method and name, as in ``summary.json``; money per client and round. Records from before
    these figures were kept have none to tell.
    """
    parts = []
    for name in markets:
        told = methods[name]
        if "received_mean" not in told:
            continue
        part = f"under {name} honest clients {number(told['received_mean'], 3)}"
        if "received_others" in told:
            part += f", attackers and free-riders {number(told['received_others'], 3)}"
        if ALONE in methods:
            gained = round(100.0 * (told["accuracy_final"] - methods[ALONE]["accuracy_final"]), 1) + 0.0
            part += f", for {gained:+.1f} points of final accuracy over {ALONE}"
        parts.append(part)
    return f"Paid for their models, per client and round: {'; '.join(parts)}." if parts else ""


@dataclass(frozen=True, eq=False)
class Trade:
    """What clients paid for imports and received for exports over the run, money, beside points of accuracy.

    ``[seeds, m]`` each: ``gained`` by the client's own imports, ``brought`` to others by its exports; ``benign``: no
    attacker or free-rider.
    """

    method: str
    paid: Floats
    received: Floats
    gained: Floats
    brought: Floats
    benign: NDArray[np.bool_]

    @property
    def buyers(self) -> NDArray[np.bool_]:
        """Who is benign and paid for a model."""
        return self.benign & (self.paid > 0)

    @property
    def correlation(self) -> float | None:
        """Pearson's correlation of money paid and accuracy gained, over benign clients; None where one is constant."""
        paid, gained = self.paid[self.benign], self.gained[self.benign]
        if paid.size < 2 or np.ptp(paid) <= 0 or np.ptp(gained) <= LEAST:
            return None
        return float(np.corrcoef(paid, gained)[0, 1])


def trades(run: Run) -> tuple[Trade, ...] | None:
    """Return the trade of every market; None where there is none, or nobody trained alone to compare with."""
    if not run.markets or ALONE not in run.methods:
        return None
    alone = final_of_clients(run.traces[ALONE])
    return tuple(_trade(run, name, alone) for name in run.markets)


def _trade(run: Run, method: str, alone: Floats) -> Trade:
    trace, entries = run.traces[method], run.ledger[method]
    gained = 100.0 * (final_of_clients(trace) - alone)
    rounds = np.zeros((len(run.seeds), run.clients, run.clients))
    np.add.at(rounds, (entries.seed, entries.importer, entries.exporter), 1.0)
    shares = rounds / np.maximum(rounds.sum(axis=2, keepdims=True), 1.0)
    brought = np.einsum("sij,si->sj", shares, np.where(trace.benign, gained, 0.0))
    return Trade(method, trace.paid.sum(axis=1), trace.received.sum(axis=1), gained, brought, trace.benign)


def answer(run: Run, found: tuple[Trade, ...]) -> str:
    """Answer: who is paid, and what for; per unit of accuracy brought to others."""
    said = []
    for one in found:
        parts = []
        for who, there in (("honest clients", one.benign), ("attackers and free-riders", ~one.benign)):
            if there.any():
                rate, brought = _rate(one, there), round(float(one.brought[there].sum()), 2) + 0.0
                price = "" if rate is None else f" ({typeset(rate)} a point)"
                earned = typeset(float(one.received[there].sum()))
                parts.append(f"{who} earn {earned} for {typeset(brought)} points{price}")
        said.append(f"under {one.method} {listed(parts)}")
    means = who_was_paid({name: _means(run, name) for name in run.methods}, run.markets)
    return f"{means} In all, for points of accuracy brought to others: {'; '.join(said)}."


def _means(run: Run, method: str) -> dict[str, float]:
    return {name: float(values.mean()) for name, values in figures(run.traces[method]).items()}


def _rate(one: Trade, there: NDArray[np.bool_]) -> float | None:
    """Return money received per point brought to others; None where nothing was."""
    brought = float(one.brought[there].sum())
    return float(one.received[there].sum()) / brought if brought > LEAST else None


def evidence(run: Run, found: tuple[Trade, ...]) -> tuple[Evidence, ...]:
    """Return, per market, whether junk is paid, and whether who pays is more accurate for it."""
    lines = []
    for one in found:
        if not one.benign.all():
            junk = float(one.received[~one.benign].sum())
            part = junk / total if (total := float(one.received.sum())) > 0 else 0.0
            text = f"attackers and free-riders are paid {typeset(junk)} money, {100 * part:.3g} % of all that is paid"
            grade = REFUTED if junk > run.rounds * slack(run, one.method) else MEASURED
            lines.append(Evidence(grade, one.method, text))
        buyers, worse = one.gained[one.buyers], int((one.gained[one.buyers] < -LEAST).sum())
        if not buyers.size:
            continue
        text = f"of {buyers.size} honest clients that paid, {worse or 'none'} ended less accurate than training alone"
        text += f", by up to {typeset(-float(buyers.min()))} points: for them money bought no accuracy" if worse else ""
        corr = one.correlation
        text += "" if corr is None else f"; correlation of money paid and accuracy gained {corr:+.2f}"
        lines.append(Evidence(REFUTED if worse else MEASURED, one.method, text))
    return tuple(lines)


def by_group(found: tuple[Trade, ...]) -> Table:
    """Return money and accuracy of honest clients and of others, a row each per market: means per client."""
    rows: list[tuple[Cell, ...]] = []
    for one in found:
        for who, there in (("honest", one.benign), ("attackers, free-riders", ~one.benign)):
            if there.any():
                means = [float(part[there].mean()) for part in (one.paid, one.gained, one.received, one.brought)]
                rows.append((one.method, who, *means, _rate(one, there)))
    heads = ("method", "who", "paid (money)", "gained (points)", "received (money)", "brought to others (points)",
             "received per point brought")  # fmt: skip
    return Table("Money for models beside accuracy, over the run, mean per client", heads, tuple(rows))


def by_client(run: Run, found: tuple[Trade, ...]) -> Table:
    """Return money and accuracy of every client, seed and market."""
    rows: list[tuple[Cell, ...]] = []
    for one in found:
        for s, k in np.ndindex(one.paid.shape):
            role = str(run.traces[one.method].roles[s, k])
            money = [float(part[s, k]) for part in (one.paid, one.gained, one.received, one.brought)]
            rows.append((one.method, run.seeds[s], run.cells[k], role, *money))
    heads = ("method", "seed", "client", "role", "paid (money)", "gained (points)", "received (money)",
             "brought to others (points)")  # fmt: skip
    return Table("Money for models beside accuracy, of every client", heads, tuple(rows))


def trade_dots(
    ax: Axes, money: Floats, points: Floats, benign: NDArray[np.bool_], *, title: str, x: str, y: str
) -> None:
    """Draw a dot per client: money across, points of accuracy up; attackers and free-riders as crosses."""
    theme.style(ax, grid="both", title=title, x=x, y=y)
    ax.axhline(0.0, color=theme.ZERO, linewidth=1.0, zorder=1.5)
    ax.scatter(money[benign], points[benign], s=36, color=theme.GAIN, edgecolors="white", linewidths=0.8, zorder=3)
    ax.scatter(money[~benign], points[~benign], s=52, marker="X", color=theme.JUNK, edgecolors="white", linewidths=0.8,
               zorder=4)  # fmt: skip
    theme.never_flat(ax, "y")
    ax.set_xlim(left=0.0 - 0.04 * max(1.0, float(money.max(initial=0.0))))


def draw_paid(run: Run, found: tuple[Trade, ...]) -> Drawing:
    """Per market: accuracy gained over training alone, beside what honest clients and others receive for models."""
    whole = theme.figure(theme.WIDTH, 1.3 + 0.4 * len(found))
    left, right = whole.subplots(1, 2)
    theme.style(left, grid="x", title="Accuracy gained by trade", x="points over training alone, at the end")
    theme.style(right, grid="x", title="Paid for its models", x="money per client over the run")
    for ax in (left, right):
        ax.axvline(0.0, color=theme.ZERO, linewidth=1.0, zorder=1.5)
    for k, one in enumerate(found):
        gained = float(one.gained[one.benign].mean())
        left.plot([0.0, gained], [k, k], color=theme.GAIN, linewidth=2.5, solid_capstyle="butt", zorder=2)
        left.plot([gained], [k], "o", markersize=8, color=theme.GAIN, markeredgecolor="white", zorder=4)
        theme.beside_row(left, float(k), f"{'+' * (gained >= 0.005)}{number(round(gained, 2))}")
        said = []
        for mark, tone, there in (("o", theme.GAIN, one.benign), ("X", theme.JUNK, ~one.benign)):
            if there.any():
                mean = float(one.received[there].mean())
                label = ("honest clients" if mark == "o" else "attackers, free-riders") if k == 0 else None
                right.plot([mean], [k], mark, linestyle="", markersize=8, color=tone, markeredgecolor="white",
                           zorder=4, label=label)  # fmt: skip
                said.append(typeset(mean))
        theme.beside_row(right, float(k), " · ".join(said))
    names = [one.method for one in found]
    theme.method_rows(left, names)
    theme.method_rows(right, names, labels=False)
    if not all(one.benign.all() for one in found):
        handles, labels = right.get_legend_handles_labels()
        whole.legend(handles, labels, loc="outside lower right", ncols=2, frameon=False, fontsize=theme.SMALL)
    table = by_group(found)
    parts = [f"{row[0]}, {row[1]}: {typeset(float(str(row[4])))} money received" for row in table.rows]
    return Drawing(
        "Accuracy gained by trade, and money received for models. " + "; ".join(parts) + ".",
        "A market pays for work if honest clients (blue) are to the right and attackers and free-riders (purple "
        "crosses) at zero, and if accuracy is to the right of zero, for that is what is paid for.",
        whole,
        table,
    )


def drawing(run: Run, found: tuple[Trade, ...]) -> Drawing:
    """What each client pays and gains, and what it receives and brings to others; two panels per market."""
    whole, axes = panels(2 * len(found), 2, 2.6)
    for one, left, right in zip(found, axes[::2], axes[1::2], strict=True):
        honest = one.benign
        trade_dots(left, one.paid[honest], one.gained[honest], honest[honest], title=theme.plain(one.method),
                   x="paid for imports over the run (money)", y="accuracy gained (points)")  # fmt: skip
        trade_dots(right, one.received, one.brought, one.benign, title="",
                   x="received for exports over the run (money)", y="brought to others (points)")  # fmt: skip
    said, each = [], by_client(run, found)
    for one in found:
        corr = one.correlation
        said.append(f"{one.method}: correlation {'unknown' if corr is None else f'{corr:+.2f}'}")
    junk = "" if all(one.benign.all() for one in found) else (
        " Crosses are attackers and free-riders, who should be at 0 money: what they upload is junk."
    )  # fmt: skip
    return Drawing(
        "Money paid for imports beside accuracy gained, and money received beside accuracy brought to others. "
        + "; ".join(said) + ".",
        "A dot is a client" + (" under one seed" if len(run.seeds) > 1 else "")
        + ". Left, dots that rise to the right say that who pays more gains more; a dot below the line paid and ended "
        "less accurate than training alone. Right, the same of sellers: who earns should bring something: what "
        "an importer gained is divided equally among the models that it imported." + junk
        + " A point is one percent of a client's test samples, weighted by its labels: small differences are few "
        "samples.",
        whole,
        each if len(each.rows) <= MOST_ROWS else by_group(found),
        each,
    )  # fmt: skip


def drawings(run: Run, found: tuple[Trade, ...]) -> Drawings:
    """Return the glance, and every client."""
    return {"paid": partial(draw_paid, run, found), "trade": partial(drawing, run, found)}


TRADE = Finding("trade", "Who is paid for what?", trades, answer, drawings, evidence)
