"""Random markets are what their kind says, and the generator decides everything."""

from __future__ import annotations

import numpy as np
import pytest

from mechanism import UnknownNameError
from proofs_checks.search.random_markets import KINDS, random_markets


@pytest.mark.parametrize("kind", KINDS)
def test_same_generator_same_markets_and_right_shapes(kind):
    types, market = random_markets(kind, np.random.default_rng(5), 30, 4)
    again, public = random_markets(kind, np.random.default_rng(5), 30, 4)
    assert types.size.shape == (30, 4)
    assert market.differences.shape == (30, 4, 4)
    for name in ("size", "cost", "gain"):
        np.testing.assert_array_equal(getattr(types, name), getattr(again, name))
    np.testing.assert_array_equal(market.differences, public.differences)
    other, _ = random_markets(kind, np.random.default_rng(6), 30, 4)
    assert (other.size != types.size).any()


def test_paper_markets_have_the_paper_numbers_and_three_lambdas():
    types, market = random_markets("paper", np.random.default_rng(7), 3000, 5)
    assert (types.gain == 5e5).all()
    assert (types.cost == 1).all()
    assert types.size.min() >= 500
    assert types.size.max() <= 10_000
    off = ~np.eye(5, dtype=bool)
    heaviest = market.differences[:, off].max(axis=1) > 0.01
    d = market.differences[:, off]
    assert market.lam == 2.0
    assert 0.6 < heaviest.mean() < 0.73  # λ is 1 or 2 in two thirds, 0.001 in the rest
    strong = d[d.max(axis=1) > 1.1]
    assert abs(strong.mean() - 1) < 0.1
    np.testing.assert_array_equal(market.differences, np.swapaxes(market.differences, 1, 2))


def test_kinds_built_to_hurt_do():
    rng = np.random.default_rng(8)
    types, market = random_markets("ties", rng, 50, 4)
    assert (np.ptp(types.size, axis=1) == 0).all()
    assert (np.ptp(types.cost, axis=1) == 0).all()
    assert (market.penalties(types.size) == 0).all()
    types, _ = random_markets("equal-sizes", rng, 50, 4)
    assert (np.ptp(types.size, axis=1) == 0).all()
    assert (np.ptp(types.cost, axis=1) > 0).any()
    types, market = random_markets("proportional", rng, 50, 4)
    assert np.ptp(types.cost / types.size, axis=1).max() < 1e-15
    assert (market.penalties(types.size) == 0).all()
    types, market = random_markets("zeros", rng, 200, 4)
    assert 0.3 < (types.gain == 0).mean() < 0.5
    assert 0.3 < (types.cost == 0).mean() < 0.55
    types, _ = random_markets("wide", rng, 500, 4)
    assert 0.05 < (types.gain == 0).mean() < 0.2
    types, _ = random_markets("small", rng, 50, 3)
    assert (types.size % 50 == 0).all()


def test_unknown_kinds_are_told():
    with pytest.raises(UnknownNameError, match="known: paper"):
        random_markets("vast", np.random.default_rng(0), 1, 3)
