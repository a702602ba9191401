"""Finite grids of types: what an exhaustive check goes through."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mechanism.direct import Space
from mechanism.errors import MarketProofError

Floats = NDArray[np.float64]

MOST_PROFILES = 1 << 22
"""Profiles of the largest grid that is gone through."""


class GridError(MarketProofError, ValueError):
    """A grid that does not fit the mechanism, is too large, or a property that cannot be exhausted on it."""


@dataclass(frozen=True, eq=False)
class Grid:
    """Finitely many types per agent: ``types[i]`` is float64 ``[T_i, k]``, rows distinct."""

    types: tuple[Floats, ...]
    counts: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        arrays = []
        for i, rows in enumerate(self.types):
            array = np.array(rows, dtype=np.float64)
            array = array[:, None] if array.ndim == 1 else array
            if array.ndim != 2 or not array.size or not np.isfinite(array).all():
                raise GridError(f"types of agent {i} are no finite rows [types, k]; give at least one")
            if len(np.unique(array, axis=0)) < len(array):
                raise GridError(f"agent {i} has a type twice; give each once")
            array.setflags(write=False)
            arrays.append(array)
        if not arrays or len({a.shape[1] for a in arrays}) > 1:
            raise GridError("a grid needs at least one agent, and types of one length")
        object.__setattr__(self, "types", tuple(arrays))
        object.__setattr__(self, "counts", tuple(len(a) for a in arrays))
        if math.prod(self.counts) > MOST_PROFILES:
            raise GridError(f"the grid has {math.prod(self.counts)} profiles; at most {MOST_PROFILES} are exhausted")

    @property
    def profiles(self) -> int:
        """Number of profiles."""
        return math.prod(self.counts)

    @property
    def deviations(self) -> int:
        """Number of (profile, agent, other report)."""
        return self.profiles * sum(count - 1 for count in self.counts)

    def rows(self, start: int, stop: int) -> Floats:
        """Return profiles ``[stop - start, agents, k]``, the last agent's type moving fastest."""
        which = np.unravel_index(np.arange(start, stop), self.counts)
        return np.stack([rows[at] for rows, at in zip(self.types, which, strict=True)], axis=1)

    def words(self) -> str:
        """Say how large the grid is, per agent."""
        return f"grid of {' x '.join(map(str, self.counts))} types, {self.profiles} profiles"


def even_grid(space: Space, points: int, names: Sequence[str] | None = None, at: ArrayLike = 0.5) -> Grid:
    """Return a grid of ``points`` evenly spaced numbers from low to high in the private coordinates ``names``.

    Other coordinates stand at the share ``at`` of their interval. 2^k + 1 points on dyadic bounds are exact in floats.
    """
    if points < 1:
        raise GridError(f"points is {points}; expected at least 1")
    chosen = {space.index(name) for name in names} if names is not None else set(range(space.k))
    shares = np.linspace(0.0, 1.0, points) if points > 1 else np.array([0.5])
    types = []
    for low, high, private in zip(space.low, space.high, space.private, strict=True):
        fixed = low + np.asarray(at) * (high - low)
        axes = [
            np.unique(lo + shares * (hi - lo)) if c in chosen and private[c] else np.array([fixed[c]])
            for c, (lo, hi) in enumerate(zip(low, high, strict=True))
        ]
        types.append(_product(axes))
    return Grid(tuple(types))


def whole_grid(space: Space, fixed: ArrayLike, most: int) -> Grid | None:
    """Return all types of a space of whole numbers; None if some are not whole, or there are more than ``most``.

    ``fixed`` ``[agents, k]``: numbers that stand, not a number for those that go from low to high.
    """
    fixed = np.asarray(fixed, dtype=np.float64)
    moving = np.isnan(fixed) & (space.low < space.high)
    if (moving & ~space.integer).any() or math.prod((space.high - space.low + 1.0)[moving].tolist()) > most:
        return None
    at = np.where(np.isnan(fixed), space.low, fixed)
    ends = np.where(moving, space.high, at)
    return Grid(
        tuple(_product([np.arange(a, b + 0.5) for a, b in np.stack(rows, -1)]) for rows in zip(at, ends, strict=True))
    )


def _product(axes: Sequence[Floats]) -> Floats:
    return np.stack([a.ravel() for a in np.meshgrid(*axes, indexing="ij")], axis=1)
