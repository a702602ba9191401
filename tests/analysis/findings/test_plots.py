"""Each plot draws the numbers of its result object on the axes it is given. Asserted on data, not on pixels."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection, QuadMesh
from matplotlib.patches import FancyArrowPatch, Rectangle
from matplotlib.text import Text

from analysis.findings.achieved import ACHIEVED
from analysis.findings.imports import IMPORTS
from analysis.findings.money import MoneyFlow, money_flow
from analysis.findings.optimum import OPTIMUM, optimum, optimum_bars
from analysis.findings.payments import MONEY, MOST_ARROWS, money_graph, money_matrix
from analysis.findings.rounds import ROUNDS, RoundCurves, accuracy_rounds, round_curves, utility_rounds
from analysis.findings.rules.lies import LieCurve, lie_curves
from analysis.findings.rules.truthfulness import draw_lie_curve
from analysis.findings.rules.truthfulness import drawing as lie_panels
from analysis.findings.scores import MethodScores, mean_utility, method_dots, welfare
from analysis.findings.spread import SPREAD, inequality, lorenz_curves
from analysis.findings.waterline import WATERLINE, waterline, waterline_bars, waterline_summary
from analysis.findings.welfare import welfare_bars, welfare_parts
from analysis.page import theme
from analysis.run.records import Run
from tests.analysis.synthetic import section


def bars(ax: Axes) -> list[Rectangle]:
    return [patch for group in ax.containers for patch in group]


def texts(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.texts]


@pytest.mark.parametrize("name", ["local", "fedavg", "ipfl/ipfl-exact"])
def test_waterline_bars_are_the_utilities(run: Run, name: str) -> None:
    line = waterline(run, name)
    ax = waterline_bars(line)
    assert [bar.get_height() for bar in bars(ax)] == pytest.approx(list(line.utilities))
    tones = {bar.get_facecolor()[:3] for bar in bars(ax) if bar.get_height() < -line.tolerance}
    rest = {bar.get_facecolor()[:3] for bar in bars(ax) if bar.get_height() >= 0}
    assert not tones & rest
    assert waterline_summary(line) in texts(ax)
    low, high = ax.get_ylim()
    assert low < min(0, line.utilities.min())
    assert high > max(0, line.utilities.max())


def test_panels_of_the_waterline_share_a_scale(run: Run) -> None:
    drawn = section(WATERLINE, run).drawings["waterline"]()
    assert len(drawn.figure.axes) == 4
    assert len({ax.get_ylim() for ax in drawn.figure.axes}) == 1
    assert "fedavg: 6 of 12 below zero" in drawn.alt or "below zero" in drawn.alt


def test_matrix_shows_net_payments_antisymmetric(run: Run) -> None:
    flow = money_flow(run, "ipfl/ipfl")
    ax = money_matrix(flow)
    (mesh,) = (c for c in ax.collections if isinstance(c, QuadMesh))
    shown = np.asarray(mesh.get_array()).reshape(6, 6)
    np.testing.assert_array_equal(shown, flow.net)
    np.testing.assert_array_equal(shown, -shown.T)
    assert mesh.norm.vmin == -mesh.norm.vmax
    assert len(ax.texts) == np.count_nonzero(flow.net)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("receiver", "payer")


def test_graph_has_an_arrow_per_net_payment_as_wide_as_its_money(run: Run) -> None:
    flow = money_flow(run, "ipfl/ipfl")
    ax = money_graph(flow)
    arrows = [patch for patch in ax.patches if isinstance(patch, FancyArrowPatch)]
    expected = flow.arrows(MOST_ARROWS)
    assert len(arrows) == len(expected) > 1
    widths = sorted((a.get_linewidth() for a in arrows), reverse=True)
    for width, (_, _, amount) in zip(widths, expected, strict=True):
        assert width == pytest.approx(max(0.5, widths[0] * amount / expected[0][2]))
    (nodes,) = (c for c in ax.collections if isinstance(c, PathCollection))
    blue = np.array([int(theme.GAIN[k : k + 2], 16) / 255 for k in (1, 3, 5)])
    is_blue = np.isclose(nodes.get_facecolor()[:, :3], blue).all(axis=1)
    np.testing.assert_array_equal(is_blue, flow.earned > 1e-6)


@pytest.mark.parametrize("m", [1, 2, 50])
def test_money_plots_thin_their_labels(m: int) -> None:
    gross = np.random.default_rng(3).uniform(0, 1, (m, m))
    np.fill_diagonal(gross, 0)
    flow = MoneyFlow("x", 0, gross)
    graph, matrix = money_graph(flow), money_matrix(flow)
    arrows = [patch for patch in graph.patches if isinstance(patch, FancyArrowPatch)]
    assert len(arrows) == min(MOST_ARROWS, m * (m - 1) // 2)
    assert len(matrix.get_xticks()) <= 12
    assert len(graph.texts) <= 50
    matrix.figure.draw_without_rendering()


def test_dots_are_means_with_whiskers_and_numbers(run: Run) -> None:
    scores = mean_utility(run)
    ax = method_dots(scores, from_zero=True)
    dots = [line.get_xdata()[0] for line in ax.lines if line.get_marker() == "o"]
    assert dots == pytest.approx(list(scores.mean))
    assert len(ax.containers) == 4
    assert texts(ax)[1].startswith("−")
    assert [t.get_text() for t in ax.get_yticklabels()] == list(run.methods)


def test_one_seed_has_no_whiskers() -> None:
    ax = method_dots(MethodScores("Accuracy", "%", ("a",), np.array([[93.0]])))
    assert not ax.containers
    assert texts(ax) == ["93.0"]
    low, high = ax.get_xlim()
    assert high - low >= 2.0  # no zoom into rounding


def test_optimum_bars_ticks_and_rings(run: Run) -> None:
    result = optimum(run)
    ax = optimum_bars(result)
    assert [bar.get_width() for bar in bars(ax)] == pytest.approx(list(result.objective.mean(axis=1)))
    rings, ticks = (np.asarray(c.get_offsets())[:, 0] for c in ax.collections)
    assert list(rings) == pytest.approx(list(result.welfare.mean(axis=1)))
    assert list(ticks) == pytest.approx(list(result.optimal.mean(axis=1)))
    shown = texts(ax)
    assert shown[1] == "below 0"
    assert shown[3] == "100 %"
    assert shown[2] != "100 %"


def test_round_curves_are_named_at_their_ends_without_overlap(run: Run) -> None:
    curves = accuracy_rounds(run)
    ax = round_curves(curves)
    for k in range(4):
        np.testing.assert_allclose(ax.lines[k].get_ydata(), curves.mean[k])
        assert list(ax.lines[k].get_xdata()) == [1, 2, 3]
    assert texts(ax) == list(run.methods)
    figure = theme.figure_of(ax)
    figure.draw_without_rendering()
    boxes = sorted((Text.get_window_extent(t) for t in ax.texts), key=lambda box: box.y0)
    assert all(below.y1 <= above.y0 + 1.0 for below, above in itertools.pairwise(boxes))


def test_equal_curves_are_still_named_apart() -> None:
    same = np.zeros((9, 1, 4))
    ax = round_curves(RoundCurves("u", "money", tuple("abcdefghi"), same), zero=True)
    theme.figure_of(ax).draw_without_rendering()
    boxes = [Text.get_window_extent(t) for t in ax.texts]
    assert all(a.y0 >= b.y1 - 1.0 for a, b in itertools.pairwise(boxes))  # from the top down


def test_lie_curve_marks_the_truth_and_the_lie(run: Run) -> None:
    paper, exact = lie_curves(run)
    for curve in (paper, exact):
        ax = draw_lie_curve(curve)
        line = next(one for one in ax.lines if len(one.get_xdata()) > 9)
        np.testing.assert_array_equal(line.get_xdata(), curve.reports)
        np.testing.assert_array_equal(line.get_ydata(), curve.utilities)
        marks = {one.get_marker(): (one.get_xdata()[0], one.get_ydata()[0]) for one in ax.lines}
        assert marks["o"] == (curve.truth, curve.truthful_utility)
        assert ("D" in marks) == (curve.gain > 0)
    where = f"client {exact.client}, round {exact.round}, seed {exact.seed}: "
    assert f"{where}no report beats the truth" in texts(draw_lie_curve(exact))
    assert ": the best lie wins" in texts(draw_lie_curve(paper))[0]


def test_lie_curves_share_a_scale_or_say_that_they_do_not(run: Run) -> None:
    paper, exact = lie_curves(run)
    small = replace(exact, utilities=exact.utilities * 1e-3, truthful_utility=exact.truthful_utility * 1e-3)
    for second, own in ((exact, False), (small, True)):
        drawn = lie_panels((paper, second)).figure
        limits = {ax.get_ylim() for ax in drawn.axes}
        noted = drawn.get_supxlabel() == "Each panel has its own scale of money."
        assert (len(limits) == 2, noted) == (own, own)


def test_what_is_of_one_seed_says_so_in_the_figure(run: Run) -> None:
    """An exported picture has no caption: the seed has to be in it."""
    assert section(MONEY, run).drawings["money-2"]().figure.get_suptitle() == "ipfl/ipfl, seed 0"
    assert section(IMPORTS, run).drawings["imports"]().figure.get_supxlabel() == "seed 0 of 2 seeds"
    single = replace(run, seeds=run.seeds[:1])
    assert section(MONEY, single).drawings["money-2"]().figure.get_suptitle() == "ipfl/ipfl"


def test_the_key_of_welfare_stays_clear_of_the_head_of_the_numbers(run: Run) -> None:
    ax = welfare_bars(welfare_parts(run))
    theme.figure_of(ax).draw_without_rendering()
    head = next(text for text in ax.texts if text.get_text() == "welfare")
    assert ax.get_legend().get_window_extent().x1 < head.get_window_extent().x0 - 10


def test_a_flat_lie_curve_is_drawn_flat() -> None:
    x = np.linspace(0, 2, 5)
    curve = LieCurve("m", "ipfl", 0, 1, 0, 1.0, x, np.full(5, 3.0) + 1e-12 * x, 3.0, 1.0, 3.0, 0.0)
    low, high = draw_lie_curve(curve).get_ylim()
    assert high - low > 0.05


def test_lorenz_curves_and_their_key(run: Run) -> None:
    result = inequality(run)
    ax = lorenz_curves(result)
    drawn = {line.get_label().split(":")[0]: line for line in ax.lines}
    for k, name in enumerate(run.methods):
        if name != "local":
            np.testing.assert_allclose(drawn[name].get_ydata(), 100 * result.curves[k])
    words = [text.get_text() for text in ax.get_legend().get_texts()]
    assert words[-1] == "local: no utility"
    shown = [float(w.split("Gini ")[1]) for w in words if "Gini" in w]
    assert shown == sorted(shown)


def test_plots_draw_on_the_axes_they_are_given(run: Run) -> None:
    line, flow = waterline(run, "fedavg"), money_flow(run, "ipfl/ipfl")
    (curve, _), whole = lie_curves(run), theme.figure(12, 9)
    panels = whole.subplots(2, 4).ravel()
    assert waterline_bars(line, panels[0]) is panels[0]
    assert money_graph(flow, panels[1]) is panels[1]
    assert money_matrix(flow, panels[2]) is panels[2]
    assert optimum_bars(optimum(run), panels[3]) is panels[3]
    assert method_dots(welfare(run), panels[4]) is panels[4]
    assert round_curves(utility_rounds(run), panels[5]) is panels[5]
    assert draw_lie_curve(curve, panels[6]) is panels[6]
    assert lorenz_curves(inequality(run), panels[7]) is panels[7]


def test_every_axis_with_a_scale_is_named(run: Run) -> None:
    """Units on axes: every panel that shows numbers says what they are, itself or through its row's first panel."""
    drawn = [
        section(ACHIEVED, run).drawings["accuracy-and-utility"](),
        section(WATERLINE, run).drawings["waterline"](),
        section(OPTIMUM, run).drawings["optimum"](),
    ]
    drawn += [
        lie_panels(lie_curves(run)),
        section(ROUNDS, run).drawings["rounds"](),
        section(SPREAD, run).drawings["lorenz"](),
    ]
    for one in drawn:
        labels = [ax.get_xlabel() + ax.get_ylabel() + ax.get_title(loc="left") for ax in one.figure.axes]
        assert all(labels)
        assert any("money" in label or "%" in label for label in labels)
