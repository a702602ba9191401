"""Lines are drawn where they should be, and tables of utilities along them are those of a loop over profiles."""

import numpy as np
import pytest

import proofs_checks.search.lines as lines_module
from mechanism.catalogue import direct_mechanism
from mechanism.direct import DirectMechanism, SingleParameter
from mechanism.market.direct import MarketDirect
from mechanism.market.mechanisms import market_mechanism
from proofs_checks.search.lines import Lines, affine, draw_lines, linear, utility_table, with_breaks
from proofs_checks.search.sampling import REPORTS
from tests.proofs_checks.rules import Product, auction, falling, made, pay_bid, second, winners

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


def by_loop(mechanism, lines: Lines) -> np.ndarray:
    p, r = lines.shape
    table = np.empty((p, r, r))
    for line in range(p):
        agent = lines.agent[line]
        for t in range(r):
            types = lines.types[line : line + 1].copy()
            types[0, agent] = lines.levels[line, t]
            for said in range(r):
                reports = lines.reports[line : line + 1].copy()
                reports[0, agent] = lines.levels[line, said]
                table[line, t, said] = mechanism.utility(types, mechanism.outcome(reports))[0, agent]
    return table


@pytest.mark.parametrize(
    ("name", "agents"),
    [("second-price", 3), ("vcg-combinatorial", 3), ("mcafee", 4), ("ipfl", 3), ("ipfl-exact", 3), ("realised", 3)],
)
@pytest.mark.parametrize("others", ["truthful", "arbitrary"])
def test_table_is_the_loop(name, agents, others):
    mechanism = direct_mechanism(name, agents)
    movable = np.ones(mechanism.space.k, dtype=bool)
    rng = np.random.default_rng(5)
    lines = draw_lines(mechanism, rng, ("uniform", "others"), 32, movable, levels=4, others=others)
    assert np.allclose(utility_table(mechanism, lines), by_loop(mechanism, lines), rtol=0, atol=1e-9)


@pytest.mark.parametrize("name", ["ipfl", "ipfl-exact", "vcg-two-sided", "pooled-price", "shapley-split"])
def test_cost_lines_are_accounted_once_and_to_the_same_numbers(name, monkeypatch):
    mechanism = direct_mechanism(name, 4)
    movable = np.array(mechanism.space.names) == "cost"
    lines = draw_lines(mechanism, np.random.default_rng(1), ("uniform", "uniform"), 256, movable, levels=8)
    assert affine(mechanism, lines)
    once = utility_table(mechanism, lines)
    monkeypatch.setattr(lines_module, "affine", lambda *_: False)
    assert np.allclose(once, utility_table(mechanism, lines), rtol=0, atol=1e-9)


def test_settled_payments_are_not_taken_for_affine():
    mechanism = direct_mechanism("realised", 3)
    movable = np.array(mechanism.space.names) == "cost"
    assert not affine(
        mechanism, draw_lines(mechanism, np.random.default_rng(0), ("uniform", "near"), 64, movable, levels=4)
    )


def test_a_subclass_with_its_own_utility_is_not_linear():
    assert linear(direct_mechanism("second-price"))
    assert not linear(direct_mechanism("mcafee"))


def test_others_truth_moves_only_where_the_mechanism_says_that_it_matters():
    rng = np.random.default_rng(0)
    for name, moved in (("ipfl", set()), ("realised", {"size", "gain"})):
        mechanism = direct_mechanism(name, 4)
        movable = np.array(mechanism.space.names) == "cost"
        lines = draw_lines(mechanism, rng, ("uniform", "uniform"), 800, movable, levels=8, others="arbitrary")
        differ = (lines.types != lines.reports).any(axis=(0, 1))
        assert {mechanism.space.names[c] for c in np.flatnonzero(differ)} == moved


@pytest.mark.parametrize("way", [*REPORTS, "breaks"])
def test_levels_stay_inside_and_public_numbers_stay(way):
    mechanism = direct_mechanism("ipfl", 3)
    space = mechanism.space
    movable = np.ones(space.k, dtype=bool)
    lines = draw_lines(mechanism, np.random.default_rng(2), ("corners", way), 300, movable, levels=6)
    low, high = space.low[lines.agent][:, None], space.high[lines.agent][:, None]
    assert ((lines.levels >= low) & (lines.levels <= high)).all()
    public = ~space.private[0]
    assert (lines.levels[:, :, public] == lines.levels[:, :1, public]).all()
    assert (lines.levels[:, 0] == lines.reports[np.arange(len(lines.agent)), lines.agent]).all()


def test_halving_finds_a_reserve_to_the_last_bit():
    reserve = 0.372139481123

    def rule(bids):
        wins = winners(bids) * (bids >= reserve)
        return wins, wins * np.maximum(second(bids), reserve)

    mechanism = made(rule)
    reports = np.array([[[0.9], [0.1], [0.2]]])
    levels = np.linspace(0, 1, 5)[None, :, None]
    found = with_breaks(mechanism, reports, np.array([0]), levels, 0)[0, 5:, 0]
    assert reserve in found
    assert np.nextafter(reserve, 0) in found
