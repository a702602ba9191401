"""``marketproof report``: the page or the figures, and what is wrong in a line."""

from __future__ import annotations

import json

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
