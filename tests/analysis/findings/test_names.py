"""Where clients have names, figures and tables call them by these; without, by their numbers as ever."""

from dataclasses import replace

import pytest

from analysis.findings import waterline
from analysis.findings.base import find
from analysis.findings.catalogue import OF_A_RUN
from analysis.findings.imports import import_matrix, import_shares, shares_table
from analysis.findings.money import flow_table, money_flow, payments_table
from analysis.findings.payments import money_graph, money_matrix
from analysis.findings.rules.lies import lie_curves
from analysis.findings.rules.regions import all_regions, draw_regions
from analysis.findings.rules.truthfulness import draw_lie_curve
from analysis.page.theme import plain
from analysis.run.records import Run

NAMES = ["north clinic", "east", "hill $", "a very long name of a hospital", "west", "sea"]
SHOWN = ["north clinic", "east", r"hill \$", "a very long…", "west", "sea"]


@pytest.fixture
def named(run: Run) -> Run:
    return replace(run, summary=run.summary.model_copy(update={"names": NAMES}))


def ticks(ax) -> tuple[list[str], list[str]]:
    ax.figure.draw_without_rendering()
    return [t.get_text() for t in ax.get_xticklabels()], [t.get_text() for t in ax.get_yticklabels()]


def test_matrices_have_names_at_their_axes_and_numbers_without(run: Run, named: Run) -> None:
    for one, labels in ((named, SHOWN), (run, [str(k) for k in range(6)])):
        flow = money_flow(one, "ipfl/ipfl")
        assert ticks(money_matrix(flow)) == (labels, labels)
        assert ticks(import_matrix(import_shares(one, "fedavg"))) == (labels, labels)


def test_the_graph_writes_them_beside_its_nodes(run: Run, named: Run) -> None:
    words = [text.get_text() for text in money_graph(money_flow(named, "ipfl/ipfl")).texts]
    assert [name for name in SHOWN if any(word.startswith(f"{name}\n") for word in words)] == SHOWN
    assert "3" not in words
    assert "3" in [text.get_text() for text in money_graph(money_flow(run, "ipfl/ipfl")).texts]


def test_curves_and_regions_say_whose_they_are(run: Run, named: Run) -> None:
    curve, other = lie_curves(named)[0], lie_curves(run)[0]
    assert any(
        text.get_text().startswith(f"{plain(NAMES[curve.client])}, round") for text in draw_lie_curve(curve).texts
    )
    assert any(text.get_text().startswith(f"client {other.client}, round") for text in draw_lie_curve(other).texts)
    region = all_regions(named)[0]
    assert region.who == tuple(NAMES[k] for k in (region.buyer, *region.sellers))
    assert all_regions(run)[0].who[0] == f"client {region.buyer}"
    ax = draw_regions(region)
    assert {ax.get_xlabel(), ax.get_ylabel()} == {
        f"cost that {plain(name, 16)} reports (money)" for name in region.who[1:]
    }


def test_tables_name_them(named: Run) -> None:
    flow = money_flow(named, "ipfl/ipfl")
    assert [row[0] for row in flow_table(flow).rows] == NAMES
    assert {row[0] for row in payments_table(flow).rows} == set(NAMES)
    assert {row[0] for row in shares_table((import_shares(named, "fedavg"),)).rows} == set(NAMES)
    assert [row[1] for row in waterline.utilities_table(named).rows[:6]] == NAMES


def test_every_figure_of_a_run_with_names_is_drawn(named: Run) -> None:
    for section in find(OF_A_RUN, named):
        assert "client 3" not in section.answer
        for draw in section.drawings.values():
            drawing = draw()
            assert "client 3" not in drawing.alt
            drawing.figure.draw_without_rendering()
