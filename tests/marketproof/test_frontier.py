"""`frontier` end to end: record, table and figures; taken up again after a stop; wrong settings."""

from __future__ import annotations

import json

import pytest

import proofs_checks.frontier as frontier_module

SPEC = """
mechanisms = ["ipfl", "ipfl-exact"]
lam = [0, 0.5]
cost_spread = [0, 1]
heterogeneity = [1]
clients = 4
markets = 5
"""


@pytest.fixture
def spec(tmp_path):
    path = tmp_path / "sweep.toml"
    path.write_text(SPEC)
    return path


def test_a_small_sweep_writes_everything(cli, tmp_path, spec):
    out, file = tmp_path / "sweep", tmp_path / "points.json"
    answer = cli("frontier", spec, "--out", out, "--json", file)
    assert (answer.status, answer.err) == (0, "")
    assert "8 points, 5 markets of 4 clients each" in answer.out
    points = json.loads(file.read_text())["points"]
    assert len(points) == 8
    assert all(p["best_lie"] == 0.0 for p in points if p["mechanism"] == "ipfl-exact")
    assert (out / "points.jsonl").read_text().count("\n") == 9
    for name in ("trade-off", "best-lie", "of-optimum", "lowest-utility", "deficit", "where-lies-pay"):
        for kind in ("svg", "png", "csv", "tex"):
            assert (out / f"{name}.{kind}").stat().st_size > 100
    assert (out / "points.csv").read_text().count("\n") == 9
    assert (out / "frontier.csv").read_text().startswith("mechanism,of optimum,")
    assert "ipfl-exact & " in (out / "frontier.tex").read_text()
    exact = next(line for line in answer.out.splitlines() if "ipfl-exact" in line)
    assert [cell.strip() for cell in exact.split("│")[2:6:2]] == ["100.00%", "0.00%"]
    assert "markets with a lie: share of the markets in which some client gains" in answer.out


def test_what_help_promises_is_written(cli, tmp_path, spec, monkeypatch):
    monkeypatch.setenv("COLUMNS", "1000")
    said = cli("frontier", "--help").out
    assert "into the folder frontier of the working directory" in " ".join(said.split())
    monkeypatch.chdir(tmp_path)
    assert cli("frontier", spec, "--quiet").status == 0
    for name in ("points.jsonl", "points.csv", "frontier.csv", "frontier.tex"):
        assert name in said
        assert (tmp_path / "frontier" / name).is_file()


def test_a_sweep_that_is_complete_is_told_to_be_and_shown_again(cli, tmp_path, spec):
    out = tmp_path / "sweep"
    first = cli("frontier", spec, "--out", out)
    line = cli("frontier", spec, "--out", out).line()
    assert "holds this sweep, complete with 8 points; add --resume to see its table again" in line
    assert cli("frontier", spec, "--out", out, "--resume").out == first.out
    assert "holds a sweep with other settings" in cli("frontier", spec, "--out", out, "--seed", 1).line()


def test_a_damaged_record_is_told(cli, tmp_path, spec):
    out = tmp_path / "sweep"
    out.mkdir()
    for text in ("[\n", "7\n"):
        (out / "points.jsonl").write_text(text)
        assert "is damaged" in cli("frontier", spec, "--out", out, "--resume").line()


def test_a_sweep_that_was_stopped_goes_on_to_the_same_record(cli, tmp_path, spec, monkeypatch):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    assert cli("frontier", spec, "--out", whole, "--quiet").status == 0
    real, calls = frontier_module.measure, []

    def stopping(*arguments):
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return real(*arguments)

    monkeypatch.setattr(frontier_module, "measure", stopping)
    answer = cli("frontier", spec, "--out", cut, "--quiet")
    assert answer.status == 130
    assert "stopped after 3 of 8 points" in answer.err
    with open(cut / "points.jsonl", "a") as file:
        file.write('{"mechanism": "ip')  # a line that was being written
    monkeypatch.undo()
    assert "3 of 8 points; add --resume" in cli("frontier", spec, "--out", cut).line()
    assert cli("frontier", spec, "--out", cut, "--resume", "--quiet").status == 0
    assert (cut / "points.jsonl").read_bytes() == (whole / "points.jsonl").read_bytes()


def test_another_sweep_is_not_taken_up(cli, tmp_path, spec):
    out = tmp_path / "sweep"
    assert cli("frontier", spec, "--out", out, "--quiet").status == 0
    assert "was swept with seed 0" in cli("frontier", spec, "--out", out, "--resume", "--seed", 1).line()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("colour = 1\n", "unknown key 'colour'"),
        ('mechanisms = ["second-price"]\n', "mechanisms must be a list of"),
        ("lam = [-1]\n", "lam must be a list of numbers from 0"),
        ("clients = 2\n", "clients must be a whole number from 3"),
        ("lam = 1\n", "lam must be a list"),
        ("markets = true\n", "markets must be a whole number"),
        ("lam = [\n", "is no TOML"),
    ],
)
def test_wrong_settings_are_one_line_and_leave_nothing(cli, tmp_path, text, words):
    path = tmp_path / "sweep.toml"
    path.write_text(text)
    assert words in cli("frontier", path, "--out", tmp_path / "out").line()
    assert not (tmp_path / "out").exists()
