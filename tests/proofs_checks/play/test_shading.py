"""Equilibria in strategies that the textbooks know."""

import numpy as np
import pytest

from mechanism import single_parameter
from mechanism.catalogue import CATALOGUE, direct_mechanism
from mechanism.errors import InvalidMechanismError
from proofs_checks.play.anarchy import anarchy, price_of_anarchy
from proofs_checks.play.dynamics import Reached
from proofs_checks.play.game import Play
from proofs_checks.play.interim import Interim
from proofs_checks.play.shading import LOOSE, Strategies, equilibrium, shading_problem


@single_parameter(agents=2, role="seller")
def lowest_bid_wins(bids):
    wins = np.arange(bids.shape[1]) == bids.argmin(axis=1)[:, None]
    return wins, wins * bids


@pytest.mark.parametrize("agents", [2, 3, 4])
def test_under_first_price_reports_rise_by_n_minus_one_over_n(agents):
    found = equilibrium(direct_mechanism("first-price", agents), seed=agents)
    known = (agents - 1) / agents
    for i in range(agents):
        slope, intercept = found.strategies.slope(i)
        assert slope == pytest.approx(known, abs=0.02)
        assert intercept == pytest.approx(0.0, abs=0.02)
    # v^n / n is what a bidder of value v expects in equilibrium
    expected = found.strategies.grid**agents / agents
    assert found.utility == pytest.approx(expected, abs=0.025)
    assert found.truthful == pytest.approx(0.0 * expected, abs=1e-12)
    assert found.left.max() < 0.01
    assert found.iterations > 0


@pytest.mark.parametrize("name", ["second-price", "second-price-reserve", "myerson", "agv", "mcafee", "median-vote"])
def test_truthful_rules_are_played_truthfully(name):
    found = equilibrium(direct_mechanism(name), types=31)
    assert found.iterations == 0
    assert np.array_equal(found.strategies.reports, found.strategies.grid)
    assert np.array_equal(found.truthful, found.utility)


def test_under_second_price_play_itself_stays_at_the_truth(monkeypatch):
    monkeypatch.setattr("proofs_checks.play.shading._truth_holds", lambda *_: False)
    found = equilibrium(direct_mechanism("second-price", 2), iterations=8)
    assert np.abs(found.strategies.reports - found.strategies.grid).max() <= 1e-12
    assert found.left.max() == 0.0


def test_sellers_that_are_paid_their_bid_overstate():
    found = equilibrium(lowest_bid_wins)
    for i in range(2):
        slope, intercept = found.strategies.slope(i, 0.0, 0.9)  # (1 + c) / 2
        assert slope == pytest.approx(0.5, abs=0.03)
        assert intercept == pytest.approx(0.5, abs=0.03)


def test_under_all_pay_low_types_bid_next_to_nothing():
    found = equilibrium(direct_mechanism("all-pay", 2))
    known = found.strategies.grid**2 / 2
    assert np.abs(found.strategies.reports - known).mean() < 0.03


def test_play_goes_on_until_little_is_left_and_keeps_the_best_look():
    mechanism = direct_mechanism("all-pay", 2)
    short = equilibrium(mechanism, iterations=20, samples=256)
    long = equilibrium(mechanism, iterations=20, most=200, samples=256)
    assert short.iterations == 20
    assert short.share.max() > LOOSE
    assert 20 < long.iterations <= 200
    assert long.share.max() <= LOOSE
    known = CATALOGUE["all-pay"].known_equilibrium(2)
    off = np.abs(long.strategies.reports - known.report(long.strategies.grid, 2, 0))
    assert off.mean() < 0.015
    assert off.max() < 0.06
    assert long.strategies.misfit(0) > 0.04  # 1/2 v² is off its line by about that
    line = Strategies(long.strategies.grid, 0.5 * long.strategies.grid + 0.1)
    assert line.misfit(0) == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize(("name", "agents"), [("first-price", 2), ("first-price", 4), ("all-pay", 3),
                                              ("k-double-auction", 2), ("second-price", 3), ("agv", 3)])  # fmt: skip
def test_no_report_adds_to_a_known_equilibrium(name, agents):
    mechanism, known = direct_mechanism(name, agents), CATALOGUE[name].known_equilibrium(agents)
    table = Interim(mechanism, 51, 0)
    reports = np.stack([known.report(table.grid[i], agents, i) for i in range(agents)])
    reports = np.where(np.isnan(reports), table.grid, reports)  # free ones: who never trades tells the truth
    drawn = table.draw(np.random.default_rng(1), 1 << 14)
    said = np.stack([known.report(drawn[:, i], agents, i) for i in range(agents)], axis=1)
    said = np.where(np.isnan(said), drawn, said)
    for i in range(agents):
        best = table.payoffs(i, said, drawn).max(axis=1)
        had = table.own(i, said, drawn, reports[i]).mean(axis=0)
        assert (best - had).max() < 0.004


def test_expected_utility_is_the_mean_over_draws_one_by_one():
    mechanism = direct_mechanism("mean-vote", 3)  # not linear in the type: every type by itself
    table = Interim(mechanism, 5, 0)
    rng = np.random.default_rng(0)
    true, said = table.draw(rng, 40), rng.random((40, 3))
    payoffs = table.payoffs(1, said, true)
    for g, r in ((0, 3), (2, 8), (4, 1)):
        total = 0.0
        for t, s in zip(true, said, strict=True):
            t, s = t.copy(), s.copy()
            t[1], s[1] = table.grid[1, g], table.levels[1, r]
            total += mechanism.utility(t[None, :, None], mechanism.outcome(s[None, :, None]))[0, 1]
        assert payoffs[g, r] == pytest.approx(total / 40, abs=1e-12)


@pytest.mark.parametrize("name", ["first-price", "k-double-auction"])
def test_the_short_way_for_linear_utilities_is_the_long_way(name, monkeypatch):
    table = Interim(direct_mechanism(name), 6, 0)
    rng = np.random.default_rng(1)
    true, said = table.draw(rng, 30), rng.random((30, len(table.grid)))
    short = table.payoffs(0, said, true)
    monkeypatch.setattr("proofs_checks.play.interim.linear", lambda _: False)
    monkeypatch.setattr("proofs_checks.play.interim._straight", lambda *_: False)
    assert table.payoffs(0, said, true) == pytest.approx(short, abs=1e-12)


def test_draws_are_stratified():
    table = Interim(direct_mechanism("first-price"), 5, 0)
    drawn = np.sort(table.draw(np.random.default_rng(0), 100), axis=0)
    assert (np.floor(drawn * 100) == np.arange(100)[:, None]).all()


def test_strategies_are_straight_between_types():
    told = Strategies(np.array([[0.0, 1.0]]), np.array([[0.2, 0.6]]))
    assert told(np.array([[0.25], [1.0]]))[:, 0] == pytest.approx([0.3, 0.6])
    assert told.slope(0) == pytest.approx((0.4, 0.2))


@pytest.mark.parametrize("name", ["ipfl", "vcg-combinatorial", "greedy-knapsack"])
def test_what_has_no_strategy_of_one_number_is_refused(name):
    mechanism = direct_mechanism(name)
    assert shading_problem(mechanism) is not None
    with pytest.raises(InvalidMechanismError, match="use best-response dynamics"):
        equilibrium(mechanism)


def test_equal_shading_sells_to_the_same_bidder_for_less():
    mechanism = direct_mechanism("first-price", 2)
    types = np.random.default_rng(0).random((500, 2, 1))
    play = Play(mechanism, types)
    books = anarchy(play, Reached(0.5 * play.truth, np.arange(500), np.ones(500)))
    assert price_of_anarchy(books.welfare, books.optimum).value == pytest.approx(1.0)
    assert books.paid.sum() == pytest.approx(0.5 * books.paid_truthful.sum())
