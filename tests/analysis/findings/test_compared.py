"""Several runs side by side: what differs is named, means and spreads are those of the runs."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from analysis.findings.grouped import ComparedScores, compared_dots, scale_words
from analysis.findings.scores import best_accuracy, mean_utility, utility_per_round
from analysis.findings.several.compared import COMPARED, DIFFERING, compared, compared_table, differing
from analysis.page import theme
from analysis.run.records import Run, read_run
from mechanism.wording import typeset
from tests.analysis.synthetic import section, write_run


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run with one seed, another λ and other methods."""
    folder = tmp_path_factory.mktemp("other") / "small"
    return read_run(
        write_run(folder, clients=4, rounds=2, seeds=(3,), methods={"ditto": None, "ipfl": "ipfl-exact"}, lam=0.1)
    )


def test_only_what_differs_is_named(run: Run, other: Run):
    table = differing([run, other])
    found = {row[0]: row[1:] for row in table.rows}
    assert found["clients"] == ("6", "4")
    assert found["config: market.lam"] == ("0.4", "0.1")
    assert found["seeds"] == ("0, 1", "3")
    assert "task" not in found
    assert "config: market.C" not in found
    said = section(DIFFERING, [run, other]).answer
    assert said.startswith("They differ in clients (6 | 4); rounds (3 | 2)")
    assert section(DIFFERING, [run, run]).answer == "The runs have the same settings."


def test_long_differences_are_told_briefly(run: Run):
    many = {f"s{k}": k for k in range(7)} | {"gain": [15000.0] * 4, "none": "", "tasks": []}
    other = replace(run, config={**run.config, **many})
    table = differing([run, other])
    assert {row[0]: row[2] for row in table.rows if row[0] in ("config: gain", "config: s3")} == {
        "config: gain": "15000 (4 times)", "config: s3": "3",
    }  # fmt: skip
    assert not any(cell == "" for row in table.rows for cell in row)
    said = section(DIFFERING, [run, other]).answer
    assert said.endswith("config: s5 (– | 5); and in 2 other settings of the table below.")


def test_scores_are_those_of_the_runs_and_missing_methods_are_left_out(run: Run, other: Run):
    scores = compared([run, other], mean_utility)
    assert scores.methods == (*run.methods, "ditto", "ipfl")
    np.testing.assert_allclose(scores.mean[0, :4], mean_utility(run).mean)
    np.testing.assert_allclose(scores.spread[0, :4], mean_utility(run).spread)
    assert np.isnan(scores.mean[0, 4:]).all()
    assert np.isnan(scores.mean[1, :4]).all()
    assert scores.seeds == (2, 1)


def test_the_figure_has_a_mark_per_run_and_method_and_whiskers_over_seeds(run: Run, other: Run):
    drawn = section(COMPARED, [run, other]).drawings["compared"]()
    left, right = drawn.figure.axes
    for ax, score in ((left, best_accuracy), (right, utility_per_round)):
        marks = [line for line in ax.lines if line.get_marker() in "os" and line.get_linestyle() == "None"]
        assert [list(line.get_xdata()) for line in marks] == [
            pytest.approx(list(score(one).mean)) for one in (run, other)
        ]
        assert len(ax.containers) == 1  # the run with two seeds
        written = {text.get_text() for text in ax.texts}
        assert {typeset(float(v)) for one in (run, other) for v in score(one).mean} == written
    assert len(drawn.table.rows) == 6
    for one in (run, other):
        for method in one.methods:
            assert method in drawn.alt


def test_the_headline_compares_per_client_and_round_and_names_what_makes_totals_incomparable(run: Run, other: Run):
    said = section(COMPARED, [run, other]).answer
    each = utility_per_round(run).mean
    assert each == pytest.approx(mean_utility(run).mean / 3)
    best = run.methods[int(each.argmax())]
    assert said.startswith(f"Per client and round the average client is best off under {best} in run 1 (")
    assert typeset(float(each.max())) in said
    assert said.endswith("The runs differ in rounds (3 | 2) and clients (6 | 4): totals over a run cannot be compared.")
    assert "differ" not in section(COMPARED, [run, run]).answer
    table = compared_table([run, other])
    at = table.columns.index("mean utility per round")
    assert [row[at] for row in table.rows] == pytest.approx([*each, *utility_per_round(other).mean])


def test_money_of_other_gains_is_not_ranked(run: Run):
    dear = replace(run, config={**run.config, "market": {"lam": 0.4, "gain": [1.0, 2.0]}})
    said = section(COMPARED, [run, dear]).answer
    assert "in run 1 (" in said
    assert "in run 2 (" in said
    assert said.endswith(
        "differ in gain parameter (– | 1, 2): totals over a run cannot be compared, and with other gains money is "
        "other money."
    )


def test_one_value_far_away_does_not_hide_the_others():
    mean = np.array([[0.0, -21879.0, 90.4, 91.6], [0.0, 0.0, 24.7, 23.2]])
    methods = ("local", "fedavg", "ipfl", "exact")
    scores = ComparedScores("Utility", "money", ("buyer", "seller"), methods, mean, np.zeros_like(mean), (1, 1))
    ax = compared_dots(scores, zero=True, numbers=True)
    theme.figure_of(ax).draw_without_rendering()
    places = ax.transData.transform([(90.4, 0), (24.7, 0), (0.0, 0)])[:, 0]
    assert np.abs(np.diff(places)).min() > 12  # pixels: they can be told apart
    assert ax.get_xlabel().endswith("symmetric log scale")
    assert "logarithmic" in scale_words(ax)
    assert "−21\N{NARROW NO-BREAK SPACE}879" in [text.get_text() for text in ax.texts]
    near = replace(scores, mean=np.minimum(np.abs(mean), 100.0))
    ax = compared_dots(near)
    assert (ax.get_xscale(), scale_words(ax), len(ax.texts)) == ("linear", "", 0)


def test_the_page_of_several_runs_says_it(folder: Path, other: Run, tmp_path: Path):
    from analysis import write_report

    text = write_report([folder, other.path], tmp_path / "both.html").read_text()
    assert "In what do the runs differ?" in text
    assert "They differ in clients (6 | 4)" in text
    assert 'id="side-by-side"' in text
