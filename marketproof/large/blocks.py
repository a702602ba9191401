"""Blocks of importers as pieces of work: the same code in this process and on the workers of a Dask cluster."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from marketproof.cluster import spread
from mechanism.market.clients import Types
from mechanism.market.large.books import SparseOutcome
from mechanism.market.large.clearing import LargeClearing
from mechanism.market.large.sparse import LargeMarket
from mechanism.market.rules.rule import MarketMechanism

Span = tuple[int, int]

_OPTIMUM = MarketMechanism("optimum", "exact", "none")


@dataclass(frozen=True, eq=False)
class Block:
    """Some importers, cleared: the outcome, and the largest objective that they could have reached, money.

    ``optimal_gap`` bounds from above how much larger than ``optimal`` that may be.
    """

    outcome: SparseOutcome
    optimal: float
    optimal_gap: float


def objective_of(types: Types, market: LargeMarket, outcome: SparseOutcome) -> float:
    """Return the importers' part of V_lambda, money: their gains less the costs and penalties of what they import."""
    rows = slice(outcome.first, outcome.first + outcome.importers)
    own = types.size[rows]
    held = own + np.bincount(outcome.importer() - outcome.first, outcome.samples, outcome.importers)
    gain = market.law.value(types.gain[rows], own, held).sum()
    return float(gain - types.cost[outcome.sellers].sum() - outcome.penalties.sum())


@dataclass(frozen=True, eq=False)
class BlockWork:
    """How a span of importers is cleared on truthful reports; it pickles, and needs nothing else."""

    clearing: LargeClearing
    best: LargeClearing | None

    @classmethod
    def of(cls, types: Types, market: LargeMarket, rule: MarketMechanism) -> BlockWork:
        """Return the work of clearing by a rule; one that does not maximise is held against one that does."""
        reports = types.truthful()
        best = None if rule.allocation == "exact" else LargeClearing(reports, market, _OPTIMUM)
        return cls(LargeClearing(reports, market, rule), best)

    def __call__(self, first: int, stop: int) -> Block:
        """Clear importers first .. stop-1."""
        reports, market = self.clearing.reports, self.clearing.market
        types = Types(reports.size, reports.cost, reports.gain)
        outcome = self.clearing.block(first, stop)
        best = outcome if self.best is None else self.best.block(first, stop)
        return Block(outcome, objective_of(types, market, best), float(best.gap.sum()))


def cleared_here(work: BlockWork, spans: Iterable[Span]) -> Iterator[Block]:
    """Clear spans of importers one after the other, each on all cores."""
    return (work(first, stop) for first, stop in spans)


def cleared_on_cluster(work: BlockWork, spans: Iterable[Span], address: str) -> Iterator[Block]:
    """Clear spans of importers on a Dask cluster (`marketproof.cluster.spread`), and yield them in their order.

    The sellers' table is sent to every worker once.
    """
    return spread(BlockWork.__call__, spans, address, work)
