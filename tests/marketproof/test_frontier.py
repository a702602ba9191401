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
    assert "add --resume" in cli("frontier", spec, "--out", cut).line()
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
