"""Exact bounds on shares, and points of a sweep against what theory says of the rules there."""

import numpy as np
import pytest
from scipy.stats import binom

from mechanism import account, market_mechanism, objective, optimal_objective
from mechanism.market.mechanisms import MARKET_ENTRIES
from proofs_checks.evidence.statistics import SampleError, share_interval, upper_share
from proofs_checks.evidence.tradeoffs import UNKNOWN, Point, draw, grid, measure


@pytest.mark.parametrize(("found", "samples"), [(0, 1), (0, 10_000), (3, 20), (19, 20)])
@pytest.mark.parametrize("confidence", [0.9, 0.99])
def test_the_upper_bound_is_where_the_binomial_tail_is_the_error(found, samples, confidence):
    """Clopper-Pearson: P(at most `found` | share = bound) = 1 - confidence."""
    bound = upper_share(samples, confidence, found=found)
    assert binom.cdf(found, samples, bound) == pytest.approx(1 - confidence, rel=1e-9)


@pytest.mark.parametrize(("found", "samples"), [(1, 7), (50, 100), (6, 7)])
def test_both_ends_of_the_interval_leave_half_the_error(found, samples):
    low, high = share_interval(found, samples, 0.95)
    assert low < found / samples < high
    assert binom.sf(found - 1, samples, low) == pytest.approx(0.025, rel=1e-9)
    assert binom.cdf(found, samples, high) == pytest.approx(0.025, rel=1e-9)


def test_the_ends_that_nothing_bounds():
    assert share_interval(0, 5)[0] == 0.0
    assert share_interval(5, 5)[1] == 1.0
    assert upper_share(5, found=5) == 1.0


def test_ten_thousand_without_a_find():
    """The figure printed in the docs: with confidence 99 % at most 0.046 % of markets."""
    assert upper_share(10_000, 0.99) == pytest.approx(4.6041e-4, rel=1e-4)


@pytest.mark.parametrize(
    "wrong", [(-1, 5, 0.9), (6, 5, 0.9), (0, 0, 0.9), (0, 5, 1.0), (0, 5, 0.0), (0, 5, float("nan"))]
)
def test_what_is_no_sample_is_refused(wrong):
    found, samples, confidence = wrong
    with pytest.raises(SampleError):
        upper_share(samples, confidence, found=found)
    with pytest.raises(SampleError):
        share_interval(found, samples, confidence)


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


def test_welfare_is_the_sum_of_utilities_by_hand_where_the_books_balance() -> None:
    point = Point("ipfl-exact", 0.2, 0.5, 0.5)
    types, market = draw(point, 4, 3, 7)
    outcome = market_mechanism("ipfl-exact").clear(types.truthful(), market)
    by_hand = np.mean([account(types, outcome, market).utility[b].sum() for b in range(3)])
    assert measure(point, 4, 3, 7).welfare == pytest.approx(by_hand)


def test_a_centre_that_pays_in_adds_no_welfare() -> None:
    point = Point("vcg-two-sided", 0.0, 0.5, 1.0)
    types, market = draw(point, 6, 10, 3)
    outcome = market_mechanism(point.mechanism).clear(types.truthful(), market)
    books = account(types, outcome, market)
    found = measure(point, 6, 10, 3)
    assert found.deficit > 0.5
    assert found.welfare == pytest.approx(np.mean([books.utility[b].sum() for b in range(10)]) - found.deficit)
    same = measure(Point("ipfl-exact", 0.0, 0.5, 1.0), 6, 10, 3)  # the same graph, whoever pays for it
    assert found.welfare == pytest.approx(same.welfare)


def test_lies_about_gains_and_sizes_are_measured_beside_those_about_costs() -> None:
    found = measure(Point("ipfl-exact", 0.3, 0.5, 1.0), markets=20)
    assert (found.lying_share, found.gain_lying_share, found.size_lying_share) == (0.0, 1.0, 1.0)
    assert found.gain_best_lie > 0.1
    assert found.size_best_lie > 0.1


def test_errors_are_those_of_the_markets_drawn() -> None:
    point = Point("ipfl", 0.3, 0.5, 1.0)
    found = measure(point, 5, 30, 2)
    types, market = draw(point, 5, 30, 2)
    outcome = market_mechanism("ipfl").clear(types.truthful(), market)
    books = account(types, outcome, market)
    each = (books.gain - books.cost).sum(axis=1)
    assert found.welfare_se == pytest.approx(np.std(each, ddof=1) / 30**0.5)
    # A share of sums: against the jackknife, which needs no formula.
    reached = np.array(objective(types.truthful(), outcome.imports, market))
    best = np.array(optimal_objective(types.truthful(), market)[0])
    without = np.array([np.delete(reached, k).sum() / np.delete(best, k).sum() for k in range(30)])
    jackknife = np.sqrt(29 / 30 * ((without - without.mean()) ** 2).sum())
    assert found.of_optimum_se == pytest.approx(jackknife, rel=0.1)
    lone = measure(point, 5, 1, 2)
    assert all(getattr(lone, name) is None for name in UNKNOWN)
    assert len(UNKNOWN) == 6


def test_every_mechanism_sees_the_same_markets_and_spreads_are_nested() -> None:
    one, _ = draw(Point("ipfl", 0.0, 0.5, 0.2), 4, 3, 1)
    other, _ = draw(Point("realised", 1.0, 1.0, 1.0), 4, 3, 1)
    assert np.array_equal(one.size, other.size)
    assert np.allclose(2.0 * (one.cost - 1.0), other.cost - 1.0)


def test_the_grid_moves_mechanisms_fastest() -> None:
    assert [p.mechanism for p in grid(["a", "b"], [0.0], [0.0, 1.0], [1.0])] == ["a", "b", "a", "b"]
