"""Paired differences, Holm's correction, ranks and their critical difference: by hand, by print, and by simulation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.findings.several.statistics import draw_ranks, holm, interval, paired, ranking, told


def test_a_difference_by_hand():
    one = paired([2.0, 4.0, 6.0], [1.0, 2.0, 3.0])  # 1, 2, 3: s = 1, t(2) = 4.3027
    assert (one.mean, one.pairs) == (2.0, 3)
    assert one.low == pytest.approx(2 - 4.302653 / np.sqrt(3), abs=1e-6)
    assert one.high == pytest.approx(2 + 4.302653 / np.sqrt(3), abs=1e-6)
    assert one.p == pytest.approx(0.0741799, abs=1e-6)
    assert not one.seen
    assert interval([1.0, 2.0, 3.0]) == (2.0, pytest.approx(4.302653 / np.sqrt(3), abs=1e-6))


def test_of_one_seed_and_of_equal_numbers_nothing_is_claimed():
    assert not paired([9.0], [1.0]).seen
    assert "nobody knows" in told(paired([9.0], [1.0]), "a", "b", str)
    same = paired([1.0, 2.0], [1.0, 2.0 + 1e-12])
    assert (same.mean, same.seen, same.p) == (0.0, False, 1.0)
    with pytest.raises(ValueError, match="equally long"):
        paired([1.0, np.nan], [1.0, 2.0])


@given(st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)), min_size=1, max_size=6))
def test_the_other_way_round_is_the_negative(pairs):
    mine, other = map(list, zip(*pairs, strict=True))
    one, back = paired(mine, other), paired(other, mine)
    assert (one.mean, one.seen, one.p) == (-back.mean, back.seen, back.p)
    assert one.low is None or one.low == -back.high


def test_the_interval_holds_the_truth_as_often_as_it_says():
    noise = np.random.default_rng(7).normal(size=(2000, 2, 5))
    false = sum(paired(mine, other).seen for mine, other in noise)
    assert false / 2000 == pytest.approx(0.05, abs=0.015)


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.9, 0.02]) == pytest.approx([0.9, 0.04])
    assert holm([]) == []


@pytest.mark.parametrize(("methods", "q"), [(3, 2.343), (4, 2.569), (5, 2.728), (7, 2.949), (10, 3.164)])
def test_critical_differences_are_those_in_print(methods, q):
    """Demsar 2006, Table 5a: q for the two-tailed Nemenyi test at 5 %."""
    values = {str(k): np.arange(14.0) + k for k in range(methods)}
    one = ranking(values)
    assert one.critical == pytest.approx(q * np.sqrt(methods * (methods + 1) / (6 * 14)), abs=1e-3)
    assert one.ranks.tolist() == list(range(methods, 0, -1))


def test_ranks_by_hand():
    one = ranking({"a": [3, 3, 1, 5], "b": [2, 3, 2, 5], "c": [1, 1, 3, 5]})  # 123, 1½ 1½ 3, 321, 222
    assert one.ranks.tolist() == [1.875, 1.875, 2.25]
    assert one.groups == [("a", "b", "c")]
    assert "no difference among the methods is seen" in one.words("data set")


def test_groups_are_as_large_as_can_be_and_none_is_inside_another():
    apart = {name: [10.0 * k + seed for seed in range(40)] for k, name in enumerate("dcba")}
    one = ranking(apart)
    assert one.groups == []
    assert "it is told apart from b, c and d" in one.words()
    assert one.p < 1e-20
    mixed = ranking({"a": [3, 3, 3, 2], "b": [2, 2, 2, 3], "c": [1, 1, 1, 1]})
    assert mixed.groups == [("a", "b"), ("b", "c")]


@given(st.lists(st.lists(st.integers(0, 3), min_size=4, max_size=4), min_size=2, max_size=6))
def test_friedman_agrees_with_the_library(rows):
    from scipy.stats import friedmanchisquare

    one = ranking(dict(zip("abcd", np.array(rows).T.tolist(), strict=True)))
    if any(len(set(row)) > 1 for row in rows):
        assert one.p == pytest.approx(friedmanchisquare(*np.array(rows).T).pvalue, abs=1e-12)
    else:
        assert one.p == 1.0


def test_ranks_are_drawn_with_their_critical_difference():
    figure = draw_ranks(ranking({name: [3.0 - k, 4.0 - k, 5.0 + k] for k, name in enumerate("abcd")}))
    texts = [text.get_text().strip() for text in figure.axes[0].texts]
    assert "critical difference 2.71" in texts
    assert sum(name[0] in "abcd" and name[1] == " " for name in texts) == 4
