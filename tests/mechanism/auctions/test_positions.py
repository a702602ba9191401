"""Ad positions: GSP and VCG."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mechanism import InvalidMechanismError
from mechanism.auctions.one_item.second_price import second_price
from mechanism.auctions.units.gsp import gsp
from mechanism.auctions.units.positions import best_clicks
from mechanism.auctions.units.vcg_positions import vcg_positions

BIDS = arrays(np.float64, (6, 4), elements=st.floats(0, 1))


def test_the_example_of_edelman_ostrovsky_and_schwarz():
    """Two positions of 200 and 100 clicks, values 10, 4, 2: GSP collects 800 + 200, VCG 600 + 200."""
    bids, clicks = [[10.0, 4.0, 2.0]], (200, 100)
    for make, paid in ((gsp, [800, 200, 0]), (vcg_positions, [600, 200, 0])):
        allocation, payment = make(3, clicks)(bids)
        assert allocation.tolist() == [[200, 100, 0]]
        assert payment.tolist() == [paid]


def test_bidding_less_for_a_lower_position_pays_in_gsp():
    """Values 0.8, 0.7, 0.1 and clicks 1, 1/2, 1/4: on top 0.8 - 0.7; one lower 0.5 (0.8 - 0.1)."""
    auction = gsp(3)
    types = np.array([[[0.8], [0.7], [0.1]]])
    lie = np.array([[[0.6], [0.7], [0.1]]])
    assert auction.utility(types, auction.outcome(types))[0, 0] == pytest.approx(0.1)
    assert auction.utility(types, auction.outcome(lie))[0, 0] == pytest.approx(0.35)


@given(BIDS)
def test_vcg_prices_are_the_externalities(bids):
    """What the others get without i, less what they get with i, both computed from scratch."""
    rates = (1.0, 0.6, 0.1)
    allocation, payment = vcg_positions(4, rates)(bids)
    for i in range(4):
        without = best_clicks(rates, np.delete(bids, i, axis=1))
        others = (np.delete(bids, i, axis=1) * np.delete(allocation, i, axis=1)).sum(axis=1)
        np.testing.assert_allclose(payment[:, i], without - others, atol=1e-12)


@given(BIDS)
def test_at_the_same_bids_gsp_charges_no_less_than_vcg(bids):
    assert (gsp(4)(bids)[1] - vcg_positions(4)(bids)[1]).min() >= -1e-12


@given(BIDS)
def test_with_one_position_both_are_the_second_price_auction(bids):
    for make in (gsp, vcg_positions):
        for mine, vickrey in zip(make(4, [1.0])(bids), second_price(4)(bids), strict=True):
            np.testing.assert_allclose(mine, vickrey, atol=1e-15)


def test_resizing_keeps_the_positions_that_are_for_sale():
    assert gsp(2).resized(3)([[0.9, 0.5, 0.3]])[0].tolist() == [[1.0, 0.5, 0.0]]
    assert vcg_positions(3).resized(2)([[0.2, 0.5]])[0].tolist() == [[0.5, 1.0]]


@pytest.mark.parametrize("rates", [[], [0.5, 1.0], [1.0, -0.1], [np.inf]])
def test_click_rates_that_rise_or_are_negative_are_refused(rates):
    with pytest.raises(InvalidMechanismError, match="click rates"):
        gsp(3, rates)
