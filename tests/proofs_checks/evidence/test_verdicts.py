"""Verdicts: they agree with theory, say how sure they are, and a name proves nothing."""

import json
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from mechanism import MarketMechanism, Reports, SqrtGain, market_mechanism
from mechanism.auctions.auction import Auction
from mechanism.auctions.one_item.second_price import second_price
from mechanism.auctions.one_item.second_price_reserve import second_price_reserve
from mechanism.catalogue import CATALOGUE, direct_mechanism
from mechanism.direct import Floats, SingleParameter
from mechanism.errors import InvalidMechanismError, UnknownNameError
from mechanism.market.direct import MarketDirect
from mechanism.market.rules.posted_price import PostedPrice
from proofs_checks.evidence.agreeing import agreed
from proofs_checks.evidence.grounds import find_proof
from proofs_checks.evidence.verdict import Grade
from proofs_checks.evidence.verify import check_mechanism, verify
from proofs_checks.evidence.witness import Witness, replay
from proofs_checks.proofs.catalogued import not_catalogued
from proofs_checks.proofs.certificate import Certificate
from proofs_checks.proofs.proving import prove_mechanism
from proofs_checks.proofs.theorems import check
from proofs_checks.properties.registry import PROPERTY
from proofs_checks.symbolic.prove import check_code_proof
from tests.proofs_checks.rules import auction, pay_bid, pay_second, winner

FEW = ("first-price", "second-price", "median-vote", "moulin-shapley", "ipfl", "ipfl-exact")
PROBES = 12
SLOW = ("bic", "interim-ir", "ir-buyer", "ir-seller", "weak-budget-balance")
"""Seconds each in a market, and said by others of its properties."""


@pytest.mark.parametrize("name", FEW)
def test_twelve_probes_agree_with_theory(name):
    mechanism = direct_mechanism(name)
    asked = [p for p in PROPERTY if p not in SLOW or "ipfl" not in name]
    verdicts = [v for v in verify(mechanism, asked, budget=60.0, probes=PROBES) if v.grade is not Grade.UNKNOWN]
    truths = CATALOGUE[name].truths
    known = {v.property: v for v in verdicts if v.property in truths}
    assert len(known) >= 5
    for prop, verdict in known.items():
        assert verdict.holds == truths[prop].startswith("yes"), (prop, verdict.evidence)
    for verdict in verdicts:
        if verdict.grade is Grade.PROVED and verdict.evidence["code"]["grade"] == "proved":
            assert check_code_proof(mechanism, verdict.evidence["code"]["certificate"]) == []
        if verdict.grade is Grade.PROVED and "certificate" in verdict.evidence:
            certificate = Certificate.from_json(json.dumps(verdict.evidence["certificate"]))
            assert check(certificate) == []
            assert certificate.property in (verdict.property, *PROPERTY[verdict.property].follows)
        if verdict.grade is Grade.REFUTED:
            assert verdict.witness is not None
            again = Witness.from_dict(json.loads(json.dumps(verdict.witness.to_dict())))
            assert replay(again, mechanism).bitwise
        assert (verdict.holds is False) == (verdict.witness is not None) == (verdict.grade is Grade.REFUTED)


def test_a_certificate_of_another_statement_is_not_accepted():
    verdict = verify(direct_mechanism("ipfl-exact"), ["dsic-cost"], budget=2)[0]
    data = json.loads(json.dumps(verdict.evidence["certificate"]))
    data["property"] = "budget-balance"
    assert check(Certificate.from_json(data)) != []


def test_what_follows_from_a_proof_is_proved():
    verdicts = verify(direct_mechanism("second-price"), ["bic", "monotonicity", "interim-ir"], budget=3)
    assert [(v.grade, v.evidence["code"]["certificate"]["of"]) for v in verdicts] == [
        (Grade.PROVED, "dsic"), (Grade.PROVED, "monotonicity"), (Grade.PROVED, "ir")
    ]  # fmt: skip


def impostor(volume: float, agents: int = 3) -> Auction:
    """A rule named second-price that charges the winner its own bid in a corner of that volume."""
    side = volume ** (1.0 / agents)

    def rule(bids: Floats) -> tuple[Floats, Floats]:
        there = ((bids > 0.6) & (bids < 0.6 + side)).all(axis=1)[:, None]
        price = np.where(there, bids, np.sort(bids, axis=1)[:, -2:-1])
        return winner(bids) * 1.0, winner(bids) * price

    return Auction(rule, agents, name="second-price", family=second_price)


@pytest.mark.parametrize("grade", ["auto", "searched"])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_name_proves_nothing(seed, grade):
    verdict = verify(impostor(1e-3), ["dsic"], budget=20, seed=seed, grade=grade)[0]
    assert (verdict.grade, verdict.holds) == (Grade.REFUTED, False)
    assert "certificate" not in verdict.evidence


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_name_proves_nothing_where_only_proofs_are_asked_for(seed):
    verdict = verify(impostor(1e-3), ["dsic"], budget=20, seed=seed, grade="proved")[0]
    assert verdict.grade in (Grade.REFUTED, Grade.UNKNOWN)
    assert verdict.holds is not True


def hidden(mechanism):
    object.__setattr__(mechanism, "outcome", lambda reports: type(mechanism).outcome(mechanism, reports))
    return mechanism


class Mine(MarketDirect):
    __module__ = "mechanism.market.direct"


class Law(SqrtGain):
    pass


EXACT = market_mechanism("ipfl-exact")
FOREIGN = {
    "a user's rule of that name": SingleParameter(pay_second, 3, name="second-price"),
    "a user's rule in the catalogue's class": replace(second_price(3), rule=pay_second),
    "a method put on the object": hidden(second_price(3)),
    "a method put on a market": hidden(direct_mechanism("ipfl-exact")),
    "a subclass that says it is ours": Mine(EXACT, 3),
    "few nodes": MarketDirect(MarketMechanism("ipfl-exact", "exact", "clarke", node_limit=20), 16),
    "another law": MarketDirect(EXACT, 3, law=Law()),
    "another payment": MarketDirect(MarketMechanism("ipfl-exact", "exact", "marginal"), 3),
    "a price rule of one's own": MarketDirect(PostedPrice(lambda size, market: 1.0), 3),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_what_is_not_the_catalogues_own_code_is_told_why(name):
    if name == "another payment":  # parts that are words may differ: there the formula's test tells
        assert find_proof(FOREIGN[name], PROPERTY["dsic-cost"], 0)[0] is None
    else:
        assert not_catalogued(FOREIGN[name])


@pytest.mark.parametrize("name", CATALOGUE)
def test_the_catalogue_is_its_own(name):
    assert not_catalogued(direct_mechanism(name)) is None
    assert not_catalogued(direct_mechanism(name, CATALOGUE[name].agents + 1)) is None
    assert not_catalogued(second_price_reserve(3, 0.3)) is None


def test_a_proof_has_a_line_for_the_formula_and_one_for_the_code():
    told = verify(direct_mechanism("ipfl-exact"), ["dsic-cost"], budget=3)[0].evidence
    assert told["formula"]["name"] == "ipfl_exact_cost"
    assert (told["code"]["grade"], told["code"]["agents"]) == ("tested", CATALOGUE["ipfl-exact"].agents)
    told = verify(direct_mechanism("second-price"), ["dsic"], budget=5)[0].evidence
    assert told["formula"]["name"] == "second_price_truth"
    assert told["code"]["grade"] == "proved"
    told = verify(SingleParameter(pay_second, 3, name="second-price"), ["dsic"], budget=5)[0].evidence
    assert (told["formula"], told["code"]["grade"], told["code"]["agents"]) == (None, "proved", 3)


def test_declared_bounds_and_numbers_are_those_that_are_tested():
    """Wrong only for dear sellers, or for more clients: on bounds, or with a number, that include them it is seen."""

    def dear(reports: Reports) -> NDArray[np.bool_]:
        return reports.cost > 3.0

    def many(reports: Reports) -> NDArray[np.bool_]:
        return np.full(reports.cost.shape, reports.clients > 10)

    class Tampered:
        id, allocation, payment = "ipfl-exact", "exact", "clarke"

        def __init__(self, where):
            self.where = where

        def clear(self, reports, market):
            o = EXACT.clear(reports, market)
            more = o.imports & self.where(reports)[..., None, :]
            return replace(o, prices=np.where(more, 1.05 * o.prices, o.prices))

    high = (1000.0, 10.0, 8e6)
    wrong = (MarketDirect(Tampered(dear), 4, high=high), MarketDirect(Tampered(many), 12))
    right = (MarketDirect(Tampered(dear), 4), MarketDirect(Tampered(many), 4))
    assert all(prove_mechanism(m, "dsic-cost").certificate is None for m in wrong)
    assert all(prove_mechanism(m, "dsic-cost").certificate is not None for m in right)
    assert all(find_proof(m, PROPERTY["dsic-cost"], 0)[0] is None for m in (*wrong, *right))


def test_a_witness_withdraws_what_rests_on_the_same_formula_and_refutes_its_premises():
    rule = direct_mechanism("ipfl-exact")
    found = verify(rule, ["ir-seller", "dsic-cost"], budget=3)
    case = verify(direct_mechanism("ipfl"), ["dsic-cost"], budget=3)[0]
    note = replace(case, evidence={**case.evidence, "note": "the formula is proved, and this code is not that formula"})
    withdrawn = agreed(rule, [found[0], note])
    assert [v.grade for v in withdrawn] == [Grade.SEARCHED, Grade.REFUTED]
    assert [v.grade for v in agreed(rule, found)] == [Grade.PROVED, Grade.PROVED]
    both = verify(auction(pay_bid, 3), ["group-dsic", "dsic", "bic"], budget=9)
    assert [v.holds for v in both] == [False] * 3
    first = [v for v in both if v.property == "dsic"] + [replace(both[0], holds=True, grade=Grade.SEARCHED)]
    assert agreed(auction(pay_bid, 3), first)[1].grade is Grade.REFUTED
    denied = agreed(auction(pay_bid, 3), [both[2], replace(both[1], holds=True, grade=Grade.SEARCHED, witness=None)])[1]
    assert denied.holds is not True


@pytest.mark.parametrize("grade", ["auto", "searched", "exhausted", "proved"])
def test_a_user_file_cannot_pass_for_the_catalogue_by_its_class(grade):
    """A rule from elsewhere in the catalogue's own class is still not the catalogue's code."""
    verdict = verify(auction(pay_bid, 3), ["dsic"], budget=5, grade=grade)[0]
    assert verdict.holds is not True


@pytest.mark.parametrize(
    ("name", "prop", "holds"),
    [
        ("second-price", "dsic", True), ("first-price", "dsic", False), ("first-price", "ir", True),
        ("all-pay", "ir", False), ("first-price", "budget-balance", False),
        ("first-price", "weak-budget-balance", True), ("second-price", "monotonicity", True),
    ],
)  # fmt: skip
def test_a_grid_is_exhausted(name, prop, holds):
    mechanism = direct_mechanism(name)
    verdict = verify(mechanism, [prop], grade="exhausted", budget=3)[0]
    assert verdict.holds is holds
    assert verdict.evidence["profiles"] == 33**3
    assert verdict.evidence["exact"] is True
    if holds:
        assert verdict.grade is Grade.EXHAUSTED
        assert "nothing is said of types off the grid" in verdict.bound
    else:
        assert verdict.grade is Grade.REFUTED
        assert replay(Witness.from_dict(verdict.witness.to_dict()), mechanism).bitwise


def test_what_no_grid_can_answer_is_unknown():
    market = direct_mechanism("ipfl")
    verdict = verify(market, ["split-proof"], grade="exhausted", budget=2)[0]
    assert verdict.grade is Grade.REFUTED or "no finite grid" in verdict.evidence["reason"]
    many = verify(direct_mechanism("second-price", 20), ["dsic"], grade="exhausted", budget=5)[0]
    assert many.grade is Grade.UNKNOWN
    assert "more than" in many.evidence["reason"]


@pytest.mark.parametrize(
    ("name", "prop", "reason"),
    [
        ("first-price", "core", "what coalitions could have"), ("first-price", "dsic-cost", "no private cost"),
        ("median-vote", "ir", "no staying out"), ("first-price", "ir-buyer", "which part of a utility"),
        ("vcg-combinatorial", "monotonicity", "names no allocation"),
    ],
)  # fmt: skip
def test_what_does_not_apply_is_unknown_and_says_why(name, prop, reason):
    for grade in ("auto", "searched", "exhausted", "proved"):
        verdict = verify(direct_mechanism(name), [prop], budget=5, grade=grade)[0]
        assert (verdict.grade, verdict.holds, verdict.witness) == (Grade.UNKNOWN, None, None)
        assert reason in verdict.evidence["reason"]


def test_by_default_only_what_applies_is_asked():
    mechanism = direct_mechanism("median-vote")
    found = [v.property for v in verify(mechanism, budget=30, probes=2)]
    assert found == [p.id for p in PROPERTY.values() if p.missing(mechanism) is None]
    assert "ir" not in found


def test_no_proof_is_unknown_with_a_reason():
    verdict = verify(direct_mechanism("proportional-share"), ["ir"], grade="proved", budget=5)[0]
    assert (verdict.grade, verdict.holds) == (Grade.UNKNOWN, None)
    assert verdict.evidence["reason"]


def test_mistakes_are_named():
    mechanism = direct_mechanism("first-price")
    with pytest.raises(UnknownNameError, match=r"unknown property 'dsci'; did you mean 'dsic'\? Known: ir, "):
        verify(mechanism, ["dsic", "dsci"])
    with pytest.raises(InvalidMechanismError, match=r"grade is 'sure'; expected one of auto"):
        verify(mechanism, grade="sure")
    for budget in (0.0, -1.0, float("nan")):
        with pytest.raises(InvalidMechanismError, match="expected seconds > 0"):
            verify(mechanism, budget=budget)


def test_the_statement_of_a_search_is_the_binomial_bound():
    verdict = verify(auction(pay_second, 3), ["dsic"], budget=30, probes=8, grade="searched")[0]
    assert verdict.grade is Grade.SEARCHED
    drawn = verdict.evidence["uniform_profiles"]
    assert drawn > 0
    assert verdict.share == pytest.approx(1.0 - 0.01 ** (1.0 / drawn), rel=1e-9)
    assert f"{drawn} drawn" in verdict.bound
    assert verdict.evidence["tried"] > drawn


def test_seed_and_probes_decide_everything():
    def told(seed: int) -> list[dict]:
        verdicts = verify(direct_mechanism("gsp"), ["dsic", "ir", "non-bossiness"], budget=60, probes=4, seed=seed)
        return [{k: v for k, v in verdict.to_dict().items() if k != "seconds"} for verdict in verdicts]

    assert told(1) == told(1)
    assert told(1) != told(2)


def test_every_property_once_in_the_order_asked_with_progress():
    seen: list[tuple[str, int, int]] = []
    verdicts = verify(
        direct_mechanism("first-price"), ["ir", "dsic", "ir"], budget=10, probes=2,
        progress=lambda *told: seen.append(told),
    )  # fmt: skip
    assert [v.property for v in verdicts] == ["ir", "dsic"]
    assert seen == [("ir", 0, 2), ("dsic", 1, 2)]


def test_the_check_asks_all_kinds_of_profiles():
    seen: list[Floats] = []

    def rule(bids: Floats) -> tuple[Floats, Floats]:
        seen.append(np.array(bids))
        return 0.0 * bids, 0.0 * bids

    check_mechanism(SingleParameter(rule, 2))
    first = max(seen, key=len)
    assert len(first) == 320
    assert (first[:, 0] == first[:, 1]).any()
    assert (first == 0.0).any()
    assert (first == 1.0).any()


def test_code_that_breaks_its_formula_withdraws_what_is_proved_of_it(monkeypatch):
    """As if the catalogue's own file had been edited: the regions refute dsic, and the formula proves nothing more."""
    monkeypatch.setattr("proofs_checks.evidence.grounds.not_catalogued", lambda mechanism: None)
    edited = replace(second_price(3), rule=impostor(1e-3).rule)
    refuted = verify(edited, ["dsic"], budget=5)[0]
    assert refuted.evidence["method"] == "regions of the code"
    assert "not that formula" in refuted.evidence["note"]


def test_code_is_held_against_its_formula_once_for_all_properties(monkeypatch):
    asked = []
    monkeypatch.setattr("proofs_checks.evidence.grounds.conformance", lambda *a: asked.append(a[0]) or [])
    rule = direct_mechanism("ipfl-exact")
    for prop in ("ir", "dsic-cost", "efficiency", "budget-balance"):
        assert find_proof(rule, PROPERTY[prop], 0)[0] is not None
    assert asked == ["ipfl-exact"]
