"""Buyers and sellers: McAfee's rule and the k-double auction."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mechanism import InvalidMechanismError
from mechanism.auctions.two_sides.double_auction import DoubleAuction, order_book
from mechanism.auctions.two_sides.k_double_auction import k_double_auction
from mechanism.auctions.two_sides.mcafee import mcafee

NUMBERS = arrays(np.float64, (5, 6), elements=st.sampled_from(list(np.arange(21) / 20)))


def _types(values, sellers):
    values = np.atleast_2d(np.asarray(values, dtype=float))
    return np.stack([values, np.broadcast_to(np.asarray(sellers, dtype=float), values.shape)], axis=-1)


def _answer(auction, buyers, sellers):
    deal = auction.outcome(_types([*buyers, *sellers], [0] * len(buyers) + [1] * len(sellers)))
    return deal.allocation[0].tolist(), deal.payment[0].round(12).tolist()


def test_mcafee_trades_all_pairs_at_the_price_of_the_first_that_does_not():
    """Q = 2, p = (0.5 + 0.6)/2 = 0.55 lies between s_2 = 0.4 and b_2 = 0.7: all four trade at it."""
    assert _answer(mcafee(6), [0.9, 0.5, 0.7], [0.6, 0.2, 0.4]) == (
        [1, 0, 1, 0, -1, -1],
        [0.55, 0, 0.55, 0, -0.55, -0.55],
    )


def test_mcafee_gives_up_the_last_pair_and_keeps_the_difference():
    """Q = 2, p = (0.1 + 0.6)/2 = 0.35 is below s_2 = 0.4: one pair trades, the buyer pays 0.5, the seller gets 0.4."""
    assert _answer(mcafee(6), [0.9, 0.1, 0.5], [0.6, 0.2, 0.4]) == ([1, 0, 0, 0, -1, 0], [0.5, 0, 0, 0, -0.4, 0])


def test_mcafee_without_a_next_pair_uses_the_bounds():
    assert _answer(mcafee(4), [0.9, 0.6], [0.2, 0.4])[1] == [0.5, 0.5, -0.5, -0.5]
    assert _answer(mcafee(4), [0.9, 0.45], [0.2, 0.4]) == ([1, 0, -1, 0], [0.45, 0, -0.4, 0])


def test_mcafee_with_one_pair_is_a_posted_price_and_balanced():
    """Why the catalogue asks for four agents to call it not balanced."""
    types = _types(np.random.default_rng(0).random((2000, 2)), [0, 1])
    auction = DoubleAuction("mcafee", mcafee(4).clearing, 2)
    deal = auction.outcome(types)
    wants = (types[:, 0, 0] >= 0.5) & (types[:, 1, 0] <= 0.5)
    np.testing.assert_array_equal(deal.allocation[:, 0] > 0, wants)
    np.testing.assert_array_equal(deal.payment.sum(axis=1), 0)


def test_the_price_lies_k_of_the_way_from_the_last_ask_to_the_last_bid():
    buyers, sellers = [0.9, 0.5, 0.7], [0.6, 0.2, 0.4]
    for k, price in ((0.0, 0.4), (0.5, 0.55), (1.0, 0.7)):
        assert _answer(k_double_auction(6, k), buyers, sellers)[1] == [price, 0, price, 0, -price, -price]


def test_no_pair_gains_nobody_trades_and_equal_numbers_trade():
    for auction in (mcafee(4), k_double_auction(4)):
        assert _answer(auction, [0.1, 0.2], [0.6, 0.9]) == ([0, 0, 0, 0], [0, 0, 0, 0])
    assert _answer(k_double_auction(2), [0.3], [0.3]) == ([1, -1], [0.3, -0.3])


def test_equal_bids_are_ranked_by_index():
    assert _answer(k_double_auction(4), [0.8, 0.8], [0.9, 0.3])[0] == [1, 0, 0, -1]


@given(NUMBERS, arrays(np.float64, 6, elements=st.sampled_from([0.0, 1.0])))
def test_gains_from_trade_against_brute_force_for_any_sides(values, sellers):
    """Sides come with the types, so buyers and sellers may sit anywhere; best of all ways to pair them up."""
    types = _types(values, sellers)
    auction = k_double_auction(6)
    buy, sell = np.flatnonzero(sellers == 0), np.flatnonzero(sellers == 1)
    for row, v in enumerate(values):
        best = max(
            v[list(b)].sum() - v[list(s)].sum()
            for q in range(min(len(buy), len(sell)) + 1)
            for b in itertools.combinations(buy, q)
            for s in itertools.combinations(sell, q)
        )
        assert auction.optimal_welfare(types)[row] == pytest.approx(best, abs=1e-12)
        assert auction.welfare(types, auction.outcome(types))[row] == pytest.approx(best, abs=1e-12)


@given(NUMBERS)
def test_goods_balance_and_mcafee_keeps_one_spread_or_nothing(values):
    """Surplus = (q-1)(b_q - s_q) if the last pair is given up, else 0 (McAfee 1992)."""
    types = _types(values, [0, 0, 0, 1, 1, 1])
    deal = mcafee(6).outcome(types)
    np.testing.assert_array_equal(deal.allocation.sum(axis=1), 0)
    book, pairs = order_book(types), (deal.allocation > 0).sum(axis=1)
    q = book.trades[:, 0]
    spread = (book.bid(book.trades - 1) - book.ask(book.trades - 1))[:, 0]
    assert set(q - pairs) <= {0, 1}
    np.testing.assert_allclose(deal.payment.sum(axis=1), np.where(q > pairs, (q - 1) * spread, 0), atol=1e-12)


@pytest.mark.parametrize("make", [mcafee, k_double_auction])
def test_relabelling_takes_the_side_along(make):
    """Who buys and who sells may stand anywhere in the list: all that agents get and pay goes along with them."""
    rng = np.random.default_rng(3)
    auction = make(5)
    types = _types(rng.random((40, 5)), [0, 0, 0, 1, 1])
    deal = auction.outcome(types)
    assert (deal.allocation != 0).any(axis=0).all()
    for order in itertools.permutations(range(5)):
        moved = auction.permuted(types, order)
        np.testing.assert_array_equal(moved[:, :, 1], np.broadcast_to(np.array([0, 0, 0, 1, 1])[list(order)], (40, 5)))
        found = auction.outcome(moved)
        np.testing.assert_array_equal(found.allocation, deal.allocation[:, order])
        np.testing.assert_array_equal(found.payment, deal.payment[:, order])


def test_the_linear_equilibrium_of_chatterjee_and_samuelson():
    """One pair, k = 1/2, uniform: (2/3)v + 1/12 is a best answer to (2/3)c + 1/4, trade if and only if v >= c + 1/4."""
    auction = k_double_auction(2)
    points = (np.arange(2000) + 0.5) / 2000
    asks, tried = 2 / 3 * points + 1 / 4, np.linspace(0, 1, 121)
    for value in (0.4, 0.625, 0.85):
        bids, other = (a.ravel() for a in np.broadcast_arrays(tried[:, None], asks))
        outcome = auction.outcome(_types(np.stack([bids, other], axis=-1), [0, 1]))
        truth = _types(np.stack([np.full_like(bids, value), other], axis=-1), [0, 1])
        expected = auction.utility(truth, outcome)[:, 0].reshape(len(tried), -1).mean(axis=1)
        assert tried[expected.argmax()] == pytest.approx(2 / 3 * value + 1 / 12, abs=1 / 119)


def test_utilities_by_role_add_up():
    auction = mcafee(5)
    assert auction.space.low[:, 1].tolist() == [0, 0, 0, 1, 1]
    types = _types(np.random.default_rng(1).random((100, 5)), [0, 0, 0, 1, 1])
    outcome = auction.outcome(types)
    parts = auction.parts(types, outcome)
    np.testing.assert_array_equal(parts["buyer"] + parts["seller"], auction.utility(types, outcome))
    assert not parts["buyer"][:, 3:].any()
    assert not parts["seller"][:, :3].any()


def test_what_is_no_double_auction_is_refused():
    with pytest.raises(InvalidMechanismError, match="two agents"):
        mcafee(1)
    with pytest.raises(InvalidMechanismError, match=r"k is 1\.5"):
        k_double_auction(2, 1.5)
