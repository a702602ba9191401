"""The checkers: they pass what holds and fail mechanisms that are wrong by a millionth."""

from __future__ import annotations

import numpy as np
import pytest

from mechanism import Market, Types, market_mechanism
from proofs_checks.properties import anonymity, budget_balance, dsic_cost, efficiency, ir, monotonicity
from proofs_checks.search.markets import random_markets
from tests.proofs_checks import mutants
from tests.proofs_checks.mutants import Mutant

EXACT = market_mechanism("ipfl-exact")


@pytest.fixture(scope="module")
def drawn() -> tuple[Types, Market]:
    return random_markets("small", np.random.default_rng(11), 60, 4)


def test_seller_paid_a_millionth_below_cost_fails_individual_rationality(drawn):
    mutant = Mutant(mutants.below_cost)
    assert ir(EXACT, *drawn, "seller").holds
    check = ir(mutant, *drawn, "seller")
    assert not check.holds
    assert 0.9e-6 < check.absolute < 5e-6  # 1e-6 for each of at most three exports
    assert "is missed by" in check.sentence()


def test_buyer_charged_a_millionth_above_its_gain_fails_individual_rationality(drawn):
    assert ir(EXACT, *drawn, "buyer").holds
    check = ir(Mutant(mutants.buyers_pay_all), *drawn, "buyer")
    assert not check.holds
    assert check.absolute == pytest.approx(1e-6, rel=1e-3)


@pytest.mark.parametrize("change", [mutants.follows_report, mutants.falls_with_report])
def test_price_that_moves_by_a_millionth_with_the_report_fails_truthfulness(drawn, change):
    assert dsic_cost(EXACT, *drawn).holds
    check = dsic_cost(Mutant(change), *drawn)
    assert not check.holds
    assert check.absolute < 1e-4


def test_the_millionth_is_found_by_the_right_kind_of_lie():
    """Where the price rises with the report the best lie overstates; where it falls, it understates."""
    from proofs_checks.search.cost_lies import best_cost_lies

    types, market = random_markets("small", np.random.default_rng(12), 60, 4)
    over = best_cost_lies(Mutant(mutants.follows_report), types, market)
    under = best_cost_lies(Mutant(mutants.falls_with_report), types, market)
    assert not over.exact
    pays = over.gain > 1e-8
    assert pays.any()
    assert (over.report[pays] > types.cost[pays]).all()
    pays = under.gain > 1e-8
    assert pays.any()
    assert (under.report[pays] < types.cost[pays]).all()


def test_a_millionth_to_the_centre_fails_budget_balance(drawn):
    assert budget_balance(EXACT, *drawn).holds
    check = budget_balance(Mutant(mutants.leaks), *drawn)
    assert not check.holds
    assert check.absolute == pytest.approx(1e-6, rel=1e-6)


def test_leaving_one_import_out_fails_efficiency(drawn):
    assert efficiency(EXACT, *drawn).holds
    assert not efficiency(Mutant(mutants.forgets_one), *drawn).holds


def test_favouring_one_client_by_a_millionth_fails_anonymity():
    types, market = random_markets("wide", np.random.default_rng(13), 40, 4)
    turned = np.array([1, 2, 3, 0])
    assert anonymity(EXACT, types, market, turned).holds
    assert not anonymity(Mutant(mutants.favours_the_first), types, market, turned).holds


def test_selling_more_when_dearer_fails_monotonicity(drawn):
    """A rule that sorts by rising instead of falling cost."""
    from dataclasses import dataclass

    @dataclass(frozen=True)
    class Upside:
        id: str = "upside"

        def clear(self, reports, public):
            most = reports.cost.max(axis=-1, keepdims=True)
            return EXACT.clear(reports.replace(cost=most - reports.cost), public)

    assert monotonicity(EXACT, *drawn).holds
    check = monotonicity(Upside(), *drawn)
    assert not check.holds
    assert check.absolute >= 1


def test_violations_are_measured_against_each_market_own_scale():
    """A violation of 1e-6 in a small market is not hidden by a large market in the same batch."""
    types = Types([[100.0, 300.0]] * 2, [[1.0, 1.0]] * 2, [[3600.0, 0.0], [3.6e9, 0.0]])
    check = ir(Mutant(mutants.below_cost), types, Market(), "seller")
    assert not check.holds
    assert check.where == (0, 1)
