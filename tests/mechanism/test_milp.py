"""The integer programme and the branch and bound, two ways to the same optimum."""

import numpy as np
import pytest

from mechanism import Market, Types, market_mechanism
from mechanism.market.accounting import values
from mechanism.market.allocation.milp import select
from mechanism.market.rules.rule import MarketMechanism


@pytest.mark.parametrize("seed", range(50))
def test_thirty_clients(seed):
    """50 random markets of 30 clients: the same objective for every importer."""
    rng = np.random.default_rng(seed)
    m = 30
    types = Types(rng.uniform(500, 10_000, m), rng.uniform(0.05, 1.0, m), 10 ** rng.uniform(5, 6, m))
    difference = rng.uniform(0, 1.5, (m, m)) * (1 - np.eye(m))
    market = Market(difference, float(rng.choice([0.0, 0.01, 0.1])))
    ours = values(types, market_mechanism("ipfl-exact").clear(types.truthful(), market).imports, market)
    theirs = values(types, select(types.truthful(), market), market)
    np.testing.assert_allclose(ours, theirs, atol=1e-9 * max(1.0, np.abs(ours).max()))


def test_it_is_an_allocation_rule_like_the_others():
    types = Types(size=[100, 300, 300], cost=[0, 1.1, 1.0], gain=[3600, 0, 0])
    outcome = MarketMechanism("check", "milp", "clarke").clear(types.truthful(), Market())
    assert outcome.imports[0].tolist() == [False, False, True]
    assert outcome.prices[0, 2] == pytest.approx(1.1)


def test_the_solver_prints_nothing(capfd):
    """HiGHS prints a banner once per process whatever its options say; a library prints nothing."""
    select(Types(size=[100, 300], cost=[0, 1], gain=[3600, 0]).truthful(), Market())
    assert capfd.readouterr() == ("", "")
