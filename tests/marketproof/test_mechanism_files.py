"""The user's own file: everything that can be wrong with it is one line with exit status 2, the reports named."""

from __future__ import annotations

import json

import pytest

HEAD = "import numpy as np\nfrom mechanism import single_parameter\n\n@single_parameter(agents=3)\ndef rule(bids):\n"
WINS = "    wins = np.arange(bids.shape[1]) == bids.argmax(axis=1)[:, None]\n"

WRONG = {
    "syntax": ("def rule(:\n", "line 1"),
    "import": ("import numpy\nraise RuntimeError('no licence')\n", "line 2: RuntimeError: no licence"),
    "exit": ("import sys\nsys.exit(3)\n", "SystemExit"),
    "missing": (HEAD.replace("rule", "other") + "    return bids, bids\n", "holds no 'rule'; it holds other"),
    "empty": ("x = 1\n", "holds no 'rule'; it holds no mechanism"),
    "kind": ("rule = 3\n", "is an int; expected a mechanism"),
    "plain function": ("def rule(bids):\n    return bids, bids\n", "takes bids; expected a mechanism"),
    "shape": (HEAD + "    return bids.sum(axis=1), bids\n", "allocation of shape"),
    "one answer": (HEAD + "    return bids\n", "expected (allocation, payment)"),
    "text": (HEAD + "    return np.full(bids.shape, 'x'), bids\n", "not numbers"),
    "nan": (HEAD + WINS + "    return wins, wins * np.log(bids - 0.9)\n", "not finite at bids ["),
    "random": (HEAD + WINS + "    return wins, np.random.rand(*bids.shape)\n", "is random: the same reports [["),
    "batch": (HEAD + "    return bids == bids.max(), bids * 0\n", "depends on the other rows of the batch"),
    "crash": (
        HEAD
        + WINS
        + "    if (bids > 0.99).any():\n        raise ValueError('too high')\n    return wins, wins * bids\n",
        "ValueError: too high",
    ),
    "writes": (HEAD + WINS + "    bids[:] = 0\n    return wins, wins * bids\n", "read-only"),
}


@pytest.mark.parametrize("case", WRONG)
def test_one_line_says_what_is_wrong(cli, tmp_path, case):
    text, words = WRONG[case]
    path = tmp_path / "own.py"
    path.write_text(text)
    line = cli("verify", f"{path}:rule", "--property", "ir", "--budget", 2).line()
    assert words in line


def test_a_crash_names_the_reports_at_which_it_happened(cli, tmp_path):
    path = tmp_path / "own.py"
    path.write_text(WRONG["crash"][0])
    line = cli("verify", f"{path}:rule", "--property", "ir", "--budget", 2).line()
    reports = line[line.index("[[") : line.index("]]") + 2]
    assert max(value for row in json.loads(reports) for value in row) > 0.99


def test_a_rare_crash_is_found_by_the_search_and_named(cli, tmp_path):
    path = tmp_path / "own.py"
    path.write_text(
        HEAD
        + WINS
        + "    if ((bids > 0.40) & (bids < 0.44)).all(axis=1).any():\n        raise ZeroDivisionError('band')\n"
        "    return wins, wins * np.sort(bids, axis=1)[:, -2:-1]\n"
    )
    line = cli("verify", f"{path}:rule", "--property", "dsic", "--budget", 20).line()
    assert "ZeroDivisionError: band" in line
    reports = json.loads(line[line.index("[[") : line.index("]]") + 2])
    assert all(0.40 < value < 0.44 for row in reports for value in row)


def test_classes_and_makers_are_called_and_clients_passed_on(cli, tmp_path):
    path = tmp_path / "own.py"
    path.write_text(
        "from mechanism.catalogue import direct_mechanism\n"
        "def make(agents):\n    return direct_mechanism('first-price', agents)\n"
        "def three():\n    return direct_mechanism('first-price', 3)\n"
    )
    assert "4 agents" in cli("verify", f"{path}:make", "--property", "ir", "--clients", 4, "--budget", 1).out
    assert "3 agents" in cli("verify", f"{path}:three", "--property", "ir", "--budget", 1).out
    assert "takes agents" in cli("verify", f"{path}:make", "--property", "ir").line()


def test_the_files_folder_does_not_shadow_our_packages(cli, tmp_path):
    (tmp_path / "mechanism.py").write_text("raise RuntimeError('shadowed')\n")
    path = tmp_path / "own.py"
    path.write_text(HEAD + WINS + "    return wins, wins * bids\n")
    assert cli("verify", f"{path}:rule", "--property", "ir", "--budget", 1).status == 0
