"""Tables as rows, CSV and LaTeX; exports of figures with the numbers under them."""

from __future__ import annotations

import csv
import io
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest

from analysis.findings.achieved import methods_table
from analysis.findings.money import flow_table, money_flow
from analysis.findings.optimum import OPTIMUM
from analysis.findings.provenance import theory_table
from analysis.findings.rounds import accuracy_rounds, rounds_table
from analysis.findings.rules.lies import lie_curves
from analysis.findings.rules.truthfulness import lies_table
from analysis.findings.scores import best_accuracy, final_accuracy, welfare
from analysis.findings.several.compared import compared_table
from analysis.findings.spread import SPREAD
from analysis.findings.waterline import utilities_table
from analysis.page.export import Table, export, inline_svg, write_text
from analysis.run.files import RecordError
from analysis.run.records import Run
from tests.analysis.synthetic import section


def test_csv_keeps_full_precision_and_quotes() -> None:
    table = Table("t", ("name", "x"), (('a,"b"', 0.1 + 0.2), ("c", None)))
    rows = list(csv.reader(io.StringIO(table.to_csv())))
    assert rows == [["name", "x"], ['a,"b"', "0.30000000000000004"], ["c", ""]]


def test_latex_escapes_text_and_aligns_numbers() -> None:
    latex = Table("t", ("method", "±"), (("a_b & 50% $x$ \\input{y}", -1234.5),)).to_latex()
    assert r"a\_b \& 50\% \$x\$ \textbackslash{}input\{y\}" in latex
    assert r"\begin{tabular}{lr}" in latex
    assert r"$-$1\,234" in latex
    assert latex.count(r"\\") == 2


def test_rows_must_fit_the_head() -> None:
    with pytest.raises(ValueError, match="cells of its head"):
        Table("t", ("a", "b"), ((1,),))


def test_methods_table_says_what_the_metrics_say(run: Run) -> None:
    table = methods_table(run)
    assert [row[0] for row in table.rows] == list(run.methods)
    column = {name: k for k, name in enumerate(table.columns)}
    for k, row in enumerate(table.rows):
        assert row[column["welfare"]] == welfare(run).mean[k]
        assert row[column["best accuracy (%)"]] == best_accuracy(run).mean[k]
        assert row[column["final accuracy (%)"]] == final_accuracy(run).mean[k]
    assert table.rows[0][column["best cost lie wins"]] is None
    assert table.rows[3][column["best cost lie wins"]] == 0.0


def test_other_tables_fit_together(run: Run) -> None:
    flow = money_flow(run, "ipfl/ipfl-exact")
    assert sum(float(row[3]) for row in flow_table(flow).rows) == pytest.approx(0.0, abs=1e-9)
    utilities = utilities_table(run)
    assert len(utilities.rows) == 12
    assert sum(float(r[3]) for r in utilities.rows) / 2 == pytest.approx(welfare(run).mean[1])
    assert [row[-1] for row in lies_table(lie_curves(run)).rows][1] == 0.0
    assert len(rounds_table(accuracy_rounds(run)).rows) == run.rounds
    assert len(compared_table([run, run]).rows) == 8


def test_theory_is_the_catalogues(run: Run) -> None:
    table = theory_table(run)
    assert table is not None
    assert table.columns == ("promise", "ipfl", "ipfl-exact")
    costs = next(row for row in table.rows if "false report of its cost" in str(row[0]))
    assert str(costs[1]).startswith("no")
    assert str(costs[2]).startswith("yes")
    assert theory_table(replace(run, mechanisms=dict.fromkeys(run.methods))) is None


def test_export_writes_four_files_of_the_same_numbers(run: Run, tmp_path: Path) -> None:
    drawn = section(OPTIMUM, run).drawings["optimum"]()
    svg, png, csv_file, tex = export(drawn.figure, drawn.table, str(tmp_path / "deep" / "fig.1"))
    assert ET.parse(svg).getroot().tag.endswith("svg")
    assert png.read_bytes().startswith(b"\x89PNG")
    assert len(list(csv.DictReader(io.StringIO(csv_file.read_text())))) == 4
    assert "tabular" in tex.read_text()
    assert sorted(p.name for p in (tmp_path / "deep").iterdir()) == ["fig.1.csv", "fig.1.png", "fig.1.svg", "fig.1.tex"]


def test_inline_svg_is_the_same_text_for_the_same_figure_and_has_its_own_ids(run: Run) -> None:
    one, two = (inline_svg(section(SPREAD, run).drawings["lorenz"]().figure, "a", 'say "hi" <b>') for _ in range(2))
    assert one == two
    root = ET.fromstring(one)
    assert root.get("aria-label") == 'say "hi" <b>'
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(ids) == len(set(ids)) > 5
    assert all(str(name).startswith("a-") for name in ids)
    used = {element.get("href") for element in root.iter() if element.get("href")}
    assert {str(name).removeprefix("#") for name in used} <= set(ids)


def test_a_reader_sees_the_old_file_or_the_new_one(tmp_path: Path) -> None:
    """The new text is another file that takes the name: who holds the old one keeps it whole."""
    path, held = tmp_path / "page", tmp_path / "held"
    write_text(path, "old")
    held.hardlink_to(path)
    write_text(path, "new")
    assert (path.read_text(), held.read_text()) == ("new", "old")


def test_a_file_that_cannot_be_written_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(RecordError, match="cannot be written"):
        write_text(tmp_path / "taken", "x")
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordError, match="cannot be written"):
        write_text(tmp_path / "file" / "below", "x")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "taken"]


def test_a_page_shows_a_spread_behind_its_value() -> None:
    table = Table(
        "t", ("method", "accuracy", "±", "welfare"), (("local", 96.234, 1.0499, 2.0), ("fedavg", 78.1, None, 3.0))
    )
    joined = table.joined()
    assert joined.columns == ("method", "accuracy", "welfare")
    assert joined.rows == (
        ("local", "96.2\N{NO-BREAK SPACE}±\N{NO-BREAK SPACE}1.0", 2.0),
        ("fedavg", "78.1\N{NO-BREAK SPACE}±\N{NO-BREAK SPACE}–", 3.0),
    )
    assert table.columns[2] == "±", "files keep the spread in a column of its own"
    plain = Table("t", ("a", "b"), (("x", 1.0),))
    assert plain.joined() == plain
