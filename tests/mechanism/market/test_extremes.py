"""Numbers at the edge of the domain: nothing overflows, divides by zero or leaves the reals (warnings are errors)."""

import numpy as np
import pytest

from mechanism import Market, PowerGain, SqrtGain, TableGain, Types, account
from mechanism.market.allocation import kernels
from mechanism.market.allocation.selection import run_kernels
from mechanism.market.mechanisms import MARKET_ENTRIES, market_mechanism
from mechanism.market.settling import TwoStage

LAWS = [SqrtGain(), PowerGain(0.1), PowerGain(1.0), TableGain((50.0, 400.0, 1500.0), (0.0, 0.5, 0.8))]
SIZES = [1e-9, 1e-3, 1 / 128, 1, 300, 1e8, 7e13, 1e15]
COSTS = [0, 1e-300, 1e-9, 1, 1e6, 1e15]
GAINS = [0, 2e-311, 1e-300, 1e-9, 1, 1e6, 1e15]


def edges(seed, count, m):
    rng = np.random.default_rng(seed)
    types = Types(*(rng.choice(values, (count, m)) for values in (SIZES, COSTS, GAINS)))
    d = rng.choice([0, 1e-12, 0.5, 2], (count, m, m))
    d[:, np.arange(m), np.arange(m)] = 0
    return types, d


@pytest.mark.parametrize("law", LAWS, ids=["sqrt", "flat", "steep", "table"])
@pytest.mark.parametrize("name", sorted(MARKET_ENTRIES))
def test_every_mechanism_stays_finite(name, law):
    mechanism = market_mechanism(name)
    for lam in (0.0, 1e-9, 1e6):
        types, d = edges(1, 150, 4)
        market = Market(d, lam, law)
        outcome = mechanism.clear(types.truthful(), market)
        if isinstance(mechanism, TwoStage):
            outcome = mechanism.settle(outcome, types)
        assert np.isfinite(account(types, outcome, Market(law=law)).utility).all()
        assert np.isfinite(outcome.prices).all()
        assert np.isfinite(outcome.gap).all()


@pytest.mark.parametrize("law", LAWS, ids=["sqrt", "flat", "steep", "table"])
@pytest.mark.parametrize("payment", [kernels.MARGINAL, kernels.CLARKE])
def test_plain_python_agrees_with_the_compiled_kernels_and_warns_of_nothing(law, payment):
    """Own samples that vanish beside a seller's: what is left without it is never less than the own ones."""
    types, d = edges(2, 150, 4)
    for lam in (0.0, 1.0):
        plain, fast = (
            run_kernels(
                types.truthful(), Market(d, lam, law), allocation=kernels.EXACT, payment=payment, mode=mode
            )
            for mode in ("plain", "compiled")
        )  # fmt: skip
        assert np.isfinite(plain.prices).all()
        scale = np.maximum(1.0, np.abs(fast.prices).max(axis=-1))
        assert (np.abs(plain.prices - fast.prices).max(axis=-1) <= 1e-9 * scale).mean() > 0.99
