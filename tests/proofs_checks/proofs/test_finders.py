"""What solvers found, against known answers."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from proofs_checks.proofs import CertificateError, check
from proofs_checks.proofs.checkers.intervals import StepRule, check_step_rule
from proofs_checks.proofs.checkers.setfunctions import check_set_function
from proofs_checks.proofs.checkers.trade import check_trade, trade_system
from proofs_checks.proofs.finding.finders import counterexample, set_function_certificate, step_rule_certificate
from proofs_checks.proofs.finding.finders import trade_certificate as trade


def test_myerson_satterthwaite_on_the_grid_15_04():
    """Multipliers as by hand: 1 on rationality, 1/2 on incentives, 1 on balance."""
    certificate = trade([1, 5], [0, 4])
    assert certificate.statement.startswith("no rule has")
    numbers = dict(certificate.parts[0].numbers)
    assert numbers["IR buyer 1"] == numbers["IR seller 4"] == numbers["balance"] == 1
    assert numbers["IC buyer 5 not saying 1"] == numbers["IC seller 0 not saying 4"] == Fraction(1, 2)
    assert len(numbers) == 5


@pytest.mark.parametrize(
    ("values", "costs", "kinds", "possible"),
    [
        ((1, 3), (0, 2), ("bic", "ex-post", "ex-post"), True),
        ((1, 3), (0, 2), ("dsic", "ex-post", "ex-post"), False),
        ((1, 3, 5), (0, 2, 4), ("bic", "interim", "ex-ante"), False),
        ((1, 5), (0, 4), ("dsic", "ex-post", "ex-post"), False),
        ((2, 3), (0, 1), ("dsic", "ex-post", "ex-post"), True),  # always trade: a fixed price between
    ],
)
def test_trade_on_grids(values, costs, kinds, possible):
    certificate = trade(values, costs, incentive=kinds[0], rationality=kinds[1], balance=kinds[2])
    assert check(certificate) == []
    assert certificate.parts[0].answer == ("possible" if possible else "impossible")


def test_a_possible_rule_is_no_proof_of_impossibility_and_the_other_way():
    for values, costs in (((1, 5), (0, 4)), ((1, 3), (0, 2))):
        part = trade(values, costs).parts[0]
        other = "possible" if part.answer == "impossible" else "impossible"
        assert check_trade(replace(part, answer=other))
        assert check_trade(replace(part, costs=(Fraction(0), Fraction(1))))
        assert check_trade(replace(part, values=part.values[:1] * 2))


def test_ties_in_the_grid_are_refused():
    with pytest.raises(CertificateError, match="stands twice"):
        trade([1, 4], [0, 4])


def test_rows_of_the_grid_say_what_they_demand():
    names = [row.name for row in trade_system((Fraction(1),), (Fraction(0),), "dsic", "ex-post", "ex-post")]
    assert names == ["IR buyer 1", "IR seller 0", "balance 1 0"]


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_submodularity_carries_buyers_rationality_and_monotonicity_is_not_needed(n):
    part = set_function_certificate(n).parts[0]
    assert set(part.axioms) == ({"normalised"} if n == 1 else {"normalised", "submodular"})
    assert {needed.axiom for needed in part.needed} == set(part.axioms)
    assert dict(part.multipliers)["denial"] > 0
    assert check_set_function(part) == []


def test_without_submodularity_there_is_an_exact_counterexample():
    assert set_function_certificate(3, ("normalised", "monotone")) is None
    gain = counterexample(2, ("normalised", "monotone"))
    marginals = 2 * gain["g{0,1}"] - gain["g{0}"] - gain["g{1}"]
    assert marginals >= gain["g{0,1}"] + 1
    assert 0 <= gain["g{}"] <= min(gain["g{0}"], gain["g{1}"]) <= gain["g{0,1}"]


def test_a_counterexample_that_is_none_is_refused():
    part = set_function_certificate(2).parts[0]
    needed = part.needed[0]
    broken = replace(needed, gain=tuple((name, Fraction(0)) for name, _ in needed.gain))
    assert check_set_function(replace(part, needed=(broken, *part.needed[1:])))
    assert check_set_function(replace(part, sellers=3))
    assert check_set_function(replace(part, axioms=("normalised",)))


def test_step_rules_are_truthful_with_myersons_payments_only():
    """Myerson 1981: with two cuts any other payment above level 0 breaks truth or rationality."""
    good = step_rule_certificate(["1/3", "1/2"], [0, "1/2", 1]).parts[0]
    assert good.payments == (0, Fraction(1, 6), Fraction(5, 12))
    for s, shift in ((1, "1/100"), (1, "-1/100"), (2, "1/100"), (2, "-1/100"), (0, "1/100")):
        moved = list(good.payments)
        moved[s] += Fraction(shift)
        assert check_step_rule(replace(good, payments=tuple(moved)))
    with pytest.raises(CertificateError, match="dsic"):
        step_rule_certificate(["1/2"], [1, 0])  # falling: no payments make it truthful
    assert check_step_rule(StepRule(Fraction(0), Fraction(1), (Fraction(2),), good.levels[:2], good.payments[:2]))
