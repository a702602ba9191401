"""Studies end to end on a trainer without networks: tables, going on after a stop, changed settings, wrong names."""

import json
import os
import shlex
import signal
import subprocess
import sys

import pytest

import marketproof.running.execution as running
import marketproof.studies.carried_out as study_runs
from marketproof.running.recorder import read_progress
from marketproof.studies.performance import ALL_METHODS
from marketproof.studies.plan import STUDIES, plan_study
from tests.marketproof.fake_trainer import FakeTrainer

MARKETS = "ipfl/ipfl,ipfl/ipfl-exact"
METHODS = f"local,fedavg,{MARKETS}"
FILES = {"study.toml", "study.json", "study.csv", "study.md"}


@pytest.fixture(autouse=True)
def no_networks(monkeypatch):
    """Runs of the study train nothing, draw no report and wait for no disk."""
    real = running.run

    def run(config, folder, place, **options):
        return real(config, folder, place, **{**options, "make": FakeTrainer})

    monkeypatch.setattr(study_runs, "run", run)
    monkeypatch.setattr(running, "make_report", _page)
    monkeypatch.setattr(os, "fsync", lambda handle: None)


def _page(folder):
    path = folder / "report.html"
    path.write_text("a report")
    return path


def arguments(name, out, *more):
    methods = ("--methods", {"liars": MARKETS, "market": f"local,{MARKETS}"}.get(name, METHODS))
    return ("study", name, "--task", "digits-niid", "--scale", "smoke", *methods, "--seeds", 2, "--out", out, *more)


DYING = """
import itertools, os, signal, sys
import marketproof.running.execution as running
import marketproof.studies.carried_out as study_runs
from marketproof.cli import execute
from tests.marketproof.fake_trainer import FakeTrainer
from tests.marketproof.test_study import NAMES, _page, arguments

made, real, whole = itertools.count(1), running.run, running.make_report

class Dying(FakeTrainer):
    def __init__(self, unit):
        super().__init__(unit)
        self.number = next(made)

    def train(self, round_index, present=None):
        if round_index == 2 and self.number == int(sys.argv[2]):
            os.kill(os.getpid(), signal.SIGKILL)
        return super().train(round_index, present)

running.make_report = _page
study_runs.run = lambda *given, **options: real(*given, **{**options, "make": Dying})
for name in NAMES:
    if not (child := os.fork()):
        execute([str(word) for word in arguments(name, f"{sys.argv[1]}/{name}", "--quiet")])
        os._exit(0)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL, name
"""
NAMES = [name for name in STUDIES if name != "poisoning"]  # robustness with other runs


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """A folder of every study by its name, whose process got SIGKILL in the second round of its third unit."""
    folder = tmp_path_factory.mktemp("killed")
    path = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", DYING, folder, "3"], env=path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.parametrize("name", NAMES)
def test_each_study_writes_its_table_and_figures_and_goes_on_after_a_kill(cli, tmp_path, killed, name):
    first, again, told = tmp_path / "a", killed / name, tmp_path / "told.json"
    answer = cli(*arguments(name, first, "--json", told))
    assert (answer.status, answer.err) == (0, "")
    assert "Task: digits-niid, as asked for." in answer.out
    assert STUDIES[name].title in answer.out
    study = json.loads((first / "study.json").read_text())
    assert told.read_bytes() == (first / "study.json").read_bytes()
    names = {path.name for path in first.iterdir()}
    assert names >= FILES | {case.name for case in STUDIES[name].cases}
    assert {p for p in names if p.endswith(".png")} == {p[:-3] + "png" for p in names if p.endswith(".svg")}
    assert any(p.endswith(".png") for p in names)
    for case in STUDIES[name].cases:  # an ordinary run folder each
        assert read_progress(first / case.name).complete
        assert {"config.toml", "summary.json", "audit.json", "rounds.parquet"} <= set(os.listdir(first / case.name))
    keys = set(study["columns"])
    assert all({key.removesuffix("_std") for key in row} <= keys for row in study["rows"])
    assert (first / "study.csv").read_text().count("\n") == 1 + len(study["rows"])
    assert all(line in (first / "study.md").read_text() for line in study["words"])
    stood = read_progress(again / STUDIES[name].cases[0].name)
    assert (len(stood.finished), stood.complete) == (2, False)
    assert not (again / "study.json").exists()
    assert cli(*arguments(name, again, "--quiet")).out == ""
    assert (again / "study.json").read_bytes() == (first / "study.json").read_bytes()


def test_without_audits_the_table_is_the_same_and_pages_come_when_they_are_wanted(cli, tmp_path):
    whole, bare = tmp_path / "whole", tmp_path / "bare"
    assert cli(*arguments("dropout", whole, "--quiet")).status == 0
    assert cli(*arguments("dropout", bare, "--quiet", "--no-audit")).status == 0
    assert (bare / "study.json").read_bytes() == (whole / "study.json").read_bytes()
    assert not (bare / "strict" / "report.html").exists()
    assert "left out (--no-audit)" in (bare / "strict" / "audit.json").read_text()
    assert cli(*arguments("dropout", bare, "--quiet")).status == 0
    assert (bare / "strict" / "report.html").is_file()


class Stopping(FakeTrainer):
    """Is stopped by Ctrl-C in its second run, in the second round of the last method."""

    made = 0

    def __init__(self, unit):
        super().__init__(unit)
        type(self).made += 1
        self.number = self.made

    def train(self, round_index, present=None):
        if self.number == 16 and round_index == 2:
            raise KeyboardInterrupt
        return super().train(round_index, present)


def test_a_stopped_study_goes_on_where_it_was(cli, tmp_path, monkeypatch):
    whole, cut = tmp_path / "whole", tmp_path / "cut it"
    assert cli(*arguments("robustness", whole, "--quiet")).status == 0
    kind = type("OneStop", (Stopping,), {"made": 0})
    with monkeypatch.context() as patch:
        real = running.run

        def run(config, folder, place, **options):
            return real(config, folder, place, **{**options, "make": kind})

        patch.setattr(study_runs, "run", run)
        answer = cli(*arguments("robustness", cut, "--quiet"))
    assert answer.status == 130
    assert "interrupted in run 2 of 5, attackers-shuffle (after round 1 of 2 of ipfl/ipfl-exact, seed 1)" in answer.err
    assert answer.err.count("\n") == 1
    assert not (cut / "study.json").exists()
    before = (cut / "benign" / "manifest.json").read_bytes()
    again = shlex.split(answer.err.partition("go on with: ")[2])
    assert again[0] == "marketproof"
    assert cli(*again[1:], "--quiet").status == 0
    assert (cut / "benign" / "manifest.json").read_bytes() == before  # kept, not run again
    assert (cut / "study.json").read_bytes() == (whole / "study.json").read_bytes()


def test_a_study_of_networks_that_was_killed_goes_on_to_the_same_bytes(cli, tmp_path, monkeypatch):
    """SIGKILL from outside, at some moment of the second run."""
    monkeypatch.undo()
    words = [
        "study",
        "dropout",
        "--task",
        "digits-niid",
        "--scale",
        "smoke",
        "--methods",
        "ipfl/ipfl-exact",
        "--no-audit",
    ]
    words += ["--backend", "rows", "--quiet", "--out"]
    assert cli(*words, tmp_path / "whole").status == 0
    command = [sys.executable, "-W", "ignore", "-m", "marketproof", *words, str(tmp_path / "cut")]
    process = subprocess.Popen(command, env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)})
    while not (tmp_path / "cut" / "probabilistic" / "progress.json").exists() and process.poll() is None:
        os.sched_yield()
    process.send_signal(signal.SIGKILL)
    assert process.wait(120) == -signal.SIGKILL
    assert not (tmp_path / "cut" / "study.json").exists()
    assert cli(*words, tmp_path / "cut").status == 0
    for name in ("study.json", "study.md"):
        assert (tmp_path / "cut" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_ctrl_c_while_measuring_says_how_to_go_on(cli, tmp_path, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("marketproof.studies.carried_out.measured", stop)
    answer = cli(*arguments("performance", tmp_path / "s", "--quiet"))
    assert answer.status == 130
    assert "interrupted after the last run; go on with: marketproof study performance" in answer.err


def test_recorded_runs_are_measured_without_training(cli, tmp_path, monkeypatch):
    assert cli(*arguments("market", tmp_path / "market", "--quiet")).status == 0
    monkeypatch.setattr(study_runs, "run", None)
    benign, out = tmp_path / "market" / "benign", tmp_path / "out"
    before = sorted(path.name for path in benign.iterdir())
    answer = cli("study", "market", "--runs", benign, "--out", out, "--json", tmp_path / "told.json")
    assert (answer.status, answer.err) == (0, "")
    told, trained = (json.loads((path / "study.json").read_text()) for path in (out, tmp_path / "market"))
    assert (told["rows"], told["words"]) == (trained["rows"], trained["words"])
    assert told["records"]["digits-niid"]["seeds"] == 2
    assert (out / "study.json").read_bytes() == (tmp_path / "told.json").read_bytes()
    assert sorted(path.name for path in benign.iterdir()) == before
    assert (
        "compares several runs of its own; --runs is for performance and market"
        in cli("study", "liars", "--runs", benign).line()
    )
    assert "is a second run of digits-niid" in cli("study", "market", "--runs", f"{benign},{benign}").line()
    assert "holds no finished run" in cli("study", "market", "--runs", tmp_path, "--out", tmp_path / "no").line()
    assert not (tmp_path / "no").exists()


def test_other_settings_are_refused_with_the_difference(cli, tmp_path):
    out = tmp_path / "s"
    assert cli(*arguments("performance", out, "--quiet")).status == 0
    assert "seed: 0 -> 5" in cli(*arguments("performance", out, "--seed", 5)).line()
    assert "study: performance -> dropout" in cli(*arguments("dropout", out)).line()
    text = (out / "benign" / "config.toml").read_text()
    (out / "benign" / "config.toml").write_text(text.replace("lr = 0.01", "lr = 0.02"))
    assert "training.lr: 0.02 -> 0.01" in cli(*arguments("performance", out)).line()


def test_a_folder_of_something_else_is_left_alone(cli, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    assert "is not empty and holds no study" in cli(*arguments("performance", tmp_path)).line()
    assert "is no folder" in cli(*arguments("performance", tmp_path / "mine.txt")).line()
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (
            ("guess",),
            "unknown study 'guess'; known: performance, robustness, poisoning, inclusive, liars, dropout, market",
        ),
        (("liars", "--methods", "fedavg"), "nobody reports anything under fedavg"),
        (("performance", "--task", "mnist"), "unknown task 'mnist'"),
        (("performance", "--task", "digits-niid", "--methods", "fedsgd"), "unknown method 'fedsgd'"),
        (("performance", "--task", "digits-niid", "--scale", "huge"), "no scale 'huge'"),
        (("performance", "--seeds", "0"), "--seeds"),
    ],
)
def test_wrong_names_are_one_line_and_leave_nothing(cli, tmp_path, more, words):
    assert words in cli("study", *more, "--out", tmp_path / "out").line()
    assert not (tmp_path / "out").exists()


def test_data_that_is_not_there_leaves_no_folder(cli, tmp_path, monkeypatch):
    monkeypatch.undo()
    answer = cli("study", "performance", "--task", "cifar10-niid", "--data-dir", tmp_path, "--out", tmp_path / "out")
    assert "CIFAR-10" in answer.line()
    assert not (tmp_path / "out").exists()


def test_the_usual_task_is_fashion_where_its_data_is(tmp_path, monkeypatch):
    for name in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"):
        (tmp_path / f"{name}-ubyte.gz").write_bytes(b"")
    plan = plan_study("performance", data_dir=tmp_path)
    assert plan.first.task == "fashion-niid"
    assert str(tmp_path) in plan.chosen
    (tmp_path / "t10k-labels-idx1-ubyte.gz").unlink()
    other = plan_study("performance", data_dir=tmp_path)
    assert other.first.task == "digits-niid"
    assert "not found" in other.chosen


def test_seeds_scale_populations_and_factors_of_the_plans():
    plan = plan_study("inclusive", task="digits-niid", scale="smoke")
    assert (plan.first.seeds, plan.first.methods) == (1, list(ALL_METHODS))
    assert plan_study("inclusive", task="digits-niid").first.seeds == 3
    assert {name: config.population.name for name, config in plan.configs.items()} == {
        "inclusive": "inclusive", "inclusive-attacked": "inclusive-attacked"
    }  # fmt: skip
    assert plan.first.market.gain == (1.5e6, 1.5e6)
    lies = plan_study("liars", task="digits-niid", scale="smoke")
    told = {(config.population.name, config.population.factor) for config in lies.configs.values()}
    assert told == {(f"liars-{what}", factor) for what in ("cost", "size", "gain", "all") for factor in (0.5, 2.0)}
