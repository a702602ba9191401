"""Who learns from whom: the share of rounds in which one client imports another's model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis.findings.base import Drawing, Finding, always, label_once, measured, note, panels
from analysis.findings.scores import harmful, known
from analysis.page import theme
from analysis.page.export import Cell, Table
from analysis.run.records import Run
from mechanism.space import Floats
from mechanism.wording import listed

if TYPE_CHECKING:
    from matplotlib.axes import Axes


MOST_FLAGGED = 20
"""Most clients of which the numbers of attackers and free-riders are always written."""


@dataclass(frozen=True, eq=False)
class ImportShares:
    """How often importer i (row) imports the model of exporter j (column): share of rounds ``[m, m]``, one seed.

    ``names`` of the clients, where they have some.
    """

    method: str
    seed: int
    share: Floats
    harmful: tuple[int, ...] = ()
    names: tuple[str, ...] = ()

    @property
    def pairs(self) -> int:
        """Number of pairs that trade in some round."""
        return int((self.share > 0).sum())


def import_shares(run: Run, method: str, seed: int | None = None) -> ImportShares:
    """Return the graph that a method implied, averaged over the rounds of a seed (default: the first)."""
    seed = run.seeds[0] if seed is None else seed
    entries = run.ledger[known(run, method)]
    chosen = entries.seed == run.seeds.index(seed)
    share = np.zeros((run.clients, run.clients))
    np.add.at(share, (entries.importer[chosen], entries.exporter[chosen]), 1.0 / run.rounds)
    return ImportShares(method, seed, share, harmful(run, method, seed), tuple(run.summary.names))


def shares_table(shares: tuple[ImportShares, ...]) -> Table:
    """Return the share of rounds of every pair that trades, a row per pair, a column per method."""
    pairs = sorted({(int(i), int(j)) for one in shares for i, j in np.argwhere(one.share > 0)})
    who: list[Cell] = [*(shares[0].names or range(len(shares[0].share)))]
    rows: list[tuple[Cell, ...]] = [(who[i], who[j], *(float(one.share[i, j]) for one in shares)) for i, j in pairs]
    heads = ("importer", "exporter", *(one.method for one in shares))
    return Table(f"Share of rounds in which one imports from the other, seed {shares[0].seed}", heads, tuple(rows))


def import_matrix(shares: ImportShares, ax: Axes | None = None) -> Axes:
    """Draw row i, column j in blue, the darker the more rounds i imports j's model; white is never."""
    from matplotlib.colors import LinearSegmentedColormap

    m = shares.share.shape[0]
    ax = theme.axes(ax, 3.6, 3.8)
    theme.style(ax, grid="", title=theme.plain(shares.method, 19), x="exporter", y="importer")
    tones = LinearSegmentedColormap.from_list("share", ["#ffffff", theme.GAIN])
    edges = np.arange(m + 1) - 0.5
    ax.pcolormesh(edges, edges, shares.share, cmap=tones, vmin=0.0, vmax=1.0, rasterized=True)
    shown = theme.thinned(m, 8).tolist()
    if m <= MOST_FLAGGED:
        beside = {k + step for k in shares.harmful for step in (-1, 1)}
        shown = sorted(({*shown} - beside) | {*shares.harmful})
    theme.squares(ax, m, shown, [shares.names[k] if shares.names else str(k) for k in shown], turned=bool(shares.names))
    theme.flagged(ax, shares.harmful)
    return ax


def answer(run: Run, found: tuple[ImportShares, ...]) -> str:
    """Answer: how many pairs of clients exchange models under each method."""
    said = [f"{one.method} {one.pairs}" for one in found]
    return f"Of {run.clients * (run.clients - 1)} pairs of clients, so many trade in some round: {listed(said)}."


def drawing(run: Run, found: tuple[ImportShares, ...]) -> Drawing:
    """The graph that each method implies, one panel per method."""
    across = 4 if len(found) > 3 else 3
    whole, axes = panels(len(found), across, 3.2 if found[0].names else 2.5)
    for shares, panel in zip(found, axes, strict=True):
        import_matrix(shares, panel)
    label_once(axes, across)
    said = [f"{one.method}: {one.pairs} pairs trade" for one in found]
    seeds = f" Only seed {found[0].seed} is drawn." if len(run.seeds) > 1 else ""
    if seeds:
        note(whole, f"seed {found[0].seed} of {len(run.seeds)} seeds")
    return Drawing(
        f"Who imports whose model, of {run.clients * (run.clients - 1)} pairs. " + "; ".join(said) + ".",
        "A row is what one client imports, the darker the more rounds. Full squares are averaging over everybody; "
        "blocks are groups of like data; a dark column is a model that many want, an empty one nobody's."
        + (" Bold purple numbers are attackers and free-riders." if any(one.harmful for one in found) else "")
        + seeds,
        whole,
        shares_table(found),
    )


IMPORTS = Finding(
    "imports", "Who learns from whom?", lambda run: tuple(import_shares(run, name) for name in run.methods), answer,
    always("imports", drawing), measured,
)  # fmt: skip
