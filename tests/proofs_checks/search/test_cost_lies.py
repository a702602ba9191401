"""The search for cost lies: exact where it says so, deterministic, and never worse than a dense search."""

from dataclasses import dataclass

import numpy as np
import pytest

import mechanism.market.allocation.selection
from mechanism import Market, MarketMechanism, Outcome, Types, UnknownNameError, account, market_mechanism
from mechanism.market.allocation.breakpoints import HUGE
from proofs_checks.search.lies import best_reports
from proofs_checks.search.random_markets import KINDS, random_markets

SKIP = MarketMechanism("skip", "threshold-skip", "marginal")
NAMES = ("ipfl", "exact-marginal", "ipfl-exact", "vcg-two-sided")
STEP_RULES = [SKIP, *(market_mechanism(name) for name in NAMES)]


@pytest.mark.parametrize("mechanism", STEP_RULES, ids=lambda m: m.id)
@pytest.mark.parametrize("kind", ["small", "ties", "wide"])
def test_a_dense_search_finds_nothing_better_than_the_exact_best_response(mechanism, kind):
    """500 random reports per client of 20 markets: none beats what the break points gave."""
    rng = np.random.default_rng(21)
    types, market = random_markets(kind, rng, 20, 4)
    lies = best_reports(mechanism, types, market)
    assert lies.exact
    for j in range(4):
        cost = np.repeat(types.cost[:, None, :], 500, axis=1)
        cost[:, :, j] = rng.uniform(0, 1.2 * np.maximum(1.0, types.cost[:, None, j]) * 3, (20, 500))
        wide = Types(*(np.repeat(a[:, None], 500, axis=1) for a in (types.size, types.cost, types.gain)))
        public = Market(market.differences[:, None], market.lam, market.law)
        utility = account(wide, mechanism.clear(wide.report(cost=cost), public), market).utility[..., j]
        assert (utility.max(axis=1) <= lies.utility_lying[:, j] + 1e-8).all()


def test_the_known_lie_is_found_and_truth_stays_where_nothing_is_gained():
    types = Types([100, 300, 300], [0, 1.1, 1.0], [3600, 0, 0])
    lies = best_reports(market_mechanism("ipfl"), types, Market())
    assert lies.exact
    np.testing.assert_allclose(lies.gain, [0, 1.9, 0], rtol=0, atol=1e-12)
    assert lies.report[0] == 0.0
    assert lies.report[2] == 1.0
    assert 0.99 < lies.report[1] <= 1.0  # of equally good lies the nearest to the truth
    np.testing.assert_array_equal(lies.gain, np.maximum(lies.utility_lying - lies.utility_truthful, 0))
    assert lies.best() == (1,)
    again = best_reports(market_mechanism("ipfl"), types, Market())
    np.testing.assert_array_equal(lies.report, again.report)


def test_chunks_and_batch_axes_do_not_change_the_answer(monkeypatch):
    types, market = random_markets("small", np.random.default_rng(22), 6, 4)
    whole = best_reports(market_mechanism("ipfl"), types, market)
    monkeypatch.setattr(mechanism.market.allocation.selection, "BYTES", 64 * 16 * 37)  # 37 clearings at a time
    pieces = best_reports(market_mechanism("ipfl"), types, market)
    np.testing.assert_array_equal(whole.gain, pieces.gain)
    folded = Types(*(a.reshape(2, 3, 4) for a in (types.size, types.cost, types.gain)))
    public = Market(market.differences.reshape(2, 3, 4, 4), market.lam)
    batched = best_reports(market_mechanism("ipfl"), folded, public)
    assert batched.gain.shape == (2, 3, 4)
    np.testing.assert_array_equal(batched.gain.reshape(6, 4), whole.gain)
    one = best_reports(market_mechanism("ipfl"), types, Market(market.differences[0], market.lam))
    assert one.gain.shape == (6, 4)


@dataclass(frozen=True)
class PayAsAsked:
    """Full graph, everybody gets what it asks (nothing above 7.7): no known break points."""

    id: str = "ask"

    def clear(self, reports, market) -> Outcome:
        open_to = ~np.eye(reports.clients, dtype=bool) & (reports.cost[..., None, :] <= 7.7)
        imports = np.broadcast_to(open_to, (*reports.batch, reports.clients, reports.clients))
        zeros = np.zeros(reports.cost.shape)
        return Outcome(imports, imports * reports.cost[..., None, :], zeros, zeros)


def test_unknown_rules_are_searched_and_not_called_exact():
    types = Types([100.0, 100.0], [1.0, 2.0], [1e4, 1e4])
    lies = best_reports(PayAsAsked(), types, Market())
    assert not lies.exact
    assert (lies.gain > 2).all()


def test_a_limit_on_break_points_costs_exactness():
    types, market = random_markets("wide", np.random.default_rng(23), 3, 5)
    few = best_reports(market_mechanism("ipfl"), types, market, limit=4)
    all_ = best_reports(market_mechanism("ipfl"), types, market)
    assert not few.exact
    assert few.deviations < all_.deviations
    assert (few.gain <= all_.gain + 1e-9).all()


def test_huge_costs_are_costs():
    dear = Types([100.0, 300.0], [1e15, HUGE], [3600.0, 0.0])
    assert best_reports(market_mechanism("ipfl-exact"), dear, Market()).gain.max() == 0.0


@pytest.mark.parametrize("kind", KINDS)
def test_same_generator_same_markets_and_right_shapes(kind):
    types, market = random_markets(kind, np.random.default_rng(5), 30, 4)
    again, public = random_markets(kind, np.random.default_rng(5), 30, 4)
    assert types.size.shape == (30, 4)
    assert market.differences.shape == (30, 4, 4)
    for name in ("size", "cost", "gain"):
        np.testing.assert_array_equal(getattr(types, name), getattr(again, name))
    np.testing.assert_array_equal(market.differences, public.differences)
    other, _ = random_markets(kind, np.random.default_rng(6), 30, 4)
    assert (other.size != types.size).any()


def test_paper_markets_have_the_paper_numbers_and_three_lambdas():
    types, market = random_markets("paper", np.random.default_rng(7), 3000, 5)
    assert (types.gain == 5e5).all()
    assert (types.cost == 1).all()
    assert types.size.min() >= 500
    assert types.size.max() <= 10_000
    off = ~np.eye(5, dtype=bool)
    heaviest = market.differences[:, off].max(axis=1) > 0.01
    d = market.differences[:, off]
    assert market.lam == 2.0
    assert 0.6 < heaviest.mean() < 0.73  # λ is 1 or 2 in two thirds, 0.001 in the rest
    strong = d[d.max(axis=1) > 1.1]
    assert abs(strong.mean() - 1) < 0.1
    np.testing.assert_array_equal(market.differences, np.swapaxes(market.differences, 1, 2))


def test_kinds_built_to_hurt_do():
    rng = np.random.default_rng(8)
    types, market = random_markets("ties", rng, 50, 4)
    assert (np.ptp(types.size, axis=1) == 0).all()
    assert (np.ptp(types.cost, axis=1) == 0).all()
    assert (market.penalties(types.size) == 0).all()
    types, _ = random_markets("equal-sizes", rng, 50, 4)
    assert (np.ptp(types.size, axis=1) == 0).all()
    assert (np.ptp(types.cost, axis=1) > 0).any()
    types, market = random_markets("proportional", rng, 50, 4)
    assert np.ptp(types.cost / types.size, axis=1).max() < 1e-15
    assert (market.penalties(types.size) == 0).all()
    types, market = random_markets("zeros", rng, 200, 4)
    assert 0.3 < (types.gain == 0).mean() < 0.5
    assert 0.3 < (types.cost == 0).mean() < 0.55
    types, _ = random_markets("wide", rng, 500, 4)
    assert 0.05 < (types.gain == 0).mean() < 0.2
    types, _ = random_markets("small", rng, 50, 3)
    assert (types.size % 50 == 0).all()


def test_unknown_kinds_are_told():
    with pytest.raises(UnknownNameError, match="known: paper"):
        random_markets("vast", np.random.default_rng(0), 1, 3)
