"""Random markets to search: each kind a distribution with a name, so that a share found can be told with it.

`paper`, `paper_shared` and `wide` follow the instances on which the authors' code was recorded: symmetric differences
1 - cos of random directions, the paper's K and C, or K, n and c over orders of magnitude. The others are built to
hurt: round numbers, equal sizes, exact ties, prices proportional to size, zeros.
"""

from collections.abc import Callable

import numpy as np

from mechanism import Market, Types, UnknownNameError
from mechanism.space import Floats

Drawn = tuple[Floats, Floats, Floats, Floats, Floats]
"""size, cost, gain ``[B, m]``, differences ``[B, m, m]``, lam ``[B]``."""

_DIRECTIONS = 6  # 1 - cos in six dimensions spreads about 1 as the recorded differences do (0.41)


def random_markets(kind: str, rng: np.random.Generator, count: int, clients: int) -> tuple[Types, Market]:
    """Draw ``count`` independent markets of ``clients`` m of a kind of `KINDS`; `UnknownNameError` if it is unknown.

    λ differs from market to market but is one number in `Market`: the largest is stored and each market's differences
    are scaled by its own share of it, which leaves every penalty λ d n_j/n_i as drawn. Types are ``[count, m]``,
    differences ``[count, m, m]``. All randomness comes from ``rng``.
    """
    if kind not in KINDS:
        raise UnknownNameError(f"unknown kind of random market {kind!r}; known: {', '.join(KINDS)}")
    size, cost, gain, differences, lam = KINDS[kind](rng, count, clients)
    most = float(lam.max(initial=0.0))
    share = lam / most if most > 0.0 else np.zeros_like(lam)
    return Types(size, cost, gain), Market(differences * share[:, None, None], most)


def cosines(rng: np.random.Generator, count: int, m: int, decimals: int | None = None) -> Floats:
    """Return 1 - cos of independent random directions ``[count, m, m]``: symmetric, in [0, 2], zero diagonal."""
    v = rng.normal(size=(count, m, _DIRECTIONS))
    v /= np.linalg.norm(v, axis=-1, keepdims=True)
    d = np.clip(1.0 - v @ np.swapaxes(v, -1, -2), 0.0, 2.0)
    d[:, np.arange(m), np.arange(m)] = 0.0
    return d if decimals is None else np.round(d, decimals)


def _log_uniform(rng: np.random.Generator, low: float, high: float, shape: tuple[int, int]) -> Floats:
    return np.asarray(np.exp(rng.uniform(np.log(low), np.log(high), shape)), dtype=np.float64)


def _lam(rng: np.random.Generator, count: int, choices: tuple[float, ...]) -> Floats:
    return rng.choice(np.array(choices), count)


def _paper(rng: np.random.Generator, count: int, m: int) -> Drawn:
    size: Floats = rng.integers(500, 10_001, (count, m)).astype(np.float64)
    shape = np.ones((count, m))
    return size, shape, 5e5 * shape, cosines(rng, count, m), _lam(rng, count, (0.001, 1.0, 2.0))


def _paper_shared(rng: np.random.Generator, count: int, m: int) -> Drawn:
    size = np.repeat(rng.integers(500, 10_001, (count, 1)), m, axis=1).astype(np.float64)
    shape = np.ones((count, m))
    return size, shape, 5e5 * shape, cosines(rng, count, m), _lam(rng, count, (0.001, 1.0, 2.0))


def _wide(rng: np.random.Generator, count: int, m: int) -> Drawn:
    shape = (count, m)
    gain = np.round(_log_uniform(rng, 4e4, 5e7, shape)) * (rng.random(shape) > 0.11)
    size, cost = np.round(_log_uniform(rng, 50, 20_000, shape)), np.round(rng.uniform(0.05, 3.0, shape), 3)
    return size, cost, gain, cosines(rng, count, m), _lam(rng, count, (0.001, 0.1, 1.0, 5.0))


def _small(rng: np.random.Generator, count: int, m: int) -> Drawn:
    shape = (count, m)
    raw = _log_uniform(rng, 100.0, 1e6, shape)
    unit = 10.0 ** (np.floor(np.log10(raw)) - 1)
    size: Floats = rng.integers(1, 21, shape).astype(np.float64) * 50.0
    cost: Floats = rng.integers(0, 31, shape).astype(np.float64) / 10.0
    gain = np.asarray(np.round(raw / unit) * unit, dtype=np.float64)
    return size, cost, gain, cosines(rng, count, m, 1), _lam(rng, count, (0.0, 0.1, 1.0))


def _equal_sizes(rng: np.random.Generator, count: int, m: int) -> Drawn:
    size, cost, gain, d, lam = _small(rng, count, m)
    return np.repeat(size[:, :1], m, axis=1), cost, gain, d, lam


def _ties(rng: np.random.Generator, count: int, m: int) -> Drawn:
    """Equal sizes and costs, no penalties: every order of sellers is a tie."""
    size, cost, gain, d, lam = _equal_sizes(rng, count, m)
    return size, np.repeat(cost[:, :1], m, axis=1), gain, d, 0.0 * lam


def _proportional(rng: np.random.Generator, count: int, m: int) -> Drawn:
    """Costs proportional to sizes, no penalties: all sellers are equally good per sample (a subset-sum problem)."""
    size, _, gain, d, lam = _small(rng, count, m)
    return size, size * (rng.integers(1, 21, (count, 1)) / 10_000.0), gain, d, 0.0 * lam


def _zeros(rng: np.random.Generator, count: int, m: int) -> Drawn:
    """Some clients want nothing, some cost nothing, some pairs do not differ."""
    size, cost, gain, d, lam = _small(rng, count, m)
    keep = rng.random((3, count, m))
    apart = rng.random((count, m, m)) > 0.3
    return size, cost * (keep[0] > 0.4), gain * (keep[1] > 0.4), d * apart, lam


KINDS: dict[str, Callable[[np.random.Generator, int, int], Drawn]] = {
    "paper": _paper,
    "paper_shared": _paper_shared,
    "wide": _wide,
    "small": _small,
    "equal-sizes": _equal_sizes,
    "ties": _ties,
    "proportional": _proportional,
    "zeros": _zeros,
}
"""Distributions of markets by name."""
