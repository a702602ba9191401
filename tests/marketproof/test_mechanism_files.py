"""The user's own file: everything that can be wrong with it is one line with exit status 2, the reports named."""

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
    "plain function": (
        "def rule(bids):\n    return bids, bids\n",
        "takes bids and is no mechanism: if it is a rule, write @single",
    ),
    "shape": (HEAD + "    return bids.sum(axis=1), bids\n", "allocation of shape"),
    "one answer": (HEAD + "    return bids\n", "expected (allocation, payment)"),
    "text": (HEAD + "    return np.full(bids.shape, 'x'), bids\n", "not numbers"),
    "nan": (HEAD + WINS + "    return wins, wins * np.log(bids - 0.9)\n", "not finite at bids ["),
    "random": (
        HEAD + WINS + "    return wins, np.random.rand(*bids.shape)\n",
        "is random or keeps a state: its answer to",
    ),
    "batch": (HEAD + "    return bids == bids.max(), bids * 0\n", "depends on the other rows of the batch"),
    "crash": (
        HEAD
        + WINS
        + "    if (bids > 0.99).any():\n        raise ValueError('too high')\n    return wins, wins * bids\n",
        "ValueError: too high",
    ),
    "writes": (
        HEAD + WINS + "    bids[:] = 0\n    return wins, wins * bids\n",
        "read-only; copy bids first: bids = bids.copy()",
    ),
    "one profile": (
        HEAD + "    best = max(range(3), key=lambda i: bids[i])\n    return [i == best for i in range(3)], [0, 0, 0]\n",
        "failed in own.py, line 6: ValueError: The truth value of an array with more than one element is ambiguous. "
        "Use a.any() or a.all(); bids is [320, 3], one row per profile: compute all rows at once",
    ),
    "flat": (
        HEAD + "    wins = np.zeros(3)\n    wins[np.argmax(bids)] = 1\n    return wins, wins * 0\n",
        "bids is [320, 3], one row per profile",
    ),
    "no row": (
        HEAD + "    return bids[0] > 0.5, bids\n",
        "of shape [3] for bids of shape [320, 3]; expected the same shape, one",
    ),
    "misspelt": (HEAD + "    return np.maxmum(bids, 0), bids\n", "failed in own.py, line 6, on reports [["),
    "no parentheses": (
        HEAD.replace("(agents=3)", "") + "    return bids, bids\n",
        "single_parameter on rule needs the number",
    ),
    "no agents": (
        HEAD.replace("agents=3", "") + "    return bids, bids\n",
        "line 4: single_parameter needs the number of agents; write @single_parameter(agents=N) above the rule",
    ),
    "no number of agents": (
        HEAD.replace("agents=3", "agents=0") + "    return bids, bids\n",
        "own.py, line 4: a space needs",
    ),
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


def test_of_many_names_some_are_shown_and_the_rest_is_counted(cli, tmp_path):
    path = tmp_path / "own.py"
    path.write_text("".join(HEAD.replace("def rule", f"def rule_{k}") + "    return bids, bids\n" for k in range(11)))
    line = cli("verify", f"{path}:nothing").line()
    assert line.endswith("it holds rule_0, rule_1, rule_2, rule_3, rule_4, rule_5, rule_6, rule_7, …, and 3 more")
    assert "holds no 'rule_33'; did you mean 'rule_3" in cli("verify", f"{path}:rule_33").line()


def test_a_forgotten_py_and_an_id_that_is_none_say_how_a_file_is_named(cli, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.py").write_text(HEAD + "    return bids, bids\n")
    assert cli("verify", "own:rule").line() == "there is no file 'own'; did you mean own.py:rule?"
    assert cli("verify", "own").line().endswith("what your file holds is own.py:NAME")
    assert cli("verify", "fist-price").line() == (
        "unknown mechanism 'fist-price'; did you mean 'first-price' or 'posted-price'? "
        "'marketproof list mechanisms' shows all; "
        "your own is FILE.py:NAME"
    )


def test_a_file_imports_what_lies_beside_it_and_never_in_the_place_of_ours(cli, tmp_path):
    """Everywhere that a file is named; at once after an edit; nothing is written beside it."""
    (tmp_path / "mechanism.py").write_text("raise RuntimeError('the neighbour was taken for ours')\n")
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "__init__.py").write_text("FACTOR = 1.0\n")
    own = tmp_path / "own.py"
    own.write_text("import auxiliary\n" + HEAD + "    return auxiliary.rule(bids)\n")
    pays = "import numpy as np\nfrom shared import FACTOR\n\ndef rule(bids):\n" + WINS + "    return wins, wins * {}\n"
    (tmp_path / "auxiliary.py").write_text(pays.format("bids * FACTOR"))
    held = sorted(path.name for path in tmp_path.rglob("*"))
    file = tmp_path.parent / f"{tmp_path.name}.json"
    asked = ("verify", f"{own}:rule", "--property", "dsic", "--budget", 2, "--json", file)
    assert cli(*asked).status == 0
    assert json.loads(file.read_text())["verdicts"][0]["holds"] is False
    assert cli("replay", file, f"{own}:rule").status == 0
    assert cli("check", file, f"{own}:rule").status == 0
    assert cli("strategic", f"{own}:rule", "--profiles", 20, "--rounds", 2).status == 0
    (tmp_path / "auxiliary.py").write_text(pays.format("(bids * 0)"))
    changed = cli("replay", file, f"{own}:rule")
    assert changed.status == 1
    assert "utility_before[0] is 1.0, the witness says 0.0" in changed.out
    assert sorted(path.name for path in tmp_path.rglob("*")) == held
