"""Study market: what it measures on markets worked by hand, and in runs that are recorded already."""

import numpy as np
import pytest

from analysis.findings.several.studies import clouds
from analysis.run.market import MarketRecord
from marketproof.studies.markets import (
    CLARKE,
    EXACT,
    FITS,
    KEPT,
    LAW,
    LOST,
    MARGINAL,
    POINTS,
    SHORT,
    THRESHOLD,
    law_and_accuracy,
    regret,
)
from marketproof.studies.plan import plan_study
from marketproof.studies.study import Seen
from mechanism.market.clients import Market, Types
from mechanism.market.mechanisms import market_mechanism
from mechanism.market.settling import clear_and_settle


def seen(size, cost, gain, rule="ipfl", accuracy=0.5, alone=None, present=None):
    """Two equal rounds of a market, and of the same clients alone."""
    types = Types(*(np.tile(np.asarray(numbers, dtype=float), (2, 1)) for numbers in (size, cost, gain)))
    market = Market(np.zeros((2, len(size), len(size))), 0.0)
    there = np.ones(types.size.shape, bool) if present is None else np.tile(present, (2, 1))
    reports = types.truthful()
    told = {"loss": np.zeros(types.size.shape), "present": there}
    outcome = clear_and_settle(market_mechanism(rule), reports, types, market, there)
    reached = np.broadcast_to(np.asarray(accuracy, dtype=float), types.size.shape)
    record = MarketRecord.of(types, reports, market, outcome, accuracy=reached, **told)
    before = record
    if alone is not None:
        outcome = clear_and_settle(market_mechanism("ipfl"), reports, types, market, np.zeros_like(there))
        reached = np.broadcast_to(np.asarray(alone, dtype=float), types.size.shape)
        before = MarketRecord.of(types, reports, market, outcome, accuracy=reached, **told)
    config = plan_study("market", task="digits-niid", scale="smoke", methods=[f"ipfl/{rule}"]).first
    return Seen(config, "benign", f"ipfl/{rule}", 0, record, np.ones(len(size), bool), before)


def test_thresholds_go_empty_handed_where_the_large_seller_heads_the_list():
    """K = 3600, n = 100: 10000 samples at 7 come first and fail; 300 at 1 would have left 6 - 3 - 1 = 2."""
    one = seen([100, 10000, 300], [50, 7, 1], [3600, 0, 0])
    assert (THRESHOLD.of(one), EXACT.of(one)) == (0.0, pytest.approx(2 / 3))
    assert (LOST.of(one), SHORT.of(one)) == (1.0, 1.0)


def test_money_and_lies_of_two_like_sellers():
    """K = 3600, n = 100, 300 samples at 1.1 and at 1.0: one is taken and paid 3, or the other's cost, 1.1."""
    one = seen([100, 300, 300], [50, 1.1, 1.0], [3600, 0, 0])
    assert (MARGINAL.of(one), CLARKE.of(one)) == (pytest.approx(1.0), pytest.approx(1.1 / 3))
    assert KEPT.of(one) == pytest.approx(1.9 / 3)
    assert (LOST.of(one), SHORT.of(one)) == (0.0, 0.0)
    lies = regret(market_mechanism("ipfl"), one.record, "cost")
    np.testing.assert_allclose(lies, [[0.0, 1.9, 0.0]] * 2, atol=1e-12)  # by saying less than 1
    assert regret(market_mechanism("ipfl-exact"), one.record, "cost").max() <= 1e-9


def test_nothing_to_trade_has_no_shares():
    one = seen([100, 300, 300], [50, 50, 50], [3600, 0, 0])
    assert [column.of(one) for column in (LOST, KEPT, FITS, POINTS)] == [None] * 4
    assert (SHORT.of(one), EXACT.of(one)) == (0.0, 0.0)


def test_who_is_away_is_searched_for_no_lie_and_counts_in_no_mean():
    one = seen([100, 300, 300, 300], [50, 1.1, 1.0, 0.1], [3600, 0, 0, 0], present=[True, True, True, False])
    lies = regret(market_mechanism("ipfl"), one.record, "cost")
    np.testing.assert_allclose(lies, [[0.0, 1.9, 0.0, 0.0]] * 2, atol=1e-12)
    assert MARGINAL.of(one) == pytest.approx(1.0)


def test_the_law_is_held_against_accuracy_over_local():
    size, gain = [100, 300, 300, 300], [3600, 3600, 0, 900]
    promised = seen(size, [0, 0, 0, 0], gain).accounts.gain.mean(axis=0)
    assert len(set(promised.round(9))) == 4
    one = seen(size, [0, 0, 0, 0], gain, accuracy=0.5 + promised / 100, alone=0.5)
    assert LAW.of(one) == pytest.approx(promised.mean())
    assert (FITS.of(one), POINTS.of(one)) == (pytest.approx(1.0), pytest.approx(promised.mean() / 100))
    np.testing.assert_allclose(law_and_accuracy(one), [promised, promised], atol=1e-9)
    assert FITS.of(seen(size, [0, 0, 0, 0], gain, accuracy=0.5 - promised / 100, alone=0.5)) == pytest.approx(-1.0)
    assert FITS.of(seen(size, [0, 0, 0, 0], gain, accuracy=0.6, alone=0.5)) is None


def test_a_method_looks_the_same_in_every_panel():
    first, second = clouds(
        {"a": {"x": np.zeros((2, 2)), "y": np.ones((2, 3))}, "b": {"y": np.ones((2, 4))}}, "", ""
    ).axes
    assert [len(marks.get_offsets()) for marks in second.collections] == [0, 4]
    looks = [[marks.get_facecolor().tolist() for marks in panel.collections] for panel in (first, second)]
    assert looks[0][1] == looks[1][1] != looks[0][0]
