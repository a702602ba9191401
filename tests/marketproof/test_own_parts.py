"""A network, a method and a market rule of one's own, each from a few lines; what fails says so in one line."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from learning.plan import LearningPlan
from learning.trainer import Trainer

NET = """
import torch

class Net(torch.nn.Module):
    def __init__(self, shape, classes):
        super().__init__()
        self.layers = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(shape[0], 8), torch.nn.Tanh(),
                                          torch.nn.Linear(8, classes))

    def forward(self, x):
        return self.layers(x)
"""
METHOD = """
import numpy as np
from learning.algorithms import Aggregation, Algorithm

def aggregate(uploads):
    n = len(uploads.sizes)
    return Aggregation(np.full((n, n), 1.0 / n))

MEAN = Algorithm(name="mean", citation="own", summary="the mean of all", deploys="trained", aggregate=aggregate)
"""
RULE = """
import numpy as np
from mechanism import Outcome

def first(reports, market):
    m = reports.clients
    imports = np.zeros((*reports.cost.shape, m), dtype=bool)
    imports[..., 1:, 0] = True
    prices = np.where(imports, 2.0 * reports.cost[..., None, :], 0.0)
    nothing = np.zeros(reports.cost.shape)
    return Outcome(imports, prices, nothing, nothing)
"""


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, text in (("net.py", NET), ("method.py", METHOD), ("rule.py", RULE)):
        (tmp_path / name).write_text(text)
    task = (Path(__file__).parents[2] / "marketproof/tasks/digits-niid.toml").read_text()
    (tmp_path / "mine.toml").write_text(task.replace('name = "mlp"', 'name = "net.py:Net"'))
    return tmp_path


RUN = ("run", "mine.toml", "--scale", "smoke", "--clients", "4", "--out", "out", "--quiet", "--methods")
BOTH = "method.py:MEAN,ipfl/rule.py:first"


@pytest.mark.usefixtures("quick")
def test_network_method_and_rule_of_ones_own_run_together(cli, files):
    answer = cli(*RUN, BOTH, "--json", "told.json")
    assert answer.status == 0, answer.err
    told = json.loads(Path("told.json").read_text())
    assert list(told["methods"]) == ["method.py:MEAN", "ipfl/rule.py:first"]
    # client 0 sells for twice its cost, which pays it whatever it says: a lie is found
    assert told["audit"]["methods"]["ipfl/rule.py:first"]["best_lie"]["cost"]["gain"] > 0.1
    assert cli(*RUN, BOTH, "--resume").status == 0
    files.joinpath("rule.py").write_text(RULE.replace("2.0", "3.0"))
    assert "recorded with other settings (code.rule.py: " in cli(*RUN, BOTH, "--resume").line()


def test_another_process_reports_an_own_rule_only_by_its_code_unchanged(cli, files):
    """A record names the rule's file and its digest; the code is run only where its user names it, too."""
    assert cli(*RUN, "ipfl/rule.py:first").status == 0
    manifest = json.loads(Path("out/manifest.json").read_text())
    assert set(manifest["code"]) == {"rule.py", "net.py"}
    assert len(manifest["code"]["rule.py"]) == 64
    (files / "elsewhere").mkdir()
    (files / "rule.py").rename(files / "elsewhere" / "rule.py")
    code = (
        "import sys; from marketproof.cli import execute; "
        "sys.exit(execute(['report', 'out', '--out', 'r.html', '--quiet', *sys.argv[1:]]))"
    )

    def other(*options: str) -> tuple[int, str]:
        path = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
        done = subprocess.run([sys.executable, "-c", code, *options], env=path, capture_output=True, text=True)
        return done.returncode, done.stderr

    status, told = other()
    assert (status, told.count("\n")) == (2, 1)
    assert "cleared by a rule of its owner's, 'rule.py:first'" in told
    assert told.rstrip().endswith("add --rule rule.py:first")
    assert other("--rule", "elsewhere/rule.py:first") == (0, "")
    assert "rule.py:first" in Path("r.html").read_text()
    assert cli("check", "out", "elsewhere/rule.py:first").status == 0
    (files / "elsewhere" / "rule.py").write_text(RULE.replace("2.0", "3.0"))
    status, told = other("--rule", "elsewhere/rule.py:first")
    assert (status, told.count("\n")) == (2, 1)
    assert "is not the code by which 'out' was cleared" in told
    assert "is not the code" in cli("check", "out", "elsewhere/rule.py:first").line()
    assert "add rule.py:first" in cli("check", "out").line()


def test_an_own_network_is_the_same_in_workers_and_starts_from_its_own_initial_values(files):
    plan = LearningPlan(model="net.py:Net", clients=3, steps=3, rounds=1)
    rows = []
    for backend in ("rows", "pool", "rows"):
        with Trainer(plan, "fedavg", backend, "cpu", seed=5) as trainer:
            start = trainer.state.initial.clone()
            trainer.train(1)
            rows.append((start, trainer.state.rows.clone()))
    assert all(bool((start == rows[0][0]).all()) and bool((row == rows[0][1]).all()) for start, row in rows)
    assert np.abs(rows[0][0].numpy()).max() > 0


def test_an_own_rule_with_a_slash_in_its_path(cli, files):
    (files / "deep").mkdir()
    for name in ("method.py", "rule.py"):
        (files / name).rename(files / "deep" / name)
    assert cli(*RUN, "deep/method.py:MEAN,ipfl/deep/rule.py:first").status == 0


WRONG = [
    ("method.py", METHOD, "method.py:MEAM", "method.py holds no 'MEAM'; did you mean 'MEAN'?"),
    ("method.py", METHOD, "absent.py:MEAN", "cannot read 'absent.py'"),
    ("method.py", METHOD, "method.py:np", "expected a learning.algorithms.Algorithm"),
    ("method.py", METHOD + "1 / 0\n", "method.py:MEAN", "method.py does not run, line 10: ZeroDivisionError"),
    ("method.py", METHOD.replace("n, n", "n, n + 1"), "method.py:MEAN", "its matrix is no finite [4, 4]"),
    ("method.py", METHOD.replace("1.0 / n", "q"), "method.py:MEAN", "does not aggregate, line 7: NameError"),
    ("method.py", METHOD, "method.py:MEAN/ipfl", "has no market to clear"),
    (
        "rule.py",
        RULE.replace("return Outcome", "return"),
        "ipfl/rule.py:first",
        "returns 'tuple'; expected a mechanism.",
    ),
    ("rule.py", RULE.replace("2.0", "np.nan"), "ipfl/rule.py:first", "prices is [4, 4], not all finite"),
    ("rule.py", RULE.replace("1:, 0", "0, 0"), "ipfl/rule.py:first", "a client imports its own model"),
    (
        "rule.py",
        RULE.replace("e(imports, p", "e(imports[..., :2], p"),
        "ipfl/rule.py:first",
        "imports is [4, 2], another shape",
    ),
    ("rule.py", RULE.replace("m = ", "raise ValueError('no') #"), "ipfl/rule.py:first", "does not clear, line 6: Val"),
    ("rule.py", RULE, "ipfl/rule.py:np", "expected a function clear"),
    ("net.py", NET.replace("Tanh", "Dropout"), "local", "net.py:Net has dropout"),
    ("net.py", NET.replace("Tanh()", "BatchNorm1d(8)"), "local", "net.py:Net has buffers"),
    ("net.py", NET.replace("8, classes", "8, 3"), "local", "with [2, 3]; expected scores [2, 10]"),
    ("net.py", NET.replace("shape[0]", "shape[0] + 1"), "local", "net.py:Net does not score samples"),
    ("net.py", NET.replace("(self, shape, classes)", "(self, shape, classes, depth)"), "local", "missing 1 required"),
    ("net.py", NET.replace("class Net", "class Nat"), "local", "net.py holds no 'Net'; did you mean 'Nat'?"),
]


@pytest.mark.parametrize(("name", "text", "methods", "expected"), WRONG)
def test_what_is_wrong_is_one_line(cli, files, name, text, methods, expected):
    (files / name).write_text(text)
    assert expected in cli(*RUN, methods).line()
