"""What is public in a market too large for matrices: vectors or listed pairs, listed effective sizes."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mechanism.errors import InvalidMarketError
from mechanism.market.clients import DIFFERENCE_SLACK, LARGEST, SMALLEST_SIZE, Market
from mechanism.market.gains import GainLaw, SqrtGain
from mechanism.space import Floats

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class SparseMatrix:
    """A square matrix over m clients of which some entries are listed; row importer, column exporter (CSR).

    Row i holds ``values[indptr[i]:indptr[i + 1]]`` at rising ``columns``; all other entries off the diagonal are
    ``rest``, the diagonal is 0 and not listed. ``indptr`` int64 ``[m + 1]``, ``columns`` int64 and ``values`` float64
    ``[listed]``. `InvalidMarketError` if the rows are cut wrongly, or a row names somebody twice, itself, or nobody.
    """

    indptr: Ints
    columns: Ints
    values: Floats
    rest: float = 0.0

    def __post_init__(self) -> None:
        for name, kind in (("indptr", np.int64), ("columns", np.int64), ("values", np.float64)):
            object.__setattr__(self, name, np.ascontiguousarray(getattr(self, name), dtype=kind))
        ends, columns = self.indptr, self.columns
        if not (ends.ndim == 1 and len(ends) > 1 and ends[0] == 0 and (np.diff(ends) >= 0).all()):
            raise InvalidMarketError("the rows of a sparse matrix must begin at 0 and follow each other")
        if columns.shape != (int(ends[-1]),) or self.values.shape != columns.shape:
            raise InvalidMarketError(
                f"a sparse matrix whose rows end at {ends[-1]} needs as many columns and values; got "
                f"{len(columns)} and {len(self.values)}"
            )
        row = np.repeat(np.arange(self.clients), np.diff(ends))
        bad = (columns < 0) | (columns >= self.clients) | (columns == row)
        bad[1:] |= (row[1:] == row[:-1]) & (columns[1:] <= columns[:-1])
        if bad.any():
            where = int(np.argmax(bad))
            raise InvalidMarketError(
                f"row {row[where]} of a sparse matrix lists column {columns[where]}; expected other clients from 0 to "
                f"{self.clients - 1}, rising, each once"
            )

    @classmethod
    def of_pairs(
        cls, clients: int, importer: ArrayLike, exporter: ArrayLike, values: ArrayLike, rest: float = 0.0
    ) -> SparseMatrix:
        """Return the matrix of listed pairs in any order; `InvalidMarketError` if a pair is listed twice or is none."""
        i, j = np.asarray(importer, dtype=np.int64), np.asarray(exporter, dtype=np.int64)
        v = np.asarray(values, dtype=np.float64)
        if not (i.ndim == 1 and i.shape == j.shape == v.shape):
            raise InvalidMarketError("pairs need one importer, one exporter and one value each")
        if i.size and not (i.min() >= 0 and i.max() < clients):
            raise InvalidMarketError(f"importers of pairs must be numbers from 0 to {clients - 1}")
        order = np.lexsort((j, i))
        indptr = np.zeros(clients + 1, dtype=np.int64)
        np.cumsum(np.bincount(i, minlength=clients), out=indptr[1:])
        return cls(indptr, j[order], v[order], rest)

    @property
    def clients(self) -> int:
        """Number of clients m."""
        return len(self.indptr) - 1

    def row_sums(self) -> Floats:
        """Return the sum of the values listed in each row ``[m]``."""
        row = np.repeat(np.arange(self.clients), np.diff(self.indptr))
        return np.asarray(np.bincount(row, self.values, self.clients), dtype=np.float64)

    def rows(self, first: int, stop: int) -> Floats:
        """Return rows first..stop-1 in full, ``[stop - first, m]``."""
        start, end = self.indptr[first], self.indptr[stop]
        row = np.repeat(np.arange(stop - first), np.diff(self.indptr[first : stop + 1]))
        full = np.full((stop - first, self.clients), self.rest)
        full[np.arange(stop - first), np.arange(first, stop)] = 0.0
        full[row, self.columns[start:end]] = self.values[start:end]
        return full


@dataclass(frozen=True, eq=False)
class LargeMarket:
    """`mechanism.market.clients.Market` without matrices: what is public of a market of many clients.

    ``lam`` >= 0, money per unit of difference, and ``law`` as there. Differences are given in one of two ways, else 0:

    - ``vectors`` ``[m, k]``, one for each client, none zero: d_ij = 1 - cos of i's and j's. They are kept at length 1,
      float64, and d_ij is worked out where an importer needs it.
    - ``pairs``: listed d_ij in [0, 2]; for pairs not listed it is ``pairs.rest``, say 1, what unrelated models have.

    ``effective``: listed e_ij, samples (see `Market`); whom an importer does not list brings nothing. ``rest`` is 0.
    `InvalidMarketError` says what is wrong.
    """

    lam: float = 0.0
    law: GainLaw = field(default_factory=SqrtGain)
    vectors: Floats | None = None
    pairs: SparseMatrix | None = None
    effective: SparseMatrix | None = None

    def __post_init__(self) -> None:
        if not (np.isfinite(self.lam) and 0.0 <= self.lam <= LARGEST):
            raise InvalidMarketError(f"lam is {self.lam}; expected a finite number >= 0")
        if self.vectors is not None and self.pairs is not None:
            raise InvalidMarketError("differences come from vectors or from pairs; got both")
        if self.vectors is not None:
            object.__setattr__(self, "vectors", _unit(self.vectors))
        if self.pairs is not None:
            values = np.append(self.pairs.values, self.pairs.rest)
            bad = ~((values >= -DIFFERENCE_SLACK) & (values <= 2.0 + DIFFERENCE_SLACK))
            if bad.any():
                raise InvalidMarketError(f"a difference of pairs is {values[bad][0]}; expected a number in [0, 2]")
            values = values.clip(0.0, 2.0)
            kept = SparseMatrix(self.pairs.indptr, self.pairs.columns, values[:-1], float(values[-1]))
            object.__setattr__(self, "pairs", kept)
        if self.effective is not None:
            e = self.effective
            bad = ~((e.values >= 0.0) & (e.values <= LARGEST))
            if bad.any() or e.rest != 0.0:
                told = e.values[bad][0] if bad.any() else f"{e.rest} where it is not listed"
                raise InvalidMarketError(f"an effective size is {told}; expected samples from 0 to {LARGEST:.0e}")
            values = np.where(e.values < SMALLEST_SIZE, 0.0, e.values)
            object.__setattr__(self, "effective", SparseMatrix(e.indptr, e.columns, values))
        if len(self.told) > 1:
            raise InvalidMarketError(f"what is public is for different numbers of clients: {sorted(self.told)}")

    @property
    def weighs(self) -> bool:
        """Whether differences count: some are given, with a weight."""
        return self.lam > 0.0 and not (self.vectors is None and self.pairs is None)

    @property
    def told(self) -> set[int]:
        """Numbers of clients that vectors, pairs and effective sizes are for: one, or none where all are absent."""
        rows = {len(self.vectors)} if self.vectors is not None else set()
        return rows | {matrix.clients for matrix in (self.pairs, self.effective) if matrix is not None}

    def dense(self, clients: int) -> Market:
        """Return the same market with matrices ``[m, m]``, for some thousands of clients at most."""
        d = None if self.pairs is None else self.pairs.rows(0, clients)
        if self.vectors is not None:
            d = (1.0 - self.vectors @ self.vectors.T).clip(0.0, 2.0)
            np.fill_diagonal(d, 0.0)
        return Market(d, self.lam, self.law, None if self.effective is None else self.effective.rows(0, clients))


def _unit(vectors: ArrayLike) -> Floats:
    """Return vectors ``[m, k]`` at length 1."""
    told = np.array(vectors, dtype=np.float64)
    if told.ndim != 2 or not told.size:
        raise InvalidMarketError(f"vectors have shape {list(told.shape)}; expected [clients, numbers of each]")
    largest = np.abs(told).max(axis=1)
    bad = ~((largest > 0.0) & (largest < np.inf))
    if bad.any():
        where = int(np.argmax(bad))
        raise InvalidMarketError(f"the vector of client {where} is zero or not finite; its direction is its difference")
    told /= largest[:, None]  # before squaring, which would overflow
    told /= np.sqrt(np.einsum("ij,ij->i", told, told))[:, None]
    told.setflags(write=False)
    return told
