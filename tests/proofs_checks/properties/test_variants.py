"""Variants of properties, by name, and anonymity where agents have sides."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from mechanism.auctions.two_sides.double_auction import DoubleAuction
from mechanism.catalogue import direct_mechanism
from mechanism.direct import Deal, Floats
from mechanism.entry import PROPERTIES
from mechanism.errors import UnknownNameError
from proofs_checks.evidence.verify import verify
from proofs_checks.evidence.witness import Witness, replay
from proofs_checks.properties.registry import PROPERTY, VARIANTS, properties


def test_variants_are_named_and_none_is_asked_for_by_default():
    assert list(VARIANTS) == ["group-dsic=weak", "split-proof=half", "merge-proof=min"]
    assert [p.name for p in properties()] == [p.id for p in properties()] == list(PROPERTIES)
    assert [p.name for p in properties(["split-proof=half", "split-proof"])] == ["split-proof=half", "split-proof"]
    for variant in VARIANTS.values():
        usual = PROPERTY[variant.id]
        assert variant.variant != usual.variant
        assert (variant.statement, variant.formula) != (usual.statement, usual.formula)
    with pytest.raises(UnknownNameError, match="did you mean 'merge-proof"):
        properties(["merge-proof=mean"])


@pytest.mark.parametrize("name", list(VARIANTS))
def test_what_refutes_a_variant_replays_as_that_variant(name):
    """Theory's text: all three fail under the repair."""
    mechanism = direct_mechanism("ipfl-exact")
    [verdict] = verify(mechanism, [name], budget=20.0)
    assert (verdict.property, verdict.holds) == (name, False)
    witness = Witness.from_dict(verdict.witness.to_dict())
    assert (witness.property, witness.variant) == (VARIANTS[name].id, VARIANTS[name].variant)
    assert replay(witness, direct_mechanism("ipfl-exact", witness.built)).bitwise


def test_a_false_name_costs_nothing_that_could_be_halved():
    [verdict] = verify(direct_mechanism("vcg-combinatorial"), ["split-proof=half"], budget=1.0)
    assert verdict.holds is None
    assert "ask for split-proof" in verdict.evidence["reason"]


@dataclass(frozen=True, eq=False)
class Partial(DoubleAuction):
    """Whoever buys (``seller`` 0) or sells (1) first in the list pays 1e-3 more than the rule says."""

    seller: float = 0.0

    def outcome(self, reports: Floats) -> Deal:
        deal = super().outcome(reports)
        side = reports[..., 1] == self.seller
        first = np.arange(self.agents) == side.argmax(axis=-1)[..., None]
        return Deal(deal.allocation, deal.payment + 1e-3 * first * (deal.allocation != 0))


@pytest.mark.parametrize("name", ["mcafee", "k-double-auction"])
def test_double_auctions_are_anonymous_and_who_favours_a_place_on_one_side_is_not(name):
    auction = direct_mechanism(name)
    [verdict] = verify(auction, ["anonymity"], budget=20.0, probes=20)
    assert verdict.holds
    for seller in (0.0, 1.0):
        partial = Partial("partial", auction.clearing, 4, seller=seller)
        [verdict] = verify(partial, ["anonymity"], budget=5.0)
        assert verdict.holds is False
        assert verdict.witness.violation == pytest.approx(1e-3, rel=1e-6)
        assert replay(verdict.witness, partial).bitwise
