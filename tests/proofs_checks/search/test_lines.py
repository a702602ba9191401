"""Lines beside `test_tables`: sellers, values that depend on others, sizes that may not be delivered, few truths."""

from __future__ import annotations

import numpy as np
import pytest

from mechanism.catalogue import direct_mechanism
from mechanism.direct import DirectMechanism, SingleParameter
from mechanism.market.direct import MarketDirect
from mechanism.market.mechanisms import market_mechanism
from proofs_checks.search.lines import Lines, draw_lines, utility_table
from tests.proofs_checks.rules import Product, auction, falling, pay_bid

ALL = {
    "pay_bid": lambda: auction(pay_bid, 3),
    "seller": lambda: SingleParameter(falling, 3, role="seller", low=0.0, high=1.0),
    "vcg-combinatorial": lambda: direct_mechanism("vcg-combinatorial", 2),
    "product": Product,
    "vcg-two-sided": lambda: direct_mechanism("vcg-two-sided", 3),
    "realised": lambda: direct_mechanism("realised", 3),
    "private sizes": lambda: MarketDirect(market_mechanism("ipfl-exact"), 3, sizes="private"),
}


def by_hand(mechanism: DirectMechanism, lines: Lines, line: int, truth: int, report: int) -> float:
    """U of one truth and one report: one outcome of one profile, accounted at one profile of true types."""
    agent = int(lines.agent[line])
    types, reports = lines.types[[line]].copy(), lines.reports[[line]].copy()
    types[0, agent] = lines.levels[line, truth]
    reports[0, agent] = lines.levels[line, report]
    return float(mechanism.utility(types, mechanism.outcome(reports))[0, agent])


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("ways", [("uniform", "near"), ("ties", "others"), ("lattice", "ends")])
def test_the_table_equals_a_loop(name, ways):
    mechanism = ALL[name]()
    rng = np.random.default_rng(5)
    everything = np.ones(mechanism.space.k, dtype=np.bool_)
    lines = draw_lines(mechanism, rng, ways, 40, everything, levels=5, others="arbitrary")
    p, r = lines.shape
    expected = [[[by_hand(mechanism, lines, i, t, s) for s in range(r)] for t in range(r)] for i in range(p)]
    table = utility_table(mechanism, lines)
    assert table == pytest.approx(np.array(expected), rel=1e-12, abs=1e-9)
    assert utility_table(mechanism, lines, truths=2) == pytest.approx(table[:, :2], rel=1e-12, abs=1e-9)


def test_what_is_true_of_others_is_drawn_anew_only_where_it_matters():
    rng = np.random.default_rng(1)
    everything = np.ones(1, dtype=np.bool_)
    arbitrary = draw_lines(Product(), rng, ("uniform", "near"), 400, everything, levels=4, others="arbitrary")
    changed = (arbitrary.types != arbitrary.reports).any(axis=(1, 2))
    assert 0.3 < changed.mean() < 0.7
    truthful = draw_lines(Product(), rng, ("uniform", "near"), 400, everything, levels=4, others="truthful")
    assert np.array_equal(truthful.types, truthful.reports)
    private = draw_lines(auction(pay_bid), rng, ("uniform", "near"), 400, everything, levels=4, others="arbitrary")
    assert np.array_equal(private.types, private.reports)


def test_a_case_of_a_line_is_its_truth_and_its_report():
    mechanism = auction(pay_bid)
    types = np.array([[[0.25], [0.5]]])
    lines = Lines(types, types, np.array([0]), np.array([[[0.75], [0.625]]]))
    case = lines.case(0, 0, 1)
    assert case.types.tolist() == case.before.tolist() == [[[0.75], [0.5]]]
    assert case.after.tolist() == [[[[0.625], [0.5]]]]
    assert case.deviators.tolist() == [[True, False]]
    assert types.tolist() == [[[0.25], [0.5]]]
    assert utility_table(mechanism, lines).tolist() == [[[0.0, 0.125], [-0.125, 0.0]]]


@pytest.mark.parametrize("agent", [0, 1])
def test_break_points_are_found_to_the_last_bit(agent):
    """Along a bid the utility of a first-price auction jumps at the other's bid, and both sides of it are levels."""
    mechanism = auction(pay_bid)
    everything = np.ones(1, dtype=np.bool_)
    lines = draw_lines(mechanism, np.random.default_rng(3), ("uniform", "breaks"), 2048, everything, levels=32)
    for line in np.flatnonzero(lines.agent == agent):
        other = lines.reports[line, 1 - agent, 0]
        levels = lines.levels[line, :, 0]
        wins = levels >= other if agent == 0 else levels > other
        below, above = levels[~wins].max(initial=0.0), levels[wins].min(initial=1.0)
        assert above - below <= 4e-16
