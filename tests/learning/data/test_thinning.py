"""A bounded test set has the same share of every stratum, some of each, and is the same in every run."""

import numpy as np
import pytest

from learning.data import load
from learning.data.dataset import Dataset
from learning.data.splits import thinned


def made(counts, classes=None):
    """Test samples whose only number says which they are, ``counts`` of each class; one training sample of each."""
    y = np.repeat(np.arange(len(counts)), counts)
    x = np.arange(len(y), dtype=np.int64)[:, None]
    some = np.flatnonzero(np.array(counts))
    return Dataset("made", "a test", some[:, None], some, x, y, classes or len(counts), 1.0, 0.0)


def test_every_stratum_keeps_the_same_share():
    few = thinned(made([1000, 600, 400]), 200)
    assert np.bincount(few.test_y).tolist() == [100, 60, 40]
    np.testing.assert_array_equal(few.test_y, few.test_strata)
    assert len(np.unique(few.test_x)) == 200


@pytest.mark.parametrize("most", [1, 3, 10])
def test_every_stratum_keeps_one_at_least(most):
    few = thinned(made([1, 5000, 2, 0, 700]), most)
    kept = np.bincount(few.test_y, minlength=5)
    assert kept[3] == 0
    assert (kept[[0, 1, 2, 4]] >= 1).all()
    assert kept.sum() <= most + 4


def test_the_number_kept_is_about_what_was_asked_for():
    for most in (17, 100, 777):
        few = thinned(made([37, 981, 512, 3, 444]), most)
        assert abs(len(few.test_y) - most) <= 5


def test_samples_and_labels_stay_together_and_training_is_not_touched():
    data = made([50, 80, 70])
    few = thinned(data, 40)
    for x, y, cell in zip(few.test_x[:, 0], few.test_y, few.test_strata, strict=True):
        assert data.test_y[x] == y == cell
    assert few.train_x is data.train_x
    assert few.train_y is data.train_y


def test_nothing_is_thinned_that_is_small_enough():
    data = made([5, 5])
    for most in (0, 10, 11, 10_000_000):
        assert thinned(data, most) is data


def test_it_is_a_choice_at_random_and_always_the_same():
    data = made([400, 300])
    one, two = thinned(data, 70), thinned(made([400, 300]), 70)
    np.testing.assert_array_equal(one.test_x, two.test_x)
    first = one.test_x[one.test_y == 0, 0]
    assert len(np.unique(np.diff(np.sort(first)))) > 3  # not the first ones, nor every tenth
    assert first.max() > 300 > 100 > first.min()
    other = thinned(load("digits"), 100)
    assert other.digest() == thinned(load("digits"), 100).digest() != load("digits").digest()


def test_cells_decide_and_not_labels():
    y = np.arange(60) % 3
    cells = np.repeat([0, 1], [40, 20])
    x = np.arange(60, dtype=np.int64)[:, None]
    data = Dataset("cells", "a test", x, y, x, y, 3, 1.0, 0.0, cells, cells, None, 2)
    few = thinned(data, 15)
    assert np.bincount(few.test_strata).tolist() == [10, 5]
    assert few.strata == 2
