"""Who is ahead is said only where seeds differ by less than methods do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from analysis.findings.achieved import ACHIEVED
from analysis.findings.scores import MethodScores, best_accuracy, lead, scores_table
from analysis.findings.spread import Inequality, inequality_table
from analysis.page import theme
from analysis.run.records import Run
from mechanism.wording import listed
from tests.analysis.synthetic import section


def scores(*values: list[float]) -> MethodScores:
    return MethodScores("Accuracy", "%", tuple("abc"[: len(values)]), np.array(values))


def test_a_lead_within_either_spread_is_none() -> None:
    found = lead(scores([96.0, 98.0], [95.9, 96.5], [10.0, 10.1]))
    assert (found.best, found.near) == (0, (1,))
    assert [found.near_to(k) for k in range(3)] == [True, True, False]
    wide = lead(scores([96.0, 96.0], [90.0, 100.0]))  # the other's spread reaches
    assert wide.near == (1,)


def test_a_lead_beyond_the_spreads_counts_and_one_seed_knows_none() -> None:
    assert lead(scores([96.0, 96.1], [90.0, 90.1])).near == ()
    alone = lead(scores([96.0], [10.0]))
    assert alone.near is None
    assert alone.near_to(1)


def test_words_claim_what_the_rule_allows(run: Run) -> None:
    single = replace(
        run,
        seeds=run.seeds[:1],
        traces={m: replace(t, **{k: v[:1] for k, v in vars(t).items()}) for m, t in run.traces.items()},
    )
    assert "one seed, so that it may be chance" in section(ACHIEVED, single).answer
    assert "percentage points behind" not in section(ACHIEVED, single).answer
    accuracy = best_accuracy(run)
    found = lead(accuracy)
    said = section(ACHIEVED, run).answer
    assert found.near is not None
    if found.near:
        assert f"about equal to {listed(run.methods[k] for k in found.near)}" in said
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
