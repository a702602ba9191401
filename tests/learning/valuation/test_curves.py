"""Curves from losses, mean curves, and how far they are from concave: by hand."""

import numpy as np
import pytest

from learning.errors import LearningError
from learning.valuation import Curve, collect, joined
from learning.valuation.curves import BINS, WIDTH, concavity_defect, grid, mean_curve
from learning.valuation.sets import ValueTask
from tests.learning.valuation.synthetic import one, several


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


@pytest.mark.parametrize(
    ("totals", "drops", "missing"),
    [
        ([200, 400, 800], [0.4, 0.6, 0.7], 0.0),  # concave
        ([200, 300, 400], [0.1, 0.5, 0.6], 0.15),  # a dent: from (100, 0) the hull passes 200 at 0.25
        ([200, 300, 400], [0.4, 0.5, 0.3], 0.2),  # a fall at the end: the hull stays at 0.5
        ([200, 300], [-0.1, -0.7], 0.7),  # every loss rises: the largest rise
    ],
)
def test_the_defect_is_what_a_curve_lacks_to_its_concave_hull(totals, drops, missing):
    assert concavity_defect(one(totals, drops), nothing) == pytest.approx(missing, abs=1e-12 if missing else 0.0)


def test_clients_are_set_on_the_law_at_their_own_size():
    """Both lie on 1 - 100/x exactly, the second from 200 on; put at one origin they would not."""
    curve = several([100, 200], [[200.0, 400.0], [400.0, 800.0]], [[0.5, 0.75], [0.25, 0.375]])
    x, y = mean_curve(curve, lambda x: 1 - 100 / x)
    assert x.tolist() == [100, 200, 400, 800]
    np.testing.assert_allclose(y, [0, 0.5, 0.75, 0.875], atol=1e-15)
    assert concavity_defect(curve, lambda x: 1 - 100 / x) == 0.0
    assert concavity_defect(curve, nothing) > 0.05


def test_clients_of_many_sets_count_no_more_than_others():
    curve = several([100, 100], [[300.0, 300.0, 300.0], [300.0, 0.0, 0.0]], [[0.0, 0.0, 0.0], [1.0, 0.0, 0.0]])
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
    first = several([1, 1], [[3.0], [0.0]], [[0.5], [0.0]], [2.0, 0.0])
    second = several([1, 1], [[2.0], [2.0]], [[0.1], [0.2]], [9.0, 4.0])
    both = joined(first, second)
    assert both.start.tolist() == [2.0, 4.0]
    assert both.total.tolist() == [[3.0, 2.0], [0.0, 2.0]]
    with pytest.raises(LearningError, match="other sizes"):
        joined(first, several([1, 2], second.total, second.drop, second.start))


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
