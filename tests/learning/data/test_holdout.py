"""Test sets that belong to the data."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from learning.data.splits import holdout


@given(st.lists(st.integers(0, 5), min_size=1, max_size=80), st.floats(0.05, 0.95))
def test_each_cell_is_divided_by_the_share_and_has_a_sample_in_both_parts(cells, share):
    cells = np.array(cells)
    train, test = holdout(cells, "toy", share)
    np.testing.assert_array_equal(np.sort(np.concatenate([train, test])), np.arange(len(cells)))
    assert (np.diff(train) > 0).all()
    assert (np.diff(test) > 0).all()
    for cell in set(cells.tolist()):
        n, kept, set_aside = ((cells[part] == cell).sum() for part in (np.arange(len(cells)), train, test))
        assert kept >= 1
        assert set_aside >= 1 or n == 1
        assert abs(kept - share * n) <= 1


def test_it_is_the_same_each_time_and_another_for_another_purpose():
    cells = np.repeat(np.arange(4), 50)
    one, again, other = (holdout(cells, purpose, 0.8)[0] for purpose in ("a", "a", "b"))
    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one, other)
