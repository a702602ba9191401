"""Study performance over several tasks: units shared out, stopped anywhere and gone on with, and the page of them."""

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
from types import SimpleNamespace

import pytest

from marketproof.running import execution
from marketproof.studies import comparison, units
from marketproof.studies.comparison import PAPER_TASKS, SHORTER, page, plan_units, written
from mechanism.errors import InputError
from tests.marketproof.fake_trainer import FakeTrainer

METHODS = ("local", "fedavg", "ipfl/ipfl")
TASKS = "digits-niid,digits-skew"
FIGURES = ("accuracy_best", "accuracy_final", "utility_mean", "welfare", "utility_lowest")


def arguments(out, *more, seeds=2):
    usual = ("--scale", "smoke", "--methods", ",".join(METHODS), "--seeds", seeds, "--out", out)
    return ("study", "performance", "--tasks", TASKS, *usual, *more)


def figures(folder):
    told = json.loads((folder / "performance.json").read_text())
    return [[unit[key] for key in ("task", "method", "seed", *FIGURES)] for unit in told["units"]]


@pytest.fixture
def quick(monkeypatch):
    """Units train no networks."""
    monkeypatch.setattr(units, "trainers", lambda *_: FakeTrainer)
    monkeypatch.setattr(os, "fsync", lambda handle: None)


def test_all_tasks_are_the_papers_eleven_at_a_scale_that_is_told(tmp_path):
    plan = plan_units(["all"], tmp_path, seeds=5)
    order = list(plan)
    assert tuple(plan.configs) == PAPER_TASKS
    assert len(PAPER_TASKS) == 11
    assert len(order) == 11 * 11 * 5
    assert len(set(order)) == len(order)
    assert {seed for _, _, seed in order[:121]} == {0}  # a whole table before the next seed
    for task, config in plan.configs.items():
        assert config.rounds == SHORTER.get(task, {}).get("rounds", 10)
    assert plan.configs["pacs"].data.test == SHORTER["pacs"]["test"]
    whole = plan_units(["pacs"], tmp_path, seeds=1, scale="paper").configs["pacs"]
    assert (whole.rounds, whole.steps, whole.training.batch) == (50, 200, 64)


def test_figures_are_those_of_a_run_and_the_page_is_made_of_the_file(cli, tmp_path, quick):
    told, out = tmp_path / "told.json", tmp_path / "s"
    answer = cli(*arguments(out, "--json", told))
    assert (answer.status, answer.err) == (0, "")
    assert "Best accuracy" in answer.out
    assert "left" not in answer.out
    study = json.loads((out / "performance.json").read_text())
    assert study == json.loads(told.read_text())
    assert written(study) == (out / "performance.json").read_bytes()
    assert page(study) == (out / "performance.md").read_text()
    made = comparison.comparison_files(study)
    assert {name: (out / name).read_bytes() for name in made} == made
    assert set(made) > {"performance-ranks-utility.svg", "performance-differences.csv", "performance.tex"}
    assert len(study["units"]) == study["planned"] == 12
    assert (out / "performance.csv").read_text().count("\n") == 13
    assert "method & seeds & best accuracy & s.d." in (out / "performance.tex").read_text()
    assert set(FIGURES) < set(study["columns"])
    assert all(unit["machine"] == 0 and unit["seconds"] >= 0 and unit["commit"] for unit in study["units"])
    tables = comparison.by_task(study)
    assert list(tables) == TASKS.split(",")
    rows = {row.cell(comparison.METHOD): row for row in tables["digits-skew"]}
    assert list(rows) == list(METHODS)
    mean = sum(unit["welfare"] for unit in study["units"] if unit["task"] == "digits-skew"
               and unit["method"] == "ipfl/ipfl") / 2  # fmt: skip
    assert rows["ipfl/ipfl"][comparison.WELFARE] == pytest.approx(mean)


def test_units_of_two_processes_are_what_run_records(cli, tmp_path, monkeypatch):
    monkeypatch.setattr(execution, "make_report", lambda folder: folder / "report.html")
    out, run = tmp_path / "s", tmp_path / "run"
    assert cli(*arguments(out, "--quiet", "--jobs", 2, seeds=1)).status == 0
    usual = ("--scale", "smoke", "--methods", "ipfl/ipfl", "--no-audit", "--backend", "rows")
    assert cli("run", "digits-skew", *usual, "--out", run, "--quiet").status == 0
    of_run = json.loads((run / "summary.json").read_text())["methods"]["ipfl/ipfl"]
    (unit,) = [one for one in figures(out) if one[:2] == ["digits-skew", "ipfl/ipfl"]]
    assert unit[3:7] == [of_run[key] for key in FIGURES[:4]]
    markets = [folder / "markets" / "ipfl__ipfl-0.safetensors" for folder in (out / "digits-skew", run)]
    assert markets[0].read_bytes() == markets[1].read_bytes()


def test_more_seeds_and_methods_keep_what_is_there_and_other_settings_are_refused(cli, tmp_path, quick, monkeypatch):
    out = tmp_path / "s"
    assert cli(*arguments(out, "--quiet", seeds=1)).status == 0
    kept = {path: path.stat().st_ino for path in out.glob("*/units/*.json")}
    assert cli(*arguments(out, "--quiet", seeds=2)).status == 0
    assert len(figures(out)) == 12
    assert all(path.stat().st_ino == inode for path, inode in kept.items())
    text = (out / "digits-niid.toml").read_text()
    (out / "digits-niid.toml").write_text(text.replace("lr = 0.01", "lr = 0.02"))
    assert "training.lr: 0.02 -> 0.01" in cli(*arguments(out)).line()
    (out / "digits-niid.toml").write_text(text)
    monkeypatch.chdir(tmp_path)
    assert cli("new", "method", "mine").status == 0
    (mine,) = (path for path in tmp_path.glob("*.py") if not path.name.startswith("test_"))
    own = ("--methods", f"local,{mine.name}:MINE")
    for _ in range(2):
        assert cli(*arguments(out, *own, "--quiet")).status == 0
    mine.write_text(mine.read_text() + "# changed\n")
    assert f"code.{mine.name}" in cli(*arguments(out, *own)).line()
    assert cli(*arguments(out, "--quiet")).status == 0


KILLED = """
import os, signal, sys
from marketproof.cli import execute
from marketproof.studies import units
from tests.marketproof.fake_trainer import FakeTrainer

real, left = units.write, [int(sys.argv[1])]
def write(path, content):
    left[0] -= 1
    if left[0] == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    real(path, content)

units.write, units.trainers = write, lambda *_: FakeTrainer
sys.exit(execute(sys.argv[2:]))
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_a_killed_study_goes_on_to_the_same_figures(cli, tmp_path, quick):
    """Killed where a task's settings, and where the figures of a unit are to be written, whose markets are there."""
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    assert cli(*arguments(whole, "--quiet")).status == 0
    there, path = [], os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    for writes in (2, 5):
        words = [sys.executable, "-c", KILLED, str(writes), *map(str, arguments(cut, "--quiet"))]
        assert subprocess.run(words, check=False, env=path).returncode == -signal.SIGKILL
        there.append(len(list(cut.glob("*/units/*.json"))))
    assert there == [0, 1]
    assert cli(*arguments(cut, "--quiet")).status == 0
    assert figures(cut) == figures(whole)
    assert (cut / "digits-skew.toml").read_bytes() == (whole / "digits-skew.toml").read_bytes()


def test_what_a_finished_run_has_is_taken_over(cli, tmp_path, quick, monkeypatch):
    monkeypatch.setattr(execution, "make_report", lambda folder: folder / "report.html")
    runs = [tmp_path / name for name in ("run", "other", "third")]
    wanted = (("digits-skew", "--seeds", 2), ("digits-skew", "--rounds", 3), ("digits-cluster",))
    for run, words in zip(runs, wanted, strict=True):
        usual = ("--scale", "smoke", "--methods", "fedavg,ipfl/ipfl", "--no-audit", "--backend", "rows")
        assert cli("run", *words, *usual, "--out", run, "--quiet").status == 0
    assert "rounds: 3 -> 2" in cli(*arguments(tmp_path / "s", "--runs", runs[1])).line()
    assert "is of 'digits-cluster', none of the tasks" in cli(*arguments(tmp_path / "s", "--runs", runs[2])).line()
    trained = []
    real = units.played
    monkeypatch.setattr(
        units, "played", lambda config, *unit: trained.append((config.task, *unit[:2])) or real(config, *unit)
    )
    assert cli(*arguments(tmp_path / "s", "--quiet", "--runs", runs[0])).status == 0
    assert [unit for unit in trained if unit[0] == "digits-skew"] == [("digits-skew", "local", seed) for seed in (0, 1)]
    assert len(trained) == 8
    summary = json.loads((runs[0] / "summary.json").read_text())["methods"]["ipfl/ipfl"]
    mine = [one[3:7] for one in figures(tmp_path / "s") if one[:2] == ["digits-skew", "ipfl/ipfl"]]
    assert [sum(pair) / 2 for pair in zip(*mine, strict=True)] == pytest.approx([summary[key] for key in FIGURES[:4]])


def test_the_page_says_what_one_answer_reaches_and_which_units_it_is_of(cli, tmp_path, quick):
    assert cli(*arguments(tmp_path, "--quiet")).status == 0
    told = json.loads((tmp_path / "performance.json").read_text())
    text = page({**told, "one_answer": {"digits-skew": {"0": 0.25, "1": 0.35, "2": 0.9}}})
    assert "| (always one answer) | - | 30.0% |" in text
    assert "(always one answer)" not in page(told)
    assert "in performance.csv alone" not in text
    assert "Tables and tests are of the seeds that all methods of a task have, 9 units" in page(
        {**told, "units": told["units"][:-1]}
    )
    assert comparison.size_of(plan_units(["pacs"], tmp_path / "p", seeds=1, scale="reduced").configs["pacs"])[
        "of_paper"] == 0.0015  # fmt: skip


def test_one_answer_is_judged_as_personal_accuracy_is(tmp_path):
    from docs.performance import one_answer

    units = plan_units(["digits-skew"], tmp_path, seeds=2, scale="smoke")
    found = one_answer(units, {("digits-skew", 1)}, {})
    assert found == {"digits-skew": {"1": pytest.approx(0.2, abs=0.02)}}  # five classes each, almost equally many
    kept = {"digits-skew": {"1": 0.5}}
    assert one_answer(units, {("digits-skew", 1)}, kept) == kept


def test_a_unit_that_fails_leaves_the_others_and_is_told(cli, tmp_path, quick, monkeypatch):
    real = units.played

    def played(config, method, seed, place):
        if (config.task, method, seed) == ("digits-niid", "fedavg", 1):
            raise InputError("it diverged")
        return real(config, method, seed, place)

    monkeypatch.setattr(units, "played", played)
    answer = cli(*arguments(tmp_path))
    told = "1 unit of 12 could not be trained; the first: digits-niid, fedavg, seed 1: it diverged"
    assert answer.line() == told
    assert len(figures(tmp_path)) == 11
    assert "| digits-niid | Handwritten" in (tmp_path / "performance.md").read_text()
    assert [len(row.seeds[comparison.METHOD]) for row in comparison.by_task(
        json.loads((tmp_path / "performance.json").read_text()))["digits-niid"]] == [1, 1, 1]  # fmt: skip


def test_a_budget_ends_after_a_unit_and_says_what_is_left(cli, tmp_path, quick, monkeypatch):
    moved = iter([0.0, 0.0, 30.0, 59.0, 61.0])  # when it begins, and before each unit
    monkeypatch.setattr(units, "time", SimpleNamespace(monotonic=lambda: next(moved), process_time=lambda: 0.0))
    answer = cli(*arguments(tmp_path, "--budget", 1))
    assert answer.status == 0
    assert "3 of 12 units are there, 9 left, about" in answer.out
    again = shlex.split(answer.out.partition("go on with: ")[2].partition("Written to")[0])
    assert again[:3] == ["marketproof", "study", "performance"]


def test_wrong_names_are_one_line_and_leave_nothing(cli, tmp_path):
    for words, more in (
        ("--tasks is of study performance", ("study", "liars", "--tasks", "all")),
        ("--tasks is of study performance", ("study", "performance", "--tasks", "all", "--task", "pacs")),
        ("unknown task 'mnist'", ("study", "performance", "--tasks", "mnist")),
        ("names no task", ("study", "performance", "--tasks", ",")),
        ("unknown method 'fedsgd'", ("study", "performance", "--tasks", "all", "--methods", "fedsgd")),
        ("share out the units of --tasks", ("study", "performance", "--jobs", "2")),
    ):
        assert words in cli(*more, "--out", tmp_path / "out").line()
        assert not (tmp_path / "out").exists()
    (tmp_path / "mine.txt").write_text("mine")
    assert "is not empty and holds no study" in cli(*arguments(tmp_path)).line()
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_who_is_refused_leaves_the_figures_of_others_alone(cli, tmp_path, quick):
    assert cli(*arguments(tmp_path, "--quiet")).status == 0
    before = (tmp_path / "performance.json").read_bytes()
    reduced = ["reduced" if word == "smoke" else word for word in arguments(tmp_path)]
    assert "with other settings" in cli(*reduced).line()
    assert (tmp_path / "performance.json").read_bytes() == before  # else smoke's figures stood there as reduced's
    (foreign := tmp_path / "foreign").mkdir()
    shutil.copytree(tmp_path / "digits-niid" / "units", foreign / "digits-niid" / "units")
    assert "holds no study" in cli(*arguments(foreign)).line()
    assert [path.name for path in foreign.iterdir()] == ["digits-niid"]


def test_what_is_trained_elsewhere_is_added_to_a_record_of_the_same_sizes(cli, tmp_path, quick):
    from docs.performance import merged

    assert cli(*arguments(tmp_path / "old", "--quiet")).status == 0
    before = json.loads((tmp_path / "old" / "performance.json").read_text())
    before["machines"] = ["another"]
    (tmp_path / "new").mkdir()
    assert cli(*arguments(tmp_path / "new", "--seed", 1, "--quiet")).status == 0
    plan = plan_units(TASKS.split(","), tmp_path / "new", scale="smoke", seeds=3, methods=METHODS)
    there = merged(plan, before)
    assert [(one.task, one.method, one.seed) for one in there] == list(plan)
    assert {one.seed for one in there if one.machine == "another"} == {0}
    before["tasks"]["digits-skew"] |= {"rounds": 99}  # was of another size: its seed 0 is left out
    assert {(one.task, one.seed) for one in merged(plan, before)} == {
        *(("digits-niid", seed) for seed in range(3)), ("digits-skew", 1), ("digits-skew", 2)
    }  # fmt: skip


def test_a_unit_trained_again_is_the_recorded_one_or_another(cli, tmp_path, quick, capsys):
    from docs.performance import check

    assert cli(*arguments(tmp_path, "--quiet")).status == 0
    told = json.loads((tmp_path / "performance.json").read_text())
    unit = told["units"][-1]
    assert check(told, unit)
    assert not check(told, unit | {"welfare": unit["welfare"] * (1 + 1e-9)})  # on one machine to the last bit
    elsewhere = told | {"machines": ["another"]}
    assert check(elsewhere, unit | {"accuracy_best": unit["accuracy_best"] + 1e-6})
    assert not check(elsewhere, unit | {"accuracy_best": unit["accuracy_best"] - 0.1})
    longer = {**told, "tasks": {task: size | {"rounds": 3} for task, size in told["tasks"].items()}}
    with pytest.raises(InputError, match="'rounds': 3"):
        check(longer, unit)
    assert "does NOT agree" in capsys.readouterr().out


def test_the_markets_of_units_are_measured_over_the_seeds_that_are_whole(cli, tmp_path, quick):
    out = tmp_path / "s"
    assert cli(*arguments(out)).status == 0
    runs = ",".join(f"{out}/{task}" for task in TASKS.split(","))
    (out / "digits-skew" / "units" / "ipfl__ipfl-1.json").unlink()
    answer = cli("study", "market", "--runs", runs, "--out", tmp_path / "m")
    assert (answer.status, answer.err) == (0, "")
    told = json.loads((tmp_path / "m" / "study.json").read_text())
    assert [(row["task"][0], row["method"][0], len(row["task"])) for row in told["by_seed"]] == [
        ("digits-niid", "ipfl/ipfl", 2), ("digits-skew", "ipfl/ipfl", 1)
    ]  # fmt: skip
    (out / "digits-skew" / "units" / "ipfl__ipfl-0.json").unlink()
    assert "holds no finished run" in cli("study", "market", "--runs", out / "digits-skew", "--out", tmp_path).line()
