"""The examples of the theory's text, by the engine's properties: lies, splitting, merging, the core."""

import math
from dataclasses import replace

import numpy as np
import pytest

from mechanism.market.direct import MarketDirect
from mechanism.market.mechanisms import market_mechanism
from proofs_checks.evidence.verify import make_witness
from proofs_checks.evidence.witness import Witness
from proofs_checks.properties import expectation
from proofs_checks.properties.registry import PROPERTY
from proofs_checks.search.cases import Cases
from proofs_checks.search.searching import Search
from tests.proofs_checks.rules import auction, coin, moved, pay_all, pay_bid, pay_second, plain, rows


def market(name: str, agents: int) -> MarketDirect:
    return MarketDirect(market_mechanism(name), agents, (1.0, 0.0, 0.0), (20_000.0, 10.0, 40_000.0))


def clients(*rows: tuple[float, float, float], **extra: object) -> Cases:
    """Return a market of (size, cost, gain) without penalties."""
    return plain(*([*row, *(0.0,) * len(rows)] for row in rows), **extra)


BUYER = (100.0, 0.0, 3600.0)
SELLERS = clients(BUYER, (300.0, 1.1, 0.0), (300.0, 1.0, 0.0))


def said(case: Cases, agent: int, column: int, value: float) -> Cases:
    row = case.types[0, agent].copy()
    row[column] = value
    return moved(case.types, agent, row)


def test_a_seller_understates_its_cost_under_the_reference_rule():
    """K = 3600, n = 100, sellers of 300 at 1.1 and 1.0: saying 0.9 it is taken, paid 3, and gains 1.9."""
    case = said(SELLERS, 1, 1, 0.9)
    for name in ("dsic-cost", "expost-cost", "dsic"):
        found = PROPERTY[name].violation(market("ipfl", 3), case)
        assert float(found.max()) == pytest.approx(1.9, abs=1e-12)
        assert float(PROPERTY[name].violation(market("ipfl-exact", 3), case).max()) <= 1e-12
    witness = make_witness(market("ipfl", 3), PROPERTY["dsic-cost"], case)
    assert isinstance(witness, Witness)
    assert witness.violation > 0.2 * 1.9


def test_the_repair_pays_the_critical_value():
    """The second seller is taken at 1.1; no report of either seller's cost brings it more."""
    mechanism = market("ipfl-exact", 3)
    outcome = mechanism.outcome(SELLERS.types)
    assert mechanism.utility(SELLERS.types, outcome)[0] == pytest.approx([1.9, 0.0, 0.1], abs=1e-12)
    for agent in (1, 2):
        for report in np.linspace(0.0, 4.0, 41):
            case = said(SELLERS, agent, 1, report)
            assert PROPERTY["dsic-cost"].violation(mechanism, case).max() <= 1e-12


SPLIT = clients((64.0, 0.0, 32_400.0), (800.0, 0.7, 0.0), (700.0, 3.0, 0.0), agent=np.intp(1), share=0.5)
MERGE = clients((25.0, 0.0, 3600.0), (800.0, 3.0, 0.0), (500.0, 0.1, 0.0), (500.0, 4.6, 0.0), pair=np.array([1, 2]))
BLOCK = clients((36.0, 0.0, 3600.0), (400.0, 1.8, 0.0), (200.0, 0.0, 0.0), (200.0, 0.8, 0.0))
EMPTY = clients(BUYER, (10_000.0, 7.0, 0.0), (300.0, 1.0, 0.0))
GAIN = said(clients(BUYER, (300.0, 1.0, 0.0)), 0, 2, 900.0)
NUMBERS = [
    ("ipfl", "dsic-gain", GAIN, {"utility_before": 0.0, "utility_after": 1.5}, 1.5),
    ("ipfl", "efficiency", EMPTY, {"welfare": 0.0, "optimum": 2.0}, 2.0),
    ("ipfl-exact", "efficiency", EMPTY, {"welfare": 2.0, "optimum": 2.0}, 0.0),
    ("ipfl-exact", "split-proof", SPLIT, {"utility_as_one": 2.688, "utility_as_two": 2.904}, 0.216),
    ("ipfl-exact", "merge-proof", MERGE, {"utility_apart": 2.370, "utility_together": 2.470}, 0.100),
    ("ipfl-exact", "core", BLOCK, {"members": 0.0}, 0.232),
]


@pytest.mark.parametrize(("rule", "name", "case", "stated", "violation"), NUMBERS)
def test_the_numbers_are_those_of_the_theory(rule, name, case, stated, violation):
    mechanism, prop = market(rule, case.types.shape[1]), PROPERTY[name]
    numbers = prop.numbers(mechanism, case)
    for key, value in stated.items():
        assert numbers[key][0] == pytest.approx(value, abs=5e-4)
    assert float(prop.violation(mechanism, case).max()) == pytest.approx(violation, abs=1e-3)


def test_who_blocks_and_who_splits_in_vain():
    prop = PROPERTY["split-proof"]
    assert PROPERTY["core"].numbers(market("ipfl-exact", 4), BLOCK)["members"] == [0.0, 1.0]
    for name in ("ipfl", "exact-marginal"):
        assert prop.violation(market(name, 3), SPLIT).max() <= 1e-9
    halved, whole = (p.violation(market("ipfl-exact", 3), SPLIT).max() for p in (replace(prop, cost_rule="half"), prop))
    assert halved > whole


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
            search.run(math.inf, probes=3)
            assert search.found is None
        search = Search(auction(pay_bid), PROPERTY["bic"], seed)
        search.run(math.inf, probes=3)
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
