"""The clock: a slow one that really falls, seller by seller, against the batched rule; and what it promises."""

import numpy as np
import pytest

from mechanism.errors import InvalidMechanismError
from mechanism.market.accounting import account
from mechanism.market.clients import Market, Types
from mechanism.market.gains import PowerGain, TableGain
from mechanism.market.mechanisms import market_mechanism
from mechanism.market.rules.clock_price import ClockPrice
from proofs_checks.search.effective_markets import effective_markets
from proofs_checks.search.random_markets import KINDS


def by_hand(rule, types, e, law, i):
    """Let the clock of one importer fall and return what it is offered ``[m]``, money."""
    others = [j for j in range(types.clients) if j != i]
    left = [j for j in others if e[i, j] > 0]
    heard = [j for j in others if j not in left]
    mean = np.exp(np.mean([np.log(e[i, j] ** rule.power) for j in left])) if left else 1.0
    leaving = sorted(
        ((types.cost[j] / (e[i, j] ** rule.power if j in left else mean), j) for j in others), reverse=True
    )
    exponent = law.kernel_form()[1]
    for price, j in leaving:
        if j in left:
            left.remove(j)
            heard.append(j)
        if not left:
            break
        data, due = sum(e[i, k] for k in left), price * sum(e[i, k] ** rule.power for k in left)
        size, worth = np.mean(types.size[heard]), np.mean(types.gain[heard] ** exponent)
        if len(left) == 1 or worth * law.derivative(1.0, 1.0, size + rule.caution * data) * data >= due:
            return {k: price * e[i, k] ** rule.power for k in left}
    return {}


@pytest.mark.parametrize("kind", ["wide", "small", "zeros", "equal-sizes"])
@pytest.mark.parametrize("law", [Market().law, PowerGain(0.3), TableGain((100, 900, 3000), (0, 2, 2.5))])
@pytest.mark.parametrize("rule", [ClockPrice(), ClockPrice(0.0, 0.3), ClockPrice(1.0, 1.0)])
def test_offers_are_those_of_a_clock_that_falls(kind, law, rule):
    types, market = effective_markets(kind, np.random.default_rng(3), 12, 6)
    offers = rule.offers(types.truthful(), Market(law=law, effective=market.effective))
    for b in range(12):
        for i in range(6):
            expected = by_hand(rule, types.at(b), market.effective[b], law, i)
            assert set(np.flatnonzero(np.isfinite(offers[b, i]))) == set(expected)
            for j, money in expected.items():
                assert offers[b, i, j] == pytest.approx(money, rel=1e-9)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_nothing_that_a_seller_says_moves_an_offer_while_it_stays(kind):
    """Whoever stays, stays at the same offers to all, whatever it says of cost, gain and size: to the bit."""
    types, market = effective_markets(kind, np.random.default_rng(5), 30, 5)
    rule, rng = ClockPrice(), np.random.default_rng(0)
    truth = rule.offers(types.truthful(), market)
    stayed = 0
    for j in range(5):
        for _ in range(10):
            said = {}
            for name, most in (("cost", 3.0), ("gain", 1e6), ("size", 2e4)):
                array = np.array(getattr(types, name))
                array[:, j] = rng.uniform(0.01, most, 30) * rng.choice([1.0, 0.01], 30)
                said[name] = array
            lied = rule.offers(types.report(**said), market)
            both = np.isfinite(truth[:, :, j]) & np.isfinite(lied[:, :, j])
            stayed += int(both.sum())
            assert (truth[both] == lied[both]).all()
            enters = np.isinf(truth[:, :, j]) & np.isfinite(lied[:, :, j])
            assert (lied[:, :, j] <= types.cost[:, j, None] * (1 + 1e-12))[enters].all()
    assert stayed > 100


def test_who_brings_nothing_sets_the_price_of_an_only_seller():
    types = Types([100.0, 300, 300, 300], [0, 0.5, 0.9, 1.2], [3600.0, 900, 900, 900])
    e = np.zeros((4, 4))
    e[0, 1] = 300.0
    outcome = market_mechanism("clock-price").clear(types.truthful(), Market(effective=e))
    assert outcome.prices[0].tolist() == [0, pytest.approx(1.2), 0, 0]
    nobody = market_mechanism("clock-price").clear(types.take([0, 1]).truthful(), Market(effective=e[:2, :2]))
    assert not nobody.imports.any()


def test_it_never_costs_anyone_and_earns_more_than_the_pool():
    kept = {"clock-price": 0.0, "pooled-price": 0.0}
    for kind in sorted(KINDS):
        types, market = effective_markets(kind, np.random.default_rng(2), 60, 8)
        for name in kept:
            books = account(types, market_mechanism(name).clear(types.truthful(), market), market)
            assert books.utility.min() >= -1e-9
            kept[name] += books.welfare.sum()
    assert kept["clock-price"] > kept["pooled-price"]


@pytest.mark.parametrize("wrong", [(-0.1, 0.5), (1.5, 0.5), (0.5, 0.0), (0.5, 2.0), (np.nan, 0.5)])
def test_parameters_outside_their_range_are_refused(wrong):
    with pytest.raises(InvalidMechanismError, match="expected numbers in"):
        ClockPrice(*wrong)
