"""Tables as rows, CSV and LaTeX; every figure is exported in four kinds, and what is exported is what is shown."""

import csv
import io
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from analysis import export_runs, read_run
from analysis.findings.achieved import methods_table
from analysis.findings.money import flow_table, money_flow
from analysis.findings.optimum import OPTIMUM
from analysis.findings.provenance import theory_table
from analysis.findings.rounds import accuracy_rounds, rounds_table, utility_rounds
from analysis.findings.rules.lies import lie_curves, regret_map
from analysis.findings.rules.regions import all_regions
from analysis.findings.rules.truthfulness import lies_table
from analysis.findings.scores import best_accuracy, final_accuracy, welfare
from analysis.findings.several.compared import compared_table
from analysis.findings.spread import SPREAD, inequality
from analysis.findings.waterline import utilities_table
from analysis.page.export import Table, export, inline_svg
from analysis.page.gallery import gallery
from analysis.run.files import RecordError
from analysis.run.records import Run
from tests.analysis.synthetic import section, write_run


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


KINDS = (".svg", ".png", ".csv", ".tex")


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory, run: Run) -> Path:
    """Everything of the run, exported."""
    folder = tmp_path_factory.mktemp("out") / "figures"
    export_runs([run], folder)
    return folder


def test_every_figure_has_its_four_kinds_and_every_table_two(exported: Path, run: Run):
    names = list(gallery(run))
    assert {"accuracy-and-utility", "paid", "trade", "waterline", "welfare", "optimum", "lorenz", "rounds", "money-2",
            "money-3", "imports", "lie-curve", "regret", "regions", "verdicts"} == set(names)  # fmt: skip
    expected = {f"{name}{kind}" for name in names for kind in KINDS}
    expected |= {f"{name}{kind}" for name in ("methods", "theory") for kind in KINDS[2:]}
    assert {path.name for path in exported.iterdir()} == expected


def test_the_files_are_what_they_say(exported: Path):
    for path in exported.iterdir():
        if path.suffix == ".svg":
            assert ElementTree.parse(path).getroot().tag.endswith("svg")
        elif path.suffix == ".png":
            assert path.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
        elif path.suffix == ".csv":
            rows = list(csv.reader(io.StringIO(path.read_text())))
            assert len(rows) > 1
            assert len({len(row) for row in rows}) == 1
        else:
            text = path.read_text()
            assert text.startswith("\\begin{tabular}{")
            assert text.isascii(), sorted(set(re.findall(r"[^\x00-\x7f]", text)))
            heads = len(re.sub(r"p\{[^}]*\}", "p", text.splitlines()[0].removeprefix("\\begin{tabular}{")[:-1]))
            for line in text.splitlines()[2:-2]:
                assert len(re.findall(r"(?<!\\)&", line)) == heads - 1


def read(exported: Path, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO((exported / f"{name}.csv").read_text())))


def test_the_csv_holds_what_is_drawn(exported: Path, run: Run):
    """Every point of every curve, cell of every map and edge of every graph: the figure can be drawn again from it."""
    lie_lines, regions = lie_curves(run), all_regions(run)
    rows = read(exported, "lie-curve")
    for curve in lie_lines:
        own = [row for row in rows if row["method"] == curve.method]
        assert [float(row["reported cost"]) for row in own] == curve.reports.tolist()
        assert [float(row["utility"]) for row in own] == curve.utilities.tolist()
        marks = {row["mark"]: float(row["reported cost"]) for row in own if row["mark"]}
        assert marks == {"truth": curve.truth} | ({"best lie": curve.best_report} if curve.gain > 0 else {})
    rows = read(exported, "regret")
    for one in (regret_map(run, curve) for curve in lie_lines):
        own = [float(row["won"]) for row in rows if row["method"] == one.curve.method]
        assert own == one.won.ravel().tolist()
    rows = read(exported, "regions")
    first, second = regions[0].sellers
    words = ["neither", f"seller {first}", f"seller {second}", "both"]
    for region in regions:
        own = [words.index(row["bought"]) for row in rows if row["rule"] == region.rule]
        assert own == region.bought.ravel().tolist()
    curves = inequality(run)
    rows = read(exported, "lorenz")
    for k, name in enumerate(run.methods):
        assert [float(row[name]) for row in rows] == curves.curves[k].tolist()
    flow = money_flow(run, "ipfl/ipfl")
    rows = read(exported, "money-2")
    assert len(rows) == 6 * 5
    for row in rows:
        i, j = int(row["payer"]), int(row["receiver"])
        assert (float(row["paid"]), float(row["net"])) == (flow.gross[i, j], flow.net[i, j])
    rounds = utility_rounds(run)
    rows = read(exported, "rounds")
    for k, name in enumerate(run.methods):
        head = f"{rounds.name}, {name} (money)"
        assert [float(row[head]) for row in rows] == rounds.mean[k].tolist()
        assert [float(row[f"± {head}"]) for row in rows] == rounds.spread[k].tolist()


def test_the_report_shows_every_figure_that_is_exported(report: str, run: Run):
    for draw in gallery(run).values():
        assert f'aria-label="{draw().alt[:40]}'.replace("'", "&#39;") in report


def test_one_figure_is_chosen_and_a_wrong_name_is_told(run: Run, tmp_path: Path):
    written = export_runs([run], tmp_path / "one", ["waterline"])
    assert [path.name for path in written] == [f"waterline{kind}" for kind in KINDS]
    with pytest.raises(
        RecordError, match="there is no figure 'water' of these runs; expected one of accuracy-and"
    ) as told:
        export_runs([run], tmp_path / "none", ["water"])
    assert "\n" not in str(told.value)
    assert not (tmp_path / "none").exists()


def test_several_runs_have_a_folder_each_and_their_comparison(tmp_path: Path):
    market = write_run(tmp_path / "digits", clients=3, rounds=1, seeds=(0,), methods={"ipfl": "ipfl"})
    other = write_run(tmp_path / "small", clients=3, rounds=1, seeds=(4,), methods={"local": None})
    written = export_runs([read_run(market), read_run(other)], tmp_path / "out")
    names = {str(path.relative_to(tmp_path / "out")) for path in written}
    assert {"compared.svg", "compared.tex", "differing.csv", "runs.tex"} <= names
    assert {"1-digits/regret.png", "2-small/waterline.svg"} <= names
    assert not [name for name in names if name.startswith("2-small/lie")]


def test_a_table_in_latex_has_no_letter_that_plain_latex_lacks():
    table = Table("t", ("a_b", "λ"), (("x − 1 ≥ ε & “y”", 12345.0), ("z" * 70, None)))
    text = table.to_latex()
    assert text.isascii()
    assert r"\begin{tabular}{p{0.5\linewidth}r}" in text
    assert r"x $-$ 1 $\ge$ $\varepsilon$ \& ``y'' & 12\,345 \\" in text
    assert r"a\_b & $\lambda$ \\ \hline" in text
