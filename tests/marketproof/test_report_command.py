"""``marketproof report``: the page or the figures, and what is wrong in a line."""

import json
import shutil

import pytest

from tests.analysis.synthetic import write_run


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return write_run(tmp_path_factory.mktemp("runs") / "one", clients=4, rounds=2, seeds=(0,))


def test_the_page_of_two_runs(cli, run, tmp_path):
    page, told = tmp_path / "both.html", tmp_path / "told.json"
    assert "Report: " in cli("report", run, run, "--out", page, "--json", told).out
    assert "2 runs compared" in page.read_text()
    assert json.loads(told.read_text()) == {"report": str(page), "runs": [str(run), str(run)]}


def test_one_figure_is_exported(cli, run, tmp_path):
    folder, told = tmp_path / "figures", tmp_path / "told.json"
    assert "4 files in" in cli("report", run, "--export", folder, "--figure", "waterline", "--json", told).out
    assert sorted(path.name for path in folder.iterdir()) == sorted(json.loads(told.read_text())["files"])
    assert (folder / "waterline.svg").is_file()


def test_the_names_that_are_listed_are_those_that_are_exported(cli, run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    told = tmp_path / "told.json"
    lines = cli("report", run, run, "--figures", "--json", told).out.splitlines()
    assert "money-2  ipfl/ipfl" in lines
    names = json.loads(told.read_text())["figures"]
    assert names == [line.split()[0] for line in lines]
    assert "imports" in names
    assert "money-0" not in names  # training alone pays nobody
    assert [path.name for path in tmp_path.iterdir()] == ["told.json"]
    assert f"expected one of {', '.join(names)}" in cli("report", run, run, "--export", "x", "--figure", "none").line()


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
def test_what_is_wrong_is_told_in_one_line(cli, run, tmp_path, monkeypatch, arguments, told):
    monkeypatch.chdir(tmp_path)
    assert told in cli("report", run, *arguments).line()
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def own(run, tmp_path):
    return shutil.copytree(run, tmp_path / "own")


def _bytes(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


NAMES = ("rounds.parquet", "audit.json", "config.toml", "markets/local-0.safetensors")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("option", ["--out", "--json", "--export"])
def test_a_record_is_never_overwritten(cli, own, run, option, name):
    before = _bytes(own)
    assert f"{own / name}' is the input itself" in cli("report", run, own, option, own / name).line()
    assert _bytes(own) == before


def test_nor_through_a_link_or_beside_other_results(cli, own, tmp_path):
    before, link = _bytes(own), tmp_path / "link.json"
    link.symlink_to(own / "summary.json")
    for options in (["--figures"], ["--export", tmp_path / "figures"], ["--out", tmp_path / "page.html"]):
        assert "is the input itself" in cli("report", own, *options, "--json", link).line()
    assert _bytes(own) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link.json", "own"]


def test_only_a_page_is_written_over(cli, own, tmp_path, monkeypatch):
    monkeypatch.setattr("analysis.page.report.write_report", lambda runs, page: (page.write_text("new"), page)[1])
    notes, page = tmp_path / "notes.txt", own / "report.HTML"
    notes.write_text("mine")
    line = cli("report", own, "--out", notes).line()
    assert "is there already and no page; name a file that ends in .html" in line
    assert notes.read_text() == "mine"
    page.write_text("an older page")
    assert "name two files" in cli("report", own, "--out", page, "--json", page).line()
    assert page.read_text() == "an older page"
    assert cli("report", own, "--out", page).status == 0
    assert page.read_text() == "new"
