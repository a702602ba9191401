"""Every property on a mechanism that breaks it, by an amount worked out by hand, and on one that keeps it."""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from mechanism.auctions.two_sides.double_auction import DoubleAuction
from mechanism.catalogue import direct_mechanism
from mechanism.direct import Deal, Floats, SingleParameter, Space
from mechanism.entry import PROPERTIES
from mechanism.errors import UnknownNameError
from proofs_checks.evidence.verify import make_witness, verify
from proofs_checks.evidence.witness import Witness, replay
from proofs_checks.properties.registry import PROPERTY, VARIANTS, properties
from proofs_checks.search.searching import Search
from proofs_checks.search.shrinking import longest
from tests.proofs_checks.rules import (
    Flat,
    Product,
    Table,
    Told,
    auction,
    coin,
    falling,
    gift,
    moved,
    nothing,
    one_pie,
    pay_all,
    pay_bid,
    pay_second,
    plain,
    posted,
    rows,
    thinning,
    to_the_first,
    to_the_lowest,
)

HIGH_LOW = rows(0.75, 0.5)
CYCLE = np.array([[0.0, 1.0, -2.0], [-2.0, 0.0, 1.0], [1.0, -2.0, 0.0]])
TOLD = rows([1.0, 1.0, 1.0], [2.0, 2.0, 2.0])


def lie(coordinate: str) -> Any:
    said = [1.0, 1.0, 1.0]
    said[("size", "cost", "gain").index(coordinate)] = 3.5
    return moved(TOLD, 0, said)


BREAKS: dict[str, tuple[Any, Any, float]] = {
    # the loser pays its bid of 1/2
    "ir": (auction(pay_all), plain(0.75, 0.5), 0.5),
    "ir-buyer": (Flat(buyer=-0.25, seller=1.0), plain(0.75, 0.5), 0.25),
    "ir-seller": (Flat(buyer=1.0, seller=-0.125), plain(0.75, 0.5), 0.125),
    # bidding 1/2 + 1/8 wins at that price
    "dsic": (auction(pay_bid), moved(HIGH_LOW, 0, 0.625), 0.125),
    "dsic-cost": (Told(("cost",)), lie("cost"), 2.5),
    "dsic-gain": (Told(("gain",)), lie("gain"), 2.5),
    "dsic-size": (Told(("size",)), lie("size"), 2.5),
    "expost-cost": (Told(("cost",)), lie("cost"), 2.5),
    "expost-gain": (Told(("gain",)), lie("gain"), 2.5),
    "expost-size": (Told(("size",)), lie("size"), 2.5),
    "expost": (Told(("cost",)), lie("cost"), 2.5),
    # each of n pays 1 / n²: half in all of two, 1 of one alone
    "revenue-monotonicity": (auction(thinning), plain(0.75, 0.5), 0.5),
    "budget-balance": (auction(pay_bid), plain(0.75, 0.5), 0.75),
    "weak-budget-balance": (auction(gift), plain(0.75, 0.5), 0.5),
    "efficiency": (auction(to_the_lowest, optimum=True), plain(0.75, 0.5), 0.25),
    # from 1/4 to 3/4 the allocation falls by 1/2
    "monotonicity": (auction(falling), moved(rows(0.25, 0.5), 0, 0.75), 0.5),
    # each type would rather have what the next one gets, by 1; any two together keep what they have
    "cyclic-monotonicity": (Table(CYCLE), moved(rows(0.0, 0.0), 0, 0.0, 1.0, 2.0), 3.0),
    # agent 0's value is 3/4 or 1/2; the other has it or nothing
    "anonymity": (auction(to_the_first), plain(0.75, 0.5, order=np.array([1, 0])), 0.75),
    # the loser moves the winner's price from 1/2 to 5/8
    "non-bossiness": (auction(pay_second), moved(HIGH_LOW, 1, 0.625), 0.125),
    # the loser says 1/8 and loses nothing; the winner's price falls by 3/8
    "group-dsic": (auction(pay_second), replace(moved(HIGH_LOW, 1, 0.125), deviators=np.array([[True, True]])), 0.375),
    # two thirds of the pie instead of one half
    "split-proof": (auction(one_pie), plain(0.75, 0.5, agent=0, first=[0.5], second=[0.5]), 1.0 / 6.0),
    # one fee instead of two
    "merge-proof": (Flat(3, fee=0.25), plain(0.5, 0.5, 0.5, pair=[0, 2]), 0.25),
    # two of three could have 1 and have 2/3
    "core": (Flat(3, pair=1.0), plain(0.5, 0.5, 0.5), 1.0 / 3.0),
}
"""Property: mechanism that breaks it, a case, by how much. The two in expectation have a test of their own."""

KEEPS: dict[str, Any] = {
    "ir": auction(pay_bid),
    "ir-buyer": Flat(buyer=0.0, seller=-1.0),
    "ir-seller": Flat(buyer=-1.0, seller=0.0),
    "interim-ir": auction(pay_second),
    "dsic": auction(pay_second),
    "dsic-cost": Told(("gain", "size")),
    "dsic-gain": Told(("cost", "size")),
    "dsic-size": Told(("cost", "gain")),
    "expost-cost": Product("cost"),
    "expost-gain": Product("gain"),
    "expost-size": Product("size"),
    "expost": auction(pay_second),
    "revenue-monotonicity": auction(pay_bid),
    "bic": auction(pay_second),
    "budget-balance": auction(nothing),
    "weak-budget-balance": auction(pay_bid),
    "efficiency": auction(pay_bid, optimum=True),
    "monotonicity": auction(pay_bid),
    "cyclic-monotonicity": Table(-np.abs(np.subtract.outer(np.arange(3.0), np.arange(3.0)))),
    "anonymity": auction(pay_second),
    "non-bossiness": auction(posted),
    "group-dsic": auction(posted),
    "split-proof": auction(pay_second),
    "merge-proof": Flat(3, fee=-0.25),
    "core": Flat(3, pair=0.5),
}
"""Property: mechanism that keeps it."""


def test_every_property_is_here():
    assert set(KEEPS) == set(PROPERTIES) == set(PROPERTY)
    assert set(BREAKS) | {"bic", "interim-ir"} == set(PROPERTIES)


@pytest.mark.parametrize("name", BREAKS)
def test_the_violation_is_the_number_worked_out_by_hand(name):
    mechanism, case, expected = BREAKS[name]
    prop = PROPERTY[name]
    assert prop.missing(mechanism) is None
    found = prop.violation(mechanism, case)
    assert found.shape == (1, 1)
    assert float(found[0, 0]) == pytest.approx(expected, abs=3e-6 if name == "anonymity" else 1e-15)
    numbers = prop.numbers(mechanism, case)
    assert expected > prop.tolerance(numbers)
    assert "\n" not in prop.sentence(mechanism, case, numbers)


@pytest.mark.parametrize("name", [n for n in BREAKS if type(KEEPS[n]) is type(BREAKS[n][0])])
def test_the_same_case_is_no_violation_of_the_mechanism_that_keeps_it(name):
    assert float(PROPERTY[name].violation(KEEPS[name], BREAKS[name][1]).max()) <= 1e-15


@pytest.mark.parametrize("name", BREAKS)
def test_the_search_finds_it_and_what_it_found_is_shrunk(name):
    search = Search(BREAKS[name][0], PROPERTY[name])
    search.run(math.inf, probes=12)
    assert search.found is not None
    witness = make_witness(search.mechanism, search.prop, search.found, seconds=1.0)
    assert witness.violation > 1e-9
    assert longest(witness.case) <= 3


@pytest.mark.parametrize("name", KEEPS)
def test_the_search_accuses_nobody_who_keeps_it(name):
    prop = PROPERTY[name]
    assert prop.missing(KEEPS[name]) is None
    search = Search(KEEPS[name], prop)
    search.run(math.inf, probes=24)
    assert search.found is None
    assert search.probes == 24
    assert search.tried > 0


@pytest.mark.parametrize("coordinate", ["cost", "gain", "size"])
def test_ex_post_is_weaker_where_values_depend_on_others(coordinate):
    """Values 1 and 1, the other says 2: the truth builds 2 and costs 1, saying 1/2 builds what is wanted."""
    case = moved(rows(1.0, 1.0), 0, 0.5, before=rows(1.0, 2.0))
    dominant = PROPERTY[f"dsic-{coordinate}"]
    assert dominant.violation(Product(coordinate), case).tolist() == [[1.0]]
    search = Search(Product(coordinate), dominant)
    search.run(math.inf, probes=6)
    assert search.found is not None
    assert (search.found.types != search.found.before).any()


def test_a_lie_about_one_coordinate_moves_no_other():
    search = Search(Told(("cost", "gain")), PROPERTY["dsic-cost"])
    search.run(math.inf, probes=6)
    assert search.found is not None
    assert np.array_equal(search.found.after[0, 0, :, [0, 2]], search.found.before[0][:, [0, 2]].T)


def test_seller_and_buyer_have_opposite_signs():
    """A seller of cost 1/4 that delivers 3/4 for nothing loses 3/16, and its allocation may fall in its cost."""
    seller = SingleParameter(falling, 2, role="seller")
    assert PROPERTY["ir"].violation(seller, plain(0.25, 1.0)).tolist() == [[0.1875]]
    assert PROPERTY["monotonicity"].violation(seller, moved(rows(0.25, 0.5), 0, 0.75)).tolist() == [[-0.5]]
    paid = SingleParameter(lambda bids: (0.0 * bids, 0.0 * bids + 0.25), 2, role="seller")
    assert PROPERTY["weak-budget-balance"].violation(paid, plain(0.25, 1.0)).tolist() == [[0.5]]


def test_exact_ties_are_left_aside_by_anonymity():
    """At equal bids the item goes to the lowest index: that is no preference for a name."""
    case = plain(0.5, 0.5, order=np.array([1, 0]))
    assert PROPERTY["anonymity"].violation(auction(pay_bid), case).max() == 0.0
    between = plain(0.75, 0.5, order=np.array([1, 0]))
    assert PROPERTY["anonymity"].violation(auction(pay_bid), between).max() == 0.0


def test_a_coalition_in_which_one_loses_a_little_is_none():
    """The loser outbids itself above the winner: it wins at a loss while the other one has what it had, or less."""
    strong, weak = PROPERTY["group-dsic"], replace(PROPERTY["group-dsic"], strong=False)
    helps = BREAKS["group-dsic"][1]
    assert weak.violation(auction(pay_second), helps).max() == 0.0
    hurts = moved(HIGH_LOW, 1, 0.875)
    assert strong.violation(auction(pay_second), replace(hurts, deviators=np.array([[True, True]]))).tolist() == [
        [-0.75 + 0.5]
    ]


def test_what_one_member_loses_another_cannot_make_up_for():
    """Values 3/4, 1/2, 1/4: the first steps aside and loses 1/4, the second wins at 1/4 and gains 1/4."""
    case = replace(moved(rows(0.75, 0.5, 0.25), 0, 0.0), deviators=np.array([[True, True, False]]))
    assert PROPERTY["group-dsic"].violation(auction(pay_second, 3), case).tolist() == [[-0.25]]


@pytest.mark.parametrize(("loss", "counts"), [(0.0, True), (1e-13, False), (1e-9, False), (1e-2, False)])
def test_a_coalition_whose_helper_loses_is_none_on_whatever_scale_the_other_gains(loss, counts):
    """The first reports 1 and gains a hundred million; the second, who has 1, is left with a little less."""

    class Favour:
        space = Space(2, ("value",), np.asarray(0.0), np.asarray(1.0))

        def outcome(self, reports):
            asked = reports[:, 0, 0]
            return np.stack([1e8 * asked, 1.0 - loss * asked], axis=1)

        def utility(self, types, outcome):
            return outcome

        def payments(self, outcome):
            return np.zeros_like(outcome)

    case = replace(moved(rows(0.0, 0.5), 0, 1.0), deviators=np.array([[True, True]]))
    assert (PROPERTY["group-dsic"].violation(Favour(), case).max() > 0.0) == counts


def test_a_loss_of_second_order_is_no_free_gift():
    """Who moves its report by x loses x² and gives x: at x = 1e-8 the loss is below rounding, and nobody is accused."""

    class Bowl:
        space = Space(2, ("value",), np.asarray(0.0), np.asarray(1.0))

        def outcome(self, reports):
            return reports[..., 0]

        def utility(self, types, outcome):
            moved = outcome[:, 1] - types[:, 1, 0]
            return np.stack([1.0 + moved, 1.0 - moved**2], axis=1)

        def payments(self, outcome):
            return np.zeros_like(outcome)

    for step in 10.0 ** np.arange(-9.0, 0.0):
        case = replace(moved(rows(0.5, 0.5), 1, 0.5 + step), deviators=np.array([[True, True]]))
        assert PROPERTY["group-dsic"].violation(Bowl(), case).max() <= 0.0


def told_of(members, case):
    mechanism, prop = auction(pay_second, case.types.shape[1]), PROPERTY["group-dsic"]
    case = replace(case, deviators=np.array([members]))
    return prop.sentence(mechanism, case, prop.numbers(mechanism, case))


def test_a_coalition_is_told_member_by_member():
    """Who tells the truth is said so, and who keeps its utility too."""
    assert told_of([True, True, False], moved(rows(0.75, 0.5, 0.25), 1, 0.125)) == (
        "together: bidder a has value 0.75, tells the truth and goes from utility 0.25 to 0.5; and bidder b has "
        "value 0.5, reports value 0.125 and keeps its utility of 0 (other reports: c: value 0.25)"
    )


def test_one_agent_alone_is_called_a_coalition_of_one():
    told = told_of([False, True], moved(HIGH_LOW, 1, 0.875))
    assert told == (
        "a coalition of one: bidder b has value 0.5; reporting value 0.875 takes its utility from 0 to -0.25 "
        "(other reports: a: value 0.75)"
    )


def test_a_change_of_ones_own_lot_is_no_bossiness():
    case = moved(HIGH_LOW, 1, 0.875)
    assert PROPERTY["non-bossiness"].violation(auction(pay_second), case).max() < 0.0


def test_false_names_of_the_second_price_auction_only_cost():
    """Value 3/4 against 1/2: alone 1/4; a second name at 5/8 raises the price to it, one at 1/4 does nothing."""
    prop = PROPERTY["split-proof"]
    for second, gain in ((0.625, -0.125), (0.25, 0.0)):
        case = plain(0.75, 0.5, agent=0, first=[0.75], second=[second])
        assert prop.violation(auction(pay_second), case).tolist() == [[gain]]


def test_reserved_gambles_are_accounted_as_they_are():
    assert PROPERTY["ir"].violation(auction(coin), plain(0.75, 0.25)).tolist() == [[1.0]]


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
    [verdict] = verify(mechanism, [name], budget=600.0, probes=50)  # on a busy machine, too
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
