"""The adapter: what verification sees of a market mechanism."""

import numpy as np
import pytest

from mechanism import (
    DirectMechanism,
    InvalidMarketError,
    InvalidMechanismError,
    Market,
    Types,
    account,
    market_mechanism,
    objective,
    optimal_objective,
)
from mechanism.market.direct import MarketDirect
from mechanism.market.mechanisms import MARKET_ENTRIES
from mechanism.market.rules.posted_price import PostedPrice
from mechanism.market.rules.rule import Clearing
from tests.mechanism.market import draws

IDS = sorted(MARKET_ENTRIES)


@pytest.mark.parametrize("name", IDS)
def test_it_is_the_mechanism_on_rows(name):
    """Outcome, utility, payments and objective are those of the market with d = pen and lambda = 1."""
    direct = draws.direct(name)
    assert isinstance(direct, DirectMechanism)
    assert isinstance(direct.mechanism, Clearing)
    rows = draws.profiles(1, direct, 50)
    types = Types(rows[..., 0], rows[..., 1], rows[..., 2])
    market = Market(rows[..., 3:], 1.0)
    outcome, expected = direct.outcome(rows), direct.mechanism.clear(types.truthful(), market)
    np.testing.assert_array_equal(outcome.imports, expected.imports)
    np.testing.assert_array_equal(outcome.prices, expected.prices)
    np.testing.assert_array_equal(direct.payments(outcome), expected.centre)
    np.testing.assert_array_equal(direct.utility(rows, outcome), account(types, expected).utility)
    np.testing.assert_array_equal(direct.welfare(rows, outcome), objective(types, expected.imports, market))
    np.testing.assert_array_equal(direct.optimal_welfare(rows), optimal_objective(types.truthful(), market)[0])
    np.testing.assert_array_equal(direct.allocation(outcome), expected.imports.sum(axis=-2))
    parts = direct.parts(rows, outcome)
    np.testing.assert_allclose(parts["buyer"] + parts["seller"], direct.utility(rows, outcome), atol=1e-9)
    pens = (expected.imports * market.penalties(types.size)).sum(axis=-1)
    np.testing.assert_allclose(direct.payoffs(rows, outcome), direct.utility(rows, outcome) - pens, atol=1e-12)


@pytest.mark.parametrize("name", IDS)
def test_a_batch_gives_what_single_rows_give(name):
    direct = draws.direct(name, 5)
    rows = draws.profiles(2, direct, 30)
    truth = draws.profiles(3, direct, 30)
    together = direct.outcome(rows)
    utility, consequences = direct.utility(truth, together), direct.consequences(together)
    for b in range(30):
        alone = direct.outcome(rows[b : b + 1])
        np.testing.assert_array_equal(alone.imports[0], together.imports[b])
        np.testing.assert_allclose(direct.consequences(alone)[0], consequences[b], rtol=0, atol=1e-11)
        np.testing.assert_allclose(direct.utility(truth[b : b + 1], alone)[0], utility[b], rtol=0, atol=1e-11)


@pytest.mark.parametrize("name", IDS)
def test_relabelling_clients_relabels_everything(name):
    """Anonymity, and what permuted does to the public columns."""
    direct = draws.direct(name, 4)
    rows = draws.profiles(4, direct, 200)
    order = np.array([2, 0, 3, 1])
    moved = direct.permuted(rows, order)
    assert moved[7, 1, 0] == rows[7, 0, 0]
    assert moved[7, 1, 3 + 2] == rows[7, 0, 3 + 3]  # pen of client order[1] for client order[2]
    before, after = direct.outcome(rows), direct.outcome(moved)
    np.testing.assert_array_equal(after.imports, before.imports[:, order][:, :, order])
    np.testing.assert_allclose(after.prices, before.prices[:, order][:, :, order], atol=1e-11)
    np.testing.assert_allclose(
        direct.utility(moved, after), direct.utility(rows, before)[:, order], rtol=0, atol=1e-9
    )  # fmt: skip


def test_a_lie_about_size_is_delivered_at_the_true_size():
    """The buyer pays for 300 samples, gains from 100, and bears no penalty in money."""
    direct = draws.direct("ipfl-exact", 2)
    truth = draws.one([100, 100], [0, 1], [3600, 0], [[0, 0.1], [0.1, 0]])
    said = truth.copy()
    said[0, 1, 0] = 300
    outcome = direct.outcome(said)
    assert outcome.prices[0, 0, 1] == pytest.approx(3 - 0.3)
    assert direct.utility(truth, outcome)[0].tolist() == pytest.approx([6 - np.sqrt(18) - 2.7, 1.7])
    assert direct.welfare(truth, outcome)[0] == pytest.approx(6 - np.sqrt(18) - 1 - 0.1)


def test_two_stage_mechanisms_are_settled_on_the_truth():
    direct = draws.direct("realised")
    truth, said = draws.profiles(5, direct, 40), draws.profiles(6, direct, 40)
    said[..., 3:] = truth[..., 3:]
    outcome = direct.outcome(said)
    types = direct.types(truth)
    settled = direct.mechanism.settle(outcome, types)
    assert (np.abs(settled.centre - outcome.centre) > 0.1).any()
    np.testing.assert_array_equal(direct.utility(truth, outcome), account(types, settled).utility)


def test_consequences_hold_all_that_touches_a_client():
    direct = draws.direct("ipfl-exact", 3)
    outcome = direct.outcome(draws.one([100, 300, 300], [0, 1.1, 1.0], [3600, 0, 0]))
    rows = direct.consequences(outcome)[0]
    assert rows[0].tolist() == pytest.approx([0, 0, 1, 0, 0, 0, 0, 0, 1.1, 0])
    assert rows[1].tolist() == [0] * 10
    assert rows[2].tolist() == pytest.approx([0, 0, 0, 1, 0, 0, -1.1, 0, 0, 0])
    through = draws.direct("vcg-two-sided", 3)
    centre = through.consequences(through.outcome(draws.one([100, 300, 300], [0, 1.1, 1.0], [3600, 0, 0])))[0, :, -1]
    assert centre.tolist() == pytest.approx([1.0, 0, -1.1])


@pytest.mark.parametrize("name", IDS)
@pytest.mark.parametrize("agents", [2, 3, 5])
def test_most_random_markets_of_the_default_domain_trade(name, agents):
    if agents < MARKET_ENTRIES[name].fewest:
        return
    direct = MARKET_ENTRIES[name].build(agents)
    rows = draws.profiles(7, direct, 2000)
    share = direct.outcome(rows).imports.any(axis=(1, 2)).mean()
    fewer = name in ("posted-price", "pooled-price", "clock-price")  # at a price of 1 a third of the sellers take part
    assert share > (0.3 if agents == 2 else 0.55 if fewer else 0.8)


def test_the_space_names_and_hides_what_is_private():
    space = MarketDirect(market_mechanism("ipfl"), 3, low=(10, 0, 0), high=(20, 1, 5), largest_penalty=2.0).space
    assert space.names == ("size", "cost", "gain", "pen_0", "pen_1", "pen_2")
    assert space.private[1].tolist() == [True] * 3 + [False] * 3
    assert space.high[1].tolist() == [20, 1, 5, 2, 0, 2]
    assert space.low[1].tolist() == [10, 0, 0, 0, 0, 0]


def test_resizing_keeps_rule_and_bounds_and_tables_do_not_fit():
    direct = MarketDirect(PostedPrice(np.ones((3, 3))), 3, high=(20, 1, 5), low=(10, 0, 0), largest_penalty=0.2)
    more = direct.resized(4)
    assert more.space.high[1].tolist() == [20, 1, 5, 0.2, 0, 0.2, 0.2]
    with pytest.raises(InvalidMarketError, match="price table is for 3 clients"):
        more.outcome(draws.profiles(1, more, 2))


def test_wrong_bounds_are_told():
    for options in ({"agents": 1}, {"agents": 3, "largest_penalty": 2.5}, {"agents": 3, "low": (2000, 0, 0)}):
        with pytest.raises(InvalidMechanismError):
            MarketDirect(market_mechanism("ipfl"), **options)
