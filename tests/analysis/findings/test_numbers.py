"""Numbers by hand-worked cases and their identities on a recorded run; who is ahead only where seeds differ by less."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.findings.achieved import ACHIEVED
from analysis.findings.imports import import_shares
from analysis.findings.money import MoneyFlow, money_flow
from analysis.findings.optimum import optimum, share_of_optimum
from analysis.findings.rounds import utility_rounds
from analysis.findings.rules.lies import lie_curve, regret
from analysis.findings.scores import (
    MethodScores,
    best_accuracy,
    client_utility,
    final_accuracy,
    lead,
    mean_utility,
    scores_table,
    spread,
    welfare,
)
from analysis.findings.spread import Inequality, gini, inequality, inequality_table, lorenz
from analysis.findings.waterline import waterline
from analysis.page import theme
from analysis.run.records import Run
from mechanism.errors import UnknownNameError
from mechanism.market.accounting import scale
from mechanism.wording import listed
from tests.analysis.synthetic import section

amounts = st.lists(st.floats(-1e6, 1e6, allow_nan=False).map(lambda x: round(x, 3)), min_size=1, max_size=30)


@pytest.mark.parametrize(
    ("y", "expected"),
    [
        ([1, 1, 1, 1], 0.0),
        ([0, 0, 0, 1], 0.75),  # one has everything: (m - 1) / m
        ([1, 3], 0.25),
        ([1, 2, 3], 2 / 9),
        ([0, 0], 0.0),
        ([5], 0.0),
        ([-1, 1], 0.5),  # the usual coefficient would divide by a mean of 0
        ([-1, -3], 0.25),  # losses as even as the gains 1 and 3
    ],
)
def test_gini_by_hand(y: list[float], expected: float) -> None:
    assert gini(y) == pytest.approx(expected)


@given(amounts)
def test_gini_is_the_mean_difference_and_stays_below_one(y: list[float]) -> None:
    array = np.array(y)
    value = float(gini(array))
    assert 0.0 <= value + 1e-12 < 1.0
    total = np.abs(array).sum()
    if total > 0:
        direct = np.abs(array[:, None] - array[None, :]).sum() / (2 * array.size * total)
        assert value == pytest.approx(direct, abs=1e-9)


@given(amounts)
def test_gini_is_twice_the_area_under_the_line_of_the_lorenz_curve(y: list[float]) -> None:
    curve = lorenz(y)
    x = np.linspace(0, 1, curve.size)
    area = np.trapezoid(x * curve[-1] - curve, x)
    assert float(gini(y)) == pytest.approx(2 * area, abs=1e-9)


def test_lorenz_by_hand() -> None:
    np.testing.assert_allclose(lorenz([3, 1]), [0, 0.25, 1])
    np.testing.assert_allclose(lorenz([1, -1]), [0, -0.5, 0])
    np.testing.assert_allclose(lorenz([[0, 0], [2, 2]]), [[0, 0, 0], [0, 0.5, 1]])


@pytest.mark.parametrize(
    ("objective", "optimal", "expected"),
    [
        (1.0, 2.0, 0.5),
        (-3.0, 2.0, -1.5),
        (0.0, 0.0, np.nan),
        (1e-12, 1e-12, np.nan),
        (-1.0, 0.0, np.nan),
        (1.0, 2e-6, 5e5),
        (-3e9, 2.0, -1.5e9),
    ],
)
def test_share_of_the_optimum(objective: float, optimal: float, expected: float) -> None:
    np.testing.assert_equal(share_of_optimum(objective, optimal), expected)


def test_arrows_are_the_largest_net_payments() -> None:
    flow = MoneyFlow("x", 0, np.array([[0.0, 5.0, 1.0], [2.0, 0.0, 0.0], [1.0, 4.0, 0.0]]))
    assert flow.arrows(9) == ((2, 1, 4.0), (0, 1, 3.0))  # 0 and 2 paid each other the same
    assert flow.arrows(1) == ((2, 1, 4.0),)
    assert flow.earned.tolist() == [-3.0, 7.0, -4.0]
    assert flow.turnover == 13.0


def test_money_on_a_record(run: Run) -> None:
    """Payments are antisymmetric after netting, gross ones are what the traces say, and nothing is lost."""
    for k, seed in enumerate(run.seeds):
        for name in run.methods:
            flow, trace = money_flow(run, name, seed), run.traces[name]
            np.testing.assert_array_equal(flow.net, -flow.net.T)
            np.testing.assert_allclose(flow.gross.sum(axis=1), trace.paid[k].sum(axis=0))
            np.testing.assert_allclose(flow.gross.sum(axis=0), trace.received[k].sum(axis=0))
            assert flow.earned.sum() == pytest.approx(0.0, abs=1e-9)
    assert money_flow(run, "fedavg").turnover == 0.0
    assert money_flow(run, "ipfl/ipfl").turnover > 0.0


def test_welfare_is_the_sum_of_utilities_and_of_gains_less_costs(run: Run) -> None:
    score, mean = welfare(run), mean_utility(run)
    for k, name in enumerate(run.methods):
        trace = run.traces[name]
        np.testing.assert_allclose(score.values[k], (trace.gain - trace.cost).sum(axis=(1, 2)), atol=1e-9)
        np.testing.assert_allclose(score.values[k], run.clients * mean.values[k])


def test_accuracy_is_each_clients_best_round(run: Run) -> None:
    accuracy = run.traces["local"].accuracy
    best = [np.mean([accuracy[s, :, i].max() for i in range(6)]) for s in range(2)]
    np.testing.assert_allclose(best_accuracy(run).values[0], 100 * np.array(best))
    np.testing.assert_allclose(final_accuracy(run).values[0], 100 * accuracy[:, -1].mean(axis=1))
    assert (best_accuracy(run).values >= final_accuracy(run).values).all()


def test_nothing_beats_the_optimum_and_the_exact_rule_reaches_it(run: Run) -> None:
    result = optimum(run)
    assert (result.objective <= result.optimal + 1e-9 * scale(result.optimal)).all()
    assert result.share[3] == pytest.approx(1.0)
    assert result.share[1] < 0 < result.share[2] < 1.0
    # The penalties are what welfare and objective differ by; none without imports.
    assert (result.welfare >= result.objective).all()
    np.testing.assert_allclose(result.welfare[0], result.objective[0], atol=1e-12)


def test_waterline_pools_seeds_and_counts_who_is_below(run: Run) -> None:
    line = waterline(run, "fedavg")
    assert line.utilities.size == 12
    assert (np.diff(line.utilities) >= 0).all()
    assert line.below == int((run.traces["fedavg"].utility.sum(axis=1) < -1e-6).sum()) > 0
    assert waterline(run, "ipfl/ipfl-exact").below == 0


def test_rounds_and_spread(run: Run) -> None:
    curves = utility_rounds(run)
    assert curves.values.shape == (4, 2, 3)
    np.testing.assert_allclose(curves.values[2].sum(axis=1), mean_utility(run).values[2])
    pair = np.array([[1.0, 3.0]])
    assert spread(pair)[0] == pytest.approx(np.sqrt(2.0))
    assert spread(pair[:, :1]) is None


def test_inequality_averages_curves_and_coefficients_alike(run: Run) -> None:
    result = inequality(run)
    x = result.population
    for k in range(4):
        area = np.trapezoid(x * result.curves[k, -1] - result.curves[k], x)
        assert result.gini[k].mean() == pytest.approx(2 * area)


def test_regret_is_what_the_audit_found(run: Run) -> None:
    found = regret(run)
    assert set(found) == {"ipfl/ipfl", "ipfl/ipfl-exact"}
    assert found["ipfl/ipfl"] > 0.01
    assert found["ipfl/ipfl-exact"] == 0.0


@pytest.mark.parametrize(
    "asked",
    [
        waterline, money_flow, client_utility, import_shares,
        lambda run, name: lie_curve(run, name, seed=0, round_number=1, client=0, report=1.0),
    ],
)  # fmt: skip
def test_a_method_that_the_run_has_not_is_told_with_those_that_it_has(run: Run, asked) -> None:
    with pytest.raises(UnknownNameError, match="the run has no method 'fedprox'; it has local, fedavg, ipfl/ipfl, ip"):
        asked(run, "fedprox")


def scores(*values: list[float]) -> MethodScores:
    return MethodScores("Accuracy", "%", tuple("abc"[: len(values)]), np.array(values))


def test_a_lead_within_noise_is_none() -> None:
    found = lead(scores([96.0, 98.0], [95.9, 96.5], [10.0, 10.1]))
    assert (found.best, found.near) == (0, (1,))
    assert [found.near_to(k) for k in range(3)] == [True, True, False]
    wide = lead(scores([96.0, 96.0], [90.0, 100.0]))
    assert wide.near == (1,)


def test_a_lead_beyond_noise_counts_and_one_seed_knows_none() -> None:
    assert lead(scores([96.0, 96.1], [90.0, 90.1])).near == ()
    alone = lead(scores([96.0], [10.0]))
    assert alone.near is None
    assert alone.near_to(1)


def test_words_claim_what_the_rule_allows(run: Run) -> None:
    single = replace(
        run,
        seeds=run.seeds[:1],
        traces={
            m: replace(t, **{k: None if v is None else v[:1] for k, v in vars(t).items()})
            for m, t in run.traces.items()
        },
    )
    assert "one seed, so that it may be chance" in section(ACHIEVED, single).answer
    assert "percentage points behind" not in section(ACHIEVED, single).answer
    accuracy = best_accuracy(run)
    found = lead(accuracy)
    said = section(ACHIEVED, run).answer
    assert found.near is not None
    if found.near:
        assert f"not told apart over 2 seeds from {listed(run.methods[k] for k in found.near)}" in said
    assert run.methods[found.best] in said


def test_one_seed_shows_no_spread_anywhere() -> None:
    one = scores([96.0], [10.0])
    assert [row[2] for row in scores_table(one).rows] == [None, None]
    result = Inequality(
        ("a", "b"), np.array([0.0, 0.5, 1.0]), np.array([[0.0, 0.25, 1.0], np.zeros(3)]), np.array([[0.25], [0.0]])
    )
    joined = inequality_table(result).joined()
    assert joined.rows == (("a", 0.25, 0.25), ("b", None, None))


def test_colours_that_come_again_differ_in_line_mark_and_hatch() -> None:
    looks = [(theme.colour(k), theme.line(k), theme.mark(k), theme.hatch(k)) for k in range(27)]
    assert len(set(looks)) == 27
    again = len(theme.PALETTE)
    assert theme.colour(again) == theme.colour(0)
    assert all(a != b for a, b in zip(looks[0][1:], looks[again][1:], strict=True))
