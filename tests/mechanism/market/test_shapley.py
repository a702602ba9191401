"""Shapley values against the definition by permutations, the integral against enumeration, and the lies that pay."""

import itertools

import numpy as np
import pytest

from mechanism import InvalidMechanismError, Market, PowerGain, SqrtGain, TableGain, Types, account, market_mechanism
from mechanism.market.rules import shapley_split as shapley
from mechanism.market.rules.shapley_split import ShapleySplit, arrival_values
from tests.mechanism import oracle
from tests.mechanism.market import draws

RULE = market_mechanism("shapley-split")


def by_permutations(k, own, sizes, prices):
    """Shapley values of the sellers: average over all orders of importer and sellers of what each adds."""
    players = ["i", *range(len(sizes))]
    total = np.zeros(len(sizes))
    orders = list(itertools.permutations(players))
    for order in orders:
        here, before = [], 0.0
        for player in order:
            here.append(player)
            sellers = [q for q in here if q != "i"]
            now = oracle.value(k, own, sizes, prices, sellers) if "i" in here else 0.0
            if player != "i":
                total[player] += now - before
            before = now
    return total / len(orders)


@pytest.mark.parametrize("lam", [0.0, 0.5])
def test_prices_are_cost_and_shapley_value(lam):
    types, market = draws.markets(12, 40, 5, lam=lam)
    outcome = RULE.clear(types.truthful(), market)
    assert not outcome.error.any()
    seen = set()
    for b in range(40):
        alone, public = draws.single(types, market, b)
        w = draws.burden(alone, public)
        for i in range(5):
            chosen = np.flatnonzero(outcome.imports[b, i])
            seen.add(len(chosen))
            phi = by_permutations(alone.gain[i], alone.size[i], alone.size[chosen], w[i, chosen])
            np.testing.assert_allclose(outcome.prices[b, i, chosen], alone.cost[chosen] + phi, atol=1e-9)
            assert outcome.prices[b, i].sum() == pytest.approx(outcome.prices[b, i, chosen].sum())
    assert seen >= {0, 1, 2}
    books = account(types, outcome)
    assert (books.buyer >= -1e-9).all()
    assert (books.seller >= -1e-9).all()


def test_overstating_earns_half_of_the_overstatement_while_accepted():
    types = Types([100, 300], [0, 1], [3600, 0])  # worth 3: phi = 1, price 2
    for delta in (0.0, 0.5, 1.0, 1.9):
        outcome = RULE.clear(types.report(cost=[0, 1 + delta]), Market())
        assert account(types, outcome).utility.tolist() == pytest.approx([1 - delta / 2, 1 + delta / 2])
    assert not RULE.clear(types.report(cost=[0, 3.1]), Market()).imports.any()


def test_understating_to_be_taken_can_pay():
    """The other direction: sellers at 1.1 and 1.0; saying 0.9 is paid (3 + 0.9) / 2 = 1.95."""
    types = Types([100, 300, 300], [0, 1.1, 1.0], [3600, 0, 0])
    outcome = RULE.clear(types.report(cost=[0, 0.9, 1.0]), Market())
    assert outcome.prices[0].tolist() == pytest.approx([0, 1.95, 0])
    assert account(types, outcome).utility[1] == pytest.approx(0.85)


@pytest.mark.parametrize("exponent", [0.5, 0.1, 1.0])
@pytest.mark.parametrize("s", [1, 2, 7, 12])
def test_the_integral_equals_the_sum_over_subsets(exponent, s):
    rng = np.random.default_rng(s)
    law = PowerGain(exponent)
    size, own, gain = rng.uniform(1, 5000, s), 10 ** rng.uniform(-1, 4), 10 ** rng.uniform(2, 7)
    subsets, _ = arrival_values(law, np.array([gain]), np.array([own]), size[None])
    np.testing.assert_allclose(shapley._integrated(law, gain, own, size), subsets[0], rtol=1e-11)


def test_large_sets_of_equal_sellers_have_a_closed_form():
    """30 equal sellers: psi = sum_r (r + 1)/(s (s + 1)) · [G(n + (r+1) q) - G(n + r q)]; and a 13th by its own way."""
    own, gain, s, q = 100.0, 1e6, 30, 40.0
    r = np.arange(s)
    steps = np.sqrt(gain / (own + r * q)) - np.sqrt(gain / (own + (r + 1) * q))
    expected = ((r + 1) / (s * (s + 1)) * steps).sum()
    psi, error = arrival_values(SqrtGain(), np.array([gain]), np.array([own]), np.full((1, s), q))
    np.testing.assert_allclose(psi, expected, rtol=1e-12)
    assert not error.any()


def test_a_sampled_value_carries_an_error_that_holds():
    law = TableGain((50.0, 400.0, 1500.0, 6000.0), (0.0, 0.5, 0.8, 0.9))
    rng = np.random.default_rng(1)
    size, own, gain = rng.uniform(20, 400, (3, 12)), rng.uniform(50, 300, 3), rng.uniform(5, 50, 3)
    exact, _ = arrival_values(law, gain, own, size)
    value, error = shapley._sampled(law, gain, own, size, 2000, 0)
    assert (np.abs(value - exact) < 5 * error).all()
    assert (error > 0).all()
    assert (error < 0.02 * exact).all()
    alone, _ = shapley._sampled(law, gain[1:2], own[1:2], size[1:2], 2000, 0)
    np.testing.assert_array_equal(alone[0], value[1])  # the batch does not change the orders


def test_a_large_market_tells_its_error():
    m = 16
    types = Types(np.full(m, 60.0), np.full(m, 1e-4), np.r_[100.0, np.zeros(m - 1)])
    law = TableGain((50.0, 500.0, 5000.0), (0.0, 0.5, 1.0))
    outcome = ShapleySplit(samples=50).clear(types.truthful(), Market(law=law))
    assert outcome.imports[0].sum() == m - 1
    assert (outcome.error[0, 1:] > 0).all()
    smooth = RULE.clear(Types(types.size, types.cost, types.gain * 1e5).truthful(), Market())
    assert smooth.imports[0].sum() == m - 1
    assert not smooth.error.any()
    np.testing.assert_allclose(smooth.prices[0, 1:], smooth.prices[0, 1], rtol=1e-11)


def test_too_few_samples_are_told():
    with pytest.raises(InvalidMechanismError, match="samples"):
        ShapleySplit(samples=1)
