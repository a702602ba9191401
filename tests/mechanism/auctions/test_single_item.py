"""Auctions of one item: worked examples, ties, equilibria and revenue of the textbook."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mechanism import InvalidMechanismError, single_parameter
from mechanism.auctions.auction import Auction
from mechanism.auctions.one_item.agv import agv, expected_externality
from mechanism.auctions.one_item.all_pay import all_pay
from mechanism.auctions.one_item.first_price import first_price
from mechanism.auctions.one_item.myerson import myerson
from mechanism.auctions.one_item.posted_price_single import posted_price_single
from mechanism.auctions.one_item.second_price import second_price
from mechanism.auctions.one_item.second_price_reserve import second_price_reserve
from mechanism.auctions.ranking import ascending, descending, hand_out, highest_other
from mechanism.auctions.units.proportional_share import proportional_share

POINTS = (np.arange(400) + 0.5) / 400  # midpoints: expectations over a uniform value, exact to 1e-5


def _answer(auction, *bids):
    allocation, payment = auction([list(bids)])
    return allocation[0].tolist(), payment[0].round(12).tolist()


def test_the_same_bids_under_each_rule():
    """Krishna's standard rules on bids 0.3, 0.9, 0.7."""
    bids = (0.3, 0.9, 0.7)
    winner = [0, 1, 0]
    assert _answer(first_price(), *bids) == (winner, [0, 0.9, 0])
    assert _answer(second_price(), *bids) == (winner, [0, 0.7, 0])
    assert _answer(second_price_reserve(3, 0.8), *bids) == (winner, [0, 0.8, 0])
    assert _answer(second_price_reserve(3, 0.95), *bids) == ([0, 0, 0], [0, 0, 0])
    assert _answer(all_pay(), *bids) == (winner, [0.3, 0.9, 0.7])
    assert _answer(myerson(), *bids) == (winner, [0, 0.7, 0])
    assert _answer(posted_price_single(), *bids) == (winner, [0, 0.5, 0])
    shares, paid = _answer(proportional_share(), *bids)
    assert shares == pytest.approx([3 / 19, 9 / 19, 7 / 19])
    assert paid == list(bids)


@pytest.mark.parametrize("make", [first_price, second_price, second_price_reserve, all_pay, myerson, agv])
def test_equal_bids_go_to_the_lowest_index(make):
    assert _answer(make(3), 0.25, 0.75, 0.75)[0] == [0, 1, 0]
    assert _answer(make(3), 0.75, 0.75, 0.75)[0] == [1, 0, 0]


def test_a_bid_at_the_reserve_buys_and_a_bid_at_the_posted_price_does_not():
    assert _answer(second_price_reserve(2), 0.5, 0.2) == ([1, 0], [0.5, 0])
    assert _answer(myerson(2), 0.5, 0.2) == ([1, 0], [0.5, 0])
    assert _answer(posted_price_single(2), 0.5, 0.6) == ([0, 1], [0, 0.5])


def test_a_single_bidder_pays_nothing_the_reserve_or_the_monopoly_price():
    assert _answer(second_price(1), 0.8) == ([1], [0])
    assert _answer(second_price_reserve(1, 0.3), 0.8) == ([1], [0.3])
    assert _answer(myerson(1), 0.8) == ([1], [0.5])


def test_nobody_bids_nobody_gets_a_share():
    assert _answer(proportional_share(2), 0, 0) == ([0, 0], [0, 0])


@given(arrays(np.float64, (7, 4), elements=st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0])))
def test_the_highest_other_is_the_maximum_with_oneself_taken_out(bids):
    expected = np.stack([np.delete(bids, i, axis=1).max(axis=1) for i in range(4)], axis=1)
    np.testing.assert_array_equal(highest_other(bids), expected)
    for order, key in ((descending(bids), -bids), (ascending(bids), bids)):
        assert order.tolist() == [sorted(range(4), key=lambda i, r=row: (r[i], i)) for row in key]
    np.testing.assert_array_equal(hand_out(descending(bids), -np.sort(-bids, axis=1)), bids)


@given(arrays(np.float64, (5, 3), elements=st.floats(0, 1)))
def test_the_winner_of_a_second_price_auction_pays_the_second_bid_and_myerson_adds_the_reserve(bids):
    second = np.sort(bids, axis=1)[:, -2]
    np.testing.assert_array_equal(second_price(3)(bids)[1].sum(axis=1), second)
    sold = bids.max(axis=1) >= 0.5
    np.testing.assert_allclose(myerson(3)(bids)[1].sum(axis=1), np.where(sold, np.maximum(second, 0.5), 0), atol=1e-12)


@pytest.mark.parametrize("agents", [2, 3, 6])
def test_revenue_equivalence(agents):
    """First price, second price and all-pay, each in its equilibrium, raise (n-1)/(n+1) (Krishna, 3.1)."""
    values = np.random.default_rng(3).random((200_000, agents))
    bids = {first_price: (agents - 1) / agents * values, second_price: values}
    bids[all_pay] = (agents - 1) / agents * values**agents
    for make, said in bids.items():
        revenue = make(agents)(said)[1].sum(axis=1)
        assert revenue.mean() == pytest.approx((agents - 1) / (agents + 1), abs=5 * revenue.std() / np.sqrt(200_000))


@pytest.mark.parametrize("value", [0.2, 0.5, 0.9])
def test_half_the_value_is_the_best_answer_to_half_the_value_in_a_first_price_auction(value):
    """Vickrey's equilibrium for two bidders: (n-1)/n of the value."""
    auction = first_price(2)
    tried = np.linspace(0.005, 0.995, 199)  # 0.1, 0.25 and 0.45 are among them
    bids = np.stack(np.broadcast_arrays(tried[:, None], POINTS / 2), axis=-1).reshape(-1, 2)
    utility = auction.utility(np.full((*bids.shape, 1), value), auction.outcome(bids[..., None]))
    expected = utility[:, 0].reshape(len(tried), -1).mean(axis=1)
    assert tried[expected.argmax()] == pytest.approx(value / 2, abs=0.006)


def test_the_optimal_auction_raises_five_twelfths_from_two_uniform_values():
    """Myerson 1981: 5/12 against the 1/3 of the second-price auction."""
    grid = np.stack(np.meshgrid(POINTS, POINTS), axis=-1).reshape(-1, 2)
    assert myerson(2)(grid)[1].sum(axis=1).mean() == pytest.approx(5 / 12, abs=2e-3)
    assert second_price(2)(grid)[1].sum(axis=1).mean() == pytest.approx(1 / 3, abs=2e-3)


def test_unequal_distributions_favour_the_weaker_bidder():
    """Values uniform on [0, 1] and on [0, 2]: φ = 2v-1 and 2v-2. 0.9 beats 1.3 and pays (0.6+1)/2."""
    top = np.array([1.0, 2.0])
    auction = myerson(2, lambda v: 2 * v - top, lambda x: (x + top) / 2, 0.0, 2.0)
    assert _answer(auction, 0.9, 1.3) == ([1, 0], [0.8, 0])
    assert _answer(auction, 0.4, 0.9) == ([0, 0], [0, 0])
    assert _answer(auction, 0.4, 1.3) == ([0, 1], [0, 1.0])


def test_exponential_values_have_the_monopoly_reserve_of_one_over_the_rate():
    auction = myerson(2, lambda v: v - 0.5, lambda x: x + 0.5, 0.0, 10.0)
    assert _answer(auction, 3.0, 0.2) == ([1, 0], [0.5, 0])
    assert _answer(auction, 0.4, 0.2) == ([0, 0], [0, 0])


def test_a_posted_price_sells_with_the_chance_that_somebody_wants_it():
    values = np.random.default_rng(4).random((100_000, 3))
    assert posted_price_single(3, 0.6)(values)[1].sum(axis=1).mean() == pytest.approx(0.6 * (1 - 0.6**3), abs=4e-3)


@pytest.mark.parametrize("said", [0.0, 0.3, 0.8, 1.0])
def test_the_expected_externality_is_what_the_others_get_on_average(said):
    others = np.random.default_rng(5).random((400_000, 3))
    best = others.max(axis=1)
    assert expected_externality(np.array(said), 4) == pytest.approx((best * (best > said)).mean(), abs=2e-3)


@pytest.mark.parametrize("value", [0.1, 0.5, 0.95])
def test_truth_is_the_best_report_on_average_in_agv_and_earns_what_theory_says(value):
    """Expected utility at the truth: (vⁿ + (n-1)/(n+1))/n; every other report on the grid earns less."""
    auction = agv(3)
    points = (np.arange(200) + 0.5) / 200
    others = np.stack(np.meshgrid(points, points), axis=-1).reshape(-1, 2)
    tried = np.linspace(0, 1, 41)  # on the edges of the cells, where chances of winning are exact
    expected = []
    for said in [value, *tried]:
        bids = np.concatenate([np.full((len(others), 1), said), others], axis=1)
        outcome = auction.outcome(bids[..., None])
        expected.append(auction.utility(np.full((*bids.shape, 1), value), outcome)[:, 0].mean())
    assert expected[0] == pytest.approx((value**3 + 1 / 2) / 3, abs=1e-4)
    assert max(expected[1:]) <= expected[0] + 1e-5
    assert tried[np.argmax(expected[1:])] == pytest.approx(value, abs=0.026)


def test_agv_by_hand_balances_and_lets_a_loser_pay():
    """Reports 0.9, 0.8, 0: ξ = 2/3(1-b³) = 0.18067, 0.32533, 0.66667. The second loses and pays 0.09833."""
    allocation, payment = agv(3)([[0.9, 0.8, 0.0]])
    assert allocation.tolist() == [[1, 0, 0]]
    np.testing.assert_allclose(payment, [[0.3153333, 0.0983333, -0.4136667]], atol=1e-7)


@given(arrays(np.float64, (6, 2), elements=st.floats(0, 1)))
def test_with_two_agents_agv_never_leaves_anyone_worse_off(values):
    """Why the catalogue asks for three agents to call it not individually rational."""
    auction = agv(2)
    types = values[..., None]
    assert auction.utility(types, auction.outcome(types)).min() >= -1e-12


@pytest.mark.parametrize("make", [second_price, second_price_reserve, myerson])
def test_a_second_name_never_pays_in_one_item_auctions(make):
    """False-name bids: whatever two names of one agent bid, together they get no more than its truth alone."""
    rng = np.random.default_rng(6)
    alone, split = make(3), make(4)
    values, second = rng.random((50_000, 3)), rng.random((50_000, 2))
    truthful = alone.utility(values[..., None], alone.outcome(values[..., None]))[:, 0]
    bids = np.concatenate([second[:, :1], values[:, 1:], second[:, 1:]], axis=1)
    true = np.concatenate([values, values[:, :1]], axis=1)
    together = split.utility(true[..., None], split.outcome(bids[..., None]))[:, [0, 3]].sum(axis=1)
    assert (together - truthful).max() <= 1e-9


def test_parameters_that_make_no_sense_are_refused_in_words():
    for make, *arguments in (
        (second_price_reserve, 2, -1),
        (posted_price_single, 2, np.nan),
        (agv, 1),
        (first_price, 0),
    ):
        with pytest.raises(InvalidMechanismError):
            make(*arguments)


def test_an_auction_without_a_family_says_how_to_get_one():
    rule = single_parameter(agents=2)(lambda bids: (bids * 0, bids * 0))
    with pytest.raises(InvalidMechanismError, match="pass family"):
        Auction(rule.rule, 2, name="mine").resized(3)
