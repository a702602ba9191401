"""Expectations over whole numbers are summed, and public numbers are known."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings

from mechanism import Space
from proofs_checks import verify
from proofs_checks.evidence.witness import Witness, replay
from proofs_checks.properties.registry import PROPERTY
from proofs_checks.search import sampling
from proofs_checks.search.cases import Cases
from proofs_checks.search.grids import whole_grid
from tests.proofs_checks.finite import Table, evenly, tables


def case(counts, i, true, said):
    types = np.zeros((1, len(counts), 1))
    types[0, i] = true
    after = types.copy()
    after[0, i] = said
    return Cases(types, types, after[:, None], np.arange(len(counts))[None] == i, (("draws", np.array([[0.0, 2.0]])),))


@given(tables())
@settings(max_examples=40, deadline=None)
def test_what_is_expected_of_a_report_is_the_sum_in_fractions(rule):
    chances = evenly(rule.counts)
    for i, count in enumerate(rule.counts):
        for true, said in product(range(count), range(count)):
            asked = case(rule.counts, i, true, said)
            honest = rule.expected(i, true, true, chances)
            gain = rule.expected(i, true, said, chances) - honest
            assert PROPERTY["bic"].violation(rule, asked)[0, 0] == pytest.approx(float(gain), abs=1e-12)
            assert PROPERTY["interim-ir"].violation(rule, asked)[0, 0] == pytest.approx(-float(honest), abs=1e-12)


def expected_externality(top):
    """AGV for two agents on 0 .. top: each pays what the other expects to lose (d'Aspremont and Gérard-Varet 1979)."""
    v = np.arange(top + 1)
    worth = [np.array([np.where(v > r, v, 0).mean() for r in v]), np.array([np.where(v >= r, v, 0).mean() for r in v])]
    first = v[:, None] >= v
    paid = worth[1][None, :] - worth[0][:, None]
    return Table(np.stack([first, ~first], axis=-1), np.stack([paid, -paid], axis=-1))


@pytest.mark.parametrize("top", [2, 5, 23])
def test_expected_externalities_are_truthful_on_whole_numbers(top):
    """Rounding a continuous draw gave 0 and top half their chance, and refuted a theorem."""
    [verdict] = verify(expected_externality(top), ["bic"], budget=2, probes=20)
    assert verdict.holds


def test_a_refutation_over_whole_numbers_is_exact_and_replays():
    rule = expected_externality(5)
    rule.paid[2, :, 0] -= 0.25
    [verdict] = verify(rule, ["bic"], budget=5)
    assert (verdict.grade, verdict.holds) == ("refuted", False)
    assert "summed over all types of the others" in verdict.witness.sentence
    assert verdict.witness.violation <= 0.25
    assert replay(Witness.from_dict(verdict.witness.to_dict()), rule).bitwise


def test_whole_numbers_are_drawn_equally_often():
    """Beside real numbers, single points and numbers below zero."""
    space = Space(2, ("rank", "value", "site"), [[0, 0, 3], [-2, 1, 3]], [[4, 2, 3], [1, 1, 3]], integer=[1, 0, 1])
    for drawn in (
        sampling.uniform(space, np.random.default_rng(0), 40_000),
        np.swapaxes(
            sampling.reports(
                space, np.random.default_rng(1), np.repeat(space.low[None], 2, axis=0), np.array([0, 1]), 40_000,
                np.array([True, False, False]), "uniform",
            ), 0, 1,
        ),
    ):  # fmt: skip
        for agent, low, high in ((0, 0, 4), (1, -2, 1)):
            seen, count = np.unique(drawn[:, agent, 0], return_counts=True)
            assert seen.tolist() == list(range(low, high + 1))
            even = 40_000 / (high - low + 1)
            assert (np.abs(count - even) < 5 * np.sqrt(even)).all()
        assert (drawn[:, :, 2] == 3).all()
        assert (drawn[:, 1, 1] == 1).all()


def test_all_whole_numbers_make_a_grid_and_others_do_not():
    space = Space(2, ("rank", "site"), [[0, 5], [-1, 5]], [[2, 5], [0, 5]], integer=[1, 0])
    nothing = np.full((2, 2), np.nan)
    grid = whole_grid(space, nothing, 6)
    assert [rows.tolist() for rows in grid.types] == [[[0, 5], [1, 5], [2, 5]], [[-1, 5], [0, 5]]]
    assert whole_grid(space, nothing, 5) is None
    assert whole_grid(Space(1, ("value",), 0.0, 1.0), np.full((1, 1), np.nan), 100) is None
    assert whole_grid(space, [[1.0, 5.0], [np.nan, np.nan]], 2).profiles == 2


class Announced:
    """a is paid what it says where b's public number is 1, and pays it where that is 0: nothing on average."""

    name = "announced"
    space = Space(2, ("value", "day"), 0, [[2, 1], [2, 1]], private=[True, False], integer=True)

    def outcome(self, reports):
        paid = np.zeros(reports.shape[:2])
        paid[:, 0] = np.where(reports[:, 1, 1] == 1, -reports[:, 0, 0], reports[:, 0, 0])
        return paid

    def utility(self, types, outcome):
        return -outcome

    def payments(self, outcome):
        return outcome


def test_what_is_public_is_known_and_not_averaged_over():
    [verdict] = verify(Announced(), ["bic"], budget=5)
    assert verdict.holds is False
    assert verdict.witness.violation in (1.0, 2.0)
