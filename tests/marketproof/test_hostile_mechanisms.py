"""Code that exits, never ends, answers at random, or has a broken part: one line, exit status 2, in time."""

import json

import pytest

HEAD = "import sys, time\nimport numpy as np\nfrom mechanism import Space, single_parameter\n"
WINS = "    wins = np.arange(bids.shape[1]) == bids.argmax(axis=1)[:, None]\n"
RULE = HEAD + "@single_parameter(agents=3)\ndef rule(bids):\n"
CLASS = (
    HEAD
    + """
class rule:
    space = Space(3, ("value",), np.zeros(1), np.ones(1))
    def outcome(self, reports):
        bids = reports[..., 0]
        wins = np.arange(bids.shape[1]) == bids.argmax(axis=1)[:, None]
        return wins, wins * bids
    def utility(self, types, outcome):
        return types[..., 0] * outcome[0] - outcome[1]
    def payments(self, outcome):
        return outcome[1]
"""
)

WRONG = {
    "sys.exit in the rule": (RULE + "    sys.exit(0)\n", "ir", "]]: SystemExit: 0"),
    "an error of its own kind": ("class E(BaseException): pass\nraise E('x')\n", "ir", "line 2: E: x"),
    "welfare raises": (
        CLASS + "    def welfare(self, t, o): return {}['x']\n    def optimal_welfare(self, t): return t[:, 0, 0]\n",
        "efficiency",
        "the mechanism's welfare failed in own.py, line 15: KeyError: 'x'",
    ),
    "welfare of another shape": (
        CLASS
        + "    def welfare(self, t, o): return np.zeros((3, 7))\n    def optimal_welfare(self, t): return t[:, 0, 0]\n",
        "efficiency",
        "the mechanism's welfare has shape [3, 7]; expected [",
    ),
    "numbers as text": (
        CLASS + "    def utility(self, t, o): return np.full(t.shape[:2], '1.0', dtype=object)\n",
        "dsic",
        "the mechanism's utility failed: TypeError: object is not real numbers",
    ),
    "resized raises": (CLASS + "    def resized(self, n): raise OSError('disk')\n", "dsic", "OSError: disk"),
    "no space": (CLASS + "    space = None\n", "ir", "the space of own.py:rule is a NoneType"),
    "memory": (
        "asked = []\n" + RULE + "    asked.append(1)\n" + WINS + "    late = max(1, len(asked) - 20)\n"
        "    return wins, wins * bids / late\n",
        "dsic",
        "the answers of the mechanism do not repeat: at reports [[",
    ),
}


@pytest.fixture
def own(tmp_path):
    def write(text):
        path = tmp_path / "own.py"
        path.write_text(text)
        return f"{path}:rule"

    return write


@pytest.mark.parametrize("case", WRONG)
def test_one_line_says_what_is_wrong(cli, own, case):
    text, prop, words = WRONG[case]
    assert words in cli("verify", own(text), "--property", prop, "--budget", 4).line()


def test_a_file_that_never_ends_keeps_to_the_budget(cli, own):
    assert "did not load within 0.5 s" in cli("verify", own("while True:\n    pass\n"), "--budget", 0.5).line()


def test_a_rule_that_never_ends_is_stopped(cli, own, monkeypatch):
    from marketproof import verifying

    monkeypatch.setattr(verifying, "_FIRST", 0.5)
    text = RULE + "    while True:\n        try:\n            len(bids)\n        except Exception:\n            pass\n"
    assert "did not answer its first profiles" in cli("verify", own(text), "--budget", 0.5).line()


def test_a_rule_that_hangs_in_one_check_leaves_that_property_unknown(cli, own, tmp_path, monkeypatch):
    """The other verdicts stand."""
    from marketproof import verifying

    monkeypatch.setattr(verifying, "_OVER", 0.5)
    monkeypatch.setattr(verifying, "_END", 2.0)
    hang = "    def welfare(self, t, o):\n        while True:\n            pass\n"
    hang += "    def optimal_welfare(self, t): return t[:, 0, 0]\n"
    file = tmp_path / "verdicts.json"
    asked = ("--property", "efficiency", "--property", "dsic", "--budget", 3, "--json", file)
    assert cli("verify", own(CLASS + hang), *asked).status == 0
    first, second = json.loads(file.read_text())["verdicts"]
    assert (first["grade"], first["holds"]) == ("unknown", None)
    assert "not finished within" in first["evidence"]["reason"]
    assert second["grade"] == "refuted"


def test_what_a_file_prints_is_no_part_of_the_result(cli, own):
    answer = cli("verify", own("print('hello')\n" + RULE + WINS + "    return wins, wins * bids\n"), "--budget", 1)
    assert (answer.status, answer.err) == (0, "hello\n")
    assert "hello" not in answer.out


def test_an_edit_within_the_same_second_is_seen(cli, own):
    text = RULE + WINS + "    return wins, wins * {}\n"
    kept = [cli("verify", own(text.format(x)), "--property", "ir", "--budget", 1, "--require").status for x in "012"]
    assert kept == [0, 0, 1] or kept == [0, 1, 1]  # a price of 1 takes at least every value


def test_a_maker_with_a_number_replays_without_being_told_it(cli, own, tmp_path):
    """The witness says for how many agents the mechanism was built."""
    text = HEAD + "def rule(agents):\n    @single_parameter(agents=agents)\n    def made(bids):\n"
    name = own(text + WINS.replace("    ", "        ") + "        return wins, wins * bids\n    return made\n")
    file = tmp_path / "verdicts.json"
    assert cli("verify", name, "--clients", 4, "--property", "dsic", "--budget", 2, "--json", file).status == 0
    again = cli("replay", file, name)
    assert (again.status, again.err) == (0, "")
    assert "own.py:rule" in again.out


def test_a_rule_over_bids_is_had_for_any_number(cli, own):
    name = own(RULE + WINS + "    return wins, wins * bids\n")
    assert "5 agents" in cli("verify", name, "--clients", 5, "--property", "ir", "--budget", 1).out


def test_code_that_bears_a_name_of_the_catalogue_is_not_taken_for_it(cli, own, tmp_path):
    name = own(CLASS + "    name = 'first-price'\n")
    cli("verify", name, "--property", "dsic", "--budget", 2, "--witnesses", tmp_path)
    assert "name its code" in cli("replay", tmp_path / "dsic.json").line()


def test_an_input_is_never_overwritten(cli, own, tmp_path):
    name = own(RULE + WINS + "    return wins, wins * bids\n")
    assert "would overwrite" in cli("verify", name, "--json", tmp_path / "own.py", "--budget", 1).line()
    witness = tmp_path / "w.json"
    witness.write_text("{}")
    assert "would overwrite" in cli("replay", witness, "--json", witness).line()


def test_a_verdict_about_another_property_than_its_witness_is_malformed(cli, tmp_path):
    file = tmp_path / "verdicts.json"
    cli("verify", "first-price", "--property", "dsic", "--budget", 2, "--json", file)
    told = json.loads(file.read_text())
    told["verdicts"][0]["property"] = "ir"
    file.write_text(json.dumps(told))
    assert "another property" in cli("replay", file).line()


def test_an_interruption_says_that_nothing_was_written(cli, monkeypatch, tmp_path):
    from proofs_checks.evidence import verify

    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(verify, "verdict", stop)
    answer = cli("verify", "first-price", "--json", tmp_path / "v.json")
    assert (answer.status, answer.out) == (130, "")
    assert answer.err == "marketproof: interrupted after 0 properties; nothing was written\n"
    assert not (tmp_path / "v.json").exists()


def test_the_domain_of_agents_of_unlike_bounds_is_told_agent_by_agent():
    from mechanism.direct import Space

    assert Space(2, ("value",), 0.0, 1.0).bounds(0) == "value in [0, 1]"
    assert Space(2, ("value",), [[0.0], [2.0]], [[1.0], [5.0]]).bounds(0) == "value of a in [0, 1], of b in [2, 5]"
    assert Space(12, ("value",), 0.0, [[1.0 + a] for a in range(12)]).bounds(0).endswith(", of 4 more in others")
