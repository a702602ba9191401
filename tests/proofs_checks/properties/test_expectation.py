"""Promises in expectation: the mean is the one worked out by hand, and chance alone accuses nobody."""

from __future__ import annotations

import time

import numpy as np
import pytest

from proofs_checks.properties import expectation
from proofs_checks.properties.registry import PROPERTY
from proofs_checks.search.cases import Cases
from proofs_checks.search.searching import Search
from tests.proofs_checks.rules import auction, coin, moved, pay_all, pay_bid, pay_second, rows

SEEDS = range(200)


def asked(value: float, report: float, seed: int = 7, draws: int = 32768) -> Cases:
    """Agent 0 has ``value`` and says ``report``; the other is drawn ``draws`` times."""
    extra = (("draws", np.array([[float(seed), float(draws)]])),)
    return moved(rows(value, 0.0), 0, report, extra=extra)


def test_half_the_value_in_the_first_price_auction_is_worth_a_quarter():
    """Value 1 against a bid uniform on [0, 1]: the truth leaves nothing, 1/2 wins half the time and leaves 1/2."""
    case = asked(1.0, 0.5)
    numbers = PROPERTY["bic"].numbers(auction(pay_bid), case)
    assert numbers["expected"][0] == pytest.approx(0.25, abs=0.01)
    assert 0.2 < numbers["at_least"][0] < 0.25
    assert numbers["draws"] == [32768.0]
    assert PROPERTY["bic"].violation(auction(pay_bid), case).tolist() == [numbers["at_least"]]


def test_half_the_value_in_the_second_price_auction_costs_an_eighth():
    """The truth is worth 1 - 1/2, saying 1/2 is worth ∫_0^½ (1 - b) db = 3/8."""
    numbers = PROPERTY["bic"].numbers(auction(pay_second), asked(1.0, 0.5))
    assert numbers["expected"][0] == pytest.approx(-0.125, abs=0.01)
    assert numbers["at_least"][0] < numbers["expected"][0]


def test_a_bidder_of_one_half_expects_to_lose_a_quarter_in_the_all_pay_auction():
    """It pays 1/2 and wins 1/2 half of the time."""
    numbers = PROPERTY["interim-ir"].numbers(auction(pay_all), asked(0.5, 0.5))
    assert numbers["expected"][0] == pytest.approx(0.25, abs=0.01)
    assert PROPERTY["interim-ir"].violation(auction(pay_all), asked(0.5, 0.5)).max() > 0.2


@pytest.mark.parametrize("name", ["bic", "interim-ir"])
def test_a_fair_gamble_is_never_accused(name):
    """Mean exactly zero: of 200 samples about half have a mean above it, and none is taken for more."""
    values, reports = (0.25, 0.75) if name == "bic" else (0.75, 0.75)  # only those who say over 1/2 gamble
    found = [PROPERTY[name].numbers(auction(coin), asked(values, reports, seed, 512)) for seed in SEEDS]
    means = np.array([numbers["expected"][0] for numbers in found])
    assert 60 < (means > 0).sum() < 140
    assert max(numbers["at_least"][0] for numbers in found) < 0.0


def test_the_first_price_auction_is_accused_by_every_sample():
    found = [PROPERTY["bic"].violation(auction(pay_bid), asked(1.0, 0.5, seed, 512)) for seed in SEEDS]
    assert min(float(v.max()) for v in found) > 0.0


def test_a_search_with_few_draws_accuses_the_right_one(monkeypatch):
    """Choosing the most suspicious of many pairs is no evidence: what is confirmed is drawn anew."""
    monkeypatch.setattr(expectation, "_LEAST", 1024)
    monkeypatch.setattr(expectation, "_MOST", 1024)
    accused = []
    for seed in SEEDS:
        for name in ("bic", "interim-ir"):
            search = Search(auction(coin), PROPERTY[name], seed)
            search.run(time.perf_counter() + 60, probes=3)
            assert search.found is None
        search = Search(auction(pay_bid), PROPERTY["bic"], seed)
        search.run(time.perf_counter() + 60, probes=3)
        accused.append(search.found is not None)
    assert np.mean(accused) > 0.9


def test_a_rare_loss_that_pays_for_a_sure_gain_is_seen():
    """Some samples of 512 hold no loss: by their own variance alone they would look like profit."""

    def rule(bids):
        other = np.roll(bids, 1, axis=1)
        lost = np.where(other > 1.0 - 1e-3, 1.0, -1e-3)
        return 0.0 * bids, lost * (bids > 0.5)

    found = [PROPERTY["bic"].numbers(auction(rule), asked(0.25, 0.75, seed, 512)) for seed in range(40)]
    assert any(numbers["expected"][0] > 0 for numbers in found)
    assert max(numbers["at_least"][0] for numbers in found) < 0.0
