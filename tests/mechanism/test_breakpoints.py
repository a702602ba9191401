"""Break points: a client's report of its cost changes the outcome there and nowhere else."""

import numpy as np
import pytest

from mechanism import Market, MarketMechanism, PowerGain, TableGain, Types, UnknownNameError, market_mechanism
from mechanism.market.allocation.breakpoints import cost_breakpoints

LAWS = [PowerGain(0.5), PowerGain(0.3), TableGain((50.0, 400.0, 1500.0, 6000.0), (0.0, 0.5, 0.8, 0.9))]
ALLOCATIONS = ["threshold", "threshold-skip", "exact"]


def random_market(rng: np.random.Generator, batch: int, m: int, law, lam: float = 0.3) -> tuple[Types, Market]:
    size = rng.uniform(50, 2000, (batch, m))
    reach = 1e4 if law.name == "power" else 5.0
    d = rng.uniform(0, 2, (batch, m, m))
    d[:, np.arange(m), np.arange(m)] = 0
    return Types(size, rng.uniform(0, 2, (batch, m)), rng.uniform(0, reach, (batch, m))), Market(d, lam, law)


@pytest.mark.parametrize("law", LAWS, ids=["sqrt", "power", "table"])
@pytest.mark.parametrize("allocation", ALLOCATIONS)
def test_nothing_changes_between_break_points(allocation, law):
    """On a dense grid of reports, neighbours without a break point between them give one outcome."""
    rng = np.random.default_rng(2)
    m, count = 4, 400
    mechanism = MarketMechanism("probe", allocation, "none")
    for round_ in range(12):
        types, market = random_market(rng, 1, m, law, lam=(0.0, 0.3)[round_ % 2])
        points = cost_breakpoints(allocation, types.truthful(), market)[0]
        for j in range(m):
            grid = np.sort(np.concatenate([rng.uniform(0, 4, count), points[j] * (1 - 1e-7), points[j] * (1 + 1e-7)]))
            cost = np.broadcast_to(types.cost, (len(grid), m)).copy()
            cost[:, j] = grid
            imports = mechanism.clear(types.report(cost=cost), market).imports
            changed = (imports[1:] != imports[:-1]).any(axis=(1, 2))
            for q in np.flatnonzero(changed):
                inside = (points[j] >= grid[q]) & (points[j] <= grid[q + 1])
                assert inside.any(), (allocation, round_, j, grid[q], grid[q + 1])


@pytest.mark.parametrize("allocation", ALLOCATIONS)
def test_the_outcome_changes_at_break_points_that_decide(allocation):
    """At no cost a client sells; above its last break point it does not."""
    types, market = random_market(np.random.default_rng(3), 50, 4, PowerGain(0.5))
    points = cost_breakpoints(allocation, types.truthful(), market)
    assert points.shape[:-1] == (50, 4)
    assert np.isfinite(points).all()
    assert (points >= 0).all()
    mechanism = MarketMechanism("probe", allocation, "none")
    below = np.empty((50, 4))
    above = np.empty((50, 4))
    for j in range(4):
        own = points[:, j]
        top = own.max(axis=-1)
        for out, report in ((below, 0 * top), (above, top * (1 + 1e-6) + 1e-9)):
            cost = types.cost.copy()
            cost[:, j] = report
            out[:, j] = mechanism.clear(types.report(cost=cost), market).imports[:, :, j].sum(axis=-1)
    # at no cost everybody is at the head of the list; above the last break point nothing of it is left
    assert (above == 0).all()
    assert (below > 0).mean() > 0.9


def test_worked_example_has_the_critical_price_and_the_crossing():
    """theory.md, truthfulness in costs: the first seller heads the list below 1.0; exactly, it sells up to 1.0."""
    types = Types([100, 300, 300], [0, 1.1, 1.0], [3600, 0, 0])
    exact = cost_breakpoints("exact", types.truthful(), Market())
    np.testing.assert_allclose(exact[1], [1.0], rtol=0, atol=1e-12)
    np.testing.assert_allclose(exact[2], [1.1], rtol=0, atol=1e-12)
    greedy = cost_breakpoints("threshold", types.truthful(), Market())
    assert np.isclose(greedy[1], 1.0, rtol=0, atol=1e-12).any()
    assert np.isclose(greedy[2], 1.1, rtol=0, atol=1e-12).any()
    assert np.isclose(greedy[1], 3.0, rtol=0, atol=1e-12).any()  # alone: sqrt(36) - sqrt(9)


def test_batches_give_what_single_markets_give():
    types, market = random_market(np.random.default_rng(4), 6, 4, PowerGain(0.5))
    for allocation in ALLOCATIONS:
        together = cost_breakpoints(allocation, types.truthful(), market)
        for b in range(6):
            one = Types(types.size[b], types.cost[b], types.gain[b])
            alone = cost_breakpoints(allocation, one.truthful(), Market(market.differences[b], 0.3))
            pad = np.repeat(one.cost[:, None], together.shape[-1] - alone.shape[-1], axis=-1)
            padded = np.concatenate([alone, pad], axis=-1)  # plain and compiled kernels differ in the last bits
            np.testing.assert_allclose(np.sort(together[b]), np.sort(padded), rtol=1e-12, atol=1e-13)


def test_rules_that_ignore_costs_have_none_and_unknown_rules_are_told():
    types = Types([100, 300], [1, 1], [3600, 0])
    assert cost_breakpoints("full", types.truthful(), Market()).shape == (2, 0)
    with pytest.raises(UnknownNameError, match="no break points are known"):
        cost_breakpoints("lottery", types.truthful(), Market())
    assert market_mechanism("no-payment").allocation == "full"
