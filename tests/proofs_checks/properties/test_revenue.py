"""Revenue as bidders come, and properties about any private number by its name."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mechanism import Space
from mechanism.auctions.auction import Auction
from mechanism.catalogue import CATALOGUE, direct_mechanism
from mechanism.errors import UnknownNameError
from proofs_checks import verify
from proofs_checks.evidence.witness import Witness, replay
from proofs_checks.properties.registry import PROPERTY
from proofs_checks.search.cases import truthful

KNOWN = [(n, e.truths["revenue-monotonicity"]) for n, e in CATALOGUE.items() if "revenue-monotonicity" in e.truths]


@pytest.mark.parametrize(("name", "truth"), KNOWN)
def test_truths_are_what_is_found(name, truth):
    [verdict] = verify(direct_mechanism(name), ["revenue-monotonicity"], budget=3, probes=12)
    assert verdict.holds is truth.startswith("yes")


def test_a_bidder_more_costs_vcg_its_revenue():
    """Ausubel and Milgrom 2002: a wants B, b both for the same 1, c A; without c somebody pays 1, with it nobody pays.

    Found with a witness of three, and recomputed.
    """
    mechanism = direct_mechanism("vcg-combinatorial", 3)
    case = truthful(np.array([[[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]]))
    prop = PROPERTY["revenue-monotonicity"]
    assert prop.violation(mechanism, case).tolist() == [[1.0]]
    assert prop.numbers(mechanism, case) == {"revenue": [0.0], "revenue_without": [1.0, 0.0, 1.0]}
    [verdict] = verify(mechanism, ["revenue-monotonicity"], budget=5)
    assert replay(Witness.from_dict(verdict.witness.to_dict()), mechanism).bitwise


@given(st.integers(0, 2**32), st.integers(2, 4))
@settings(max_examples=25, deadline=None)
def test_violation_by_the_definition(seed, agents):
    rates = np.random.default_rng(seed).random(agents + 1)

    def family(n):
        return Auction(lambda bids: (0 * bids, rates[n] * bids**2), n, family=family)

    types = np.random.default_rng(seed).random((5, agents, 1))
    expected = [
        max(rates[agents - 1] * (np.delete(p, j) ** 2).sum() for j in range(agents)) - rates[agents] * (p**2).sum()
        for p in types[..., 0]
    ]
    found = PROPERTY["revenue-monotonicity"].violation(family(agents), truthful(types))
    assert found[:, 0].tolist() == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("name", ["ipfl", "mcafee", "k-double-auction"])
def test_where_nobody_sells_to_bidders_it_is_no_question(name):
    assert PROPERTY["revenue-monotonicity"].missing(direct_mechanism(name)) is not None


class Ask:
    """One number is worth what it is, the other is paid out: a lie about it pays."""

    name = "ask"
    space = Space(2, ("worth", "wish"), 0.0, 1.0)

    def outcome(self, reports):
        return reports[..., 1]

    def utility(self, types, outcome):
        return types[..., 0] + outcome

    def payments(self, outcome):
        return -outcome


def test_truthfulness_in_any_private_number_by_its_name():
    ids = ["dsic-worth", "dsic-wish", "expost-worth", "expost-wish", "expost"]
    found = verify(Ask(), ids, budget=5)
    assert [v.holds for v in found] == [True, False, True, False, False]
    assert "its wish" in found[1].statement
    for verdict in (found[1], found[3], found[4]):
        assert replay(Witness.from_dict(verdict.witness.to_dict()), Ask()).bitwise
    with pytest.raises(UnknownNameError, match="did you mean 'dsic-worth'"):
        verify(Ask(), ["dsic-wort"], budget=1)
