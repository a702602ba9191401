"""Where to look: profiles and reports at random, at ties, corners, round numbers, and near the truth."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from mechanism.direct import Floats, Space

Rng = np.random.Generator


def _whole(space: Space, values: Floats) -> Floats:
    return np.where(space.integer, np.rint(values), values) if space.integer.any() else values


def _evenly(space: Space, share: Floats, low: Floats, high: Floats) -> Floats:
    """Return numbers uniform on [low, high] where ``share`` is on [0, 1); each whole number is equally likely."""
    if not space.integer.any():
        share *= high - low
        share += low
        return share
    drawn = low + share * (high - low + space.integer)
    return np.where(space.integer, np.minimum(np.floor(drawn), high), drawn)  # rounding may reach high + 1


def uniform(space: Space, rng: Rng, count: int) -> Floats:
    """Draw profiles ``[count, n, k]`` uniformly from the bounds, whole numbers from low to high equally likely."""
    return _evenly(space, rng.random((count, space.agents, space.k)), space.low, space.high)


def corners(space: Space, rng: Rng, count: int) -> Floats:
    """Every number near a bound with probability two thirds: distance log-uniform down to 1e-4 of the range, or 0.

    All public numbers of an eighth of the profiles stand at their lowest: no penalties, nothing in common.
    """
    values = uniform(space, rng, count)
    shape = values.shape
    near = np.where(rng.random(shape) < 0.25, 0.0, 10.0 ** rng.uniform(-4, 0, shape)) * (space.high - space.low)
    which = rng.integers(0, 6, shape)
    values = np.where(which < 2, space.low + near, np.where(which < 4, space.high - near, values))
    if (public := ~space.private.any(axis=0)).any():
        values = np.where(public & (rng.random((count, 1, 1)) < 1 / 8), space.low, values)
    return _whole(space, values)


def lattice(space: Space, rng: Rng, count: int) -> Floats:
    """Round numbers: each profile on a grid of 1 to 12 steps between the bounds, many exact ties among them."""
    steps = rng.integers(1, 13, (count, 1, 1))
    values = (
        space.low
        + (space.high - space.low) * (rng.integers(0, 1 << 30, (count, space.agents, space.k)) % (steps + 1)) / steps
    )
    return _whole(space, np.minimum(values, space.high))  # low + (high - low) may round to above high


def ties(space: Space, rng: Rng, count: int) -> Floats:
    """Some agents copy another's number, exactly or to within a log-uniform 1e-7 … 1e-1 of the range."""
    values = uniform(space, rng, count)
    shape = (count, space.agents)
    source = rng.integers(0, space.agents, shape)
    copied = np.take_along_axis(values, np.broadcast_to(source[..., None], values.shape), axis=1)
    width = (space.high - space.low) * (
        np.where(rng.random(shape) < 0.4, 0.0, 10.0 ** rng.uniform(-7, -1, shape)) * rng.choice((-1.0, 1.0), shape)
    )[..., None]
    copy = (rng.random(shape) < 0.6)[..., None] & space.private  # public data are no one's to copy
    values = np.where(copy, np.clip(copied + width, space.low, space.high), values)
    return _whole(space, values)


def boxes(space: Space, rng: Rng, count: int) -> Floats:
    """All numbers of a profile from one random sub-box, side log-uniform 1e-3 … 1 of the range: rare regions."""
    side = 10.0 ** rng.uniform(-3, 0, (count, 1, 1))
    start = rng.random((count, space.agents, space.k)) if rng.random() < 0.5 else rng.random((count, 1, 1))
    values = np.clip(start * (1 - side) + side * rng.random((count, space.agents, space.k)), 0, 1)
    return _whole(space, space.low + (space.high - space.low) * values)


_WIDE = 1e4


def wide(space: Space) -> bool:
    """Tell whether a private number ranges so far (above 1e4) that small amounts need draws of their own."""
    return bool(((space.high - space.low)[space.private] > _WIDE).any())


def _nearest_to_zero(space: Space) -> Floats:
    return np.clip(0.0, space.low, space.high)


def scales(space: Space, rng: Rng, count: int) -> Floats:
    """Amounts of all sizes: uniform, drawn towards the number nearest to zero by a log-uniform factor, down to 1e-2.

    Two thirds of the profiles have one factor for all of their numbers, the others one for each: mixed scales.
    """
    values = uniform(space, rng, count)
    decades = np.log10(np.maximum(space.high - space.low, 1.0)) + 2.0
    power = np.where(rng.random((count, 1, 1)) < 1 / 3, rng.random(values.shape), rng.random((count, 1, 1)))
    zero = _nearest_to_zero(space)
    return np.clip(_whole(space, zero + (values - zero) * 10.0 ** (-decades * power)), space.low, space.high)


def around(space: Space, profiles: Floats) -> tuple[Floats, Floats]:
    """Return low and high ``[P, n, k]`` of the numbers that are of a profile's own size.

    The bounds; in a wide space twice the farthest from the number nearest to zero that any agent of the profile is.
    """
    if not wide(space):
        return np.broadcast_to(space.low, profiles.shape), np.broadcast_to(space.high, profiles.shape)
    zero = _nearest_to_zero(space)
    reach = np.maximum(1.0, 2.0 * np.abs(profiles - zero).max(axis=1, keepdims=True))
    return np.maximum(space.low, zero - reach), np.minimum(space.high, zero + reach)


PROFILES: dict[str, Callable[[Space, Rng, int], Floats]] = {
    "uniform": uniform,
    "corners": corners,
    "ties": ties,
    "lattice": lattice,
    "boxes": boxes,
    "scales": scales,
}
"""Ways to draw profiles, by name; only `uniform` carries a statistical statement."""


def reports(
    space: Space, rng: Rng, profiles: Floats, agent: NDArray[np.intp], count: int, movable: NDArray[np.bool_], way: str
) -> Floats:
    """Draw ``count`` reports of one agent per profile, ``[P, count, k]``.

    ``agent`` ``[P]``; ``movable`` bool ``[k]``: the coordinates to misreport (public ones never are). ``way``:
    "uniform"; "others" (at or beside what others report, their midpoints); "near" (log-uniform distance 1e-7 … 1 of
    the range from the truth); "ends" (bounds, halves, doubles, a lattice); "scan" and "breaks" (a regular grid; the
    second is refined to jumps by `lines.draw_lines`). In a wide space every other batch takes the range of the
    profile's own size (`around`).
    """
    rows = np.arange(len(profiles))
    own = profiles[rows, agent][:, None, :]
    low, high = space.low[agent][:, None, :], space.high[agent][:, None, :]
    if wide(space) and rng.random() < 0.5:
        low, high = (end[rows, agent][:, None, :] for end in around(space, profiles))
    span = high - low
    shape = (len(profiles), count, space.k)
    if way == "uniform":
        drawn = _evenly(space, rng.random(shape), low, high)
    elif way == "others":
        other = rng.integers(0, space.agents, shape[:2])
        level = profiles[rows[:, None], other]
        second = profiles[rows[:, None], rng.integers(0, space.agents, shape[:2])]
        level = np.where(rng.random(shape[:2])[..., None] < 0.25, 0.5 * (level + second), level)
        offset = np.where(rng.random(shape) < 0.35, 0.0, 10.0 ** rng.uniform(-7, -0.5, shape))
        drawn = level + span * offset * rng.choice((-1.0, 1.0), shape)
    elif way == "near":
        drawn = own + span * 10.0 ** rng.uniform(-7, 0, shape) * rng.choice((-1.0, 1.0), shape)
    elif way == "ends":
        pick = rng.integers(0, 6, shape)
        steps = rng.integers(1, 13, shape)
        grid = low + span * (rng.integers(0, 1 << 30, shape) % (steps + 1)) / steps
        drawn = np.choose(pick, [low + 0 * grid, high + 0 * grid, 0.5 * own + 0 * grid, 2 * own + 0 * grid, grid, grid])
    else:
        drawn = low + span * ((np.arange(count) + rng.random()) / count)[None, :, None]
    drawn = np.clip(drawn, low, high)
    allowed = movable & space.private[agent][:, None, :]
    if space.k > 1:  # move some of the allowed coordinates, at least one
        some = rng.random(shape) < 0.6
        allowed = allowed & (some | (movable.sum() == 1))
    return _whole(space, np.where(allowed, drawn, own))


REPORTS = ("uniform", "others", "near", "ends", "scan")
"""Ways to draw reports."""
