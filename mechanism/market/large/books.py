"""What a large market decides, in rows of imports, and its accounts, added up block by block."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from mechanism.errors import InvalidMarketError
from mechanism.market.accounting import Accounts, Outcome
from mechanism.market.clients import Types
from mechanism.market.large.sparse import LargeMarket
from mechanism.space import Floats

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class SparseOutcome:
    """What a mechanism decides for importers ``first`` .. ``first + importers - 1`` of a market of ``clients``.

    One row for each import, importer by importer (CSR): importer ``first + q`` buys from
    ``sellers[indptr[q]:indptr[q + 1]]``, rising; of each ``prices``, gross money from importer to exporter,
    ``samples``, what its model counts for the importer, and ``penalties``, lam d_ij times these by the importer's own.
    ``indptr`` int64 ``[importers + 1]``, ``sellers`` int64 and the others float64 ``[imports]``. Nothing goes to a
    centre. ``gap`` ``[importers]`` as of `mechanism.market.accounting.Outcome`. ``computed``: how many differences were
    worked out from vectors. ``nodes``: of the searches, how many were visited.
    """

    first: int
    clients: int
    indptr: Ints
    sellers: Ints
    prices: Floats
    samples: Floats
    penalties: Floats
    gap: Floats
    computed: int = 0
    nodes: int = 0

    @property
    def importers(self) -> int:
        """Number of importers of this block."""
        return len(self.indptr) - 1

    def importer(self) -> Ints:
        """Return the importer of each import ``[imports]``."""
        return self.first + np.repeat(np.arange(self.importers), np.diff(self.indptr))

    @classmethod
    def joined(cls, blocks: Sequence[SparseOutcome]) -> SparseOutcome:
        """Return blocks that follow each other as one; `InvalidMarketError` if they do not."""
        for before, after in pairwise(blocks):
            if after.first != before.first + before.importers or after.clients != before.clients:
                raise InvalidMarketError(f"a block ends before importer {before.first + before.importers}, another "
                                         f"begins at {after.first}")  # fmt: skip
        counts = np.concatenate([np.diff(block.indptr) for block in blocks])
        sellers, prices, samples, penalties, gap = (
            np.concatenate([getattr(block, name) for block in blocks])
            for name in ("sellers", "prices", "samples", "penalties", "gap")
        )
        computed, nodes = sum(block.computed for block in blocks), sum(block.nodes for block in blocks)
        indptr = np.append(0, np.cumsum(counts))
        first, m = blocks[0].first, blocks[0].clients
        return cls(first, m, indptr, sellers, prices, samples, penalties, gap, computed, nodes)

    def dense(self) -> Outcome:
        """Return the same with matrices, for some thousands of clients at most; all importers must be in it."""
        m = self.clients
        if self.importers != m:
            raise InvalidMarketError(f"the outcome is of {self.importers} of {m} importers")
        imports, prices = np.zeros((m, m), dtype=np.bool_), np.zeros((m, m))
        imports[self.importer(), self.sellers] = True
        prices[self.importer(), self.sellers] = self.prices
        return Outcome(imports, prices, np.zeros(m), np.array(self.gap))


class Tally:
    """The accounts of a large market, by `mechanism.market.accounting.account`'s identity, as its blocks come in.

    ``types`` ``[m]`` are the true ones, ``market`` what is public. Add every block once; in the same order the sums are
    the same to the last bit. Read ``exports`` and ``imports`` int64 ``[m]`` (models sold, bought), ``gap`` (summed),
    ``penalties`` (summed) and `accounts` when all are in.
    """

    def __init__(self, types: Types, market: LargeMarket) -> None:
        m = types.clients
        self.types, self.market = types, market
        self.exports, self.imports = np.zeros(m, dtype=np.int64), np.zeros(m, dtype=np.int64)
        self.gain, self.paid, self.received = np.zeros(m), np.zeros(m), np.zeros(m)
        self.gap = self.penalties = 0.0

    def add(self, block: SparseOutcome) -> None:
        """Add a block of importers; `InvalidMarketError` if it is of another number of clients."""
        m = self.types.clients
        if block.clients != m:
            raise InvalidMarketError(f"the outcome is for {block.clients} clients, the types for {m}")
        rows = slice(block.first, block.first + block.importers)
        place = block.importer() - block.first
        samples = block.samples if self.market.effective is not None else self.types.size[block.sellers]
        own = self.types.size[rows]
        total = own + np.bincount(place, samples, block.importers)
        self.imports[rows] = np.diff(block.indptr)
        self.gain[rows] = self.market.law.value(self.types.gain[rows], own, total)
        self.paid[rows] = np.bincount(place, block.prices, block.importers)
        self.exports += np.bincount(block.sellers, minlength=m)
        self.received += np.bincount(block.sellers, block.prices, m)
        self.gap += float(block.gap.sum())
        self.penalties += float(block.penalties.sum())

    def accounts(self) -> Accounts:
        """Return every client's account, float64 ``[m]`` each."""
        cost = self.types.cost * self.exports
        return Accounts(self.gain, cost, self.paid, self.received, np.zeros(len(cost)))

    @property
    def objective(self) -> float:
        """V_lambda of these blocks: welfare less the penalties (at reports that are true)."""
        return float(self.accounts().welfare) - self.penalties
