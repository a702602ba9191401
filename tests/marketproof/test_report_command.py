"""``marketproof report``: the page or the figures, and what is wrong in a line."""

from __future__ import annotations

import json
import shutil

import pytest

from marketproof.cli import execute
from tests.analysis.synthetic import write_run


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return write_run(tmp_path_factory.mktemp("runs") / "one", clients=4, rounds=2, seeds=(0,))


def test_the_page_of_two_runs(run, tmp_path, capsys):
    page, told = tmp_path / "both.html", tmp_path / "told.json"
    assert execute(["report", str(run), str(run), "--out", str(page), "--json", str(told)]) == 0
    assert "Report: " in capsys.readouterr().out
    assert "2 runs compared" in page.read_text()
    assert json.loads(told.read_text()) == {"report": str(page), "runs": [str(run), str(run)]}


def test_one_figure_is_exported(run, tmp_path, capsys):
    folder, told = tmp_path / "figures", tmp_path / "told.json"
    arguments = ["report", str(run), "--export", str(folder), "--figure", "waterline", "--json", str(told)]
    assert execute(arguments) == 0
    assert "4 files in" in capsys.readouterr().out
    assert sorted(path.name for path in folder.iterdir()) == sorted(json.loads(told.read_text())["files"])
    assert (folder / "waterline.svg").is_file()


def test_the_names_that_are_listed_are_those_that_are_exported(run, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    told = tmp_path / "told.json"
    assert execute(["report", str(run), str(run), "--figures", "--json", str(told)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "money-2  ipfl/ipfl" in lines
    names = json.loads(told.read_text())["figures"]
    assert names == [line.split()[0] for line in lines]
    assert "imports" in names
    assert "money-0" not in names  # training alone pays nobody
    assert [path.name for path in tmp_path.iterdir()] == ["told.json"]
    assert execute(["report", str(run), str(run), "--export", "x", "--figure", "none"]) == 2
    assert f"expected one of {', '.join(names)}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--figures", "--export", "x"], "--figures lists names and writes nothing"),
        (["--figure", "waterline"], "--figure chooses what --export writes"),
        (["--export", "x", "--out", "y.html"], "give one of them"),
        (["--export", "x", "--figure", "no"], "there is no figure 'no'"),
        (["--out", "."], "is a folder"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(run, tmp_path, monkeypatch, capsys, arguments, told):
    monkeypatch.chdir(tmp_path)
    assert execute(["report", str(run), *arguments]) == 2
    said = capsys.readouterr()
    assert told in said.err
    assert said.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def own(run, tmp_path):
    return shutil.copytree(run, tmp_path / "own")


def _bytes(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


NAMES = ("rounds.parquet", "audit.json", "config.toml", "markets/local-0.safetensors")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("option", ["--out", "--json", "--export"])
def test_a_record_is_never_overwritten(own, run, option, name, capsys):
    before = _bytes(own)
    assert execute(["report", str(run), str(own), option, str(own / name)]) == 2
    said = capsys.readouterr().err
    assert f"{own / name}' is the input itself" in said
    assert said.count("\n") == 1
    assert _bytes(own) == before


def test_nor_through_a_link_or_beside_other_results(own, tmp_path, capsys):
    before, link = _bytes(own), tmp_path / "link.json"
    link.symlink_to(own / "summary.json")
    for options in (["--figures"], ["--export", str(tmp_path / "figures")], ["--out", str(tmp_path / "page.html")]):
        assert execute(["report", str(own), *options, "--json", str(link)]) == 2
        assert "is the input itself" in capsys.readouterr().err
    assert _bytes(own) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link.json", "own"]


def test_only_a_page_is_written_over(own, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("analysis.page.report.write_report", lambda runs, page: (page.write_text("new"), page)[1])
    notes, page = tmp_path / "notes.txt", own / "report.HTML"
    notes.write_text("mine")
    assert execute(["report", str(own), "--out", str(notes)]) == 2
    assert "is there already and no page; name a file that ends in .html" in capsys.readouterr().err
    assert notes.read_text() == "mine"
    page.write_text("an older page")
    assert execute(["report", str(own), "--out", str(page), "--json", str(page)]) == 2
    assert "name two files" in capsys.readouterr().err
    assert page.read_text() == "an older page"
    assert execute(["report", str(own), "--out", str(page)]) == 0
    assert page.read_text() == "new"
