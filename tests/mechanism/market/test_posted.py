"""Posted prices: best sets at prices that nobody moves."""

import numpy as np
import pytest

from mechanism import InvalidMarketError, InvalidMechanismError, Market, Types, account
from mechanism.market.rules.posted_price import PostedPrice
from tests.mechanism import oracle
from tests.mechanism.market import draws


def buyer_best(types, price, i):
    """The best that buyer i can do at the posted prices ``[m, m]``, over all sets of those who agree to sell."""
    pool = [j for j in range(types.clients) if j != i and types.cost[j] <= price[i, j]]
    return oracle.best_value(types.gain[i], types.size[i], types.size, price[i], pool)


@pytest.mark.parametrize("kind", ["number", "table", "rule"])
def test_every_buyer_gets_its_best_set_at_the_posted_prices(kind):
    """Against all sets; so no report of its own gain could serve it better."""
    types, market = draws.markets(1, 60, 5)
    table = np.random.default_rng(2).uniform(0.2, 3, (5, 5))
    price = {"number": 1.0, "table": table, "rule": lambda size, public: 0.004 * size[..., None, :]}[kind]
    outcome = PostedPrice(price).clear(types.truthful(), market)
    books = account(types, outcome)
    for b in range(60):
        alone, public = draws.single(types, market, b)
        asked = price(alone.size, public) if kind == "rule" else np.broadcast_to(price, (5, 5))
        asked = np.broadcast_to(asked, (5, 5))
        assert np.array_equal(outcome.prices[b], np.where(outcome.imports[b], asked, 0))
        for i in range(5):
            assert books.buyer[b, i] == pytest.approx(buyer_best(alone, asked, i), abs=1e-9)
    assert (books.seller >= 0).all()
    assert outcome.imports.any(axis=(1, 2)).mean() > 0.7


def test_no_reported_cost_moves_anything_but_the_own_decision_to_sell():
    """Truthful in costs: the only break point of a seller's report is the price itself."""
    types, market = draws.markets(3, 200, 4)
    outcome = PostedPrice().clear(types.truthful(), market)
    truth = account(types, outcome).utility
    for j in range(4):
        for report in (0.0, 0.5, 1.0, 1.0 + 1e-12, 2.0):
            cost = types.cost.copy()
            cost[:, j] = report
            lied = PostedPrice().clear(types.report(cost=cost), market)
            assert (account(types, lied).utility[:, j] <= truth[:, j] + 1e-9).all()
            same = (report <= 1.0) == (types.cost[:, j] <= 1.0)
            assert np.array_equal(lied.imports[same], outcome.imports[same])


def test_ties_are_broken_by_size_and_order_and_not_by_cost():
    for cost in ([0, 0.9, 0.1, 0.5], [0, 0.1, 0.5, 0.9], [0, 0.5, 0.9, 0.1]):
        types = Types([100, 300, 300, 300], cost, [3600, 0, 0, 0])
        outcome = PostedPrice(2.0).clear(types.truthful(), Market())
        assert outcome.imports[0].tolist() == [False, True, False, False]
    types = Types([100, 300, 300], [0, 0, 0], [3600, 0, 0])
    assert not PostedPrice(3.0).clear(types.truthful(), Market()).imports.any()  # worth exactly its price


def test_penalties_do_not_steer_what_is_bought():
    """The penalty is not subtracted: with it a buyer would be denied a set that it wants, and would lie about K."""
    types = Types([100, 300], [0, 0.5], [3600, 0])
    outcome = PostedPrice().clear(types.truthful(), Market([[0, 2], [2, 0]], 5.0))
    assert outcome.imports[0, 1]
    assert account(types, outcome).utility.tolist() == pytest.approx([2.0, 0.5])


def test_a_seller_that_overstates_its_size_sells():
    """dsic-size fails: 10 samples are worth 0.28 to the buyer, 300 are worth 3, the price is 1."""
    types = Types([100, 10], [0, 0.5], [3600, 0])
    honest = PostedPrice().clear(types.truthful(), Market())
    lied = PostedPrice().clear(types.report(size=[100, 300]), Market())
    assert account(types, honest).utility.tolist() == [0, 0]
    assert account(types, lied).utility[1] == pytest.approx(0.5)
    assert account(types, lied).utility[0] < 0  # and the buyer, truthful, loses: sizes must be verified


def test_given_an_overstated_size_a_lie_about_the_gain_pays():
    """dsic-gain is a promise given the sizes: against a seller that overstates, wanting nothing is better."""
    types = Types([100, 10], [0, 0.5], [3600, 0])
    size = [100, 300]
    honest = PostedPrice().clear(types.report(size=size), Market())
    shy = PostedPrice().clear(types.report(size=size, gain=[0, 0]), Market())
    assert account(types, shy).utility[0] > account(types, honest).utility[0] + 0.7


def test_wrong_prices_are_told():
    for price in (-1.0, float("nan"), float("inf"), [1.0, 2.0], "dear", [[1, 2, 3], [1, 2, 3]]):
        with pytest.raises(InvalidMechanismError):
            PostedPrice(price)
    types = Types([100, 300], [0, 1], [3600, 0])
    with pytest.raises(InvalidMarketError, match="price table is for 3 clients"):
        PostedPrice(np.ones((3, 3))).clear(types.truthful(), Market())
    with pytest.raises(InvalidMechanismError, match="price rule returned shape"):
        PostedPrice(lambda size, public: np.ones(5)).clear(types.truthful(), Market())
    with pytest.raises(InvalidMechanismError, match="finite"):
        PostedPrice(lambda size, public: np.full((2, 2), np.nan)).clear(types.truthful(), Market())
