"""A mechanism that is deliberately wrong never gets a certificate; the catalogue's own do."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from mechanism import Market, MarketMechanism, PowerGain, SingleParameter, TableGain, market_mechanism
from mechanism.auctions.one_item.first_price import first_price
from mechanism.auctions.one_item.myerson import myerson
from mechanism.auctions.one_item.posted_price_single import posted_price_single
from mechanism.auctions.one_item.second_price import second_price
from mechanism.auctions.one_item.second_price_reserve import second_price_reserve
from mechanism.auctions.public.clarke_public_good import clarke_public_good
from mechanism.auctions.units.greedy_knapsack import GreedyKnapsack
from mechanism.auctions.units.gsp import gsp
from mechanism.auctions.units.vcg_combinatorial import VcgCombinatorial
from mechanism.auctions.units.vcg_positions import vcg_positions
from mechanism.catalogue import direct_mechanism
from mechanism.market.direct import MarketDirect
from mechanism.market.rules.posted_price import PostedPrice
from proofs_checks.proofs import THEOREMS, check, prove, prove_mechanism

GOOD = {
    **{name: market_mechanism(name) for name in ("ipfl", "exact-marginal", "ipfl-exact", "posted-price")},
    "second-price": second_price(3),
    "second-price-reserve": second_price_reserve(3, 0.3),
    "posted-price-single": posted_price_single(4, 0.4),
    "myerson": myerson(3),
    "greedy-knapsack": GreedyKnapsack(4),
    "vcg-positions": vcg_positions(4),
    "vcg-combinatorial": VcgCombinatorial(3),
    "clarke-public-good": clarke_public_good(3),
}


@pytest.mark.parametrize(("name", "prop"), [key for key in THEOREMS if key[0] in GOOD])
def test_the_catalogue_computes_its_formulas(name, prop):
    proof = prove_mechanism(GOOD[name], prop, samples=80)
    assert proof.certificate is not None, proof.words
    assert check(proof.certificate) == []
    assert "tested on 80 random cases, not proved" in proof.words


def test_code_that_is_not_held_against_the_formula_is_not_called_proved():
    for name, prop in THEOREMS:
        if name not in GOOD and not name.endswith("-effective"):  # there the code is that of the plain rule
            proof = prove_mechanism(direct_mechanism(name), prop)
            assert proof.certificate is None
            assert "not held against the formula" in proof.words or "differ from reports" in proof.words


@dataclass(frozen=True)
class Wrapped:
    """A market mechanism whose outcome is tampered with."""

    inner: object
    id: str
    tamper: object

    def clear(self, reports, market):
        return self.tamper(self.inner.clear(reports, market), reports, market)

    def prices(self, reports, market):
        return self.inner.prices(reports, market)


def dearer(outcome, reports, market):
    return replace(outcome, prices=outcome.prices * 1.00001)


def drop_last_seller(outcome, reports, market):
    imports, prices = outcome.imports.copy(), outcome.prices.copy()
    imports[..., -1], prices[..., -1] = False, 0.0
    return replace(outcome, imports=imports, prices=prices)


def tax(outcome, reports, market):
    return replace(outcome, centre=outcome.centre + 1e-6)


def pay_for_nothing(outcome, reports, market):
    prices = outcome.prices.copy()
    prices[..., 0, 1] += 0.01
    return replace(outcome, prices=prices)


def pay_oneself(outcome, reports, market):
    prices = outcome.prices.copy()
    prices[..., 0, 0] = 1.0
    return replace(outcome, prices=prices)


def admit_a_gap(outcome, reports, market):
    return replace(outcome, gap=outcome.gap + 0.5)


def forget_penalties(outcome, reports, market):
    return replace(outcome, prices=outcome.prices + outcome.imports * market.penalties(reports.size))


def charge_costs(outcome, reports, market):
    return replace(outcome, prices=outcome.imports * reports.cost[..., None, :])


def not_a_number(outcome, reports, market):
    return replace(outcome, prices=np.where(outcome.imports, np.nan, 0.0))


def undecided_gap(outcome, reports, market):
    return replace(outcome, gap=outcome.gap + np.nan)


TAMPERS = [dearer, not_a_number, drop_last_seller, tax, pay_for_nothing, pay_oneself, forget_penalties, charge_costs]


@pytest.mark.parametrize("tamper", TAMPERS)
@pytest.mark.parametrize("name", ["ipfl", "exact-marginal", "ipfl-exact", "posted-price"])
def test_tampered_markets_get_no_certificate(name, tamper):
    proof = prove_mechanism(Wrapped(market_mechanism(name), name, tamper), "ir")
    assert proof.certificate is None
    assert "not the formula" in proof.words


def test_a_search_that_admits_a_gap_gets_no_certificate():
    assert prove_mechanism(Wrapped(market_mechanism("ipfl-exact"), "ipfl-exact", admit_a_gap), "ir").certificate is None
    undecided = Wrapped(market_mechanism("ipfl-exact"), "ipfl-exact", undecided_gap)
    assert prove_mechanism(undecided, "efficiency").certificate is None
    impatient = MarketMechanism("ipfl-exact", "exact", "clarke", node_limit=1)
    assert prove_mechanism(impatient, "efficiency").certificate is None


@pytest.mark.parametrize(
    ("name", "allocation", "payment"),
    [
        ("ipfl-exact", "exact", "marginal"), ("ipfl-exact", "threshold", "clarke"), ("ipfl", "exact", "marginal"),
        ("ipfl", "threshold-skip", "marginal"), ("exact-marginal", "exact", "clarke"), ("ipfl", "full", "none"),
        ("exact-marginal", "threshold", "marginal"), ("ipfl-exact", "exact", "none"),
    ],
)  # fmt: skip
def test_a_rule_under_another_rules_name_gets_no_certificate(name, allocation, payment):
    proof = prove_mechanism(MarketMechanism(name, allocation, payment), "ir")
    assert proof.certificate is None
    assert "not the formula" in proof.words


def test_prices_that_a_report_moves_are_not_posted():
    class Moved(PostedPrice):
        def prices(self, reports, market):
            return np.asarray(1.0 + 0.1 * reports.cost.mean())

    assert prove_mechanism(Moved(), "dsic-cost").certificate is None


def test_posted_tables_and_rules_of_sizes_conform():
    assert prove_mechanism(PostedPrice(lambda size, market: size[..., None, :] / 500.0), "dsic-gain").certificate


def named(name, rule, **kwargs):
    return SingleParameter(rule, 3, name=name, **kwargs)


def _first_price(bids):
    wins = np.arange(3) == bids.argmax(axis=1)[:, None]
    return wins, wins * bids


def _third_price(bids):
    wins = np.arange(3) == bids.argmax(axis=1)[:, None]
    return wins, wins * np.sort(bids, axis=1)[:, :1]


def _losers_pay(bids):
    wins, price = _second(bids)
    return wins, price + 1e-4 * ~wins


def _second(bids):
    wins = np.arange(3) == bids.argmax(axis=1)[:, None]
    return wins, wins * np.sort(bids, axis=1)[:, 1:2]


def _lowest_wins(bids):
    wins = np.arange(3) == bids.argmin(axis=1)[:, None]
    return wins, wins * 0.0


def _fixed_price(bids):
    willing = bids >= 0.5
    wins = willing & (np.arange(3) == willing.argmax(axis=1)[:, None])
    return wins, wins * 0.5


@pytest.mark.parametrize("name", ["second-price", "second-price-reserve", "posted-price-single", "myerson"])
@pytest.mark.parametrize("rule", [_first_price, _third_price, _losers_pay, _lowest_wins])
def test_wrong_auctions_get_no_certificate(name, rule):
    assert prove_mechanism(named(name, rule), "dsic").certificate is None


def test_a_truthful_rule_that_is_another_one_gets_no_certificate():
    assert prove_mechanism(named("second-price", _second), "dsic").certificate is not None
    assert prove_mechanism(named("second-price", _fixed_price), "dsic").certificate is None
    assert prove_mechanism(named("posted-price-single", _second), "dsic").certificate is None


def test_wrong_pivots_get_no_certificate():
    @dataclass(frozen=True, eq=False)
    class Taxed:
        inner: object
        name: str
        share: float

        def __getattr__(self, attribute):
            return getattr(self.inner, attribute)

        def payments(self, outcome):
            return self.share * self.inner.payments(outcome)

    for inner in (vcg_positions(3), VcgCombinatorial(3), clarke_public_good(3)):
        assert prove_mechanism(Taxed(inner, inner.name, 1.0), "dsic").certificate is not None
        assert prove_mechanism(Taxed(inner, inner.name, 0.999), "dsic").certificate is None
    assert prove_mechanism(replace(gsp(3), name="vcg-positions"), "dsic").certificate is None


def test_values_outside_the_theorem_get_no_certificate():
    below = replace(vcg_positions(3), low=-1.0)
    assert "below 0" in prove_mechanism(below, "ir").words


def test_a_market_wrapper_that_accounts_otherwise_gets_no_certificate():
    class Generous(MarketDirect):
        def utility(self, types, outcome):
            return super().utility(types, outcome) + 1.0

    inner = market_mechanism("ipfl-exact")
    assert prove_mechanism(MarketDirect(inner, 3), "dsic-cost").certificate is not None
    proof = prove_mechanism(Generous(inner, 3), "dsic-cost")
    assert proof.certificate is None
    assert "cannot be tested" in proof.words


def test_the_gain_law_is_part_of_what_is_proved():
    table = TableGain((100.0, 1000.0, 5000.0), (0.0, 1.0, 1.2))
    inner = market_mechanism("ipfl-exact")
    assert prove_mechanism(MarketDirect(inner, 3, law=PowerGain(0.25)), "ir").certificate is not None
    assert "gain law 'table'" in prove_mechanism(MarketDirect(inner, 3, law=table), "ir").words
    assert prove_mechanism(MarketDirect(inner, 3, law=table), "dsic-cost").certificate is not None


def test_failing_and_nameless_mechanisms_are_refused_with_a_reason():
    class Broken:
        id = "ipfl-exact"

        def clear(self, reports, market):
            raise ValueError("out of order")

    assert "out of order" in prove_mechanism(Broken(), "ir").words
    assert "without name" in prove_mechanism(object(), "ir").words
    assert "no proof is kept" in prove_mechanism(first_price(3), "dsic").words
    assert prove("first-price", "ir") is None


def test_the_market_used_for_testing_trades():
    """Conformance on markets in which nobody trades would test nothing."""
    from proofs_checks.proofs.market_conformance import random_cases

    rng = np.random.default_rng(0)
    shares = []
    for _ in range(20):
        reports, market = random_cases(rng, 20, 4, PowerGain(0.5))
        assert isinstance(market, Market)
        shares.append(market_mechanism("ipfl-exact").clear(reports, market).imports.any(axis=(1, 2)).mean())
    assert np.mean(shares) > 0.5


@pytest.mark.parametrize("name", ["ipfl-exact", "exact-marginal", "ipfl"])
def test_a_rule_that_does_not_read_effective_sizes_is_noticed(name):
    """It holds in every plain market, and counts what sellers say where something else was measured."""
    from proofs_checks.proofs.market_conformance import market_conformance

    rule = market_mechanism(name)

    class Deaf:
        id, allocation, payment = rule.id, rule.allocation, rule.payment

        def clear(self, reports, market):
            return rule.clear(reports, Market(market.differences, market.lam, market.law))

    law = PowerGain(0.5)
    assert market_conformance(rule, name, np.random.default_rng(1), 400, law) == []
    assert market_conformance(Deaf(), name, np.random.default_rng(1), 400, law) != []
