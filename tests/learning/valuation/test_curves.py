"""Curves from losses, mean curves, and how far they are from concave: by hand."""

import numpy as np
import pytest

from learning.errors import LearningError
from learning.valuation import Curve, collect, joined
from learning.valuation.curves import BINS, WIDTH, concavity_defect, grid, mean_curve
from learning.valuation.sets import ValueTask


def one(totals, drops, own=100.0) -> Curve:
    return Curve(np.array([own]), np.array([1.0]), np.array([totals], float), np.array([drops], float))


def nothing(x):
    return np.zeros_like(x)


def test_losses_become_drops_from_the_own_model():
    tasks = [
        ValueTask(0, (((0,), (1.0,)), ((0, 1), (0.25, 0.75)), ((0, 1, 2), (0.1, 0.3, 0.6))), 5),
        ValueTask(2, (((2,), (1.0,)), ((2, 0), (0.9, 0.1))), 5),
    ]
    curve = collect([100, 300, 600], tasks, [(2.0, 1.5, 2.25), (1.0, 0.75)])
    assert curve.total.shape == (3, WIDTH)
    assert curve.total[0, :3].tolist() == [400, 1000, 0]
    assert curve.drop[0, :3].tolist() == [0.5, -0.25, 0]
    assert (curve.total[1].any(), curve.total[2, 0], curve.drop[2, 0]) == (False, 700, 0.25)
    assert curve.start.tolist() == [2.0, 0.0, 1.0]
    assert curve.sets == 3
    assert curve.weights[0, :3].tolist() == [0.5, 0.5, 0.0]
    assert curve.weights.sum(axis=1).tolist() == [1.0, 0.0, 1.0]


@pytest.mark.parametrize("losses", [(np.nan, 1.0), (1.0, np.inf)])
def test_a_loss_that_is_not_finite_is_told_with_its_client(losses):
    task = ValueTask(1, (((1,), (1.0,)), ((1, 0), (0.5, 0.5))), 5)
    with pytest.raises(LearningError, match=r"client 1 .*not finite"):
        collect([1.0, 1.0], [task], [losses])


def test_results_that_do_not_fit_are_refused():
    task = ValueTask(0, (((0,), (1.0,)),), 5)
    with pytest.raises(LearningError, match="tried 1 models and has 2"):
        collect([1.0], [task], [(1.0, 2.0)])


def test_a_concave_curve_has_no_defect():
    assert concavity_defect(one([200, 400, 800], [0.4, 0.6, 0.7]), nothing) == 0.0


def test_a_dent_is_measured_up_to_the_hull():
    """(100, 0), (200, 0.1), (300, 0.5), (400, 0.6): the hull passes 200 at 0.25, so that 0.15 is missing."""
    assert concavity_defect(one([200, 300, 400], [0.1, 0.5, 0.6]), nothing) == pytest.approx(0.15, abs=1e-12)


def test_a_fall_at_the_end_is_measured_too():
    """The hull does not fall: at 400 it stays at 0.5, and 0.2 is missing."""
    assert concavity_defect(one([200, 300, 400], [0.4, 0.5, 0.3]), nothing) == pytest.approx(0.2, abs=1e-12)


def test_where_every_loss_rises_the_defect_is_the_largest_rise():
    assert concavity_defect(one([200, 300], [-0.1, -0.7]), nothing) == pytest.approx(0.7, abs=1e-12)


def test_clients_are_set_on_the_law_at_their_own_size():
    """Both lie on 1 - 100/x exactly, the second from 200 on; put at one origin they would not."""
    curve = Curve(
        np.array([100.0, 200.0]),
        np.ones(2),
        np.array([[200.0, 400.0], [400.0, 800.0]]),
        np.array([[0.5, 0.75], [0.25, 0.375]]),
    )
    x, y = mean_curve(curve, lambda x: 1 - 100 / x)
    assert x.tolist() == [100, 200, 400, 800]
    np.testing.assert_allclose(y, [0, 0.5, 0.75, 0.875], atol=1e-15)
    assert concavity_defect(curve, lambda x: 1 - 100 / x) == 0.0
    assert concavity_defect(curve, nothing) > 0.05


def test_clients_of_many_sets_count_no_more_than_others():
    curve = Curve(
        np.array([100.0, 100.0]),
        np.ones(2),
        np.array([[300.0, 300.0, 300.0], [300.0, 0.0, 0.0]]),
        np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0]]),
    )
    x, y = mean_curve(curve, nothing)
    assert (x.tolist(), y.tolist()) == ([100.0, 300.0], [0.0, 0.5])


def test_many_points_are_averaged_into_few_between_the_extremes():
    rng = np.random.default_rng(0)
    own = rng.uniform(10, 100, 50)
    curve = Curve(own, np.ones(50), own[:, None] * rng.uniform(1.5, 40, (50, 9)), rng.normal(size=(50, 9)))
    x, y = mean_curve(curve, nothing)
    assert 10 < len(x) <= BINS + 1
    assert (np.diff(x) > 0).all()
    assert np.isfinite(y).all()
    edges = grid(curve)
    assert len(edges) == BINS
    assert (edges[0], edges[-1]) == (own.min(), curve.total.max())


def test_nothing_tried_is_a_curve_without_a_defect():
    curve = Curve(np.array([5.0]), np.zeros(1), np.zeros((1, 3)), np.zeros((1, 3)))
    assert curve.sets == 0
    assert concavity_defect(curve, nothing) == 0.0
    assert mean_curve(curve, nothing)[0].size == 0


def test_what_may_be_left_unused_does_no_harm():
    curve = one([200, 300, 0], [0.25, -0.5, 0.0])
    assert curve.disposed().drop.tolist() == [[0.25, 0.0, 0.0]]
    assert curve.disposed().sets == 2
    assert curve.drop.tolist() == [[0.25, -0.5, 0.0]]


def test_joined_curves_keep_the_start_of_whoever_measured_it():
    first = Curve(np.array([1.0, 1.0]), np.array([2.0, 0.0]), np.array([[3.0], [0.0]]), np.array([[0.5], [0.0]]))
    second = Curve(np.array([1.0, 1.0]), np.array([9.0, 4.0]), np.array([[2.0], [2.0]]), np.array([[0.1], [0.2]]))
    both = joined(first, second)
    assert both.start.tolist() == [2.0, 4.0]
    assert both.total.tolist() == [[3.0, 2.0], [0.0, 2.0]]
    with pytest.raises(LearningError, match="other sizes"):
        joined(first, Curve(np.array([1.0, 2.0]), second.start, second.total, second.drop))


@pytest.mark.parametrize(
    "change",
    [
        {"own": [0.0]}, {"own": [np.nan]}, {"start": [np.inf]}, {"start": [1.0, 1.0]}, {"total": [[50.0]]},
        {"total": [[-1.0]]}, {"total": [[np.inf]]}, {"drop": [[np.nan]]}, {"drop": [[0.1, 0.2]]},
        {"total": [[0.0]]},
    ],
)  # fmt: skip
def test_numbers_that_are_no_curve_are_refused(change):
    good = {"own": [100.0], "start": [1.0], "total": [[200.0]], "drop": [[0.5]]}
    Curve(**{name: np.array(array) for name, array in good.items()})
    with pytest.raises(LearningError, match="curve"):
        Curve(**{name: np.array(array, dtype=float) for name, array in (good | change).items()})
