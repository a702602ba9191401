"""Finite grids of types: what an exhaustive check goes through."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mechanism.direct import Space
from mechanism.errors import MarketProofError
from mechanism.space import Floats

MOST_PROFILES = 1 << 22
"""Profiles of the largest grid that is gone through."""


class GridError(MarketProofError, ValueError):
    """A grid that does not fit the mechanism, is too large, or a property that cannot be exhausted on it."""


@dataclass(frozen=True, eq=False)
class Grid:
    """Finitely many types per agent: ``types[i]`` is float64 ``[T_i, k]``, rows distinct.

    ``chances`` ``[profiles]``: the prior, which may be correlated, in the order of `rows`; None: all equally likely.
    """

    types: tuple[Floats, ...]
    chances: Floats | None = None
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
        if self.chances is not None:
            chances = np.array(self.chances, dtype=np.float64)
            if chances.shape != (self.profiles,) or not (chances >= 0.0).all() or abs(chances.sum() - 1.0) > 1e-9:
                raise GridError(
                    f"the chances are not {self.profiles} numbers >= 0, one for each profile, that sum to 1"
                )
            chances.setflags(write=False)
            object.__setattr__(self, "chances", chances)

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
        return self.at(np.arange(start, stop))

    def at(self, places: NDArray[np.intp]) -> Floats:
        """Return the profiles at these places of that order ``[places, agents, k]``."""
        which = np.unravel_index(places, self.counts)
        return np.stack([rows[at] for rows, at in zip(self.types, which, strict=True)], axis=1)

    def groups(self, i: int, movable: NDArray[np.bool_]) -> NDArray[np.intp]:
        """Return a label for each type of agent i: equal where only ``movable`` numbers (bool ``[k]``) differ."""
        if movable.all():
            return np.zeros(self.counts[i], dtype=np.intp)
        return np.asarray(np.unique(self.types[i][:, ~movable], axis=0, return_inverse=True)[1].ravel(), dtype=np.intp)

    def check(self, space: Space) -> None:
        """Refuse a grid of types that are not a mechanism's.

        `GridError` if it has other agents or numbers, a type outside the bounds, or a fraction where whole numbers are
        taken.
        """
        if len(self.counts) != space.agents or self.types[0].shape[1] != space.k:
            raise GridError(
                f"the grid is for {len(self.counts)} agents; expected {space.agents} with {space.k} numbers"
            )
        for i, rows in enumerate(self.types):
            if ((rows < space.low[i]) | (rows > space.high[i])).any():
                raise GridError(f"a type of agent {i} lies outside the mechanism's bounds")
            if space.integer.any() and (rows != np.rint(rows))[:, space.integer].any():
                raise GridError(f"a type of agent {i} has a fraction where the mechanism takes whole numbers")

    def words(self) -> str:
        """Say how large the grid is, per agent."""
        given = "" if self.chances is None else " with the chances given"
        return f"grid of {' x '.join(map(str, self.counts))} types, {self.profiles} profiles{given}"


def even_grid(space: Space, points: int, names: Sequence[str] | None = None, at: ArrayLike = 0.5) -> Grid:
    """Return a grid of ``points`` evenly spaced numbers from low to high in the private coordinates ``names``.

    Where whole numbers are taken it is all of these. Other coordinates stand at the share ``at`` of their interval.
    2^k + 1 points on dyadic bounds are exact in floats.
    """
    if points < 1:
        raise GridError(f"points is {points}; expected at least 1")
    if names is not None:
        for name in names:
            space.index(name)
    chosen = space.private if names is None else space.private & np.isin(space.names, names)
    return grid_over(space, chosen, points, at)


def grid_over(space: Space, moving: NDArray[np.bool_], points: int, at: ArrayLike = 0.5) -> Grid:
    """Return the grid in which ``moving`` (bool ``[agents, k]``) go from low to high, as `even_grid` says."""
    fixed = space.low + np.asarray(at) * (space.high - space.low)
    return _between(space, moving, points, np.where(space.integer, np.rint(fixed), fixed))


def sizes(space: Space, moving: NDArray[np.bool_], points: int) -> list[int]:
    """Return how many types each agent has in `grid_over`, without making it."""
    each = np.where(space.integer, space.high - space.low + 1.0, float(points))
    return [math.prod(int(c) for c in row) for row in np.where(moving & (space.low < space.high), each, 1.0)]


def whole_grid(space: Space, fixed: ArrayLike, most: int) -> Grid | None:
    """Return all types of a space of whole numbers; None if some are not whole, or there are more than ``most``.

    ``fixed`` ``[agents, k]``: numbers that stand, not a number for those that go from low to high.
    """
    fixed = np.broadcast_to(np.asarray(fixed, dtype=np.float64), space.low.shape)
    moving = np.isnan(fixed)
    if (moving & ~space.integer & (space.low < space.high)).any() or math.prod(sizes(space, moving, 1)) > most:
        return None
    return _between(space, moving, 1, np.where(moving, space.low, fixed))


def _between(space: Space, moving: NDArray[np.bool_], points: int, fixed: Floats) -> Grid:
    shares = np.linspace(0.0, 1.0, points) if points > 1 else np.array([0.5])
    types = []
    for i in range(space.agents):
        axes = []
        for c, (low, high) in enumerate(zip(space.low[i], space.high[i], strict=True)):
            if not moving[i, c]:
                axes.append(fixed[i, [c]])
            else:
                axes.append(np.arange(low, high + 0.5) if space.integer[c] else np.unique(low + shares * (high - low)))
        types.append(np.stack([a.ravel() for a in np.meshgrid(*axes, indexing="ij")], axis=1))
    return Grid(tuple(types))
