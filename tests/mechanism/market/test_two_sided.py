"""The two-sided pivot rule against its formula, by brute force."""

import numpy as np
import pytest

from mechanism import Market, Types, account, market_mechanism, objective, optimal_objective
from tests.mechanism.market import draws

RULE = market_mechanism("vcg-two-sided")


@pytest.mark.parametrize("lam", [0.0, 0.5])
def test_utility_is_what_a_client_adds_to_everybody(lam):
    """U_i = W_i(M) + sum_{k != i} [W_k(M) - W_k(M without i)] >= 0, and who buys or sells gets its pivot."""
    types, market = draws.markets(7, 40, 5, lam=lam)
    outcome = RULE.clear(types.truthful(), market)
    books = account(types, outcome)
    assert not outcome.prices.any()
    for b in range(40):
        alone, public = draws.single(types, market, b)
        for i in range(5):
            own = draws.best(alone, public, i)
            sold = sum(
                draws.best(alone, public, k) - draws.best(alone, public, k, (i,)) for k in range(5) if k != i
            )  # fmt: skip
            assert books.utility[b, i] == pytest.approx(own + sold, abs=1e-9)
            assert books.buyer[b, i] - outcome.sales[b, i] == pytest.approx(own, abs=1e-9)
            assert books.seller[b, i] + outcome.sales[b, i] == pytest.approx(sold, abs=1e-9)
    assert (books.utility >= -1e-9).all()


def test_never_a_surplus_without_penalties_and_a_deficit_exactly_with_a_pivotal_seller():
    types, market = draws.markets(8, 3000, 4, lam=0.0)
    outcome = RULE.clear(types.truthful(), market)
    budget = outcome.centre.sum(axis=-1)
    clarke = market_mechanism("ipfl-exact").clear(types.truthful(), market)
    pivots = np.where(clarke.imports, clarke.prices - types.cost[:, None, :], 0.0).sum(axis=(1, 2))
    np.testing.assert_allclose(budget, -pivots, atol=1e-9)
    assert (budget <= 1e-9).all()
    assert (budget < -0.1).mean() > 0.5
    # two equal sellers of which one is enough: nobody is pivotal
    twins = Types([100, 300, 300], [0, 1, 1], [3600, 0, 0])
    outcome = RULE.clear(twins.truthful(), Market())
    assert outcome.imports[0].tolist() == [False, True, False]
    assert outcome.centre.tolist() == pytest.approx([1, -1, 0])


def test_either_sign_with_penalties():
    types, market = draws.markets(9, 500, 4, lam=0.5)
    budget = RULE.clear(types.truthful(), market).centre.sum(axis=-1)
    assert budget.min() < -1
    assert budget.max() > 1
    # by hand: one seller too many for a pivot, penalties 0.5 · 300/100
    twins = Types([100, 300, 300], [0, 1, 1], [3600, 0, 0])
    pens = Market([[0, 1, 1], [1, 0, 0], [1, 0, 0]], 0.5)
    outcome = RULE.clear(twins.truthful(), pens)
    assert outcome.centre.tolist() == pytest.approx([2.5, -1, 0])


def test_efficient_and_truthful_in_cost_and_gain_together():
    """Joint lies about cost and gain, 60 for each of 2,000 clients."""
    types, market = draws.markets(10, 500, 4)
    outcome = RULE.clear(types.truthful(), market)
    np.testing.assert_allclose(
        objective(types, outcome.imports, market), optimal_objective(types.truthful(), market)[0], atol=1e-9
    )
    truth = account(types, outcome).utility
    rng = np.random.default_rng(11)
    for i in range(4):
        for scale in (0.05, 0.3, 2.0):
            for _ in range(20):
                cost, gain = types.cost.copy(), types.gain.copy()
                cost[:, i] *= np.exp(scale * rng.normal(size=500))
                gain[:, i] *= np.exp(scale * rng.normal(size=500))
                lied = RULE.clear(types.report(cost=cost, gain=gain), market)
                assert (account(types, lied).utility[:, i] <= truth[:, i] + 1e-9).all()
