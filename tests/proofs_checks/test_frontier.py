"""Points of a sweep against what theory says of the rules there."""

from __future__ import annotations

import numpy as np
import pytest

from mechanism import account, market_mechanism
from mechanism.market.entries import MARKET_ENTRIES
from proofs_checks.frontier import Point, draw, grid, measure


@pytest.mark.parametrize("name", list(MARKET_ENTRIES))
def test_what_theory_promises_is_measured(name: str) -> None:
    truths = MARKET_ENTRIES[name].truths
    found = measure(Point(name, 0.3, 0.5, 1.0), clients=5, markets=12)
    if truths["ir"].startswith("yes"):
        assert found.lowest_utility >= -1e-9
    if truths["expost-cost"].startswith("yes"):
        assert (found.lying_share, found.best_lie) == (0.0, 0.0)
    if truths["budget-balance"].startswith("yes"):
        assert found.deficit <= 1e-9
    if truths["efficiency"].startswith("yes"):
        assert found.of_optimum == pytest.approx(1.0, abs=1e-9)
    assert found.of_optimum <= 1.0 + 1e-9


def test_the_published_rule_is_lied_to_and_the_free_graph_lets_somebody_lose() -> None:
    assert measure(Point("ipfl", 0.3, 0.5, 1.0), markets=20).lying_share > 0.3
    assert measure(Point("no-payment", 0.0, 0.5, 1.0), markets=5).lowest_utility < 0.0


def test_welfare_is_the_sum_of_utilities_by_hand() -> None:
    point = Point("ipfl-exact", 0.2, 0.5, 0.5)
    types, market = draw(point, 4, 3, 7)
    outcome = market_mechanism("ipfl-exact").clear(types.truthful(), market)
    by_hand = np.mean([account(types, outcome, market.law).utility[b].sum() for b in range(3)])
    assert measure(point, 4, 3, 7).welfare == pytest.approx(by_hand)


def test_every_mechanism_sees_the_same_markets_and_spreads_are_nested() -> None:
    one, _ = draw(Point("ipfl", 0.0, 0.5, 0.2), 4, 3, 1)
    other, _ = draw(Point("realised", 1.0, 1.0, 1.0), 4, 3, 1)
    assert np.array_equal(one.size, other.size)
    assert np.allclose(2.0 * (one.cost - 1.0), other.cost - 1.0)


def test_the_grid_moves_mechanisms_fastest() -> None:
    assert [p.mechanism for p in grid(["a", "b"], [0.0], [0.0, 1.0], [1.0])] == ["a", "b", "a", "b"]
