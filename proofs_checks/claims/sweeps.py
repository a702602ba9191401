"""Statements about random markets: a measurement over every kind of `search.markets`, batch after batch."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mechanism.market.clients import Market, Types
from mechanism.space import Floats
from mechanism.wording import listed
from proofs_checks.claims.claim import Check, ClaimVerdict, Context
from proofs_checks.evidence.statistics import upper_share
from proofs_checks.evidence.verdict import Grade
from proofs_checks.properties.property import Rng
from proofs_checks.search.random_markets import KINDS, random_markets

Batch = tuple[Types, Market]
Measure = Callable[[Types, Market, Rng], Floats]
"""Types ``[B, m]``, market and a generator for the measurement's own draws, to any array with the markets first."""

COUNT = 64
CLIENTS = (3, 4, 5, 6)
_FEWEST = 16


@dataclass(eq=False)
class Sweep:
    """What a sweep saw: the worst value, where, and how many markets and numbers (``tried``) it looked at."""

    kinds: tuple[str, ...] = ()
    worst: float = -np.inf
    where: dict[str, Any] = field(default_factory=dict)
    clients: tuple[int, ...] = ()
    markets: int = 0
    batches: int = 0
    tried: int = 0


def sweep(
    context: Context,
    name: str,
    measure: Measure,
    kinds: Sequence[str] = tuple(KINDS),
    clients: Sequence[int] = CLIENTS,
    prepare: Callable[[Batch], Batch] = lambda batch: batch,
) -> Sweep:
    """Measure batch after batch, kinds and numbers of clients in turn, until the seconds or probes are spent.

    ``prepare`` may change a drawn batch before it is measured.
    """
    rng, own = context.rng(name), context.rng(f"{name} reports")
    deadline = time.perf_counter() + context.seconds
    seen = Sweep(tuple(kinds), clients=tuple(clients))
    turns = [(kind, m) for m in clients for kind in kinds]
    fewest = min(_FEWEST, len(turns))
    while seen.batches < fewest or (context.probes is None and time.perf_counter() < deadline):
        if context.probes is not None and seen.batches >= max(fewest, context.probes):
            break
        kind, m = turns[seen.batches % len(turns)]
        batch = prepare(random_markets(kind, rng, COUNT, m))
        values = np.asarray(measure(*batch, own), dtype=np.float64)
        seen.batches += 1
        seen.markets += COUNT
        seen.tried += values.size
        row = int(np.argmax(values.reshape(COUNT, -1).max(axis=1)))
        if (top := float(values[row].max())) > seen.worst:
            seen.worst, seen.where = top, _told(kind, batch, row)
    return seen


def _told(kind: str, batch: Batch, row: int) -> dict[str, Any]:
    types, market = batch
    d = market.differences
    return {
        "kind": kind, "size": types.size[row].tolist(), "cost": types.cost[row].tolist(),
        "gain": types.gain[row].tolist(), "lam": market.lam, "differences": None if d is None else d[row].tolist(),
    }  # fmt: skip


def swept(
    name: str, allowed: float, what: str, method: str = "random markets of every kind", **settings: Any
) -> Callable[[Measure], Check]:
    """Make a measurement a check: that ``what`` it measures is nowhere above ``allowed``; ``settings``: of `sweep`."""

    def checking(measure: Measure) -> Check:
        return lambda context: searched(sweep(context, name, measure, **settings), allowed, what, method)

    return checking


def searched(seen: Sweep, allowed: float, what: str, method: str = "random markets of every kind") -> ClaimVerdict:
    """Return the verdict that a quantity never exceeds what is allowed, or where it did."""
    evidence = {
        "method": method, "distributions": list(seen.kinds), "clients": list(seen.clients), "markets": seen.markets,
        "batches": seen.batches,
        "tried": seen.tried, "worst": seen.worst if np.isfinite(seen.worst) else None,
    }  # fmt: skip
    if seen.worst > allowed:
        market = {**seen.where, "value": seen.worst}
        return ClaimVerdict(False, Grade.REFUTED, evidence, market, f"{what}: {seen.worst:.6g} in one of the markets")
    bound = (
        f"with confidence 0.99, at most {upper_share(seen.batches):.2g} of such batches of {COUNT} markets hold an "
        "exception that this would have found"
    )
    words = (
        f"{what}: never above {allowed:g} in {seen.markets} random markets of "
        f"{listed(map(str, seen.clients))} clients ({', '.join(seen.kinds)}); {bound}"
    )
    return ClaimVerdict(True, Grade.SEARCHED, {**evidence, "bound": bound}, None, words)
