"""Coalitions: every rule that pays can be played by two, without side payments."""

import numpy as np
import pytest

from tests.mechanism.market import draws


def gains(direct, rows, lies):
    """What each client gains by a joint lie, {(client, coordinate): report}."""
    said = rows.copy()
    for (client, coordinate), report in lies.items():
        said[0, client, direct.space.index(coordinate)] = report
    before = direct.utility(rows, direct.outcome(rows))[0]
    return direct.utility(rows, direct.outcome(said))[0] - before


SELLERS = draws.one([100, 300, 300], [0, 1.1, 1.0], [3600, 0, 0])


@pytest.mark.parametrize("name", ["ipfl-exact", "vcg-two-sided", "realised", "realised-bilateral"])
def test_the_seller_that_loses_lifts_the_price_of_the_one_that_wins(name):
    """It asks 3 instead of 1.1 and gets nothing either way; the winner is paid 3 instead of 1.1."""
    assert gains(draws.direct(name, 3), SELLERS, {(1, "cost"): 3.0})[1:].tolist() == pytest.approx([0, 1.9])


@pytest.mark.parametrize(("name", "said", "gain"), [("ipfl", 0.9, 1.9), ("exact-marginal", 0.9, 1.9)])
def test_a_lie_that_pays_one_is_a_lie_of_a_group(name, said, gain):
    """Theory's example, truthfulness in costs: the first seller with anyone that does not care."""
    assert gains(draws.direct(name, 3), SELLERS, {(1, "cost"): said})[[0, 1]].tolist() == pytest.approx([0, gain])


def test_under_a_posted_price_two_serve_each_other_below_cost():
    """Price 1, costs 1.05: nobody sells. Both say 1: each loses 0.05 as a seller, and gains 2 and 1.41 as a buyer."""
    rows = draws.one([100, 300], [1.05, 1.05], [3600, 97200])
    gained = gains(draws.direct("posted-price", 2), rows, {(0, "cost"): 1.0, (1, "cost"): 1.0})
    assert gained.tolist() == pytest.approx([1.95, 18 - np.sqrt(243) - 1.05])


def test_who_stays_outside_the_pool_lifts_its_price():
    rows = draws.one([100, 300, 300], [0, 0.1, 1.0], [3600, 0, 0])
    assert gains(draws.direct("pooled-price", 3), rows, {(2, "cost"): 2.5}).tolist() == pytest.approx([-1.5, 1.5, 0])


def test_under_shapley_values_a_group_of_one_is_enough():
    assert gains(draws.direct("shapley-split", 3), SELLERS, {(2, "cost"): 1.05})[2] == pytest.approx(0.025)


@pytest.mark.parametrize("name", ["exact-marginal", "ipfl-exact", "posted-price", "vcg-two-sided"])
def test_random_pairs_find_a_lie_by_which_both_gain(name):
    """The weak form fails too: costs and gains of two clients, 20 joint lies for each of 10,000 markets."""
    direct = draws.direct(name, 3)
    rows = draws.profiles(1, direct, 10_000)
    before = direct.utility(rows, direct.outcome(rows))[:, :2]
    rng = np.random.default_rng(2)
    best = 0.0
    for _ in range(20):
        said = rows.copy()
        factor = np.where(rng.random((10_000, 2, 2)) < 0.5, 1.0, rng.uniform(0.5, 1.5, (10_000, 2, 2)))
        said[:, :2, 1:3] *= factor
        best = max(best, float((direct.utility(rows, direct.outcome(said))[:, :2] - before).min(axis=1).max()))
    assert best > 1e-3


def test_without_payments_nothing_can_be_said():
    direct = draws.direct("no-payment", 3)
    rows = draws.profiles(3, direct, 10)
    said = rows.copy()
    said[:, :2, :3] *= 1.5
    np.testing.assert_array_equal(
        direct.utility(rows, direct.outcome(rows)), direct.utility(rows, direct.outcome(said))
    )
