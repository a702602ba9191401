"""Splitting, merging and blocking: the numbers of theory.md, and what splitting is."""

import numpy as np
import pytest

from mechanism import InvalidMechanismError
from tests.mechanism.market import draws


def sold(direct, rows, *who):
    """What these clients earn as sellers, together."""
    return direct.parts(rows, direct.outcome(rows))["seller"][0, list(who)].sum()


SPLIT = draws.one([64, 800, 700], [0, 0.7, 3], [32400, 0, 0])
MERGE = draws.one([25, 800, 500, 500], [0, 3, 0.1, 4.6], [3600, 0, 0, 0])
CORE = draws.one([36, 400, 200, 200], [0, 1.8, 0, 0.8], [3600, 0, 0, 0])


@pytest.mark.parametrize("name", ["ipfl-exact", "vcg-two-sided", "realised", "realised-bilateral"])
def test_a_seller_in_halves_earns_more_even_with_the_cost_paid_twice(name):
    """2.904 instead of 2.688 under critical-value payments, between the two or through the centre."""
    direct = draws.direct(name, 3)
    halves = direct.split(SPLIT, 1)
    assert halves[0, :, 0].tolist() == [64, 400, 700, 400]
    assert halves[0, :, 1].tolist() == [0, 0.7, 3, 0.7]
    assert sold(direct, SPLIT, 1) == pytest.approx(2.688, abs=5e-4)
    assert sold(direct.resized(4), halves, 1, 3) == pytest.approx(2.904, abs=5e-4)


@pytest.mark.parametrize("name", ["ipfl-exact", "vcg-two-sided", "realised", "realised-bilateral"])
def test_two_sellers_as_one_earn_more(name):
    """2.470 instead of 2.370: the first two together."""
    direct = draws.direct(name, 4)
    whole = direct.merge(MERGE, 1, 2)
    assert whole[0, :, :3].tolist() == [[25, 0, 3600], [1300, 3.1, 0], [500, 4.6, 0]]
    assert sold(direct, MERGE, 1, 2) == pytest.approx(2.370, abs=5e-4)
    assert sold(direct.resized(3), whole, 1) == pytest.approx(2.470, abs=5e-4)


@pytest.mark.parametrize("name", ["ipfl-exact", "realised-bilateral"])
def test_buyer_and_big_seller_block(name):
    """They get 0.232 less than they could have on their own."""
    direct = draws.direct(name, 4)
    payoffs = direct.payoffs(CORE, direct.outcome(CORE))[0]
    assert direct.coalition_value(CORE, [0, 1])[0] - payoffs[[0, 1]].sum() == pytest.approx(0.232, abs=5e-4)


@pytest.mark.parametrize("name", ["ipfl", "exact-marginal", "ipfl-exact"])
def test_with_the_cost_halved_splitting_pays(name):
    """Random markets, half of the samples each."""
    direct = draws.direct(name, 3)
    rows = draws.profiles(1, direct, 2000, penalties=False)
    halves, more = direct.split(rows, 1, 0.5, "half"), direct.resized(4)
    after = more.parts(halves, more.outcome(halves))["seller"]
    gain = after[:, 1] + after[:, 3] - direct.parts(rows, direct.outcome(rows))["seller"][:, 1]
    assert (gain > 0.1).mean() > 0.02


@pytest.mark.parametrize("name", ["ipfl", "exact-marginal"])
def test_without_penalties_no_split_with_the_cost_paid_twice_is_found_under_marginal_payments(name):
    direct = draws.direct(name, 4)
    rows = draws.profiles(2, direct, 8000, penalties=False)
    before = direct.parts(rows, direct.outcome(rows))["seller"][:, 1]
    more = direct.resized(5)
    for share in (0.5, 0.2):
        halves = direct.split(rows, 1, share)
        after = more.parts(halves, more.outcome(halves))["seller"]
        assert (after[:, 1] + after[:, 4] <= before + 1e-9).all()


@pytest.mark.parametrize("name", ["ipfl", "exact-marginal", "shapley-split"])
def test_with_penalties_a_seller_in_halves_earns_more_even_with_the_cost_paid_twice(name):
    """A penalty grows with the data sold: half of a seller is bought alone, at half of the penalty.

    K = 20000, n = 50, one seller of 1000 at cost 1, lambda d = 0.5: whole it adds 20 - sqrt(20000/1050) - 10 - 1 =
    4.636, of its halves one is bought and adds 20 - sqrt(20000/550) - 5 - 1 = 7.970.
    """
    direct = draws.direct(name, 2)
    rows = draws.one([50, 1000], [0, 1], [20000, 0], [[0, 0.5], [0.5, 0]])
    share = 0.5 if name == "shapley-split" else 1.0
    assert sold(direct, rows, 1) == pytest.approx(share * (20 - np.sqrt(20000 / 1050) - 11))
    halves, more = direct.split(rows, 1), direct.resized(3)
    assert more.outcome(halves).imports[0].tolist() == [[False, True, False], [False] * 3, [False] * 3]
    assert sold(more, halves, 1, 2) == pytest.approx(share * (20 - np.sqrt(20000 / 550) - 6))


def test_splitting_and_merging_undo_each_other():
    """Differences are shared by the halves; penalties of buying both add up to that of buying the whole."""
    direct = draws.direct("ipfl-exact", 4)
    rows = draws.profiles(3, direct, 5)
    rows[:, 2, 2] = 0
    halves = direct.split(rows, 2, 0.3, "half")
    assert halves.shape == (5, 5, 8)
    np.testing.assert_allclose(halves[:, 2, 0] / rows[:, 2, 0], 0.3)
    np.testing.assert_array_equal(halves[:, 0, 3 + 4], rows[:, 0, 3 + 2])
    assert not halves[:, [2, 4]][:, :, [5, 7]].any()
    np.testing.assert_allclose(direct.merge(halves, 2, 4), rows, rtol=1e-12, atol=1e-12)
    before = direct.market(rows).penalties(rows[..., 0])
    both = direct.market(halves).penalties(halves[..., 0])
    np.testing.assert_allclose(both[:, 0, 2] + both[:, 0, 4], before[:, 0, 2], rtol=1e-12)
    whole = direct.merge(rows, 3, 1, "min")
    np.testing.assert_array_equal(whole[:, 2, 1], np.minimum(rows[:, 3, 1], rows[:, 1, 1]))
    np.testing.assert_allclose(
        direct.market(whole).penalties(whole[..., 0])[:, 0, 2], before[:, 0, 1] + before[:, 0, 3], rtol=1e-12
    )  # fmt: skip


def test_values_of_coalitions_by_brute_force():
    direct = draws.direct("ipfl-exact", 4)
    rows = draws.profiles(4, direct, 30)
    types, market = direct.types(rows), direct.market(rows)
    for members in ([0], [1, 3], [0, 1, 2], [0, 1, 2, 3]):
        value = direct.coalition_value(rows, members)
        for b in range(30):
            alone, public = draws.single(types, market, b)
            outside = tuple(j for j in range(4) if j not in members)
            assert value[b] == pytest.approx(sum(draws.best(alone, public, i, outside) for i in members), abs=1e-9)


def test_wrong_identities_are_told():
    for wrong in (
        lambda d: d.split(SPLIT, 1, 1.0), lambda d: d.split(SPLIT, 1, 0.5, "thrice"), lambda d: d.merge(SPLIT, 1, 1),
        lambda d: d.merge(SPLIT, 1, 2, "max"), lambda d: d.merge(SPLIT[:, :2], 0, 1),
    ):  # fmt: skip
        with pytest.raises(InvalidMechanismError):
            wrong(draws.direct("ipfl", 3))
