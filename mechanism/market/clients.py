"""Who takes part: true types, reports, and what is public. Truth and report are two classes and are never mixed."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mechanism.errors import InvalidMarketError
from mechanism.market.gains import GainLaw, SqrtGain

LARGEST: float = 1e15
"""Largest size, cost or gain parameter accepted: above it float64 cannot hold a market's money to a thousandth."""

SMALLEST_SIZE: float = 1e-9
"""Smallest size accepted, in samples: below it a market's ratios of sizes leave what float64 holds."""

DIFFERENCE_SLACK: float = 1e-9
"""How far outside [0, 2] a difference may be, and from 0 on the diagonal: rounding, which is clipped."""


def _checked(name: str, values: ArrayLike, *, positive: bool) -> NDArray[np.float64]:
    array = np.array(values, dtype=np.float64)
    if array.ndim == 0:
        raise InvalidMarketError(f"{name} is a single number; expected one number per client, shape [..., m]")
    low_ok = array >= SMALLEST_SIZE if positive else array >= 0
    bad = ~(low_ok & (array <= LARGEST))  # NaN fails both
    if bad.any():
        where = tuple(int(k) for k in np.argwhere(bad)[0])
        expected = f"{f'> 0 (at least {SMALLEST_SIZE:.0e})' if positive else '>= 0'} and at most {LARGEST:.0e}"
        raise InvalidMarketError(f"{name}{list(where)} is {array[where]}; expected a finite number {expected}")
    array.setflags(write=False)
    return array


def _indices(clients: ArrayLike, m: int) -> NDArray[np.intp]:
    """Return the indices of some of m clients, given as such or as flags."""
    chosen = np.asarray(clients)
    if chosen.dtype == np.bool_:
        if chosen.shape != (m,):
            raise InvalidMarketError(f"flags have shape {list(chosen.shape)}; expected one for each of {m} clients")
        return np.flatnonzero(chosen)
    if chosen.ndim != 1 or (chosen.size and not np.issubdtype(chosen.dtype, np.integer)):
        raise InvalidMarketError(f"clients are chosen by a row of indices or flags; got {chosen.dtype} {chosen.shape}")
    if len(np.unique(chosen)) < chosen.size or not ((chosen >= 0) & (chosen < m)).all():
        raise InvalidMarketError(f"indices of clients must be different numbers from 0 to {m - 1}")
    return chosen.astype(np.intp)


@dataclass(frozen=True, eq=False)
class _Clients:
    """Size, cost and gain of m clients, each float64 ``[..., m]`` with the same leading batch axes.

    ``size``: samples, > 0. ``cost``: money per exported model, >= 0. ``gain``: the parameter K of the gain law, >= 0
    (0: wants no model). Broadcast against each other; stored read-only.
    """

    size: NDArray[np.float64]
    cost: NDArray[np.float64]
    gain: NDArray[np.float64]

    def __post_init__(self) -> None:
        arrays = {
            "size": _checked("size", self.size, positive=True),
            "cost": _checked("cost", self.cost, positive=False),
            "gain": _checked("gain", self.gain, positive=False),
        }
        try:
            shape = np.broadcast_shapes(*(a.shape for a in arrays.values()))
        except ValueError:
            shapes = ", ".join(f"{k} {list(a.shape)}" for k, a in arrays.items())
            raise InvalidMarketError(f"sizes, costs and gains must have one shape [..., m]; got {shapes}") from None
        if len({a.shape[-1] for a in arrays.values()}) != 1:
            raise InvalidMarketError("sizes, costs and gains must name the same number of clients on the last axis")
        for name, array in arrays.items():
            object.__setattr__(self, name, np.broadcast_to(array, shape))

    @property
    def clients(self) -> int:
        """Number of clients m."""
        return int(self.size.shape[-1])

    @property
    def batch(self) -> tuple[int, ...]:
        """Leading batch axes."""
        return self.size.shape[:-1]

    def take(self, clients: ArrayLike) -> Self:
        """Return some of the clients ``[..., k]``: by k indices, in their order, or by one flag for each of the m.

        `InvalidMarketError` if an index names nobody or somebody twice, or the flags are not m.
        """
        which = _indices(clients, self.clients)
        return type(self)(self.size[..., which], self.cost[..., which], self.gain[..., which])

    def flat(self, batch: tuple[int, ...]) -> Self:
        """Return the clients of every clearing of a batch with these axes, as one row of clearings ``[F, m]``."""
        shape = (*batch, self.clients)
        return type(self)(
            *(np.broadcast_to(a, shape).reshape(-1, shape[-1]) for a in (self.size, self.cost, self.gain))
        )

    def at(self, index: Any) -> Self:
        """Return the clients of some clearings, by an index of the batch axes."""
        return type(self)(self.size[index], self.cost[index], self.gain[index])


@dataclass(frozen=True, eq=False)
class Reports(_Clients):
    """What clients say: the only thing about them that a mechanism sees."""

    def replace(
        self, *, size: ArrayLike | None = None, cost: ArrayLike | None = None, gain: ArrayLike | None = None
    ) -> Self:
        """Return these reports with some coordinates replaced (whole arrays; new leading axes broadcast)."""
        return type(self)(
            np.asarray(self.size if size is None else size),
            np.asarray(self.cost if cost is None else cost),
            np.asarray(self.gain if gain is None else gain),
        )


@dataclass(frozen=True, eq=False)
class Types(_Clients):
    """What is true of clients: gains, costs and utilities are computed from it, never from reports."""

    def truthful(self) -> Reports:
        """Return the reports of clients that all tell the truth."""
        return Reports(self.size, self.cost, self.gain)

    def report(
        self, *, size: ArrayLike | None = None, cost: ArrayLike | None = None, gain: ArrayLike | None = None
    ) -> Reports:
        """Return truthful reports except for the coordinates given."""
        return self.truthful().replace(size=size, cost=cost, gain=gain)


@dataclass(frozen=True, eq=False)
class Market:
    """What is public: model differences, the weight of their penalty, the gain law, and what models bring.

    ``differences`` float64 ``[..., m, m]``, row i = importer, column j = exporter, entries in [0, 2], diagonal 0
    (rounding errors up to 1e-9 are clipped); None means all zero. ``lam`` >= 0, money per unit of difference.

    ``effective`` float64 ``[..., m, m]``, samples >= 0: e_ij, what j's model is worth to i in samples of i's own,
    measured and reported by nobody (docs/effective.md). It takes the place of n_j for importer i wherever n_j stands:
    in total data, gains, penalties, thresholds and prices. The diagonal is not read and stored as 0; less than
    `SMALLEST_SIZE` counts as 0. Who brings 0 adds nothing, and no rule that chooses takes it, not for nothing either.
    None: n_j as reported, for every importer.
    """

    differences: NDArray[np.float64] | None = None
    lam: float = 0.0
    law: GainLaw = field(default_factory=SqrtGain)
    effective: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        if not (np.isfinite(self.lam) and 0.0 <= self.lam <= LARGEST):
            raise InvalidMarketError(f"lam is {self.lam}; expected a finite number >= 0")
        if self.differences is not None:
            d = _square("differences", self.differences)
            bad = ~((d >= -DIFFERENCE_SLACK) & (d <= 2.0 + DIFFERENCE_SLACK))
            diagonal = np.arange(d.shape[-1])
            bad[..., diagonal, diagonal] = ~(np.abs(d[..., diagonal, diagonal]) <= DIFFERENCE_SLACK)
            _complain("differences", d, bad, "entries in [0, 2] and 0 on the diagonal")
            np.clip(d, 0.0, 2.0, out=d)
            self._keep("differences", d)
        if self.effective is not None:
            e = _square("effective", self.effective)
            e[..., np.arange(e.shape[-1]), np.arange(e.shape[-1])] = 0.0
            _complain("effective", e, ~((e >= 0.0) & (e <= LARGEST)), f"samples from 0 to {LARGEST:.0e}")
            e[e < SMALLEST_SIZE] = 0.0
            self._keep("effective", e)
        try:
            shapes = [a.shape for a in (self.differences, self.effective) if a is not None]
            np.broadcast_shapes(*shapes)
        except ValueError:
            raise InvalidMarketError(
                f"differences {list(shapes[0])} and effective sizes {list(shapes[1])} do not fit each other"
            ) from None

    def _keep(self, name: str, matrix: NDArray[np.float64]) -> None:
        matrix[..., np.arange(matrix.shape[-1]), np.arange(matrix.shape[-1])] = 0.0
        matrix.setflags(write=False)
        object.__setattr__(self, name, matrix)

    def _each(self, change: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> Market:
        """Return the market with both matrices changed in the same way."""
        if self.differences is None and self.effective is None:
            return self
        changed = (None if matrix is None else change(matrix) for matrix in (self.differences, self.effective))
        return Market(next(changed), self.lam, self.law, next(changed))

    @property
    def weighs(self) -> bool:
        """Whether differences count: some are given, with a weight."""
        return self.lam > 0.0 and self.differences is not None

    @property
    def batch(self) -> tuple[int, ...]:
        """Leading axes of the differences and the effective sizes."""
        return np.broadcast_shapes(*(a.shape[:-2] for a in (self.differences, self.effective) if a is not None))

    def take(self, clients: ArrayLike) -> Market:
        """Return the market of some of the clients, matrices ``[..., k, k]``; ``clients`` as of `Types.take`.

        Weight and gain law are those of the whole: they are public and hold nothing of any one client.
        `InvalidMarketError` if an index names nobody or somebody twice, or the flags are not m.
        """

        def some(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
            which = _indices(clients, matrix.shape[-1])
            return matrix[..., which[:, None], which]

        return self._each(some)

    def flat(self, batch: tuple[int, ...]) -> Market:
        """Return the market of every clearing of a batch as one row, ``[F, m, m]``; ``[m, m]`` if all share it."""

        def row(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
            shape = matrix.shape[-2:]
            shared = math.prod(matrix.shape[:-2]) == 1
            return matrix.reshape(shape) if shared else np.broadcast_to(matrix, (*batch, *shape)).reshape(-1, *shape)

        return self._each(row)

    def at(self, index: Any) -> Market:
        """Return the market of some clearings, by an index of the batch axes; of all, if all share it."""
        return self._each(lambda matrix: matrix if matrix.ndim == 2 else matrix[index])

    def counted(self, size: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what j's model counts for importer i, in samples: e_ij ``[..., m, m]``, or n_j ``[..., 1, m]``.

        `InvalidMarketError` if the effective sizes are for another number of clients.
        """
        if self.effective is None:
            return size[..., None, :]
        if self.effective.shape[-1] != size.shape[-1]:
            raise InvalidMarketError(
                f"effective sizes are for {self.effective.shape[-1]} clients, the reports for {size.shape[-1]}"
            )
        return self.effective

    def total_data(self, size: NDArray[np.float64], imports: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return the samples behind the models that each holds: n_i + sum_j a_ij n_j, or e_ij for n_j, ``[..., m]``."""
        return np.asarray(size + (imports * self.counted(size)).sum(axis=-1))

    def penalties(self, size: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return pen_ij = lam d_ij n_j / n_i (paper, payment row), or e_ij for n_j, money, ``[..., m, m]``."""
        m = size.shape[-1]
        if self.differences is None or self.lam == 0.0:
            return np.zeros((*size.shape[:-1], m, m))
        if self.differences.shape[-1] != m:
            raise InvalidMarketError(f"differences are for {self.differences.shape[-1]} clients, the reports for {m}")
        return np.asarray(self.lam * self.differences * (self.counted(size) / size[..., :, None]))


def _square(name: str, matrix: ArrayLike) -> NDArray[np.float64]:
    array = np.array(matrix, dtype=np.float64)
    if array.ndim < 2 or array.shape[-1] != array.shape[-2]:
        raise InvalidMarketError(f"{name} have shape {list(array.shape)}; expected square [..., m, m]")
    return array


def _complain(name: str, matrix: NDArray[np.float64], bad: NDArray[np.bool_], expected: str) -> None:
    if bad.any():
        where = tuple(int(k) for k in np.argwhere(bad)[0])
        raise InvalidMarketError(f"{name}{list(where)} is {matrix[where]}; expected {expected}")
