"""Who pays whom: as a directed graph on a circle, and as an antisymmetric heat map."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from analysis.findings.base import MEASURED, REFUTED, Drawing, Drawings, Evidence, Finding
from analysis.findings.money import MoneyFlow, flow_table, money_flow, payments_table, through_centre
from analysis.findings.scores import slack
from analysis.page import theme
from analysis.run.records import Run
from mechanism.wording import typeset

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_ARROWS = 60
"""Most arrows drawn; the largest net payments are."""
THICKEST = 5.0
"""Width in points of the arrow of the largest payment."""


def money_graph(flow: MoneyFlow, ax: Axes | None = None) -> Axes:
    """Draw an arrow from payer to receiver per net payment, its width proportional to the money.

    Blue clients received more than they paid, vermilion ones paid more; the number beside each is the difference.
    Attackers and free-riders are purple diamonds. Clients stand clockwise from the top in their order; where money
    passes the centre, that is a square in the middle.
    """
    from matplotlib.patches import FancyArrowPatch

    m = flow.gross.shape[0]
    ax = theme.axes(ax, 4.6, 4.6)
    angle = np.pi / 2 - 2 * np.pi * np.arange(m) / m
    x, y = np.cos(angle), np.sin(angle)
    if flow.centred:
        x, y = np.append(x, 0.0), np.append(y, 0.0)
    crowded = m > 20
    node = max(60.0, 330.0 - 14.0 * max(0, m - 8)) if not crowded else max(10.0, 900.0 / m)
    size = 0.6 if crowded else 1.0
    radius = float(np.sqrt(node) / 2)
    arrows = flow.arrows(MOST_ARROWS)
    largest = arrows[0][2] if arrows else 1.0
    for payer, receiver, amount in reversed(arrows):  # the largest on top
        share = amount / largest
        bend = 0.0 if m in (payer, receiver) else 0.13  # to and from the centre: straight
        ax.add_patch(
            FancyArrowPatch(
                (x[payer], y[payer]),
                (x[receiver], y[receiver]),
                connectionstyle=f"arc3,rad={bend}",
                arrowstyle="-|>,head_length=0.42,head_width=0.2",
                mutation_scale=size * (9.0 + 13.0 * share),
                linewidth=max(0.5, size * THICKEST * share),
                color=theme.faded(theme.SOFT, 0.3 + 0.6 * share),
                shrinkA=radius,
                shrinkB=radius + 1.5,
                capstyle="butt",
                joinstyle="miter",
                zorder=2,
            )
        )
    earned = flow.earned
    slack = 1e-9 * max(1.0, flow.turnover, flow.collected, flow.handed_out)
    tones = [theme.GAIN if e > slack else theme.LOSS if e < -slack else theme.NEUTRAL for e in earned]
    junk = list(flow.harmful)
    good = np.setdiff1d(np.arange(m), junk)
    ax.scatter(x[good], y[good], s=node, c=[tones[k] for k in good], edgecolors="white", linewidths=1.2, zorder=3)
    if junk:
        ax.scatter(x[junk], y[junk], s=node, c=theme.JUNK, marker="D", edgecolors="white", linewidths=1.2, zorder=3)
    named = theme.thinned(m, 25)
    for k in named:
        away = 1.0 + (0.30 if not crowded else 0.10)
        sign = "+" if earned[k] > slack else ""
        if crowded:
            theme.write(
                ax, away * x[k], away * y[k], theme.plain(flow.labels[k], 9), ha="center", va="center", fontsize=8.0
            )
        else:
            inside = "" if flow.names else str(k)
            theme.write(ax, x[k], y[k], inside, ha="center", va="center", color="white", fontweight="bold", zorder=4)
            text = f"{sign}{typeset(float(earned[k]) if abs(earned[k]) > slack else 0.0)}"
            text = f"{theme.plain(flow.names[k], 12)}\n{text}" if flow.names else text
            theme.write(ax, away * x[k], (away - 0.08) * y[k], text, ha="center", va="center", fontsize=8.0)
    if flow.centred:
        ax.scatter(
            x[m:], y[m:], s=max(node, 60.0), marker="s", c=theme.INK, edgecolors="white", linewidths=1.2, zorder=4
        )
        kept = typeset(flow.kept if abs(flow.kept) > slack else 0.0)
        text = f"centre: {'+' if flow.kept > slack else ''}{kept}"
        theme.write(ax, 0.03, 0.02, text, transform=ax.transAxes, va="center", fontsize=8.0)
        ax.plot([0.0], [0.02], marker="s", markersize=6, color=theme.INK, transform=ax.transAxes, clip_on=False)
    reach = 1.22 if crowded else 1.45
    ax.set_xlim(-reach, reach)
    ax.set_ylim(-reach, reach)
    ax.set_aspect("equal")
    ax.set_axis_off()
    ax.set_title("Money flow, and who gained by it", loc="left", fontsize=theme.BODY, color=theme.INK, pad=8)
    return ax


MOST_NUMBERS = 12
"""Most clients for which the amounts are written into the cells."""
MOST_VECTOR = 30
"""Most clients for which each cell is a vector rectangle; above, the cells are one picture inside the figure."""


def money_matrix(flow: MoneyFlow, ax: Axes | None = None) -> Axes:
    """Draw net payments: row i, column j is what i pays j after netting (vermilion: pays, blue: receives).

    Where money passes the centre, that is the last row and column.
    """
    from matplotlib.colors import LinearSegmentedColormap

    net = flow.net
    m = net.shape[0]
    ax = theme.axes(ax, 4.6, 4.6)
    theme.style(ax, grid="", x="receiver", y="payer")
    largest = float(np.abs(net).max()) or 1.0
    tones = LinearSegmentedColormap.from_list("money", [theme.GAIN, "#ffffff", theme.LOSS])
    edges = np.arange(m + 1) - 0.5
    mesh = ax.pcolormesh(
        edges, edges, net, cmap=tones, vmin=-largest, vmax=largest, rasterized=m > MOST_VECTOR, edgecolors="none"
    )
    mesh.set_edgecolor("face" if m <= MOST_VECTOR else "none")
    if m <= MOST_NUMBERS:
        for i, j in zip(*np.nonzero(net), strict=True):
            tone = "white" if abs(net[i, j]) > 0.6 * largest else theme.INK
            text = typeset(float(net[i, j]), 2)
            theme.write(ax, float(j), float(i), text, ha="center", va="center", fontsize=7.0, color=tone)
    clients = flow.gross.shape[0]
    shown = [*theme.thinned(clients, 12).tolist(), *range(clients, m)]
    if m > clients > 12:  # a number beside the centre would run into its name
        shown = [k for k in shown if k >= clients or clients - k > clients / 12]
    theme.squares(ax, m, shown, [flow.labels[k] for k in shown], turned=bool(flow.names))
    theme.flagged(ax, flow.harmful)
    if m > clients:
        ax.axhline(clients - 0.5, color=theme.INK, linewidth=1.0)
        ax.axvline(clients - 0.5, color=theme.INK, linewidth=1.0)
    ax.set_title("Net payments over the run (money)", loc="left", fontsize=theme.BODY, color=theme.INK, pad=8)
    return ax


def answer(run: Run, found: tuple[MoneyFlow, ...]) -> str:
    """Answer: how much money moves under each market, what the centre keeps, and who ends with most and least."""
    if not found:
        return "Nobody pays anybody: no method of this run has a market."
    parts = []
    where = f" in seed {run.seeds[0]}" if len(run.seeds) > 1 else ""
    for flow in found:
        moves = [f"clients pay one another {typeset(flow.turnover)} money"] if flow.turnover else []
        moves += [through_centre(flow)] if flow.centred else []
        if not moves:
            parts.append(f"Under {flow.method} no money changes hands{where}.")
            continue
        earned = flow.earned[: run.clients]
        top, low = int(np.argmax(earned)), int(np.argmin(earned))
        ends = [
            f"{run.called(k)} ends with {typeset(abs(float(earned[k])))} {'more' if earned[k] > 0 else 'less'}"
            for k in dict.fromkeys((top, low))
            if earned[k]
        ]
        said = f"Under {flow.method} {' and '.join(moves)}{where}"
        parts.append(f"{said}; {', '.join(ends)}." if ends else f"{said}.")
    return " ".join(parts)


def drawing(run: Run, flow: MoneyFlow) -> Drawing:
    """Who pays whom under one method: graph and matrix."""
    method = flow.method
    whole = theme.figure(theme.WIDTH, 5.3 if run.summary.names else 4.5)
    where = f", seed {flow.seed}" if len(run.seeds) > 1 else ""
    whole.suptitle(
        f"{theme.plain(method)}{where}", x=0.005, ha="left", fontsize=theme.TITLE, fontweight="bold", color=theme.INK
    )
    left, right = whole.subplots(1, 2)
    money_graph(flow, left)
    money_matrix(flow, right)
    earned = flow.earned[: run.clients]
    most = int(earned.argmax())
    pairs = int((flow.net > 0).sum())
    drawn = len(flow.arrows(MOST_ARROWS))
    left_out = f" Only the {drawn} largest of {pairs} net payments are drawn as arrows." if drawn < pairs else ""
    seeds = f" Only seed {flow.seed} is drawn; in other seeds the clients hold other data." if where else ""
    through = through_centre(flow)
    balance = (
        "because every payment is received: nothing is lost and nothing comes from outside."
        if not through
        else f"because every payment is received. The black square, the last row and column, is the centre: {through}."
    )
    return Drawing(
        f"Net payments under {method}: {pairs} pairs, {typeset(flow.turnover)} money changed hands between clients in "
        f"all; {f'{through}; ' if through else ''}{run.called(most)} earned most, {typeset(float(earned[most]))}.",
        "Arrows run from payer to receiver, thicker for more money; blue clients end with more money, vermilion ones "
        "with less (number: net). In the matrix the row pays the column; every amount appears twice with opposite "
        f"sign, {balance}"
        + (" Attackers and free-riders are purple diamonds." if flow.harmful else "")
        + left_out
        + seeds,
        whole,
        flow_table(flow),
        payments_table(flow),
    )


def drawings(run: Run, found: tuple[MoneyFlow, ...]) -> Drawings:
    """Return a drawing per method with a market, numbered as the run's methods are."""
    return {f"money-{run.methods.index(flow.method)}": partial(drawing, run, flow) for flow in found}


def evidence(run: Run, _: object = None) -> tuple[Evidence, ...]:
    """Return, per method with a market, whether what all pay and receive sums to zero."""
    lines = []
    for name in run.markets:
        imbalance = run.audit.methods[name].budget_imbalance
        kept = imbalance <= slack(run, name)
        text = (
            f"payments sum to zero in each of {run.rounds * len(run.seeds)} clearings"
            if kept
            else f"payments miss balance by up to {typeset(imbalance)} in a clearing"
        )
        lines.append(Evidence(MEASURED if kept else REFUTED, name, text))
    return tuple(lines)


MONEY = Finding(
    "money", "Who pays whom?", lambda run: tuple(money_flow(run, name) for name in run.markets), answer, drawings,
    evidence,
)  # fmt: skip
