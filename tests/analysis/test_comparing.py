"""Several runs side by side: what differs is named, means and spreads are those of the runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from analysis import comparing, metrics
from analysis.records import Run, read_run
from tests.analysis.synthetic import write_run


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run with one seed, another λ and other methods."""
    folder = tmp_path_factory.mktemp("other") / "small"
    return read_run(
        write_run(folder, clients=4, rounds=2, seeds=(3,), methods={"ditto": None, "ipfl": "ipfl-exact"}, lam=0.1)
    )


def test_only_what_differs_is_named(run: Run, other: Run):
    table = comparing.differing([run, other])
    found = {row[0]: row[1:] for row in table.rows}
    assert found["clients"] == ("6", "4")
    assert found["config: market.lam"] == ("0.4", "0.1")
    assert found["seeds"] == ("0, 1", "3")
    assert "task" not in found
    assert "config: market.C" not in found
    said = comparing.words([run, other], table)
    assert said.startswith("They differ in clients (6 | 4); rounds (3 | 2)")
    assert comparing.words([run, run], comparing.differing([run, run])) == "The runs have the same settings."


def test_scores_are_those_of_the_runs_and_missing_methods_are_left_out(run: Run, other: Run):
    scores = comparing.compared([run, other], metrics.mean_utility)
    assert scores.methods == (*run.methods, "ditto", "ipfl")
    np.testing.assert_allclose(scores.mean[0, :4], metrics.mean_utility(run).mean)
    np.testing.assert_allclose(scores.spread[0, :4], metrics.mean_utility(run).spread)
    assert np.isnan(scores.mean[0, 4:]).all()
    assert np.isnan(scores.mean[1, :4]).all()
    assert scores.seeds == (2, 1)


def test_the_figure_has_a_mark_per_run_and_method_and_whiskers_over_seeds(run: Run, other: Run):
    drawn = comparing.side_by_side([run, other])
    left, right = drawn.figure.axes
    for ax, score in ((left, metrics.best_accuracy), (right, metrics.mean_utility)):
        marks = [line for line in ax.lines if line.get_marker() in "os" and line.get_linestyle() == "None"]
        assert [list(line.get_xdata()) for line in marks] == [
            pytest.approx(list(score(one).mean)) for one in (run, other)
        ]
        assert len(ax.containers) == 1  # the run with two seeds
    assert len(drawn.table.rows) == 6
    for one in (run, other):
        for method in one.methods:
            assert method in drawn.alt


def test_the_page_of_several_runs_says_it(folder: Path, other: Run, tmp_path: Path):
    from analysis import write_report

    text = write_report([folder, other.path], tmp_path / "both.html").read_text()
    assert "In what do the runs differ?" in text
    assert "They differ in clients (6 | 4)" in text
    assert 'id="side-by-side"' in text
