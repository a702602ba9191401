"""Lies in a market too large to clear for each of them: some clients' reports, in their dealings with some importers.

What a client earns is a sum over importers, and each clears on its own: so a lie is followed in the dealings of a
sample of importers, and in the liar's own purchases, exactly.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mechanism.market.accounting import MONEY, scale
from mechanism.market.clients import LARGEST, SMALLEST_SIZE, Types
from mechanism.market.large.clearing import LargeClearing
from mechanism.wording import plural
from proofs_checks.search.lies import COORDINATES, Lie

CLIENTS, SPANS, WIDTH = 2, 5, 20
"""Clients whose lies are followed, and the importers whose dealings are looked at: so many spans of that width."""

MULTIPLES = (0.5, 0.9, 1.2)
"""Reports that are tried, as multiples of the truth: each sorts the sellers anew."""


def utility(clearing: LargeClearing, types: Types, client: int, spans: list[tuple[int, int]]) -> float:
    """Return a client's true utility of selling to the importers of ``spans`` and of its own purchases, money."""
    earned = 0.0
    own = (client, client + 1)
    inside = any(first <= client < stop for first, stop in spans)
    for first, stop in spans if inside else [*spans, own]:
        outcome = clearing.block(first, stop)
        sold = outcome.sellers == client
        if (first, stop) != own:
            earned += float(outcome.prices[sold].sum() - types.cost[client] * sold.sum())
        if first <= client < stop:
            bought = slice(*outcome.indptr[client - first : client - first + 2])
            # what a seller counts for an importer does not change with what that importer says of itself
            held = types.size[client] + outcome.samples[bought].sum()
            gain = clearing.market.law.value(types.gain[client], types.size[client], held)
            earned += float(gain - outcome.prices[bought].sum())
    return earned


def sampled_lies(clearing: LargeClearing, types: Types) -> dict[str, Lie]:
    """Return the best lie found about each number of a client; ``clearing`` on truthful reports."""
    m = types.clients
    rng = np.random.default_rng(0)
    width = min(WIDTH, m)
    spans = [(width * int(k), width * int(k) + width) for k in rng.permutation(m // width)[:SPANS]]
    importers = sum(stop - first for first, stop in spans)
    sold = np.concatenate([clearing.block(*span).sellers for span in spans])
    sellers = rng.permutation(np.unique(sold))[: CLIENTS - 1]
    chosen = np.unique(np.append(sellers, rng.integers(m)))  # those who sell have most to lie about
    told = f", those of {plural(len(chosen), 'client')} in their dealings with {importers} of {m} importers"
    found: dict[str, Lie] = {}
    for coordinate in COORDINATES:
        best: Lie | None = None
        tried = 0
        for client in chosen.tolist():
            truth = float(getattr(types, coordinate)[client])
            honest = utility(clearing, types, client, spans)
            for report in sorted({_within(truth * times, coordinate) for times in MULTIPLES} - {truth}):
                said = np.array(getattr(types, coordinate))
                said[client] = report
                lying = replace(clearing, reports=types.report(**{coordinate: said}))
                after = utility(lying, types, client, spans)
                tried += 1
                if best is None or after - honest > best.gain:
                    small = MONEY * scale(np.array([honest, after, types.gain[client]]))
                    best = Lie(
                        after - honest, (), client, truth, report, honest, after, 1, False, small, coordinate,
                        sampled=told,
                    )  # fmt: skip
        if best is None:
            best = Lie(0.0, (), 0, 0.0, 0.0, 0.0, 0.0, 0, False, 0.0, coordinate, "a multiple of 0 is the truth")
        elif best.gain <= 0.0:
            best = replace(best, gain=0.0, report=best.truth, utility_lying=best.utility_truthful)
        found[coordinate] = replace(best, deviations=tried)
    return found


def _within(report: float, coordinate: str) -> float:
    return min(max(report, SMALLEST_SIZE if coordinate == "size" else 0.0), LARGEST)
