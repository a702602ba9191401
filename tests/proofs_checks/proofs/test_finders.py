"""What solvers found, against known answers."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from proofs_checks.proofs import CertificateError, check
from proofs_checks.proofs.proving import trade_certificate as trade
from proofs_checks.proofs.trade import check_trade, trade_system


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
