"""Which sets of models are tried."""

from itertools import pairwise

import numpy as np
import pytest

from learning.errors import LearningError
from learning.streams import stream
from learning.valuation import chosen_tasks, value_tasks
from learning.valuation.sets import EXTRA, POINTS, nested_sets, random_sets

SIZES = np.array([50.0, 200.0, 100.0, 200.0, 10.0])


def sets_of(task):
    return [tuple(j for j in rows if j != task.client) for rows, _ in task.mixtures[1:]]


def test_nested_sets_take_the_largest_first_and_of_equal_ones_the_lower_index():
    found = nested_sets(SIZES, [1, 2, 3, 4], 4)
    assert found == [(1,), (1, 3), (1, 2, 3), (1, 2, 3, 4)]


def test_nested_sets_grow_geometrically_and_end_with_all():
    found = nested_sets(np.arange(1.0, 102.0), list(range(1, 101)), 6)
    assert [len(s) for s in found] == [1, 3, 6, 16, 40, 100]
    assert all(set(a) < set(b) for a, b in pairwise(found))


@pytest.mark.parametrize("points", [1, 2, 6])
def test_nested_sets_keep_to_their_number(points):
    for m in range(1, 12):
        assert len(nested_sets(np.ones(m + 1), list(range(m)), points)) <= points
    assert nested_sets(np.ones(3), [0, 1, 2], 1) == [(0, 1, 2)]


def test_random_sets_are_new_distinct_and_never_the_importer():
    for seed in range(20):
        known = [(1,), (1, 2)]
        found = random_sets([1, 2, 3], stream(seed, "t"), 3, known)
        assert len(found) == len(set(found)) == 3
        assert not set(found) & set(known)
        assert all(1 <= len(s) <= 3 and set(s) <= {1, 2, 3} for s in found)


def test_where_there_is_no_further_set_the_search_ends():
    assert random_sets([1], stream(0, "t"), 3, [(1,)]) == []
    assert random_sets([], stream(0, "t"), 3) == []


def test_every_mixture_is_the_average_by_samples_and_the_first_is_the_own_model():
    for task in value_tasks(SIZES, [5] * 5, 3, 1):
        assert task.mixtures[0] == ((task.client,), (1.0,))
        assert 1 <= len(task.mixtures) - 1 <= POINTS + EXTRA
        assert len(set(sets_of(task))) == len(task.mixtures) - 1
        for rows, weights in task.mixtures:
            assert rows[0] == task.client
            assert len(set(rows)) == len(rows)
            np.testing.assert_allclose(weights, SIZES[list(rows)] / SIZES[list(rows)].sum(), rtol=1e-15)


def test_sets_depend_on_seed_round_and_client_only():
    first, again = value_tasks(np.ones(12), [5] * 12, 3, 1), value_tasks(np.ones(12), [5] * 12, 3, 1)
    assert first == again
    assert first != value_tasks(np.ones(12), [5] * 12, 3, 2)
    assert first != value_tasks(np.ones(12), [5] * 12, 4, 1)


def test_who_is_away_has_no_task_and_is_in_no_set():
    present = np.array([True, False, True, True, False])
    tasks = value_tasks(SIZES, [5] * 5, 0, 1, present)
    assert [task.client for task in tasks] == [0, 2, 3]
    assert {j for task in tasks for rows, _ in task.mixtures for j in rows} == {0, 2, 3}


def test_a_client_alone_tries_its_own_model_only():
    (task,) = value_tasks([40.0], [4], 0, 1)
    assert task.mixtures == (((0,), (1.0,)),)


def test_work_is_bounded_and_told_truly():
    tasks = value_tasks([3000.0, 40.0, 1.0], [300, 4, 0], 0, 1, samples=100)
    assert [task.samples for task in tasks] == [100, 4, 1]
    assert tasks[0].cost == 100.0 * len(tasks[0].mixtures)
    assert [task.samples for task in value_tasks([30.0, 40.0], [], 0, 1)] == [30, 40]


def test_after_clearing_the_bought_sets_are_tried():
    imports = np.zeros((5, 5), dtype=bool)
    imports[0, [1, 4]] = imports[3, 3] = True
    (task,) = chosen_tasks(imports, SIZES, [5] * 5)
    assert (task.client, [rows for rows, _ in task.mixtures]) == (0, [(0,), (0, 1, 4)])


@pytest.mark.parametrize(("sizes", "held"), [([1.0, 0.0], [1, 1]), ([1.0], [1, 1]), ([np.nan], [1]), ([[1.0]], [1])])
def test_numbers_that_are_no_sizes_are_refused(sizes, held):
    with pytest.raises(LearningError, match="sizes"):
        value_tasks(sizes, held, 0, 1)
