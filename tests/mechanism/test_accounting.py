"""The accounting identity, by hand and as a law."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mechanism import InvalidMarketError, Market, Outcome, Types, account, fixed_outcome, objective


def outcome(imports, prices, centre=None):
    imports = np.array(imports, dtype=bool)
    m = imports.shape[-1]
    return Outcome(
        imports, np.array(prices, dtype=float), np.zeros(m) if centre is None else np.array(centre), np.zeros(m)
    )


def test_by_hand():
    types = Types(size=[100, 300], cost=[2, 1], gain=[3600, 0])
    accounts = account(types, outcome([[0, 1], [0, 0]], [[0, 1.5], [0, 0]], [0.25, 0]))
    assert accounts.gain.tolist() == [3, 0]
    assert accounts.cost.tolist() == [0, 1]
    assert accounts.paid.tolist() == [1.5, 0]
    assert accounts.received.tolist() == [0, 1.5]
    assert accounts.utility.tolist() == [1.25, 0.5]
    assert accounts.buyer.tolist() == [1.25, 0]
    assert accounts.seller.tolist() == [0, 0.5]
    assert accounts.welfare == 1.75


def test_objective_is_welfare_less_penalties():
    types = Types(size=[100, 300], cost=[2, 1], gain=[3600, 0])
    market = Market(np.array([[0, 0.5], [0.5, 0]]), 0.1)
    given_graph = fixed_outcome(np.array([[True, True], [False, True]]))
    assert not given_graph.imports[0, 0]
    assert objective(types, given_graph.imports, market) == pytest.approx(3 - 1 - 0.1 * 0.5 * 3)
    assert account(types, given_graph).welfare == pytest.approx(2)


@given(st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_utilities_sum_to_gains_less_costs_less_what_the_centre_keeps(m, seed):
    rng = np.random.default_rng(seed)
    types = Types(size=rng.uniform(1, 100, (3, m)), cost=rng.uniform(0, 5, (3, m)), gain=rng.uniform(0, 1e4, (3, m)))
    imports = rng.random((3, m, m)) < 0.5
    imports[:, np.arange(m), np.arange(m)] = False
    out = Outcome(imports, imports * rng.normal(size=(3, m, m)), rng.normal(size=(3, m)), np.zeros((3, m)))
    accounts = account(types, out)
    np.testing.assert_allclose(
        accounts.welfare, accounts.gain.sum(-1) - accounts.cost.sum(-1) - out.centre.sum(-1), atol=1e-9
    )
    np.testing.assert_allclose(accounts.utility, accounts.buyer + accounts.seller, atol=1e-9)
    np.testing.assert_array_equal(out.payments, -np.swapaxes(out.payments, -1, -2))


def test_an_outcome_for_others_is_refused():
    with pytest.raises(InvalidMarketError, match="2 clients"):
        account(Types(size=[1], cost=[0], gain=[0]), fixed_outcome(np.zeros((2, 2), dtype=bool)))
