"""One answer does not contradict itself, and says when it rests on too little or on no mechanism at all."""

from dataclasses import replace

import numpy as np
import pytest

from mechanism import MarketMechanism, Space, SqrtGain, market_mechanism, optimal_objective
from mechanism.errors import InvalidMarketError, InvalidMechanismError
from mechanism.market.direct import MarketDirect
from proofs_checks import replay, verify
from proofs_checks.evidence.agreeing import agreed
from proofs_checks.evidence.verdict import Grade, Verdict
from proofs_checks.properties.registry import PROPERTY
from proofs_checks.search.random_markets import random_markets
from proofs_checks.search.sampling import corners
from proofs_checks.search.searching import Search
from tests.proofs_checks.mutants import Mutant, buyers_pay_all
from tests.proofs_checks.rules import made, second, winners


def so_far(name):
    """A verdict of a search that found nothing."""
    return Verdict(name, Grade.SEARCHED, True, "", {"tried": 1})


def dented(bids):
    """Who has between .8 and .802 goes away empty: a lie pays whatever the others do."""
    wins = (bids > 0.5) & ~((bids > 0.8) & (bids < 0.802))
    return wins, 0.5 * wins


@pytest.mark.parametrize("other", ["expost", "group-dsic", "group-dsic=weak"])
def test_what_breaks_dsic_breaks_its_other_kinds(other):
    rule = made(dented)
    dsic = verify(rule, ["dsic"], budget=10)[0]
    found = {v.property: v for v in agreed(rule, [dsic, so_far(other)])}[other]
    assert (found.grade, found.holds) == (Grade.REFUTED, False)
    assert replay(found.witness, rule).reproduces
    assert (found.witness.case.types == dsic.witness.case.types).all()


def test_who_loses_by_taking_part_loses_as_a_buyer_or_as_a_seller():
    rule = MarketDirect(Mutant(buyers_pay_all), 3)
    ir = verify(rule, ["ir"], budget=10, probes=6)[0]
    told = agreed(rule, [ir, so_far("ir-buyer"), so_far("ir-seller")])
    assert [v.holds for v in told] == [False, False, True]


def test_a_lie_about_all_numbers_says_nothing_of_one_alone():
    rule = MarketDirect(MarketMechanism("ipfl-exact", "exact", "clarke"), 3)
    size = verify(rule, ["dsic-size"], budget=20, probes=4)[0]
    assert size.holds is False
    told = agreed(rule, [replace(size, property="dsic"), so_far("dsic-cost"), so_far("dsic-size")])
    assert [v.holds for v in told] == [False, True, False]


def test_an_expected_gain_is_looked_for_whatever_is_asked_after_bic():
    found = {v.property: v for v in verify(made(dented), ["dsic", "bic", "anonymity"], budget=20, probes=3)}
    assert found["bic"].holds is False
    assert found["bic"].witness.numbers["at_least"][0] > 0.3


def boxed(alone):
    """Second price; in a box the winner pays more: only alone, or only among others."""

    def rule(bids):
        inside = ((bids > 0.3) & (bids < 0.33)).all(axis=1, keepdims=True) & ((len(bids) == 1) == alone)
        return winners(bids), winners(bids) * (second(bids) + 0.05 * inside)

    return made(rule)


@pytest.mark.parametrize(("alone", "grade"), [(True, "auto"), (False, "searched")])
def test_a_rule_that_answers_otherwise_alone_is_no_mechanism(alone, grade):
    with pytest.raises(InvalidMechanismError, match="depends on the other rows"):
        verify(boxed(alone), ["dsic"], budget=20, grade=grade)


def test_amounts_that_no_tolerance_tells_apart_are_refused():
    def pays_its_bid(bids):
        return winners(bids), winners(bids) * bids

    with pytest.raises(InvalidMechanismError, match="1e-10 at most, and a violation counts from 1e-09 on"):
        verify(made(pays_its_bid, high=1e-10), ["dsic"], budget=1)
    assert verify(made(pays_its_bid, high=1e-6), ["dsic"], budget=10)[0].holds is False


@pytest.mark.parametrize(("limit", "clients"), [(8, 5), (12, 8)])
def test_a_rule_that_tells_a_gap_is_searched_where_it_tells_one(limit, clients):
    rule = MarketDirect(MarketMechanism("short", "exact", "clarke", node_limit=limit), clients)
    search = Search(rule, PROPERTY["dsic-cost"])
    search.run(np.inf, probes=10)
    assert search.found is not None
    assert search.prop.violation(rule, search.found).max() > 1e-3


def test_public_numbers_are_drawn_at_their_lowest_all_together():
    profiles = corners(MarketDirect(MarketMechanism("x", "exact", "clarke"), 4).space, np.random.default_rng(0), 800)
    assert 60 < (profiles[..., 3:] == 0.0).all(axis=(1, 2)).sum() < 140


def test_a_utility_that_moves_little_is_told_in_as_many_digits_as_it_takes():
    def fee(bids):
        return winners(bids), winners(bids) * (second(bids) + 1e-7 * (bids > 0.5))

    sentence = verify(made(fee), ["dsic"], budget=10)[0].witness.sentence
    before, after = sentence.partition("from ")[2].split(" (")[0].split(" to ")
    assert before != after


def test_more_welfare_than_is_declared_feasible_is_no_proof_of_efficiency():
    rule = made(lambda bids: (winners(bids), 0.0 * bids), optimum=lambda bids: bids.min(axis=1))
    with pytest.raises(InvalidMechanismError, match="above the declared optimum"):
        verify(rule, ["efficiency"], budget=10)


class CommonValue:
    """The item is worth the sum of both signals; the winner pays twice the other's: truthful if the other is."""

    name = "common value"
    space = Space(2, ("signal",), 0.0, 1.0)

    def outcome(self, reports):
        return winners(reports[..., 0]), winners(reports[..., 0]) * 2.0 * reports[..., ::-1, 0]

    def utility(self, types, outcome):
        return types[..., 0].sum(axis=1, keepdims=True) * outcome[0] - outcome[1]

    def payments(self, outcome):
        return outcome[1]


class NamedCommonValue(CommonValue):
    interdependent = ("signal",)


def test_whose_utility_depends_on_others_says_so():
    """Unsaid, every other's report was taken for the truth: truthful ex post, and proved to be so in any case."""
    with pytest.raises(InvalidMechanismError, match=r"depends on the true signal .* interdependent = \('signal',\)"):
        verify(CommonValue(), ["dsic"], budget=5)
    told = verify(NamedCommonValue(), ["dsic", "expost"], budget=4)
    assert [v.holds for v in told] == [False, True]


class Jump:
    """Worth 6 up to 12,000 samples, and some 300 from 60,000 on: rising, not concave."""

    name = "jump"
    x, y = np.array([1.0, 12e3, 60e3, 60001.0, 500e3]), np.array([0.0, 6.0, 6.5, 300.0, 300.0])

    def value(self, gain, own, total):
        return np.asarray(gain) * (np.interp(total, self.x, self.y) - np.interp(own, self.x, self.y))

    def derivative(self, gain, own, total):
        slopes = np.append(np.diff(self.y) / np.diff(self.x), 0.0)
        return np.asarray(gain) * slopes[np.searchsorted(self.x, total, side="right") - 1]

    def certificate(self):
        return "none"

    def kernel_form(self):
        return 1, 1.0, self.x.copy(), self.y.copy()


@pytest.mark.parametrize("name", ["ipfl-exact", "exact-marginal"])
def test_the_best_under_a_law_that_is_not_concave_is_not_left_to_the_search_that_misses_it(name):
    bounds = {"low": (5e3, 0.0, 0.0), "high": (40e3, 3.0, 1.0)}
    rule = MarketDirect(market_mechanism(name), 4, law=Jump(), **bounds)
    verdict = verify(rule, ["efficiency"], budget=20)[0]
    assert verdict.holds is False
    assert verdict.witness.numbers["optimum"][0] > 200.0 + verdict.witness.numbers["welfare"][0]
    many = MarketDirect(market_mechanism(name), 13, law=Jump(), **bounds)
    with pytest.raises(InvalidMarketError, match="not known to be concave"):
        many.optimal_welfare(np.broadcast_to(many.space.high, (1, 13, 16)))


def test_listing_all_sets_finds_what_the_search_finds_under_a_concave_law():
    types, market = random_markets("small", np.random.default_rng(5), 40, 5)
    reports, listed = types.truthful(), replace(market, law=Named())
    np.testing.assert_allclose(optimal_objective(reports, listed)[0], optimal_objective(reports, market)[0], atol=1e-9)


class Named(SqrtGain):
    """The paper's law as one's own: not known to be concave."""
