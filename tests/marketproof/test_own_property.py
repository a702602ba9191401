"""A property of one's own: asked of any mechanism, replayed and checked with its file, refused in one line."""

import json

import numpy as np
import pytest

from mechanism.catalogue import CATALOGUE, EFFECTIVE_ENTRIES, direct_mechanism
from proofs_checks.evidence.witness import Witness, replay
from proofs_checks.properties.own_property import use_property

HARM = """
import numpy as np
from dataclasses import dataclass
from proofs_checks.properties.property import Deviations, change

@dataclass(frozen=True)
class Harmless(Deviations):
    def violation(self, mechanism, cases):
        before, after = change(mechanism, cases)
        lost = (before - after).transpose(0, 2, 1)
        lost[np.arange(len(lost)), cases.deviator] = 0
        return lost.max(axis=1)

    def sentence(self, mechanism, case, numbers):
        return "somebody loses by another's lie"

HARMLESS = Harmless("harmless", "nobody loses by another's other report", "u_j(r_i) <= u_j(t_i)")
"""


@pytest.fixture
def folder(cli, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli("new", "property", "no-subsidy", "--quiet").status == 0
    (tmp_path / "harm.py").write_text(HARM)
    return tmp_path


SUBSIDY = ("--property", "no_subsidy.py:NO_SUBSIDY")


def verdicts(path):
    return {v["property"]: v for v in json.loads(path.read_text())["verdicts"]}


def test_it_is_searched_and_refuted_and_its_witness_replays_and_is_checked_with_its_file(cli, folder):
    answer = cli("verify", "agv", *SUBSIDY, "--property", "ir", "--budget", 4, "--json", "v.json", "--witnesses", "w")
    assert answer.status == 0, answer.err
    assert "The file was executed." in answer.out
    told = verdicts(folder / "v.json")
    assert list(told) == ["no_subsidy.py:NO_SUBSIDY", "ir"]
    refuted = told["no_subsidy.py:NO_SUBSIDY"]
    assert (refuted["grade"], refuted["statement"]) == ("refuted", "nobody is paid for taking part [t_i >= 0]")
    assert refuted["witness"]["sentence"].startswith("no_subsidy.py:NO_SUBSIDY says: somebody pays -")
    assert refuted["witness"]["violation"] == -min(refuted["witness"]["numbers"]["payment_before"])
    for found in ("v.json", "w/no_subsidy.py-NO_SUBSIDY.json"):
        assert cli("replay", found, *SUBSIDY).status == 0
    assert cli("check", "v.json", *SUBSIDY).status == 0
    (folder / "no_subsidy.py").write_text((folder / "no_subsidy.py").read_text().replace("-paid", "-2 * paid"))
    changed = cli("replay", "w/no_subsidy.py-NO_SUBSIDY.json", *SUBSIDY)
    assert changed.status == 1
    assert "the violation is" in changed.err


def test_it_holds_searched_or_on_a_grid_and_a_changed_file_is_no_longer_checked(cli, folder):
    arguments = ("verify", "second-price", *SUBSIDY, "--budget", 2, "--json", "v.json", "--require")
    assert cli(*arguments).status == 0
    assert verdicts(folder / "v.json")["no_subsidy.py:NO_SUBSIDY"]["grade"] == "searched"
    assert cli("check", "v.json", *SUBSIDY).status == 0
    (folder / "no_subsidy.py").write_text((folder / "no_subsidy.py").read_text() + "\n")
    assert "this is not the code that it is about" in cli("check", "v.json", *SUBSIDY).err
    assert cli(*arguments, "--grade", "exhausted").status == 0
    assert verdicts(folder / "v.json")["no_subsidy.py:NO_SUBSIDY"]["grade"] == "exhausted"


@pytest.mark.parametrize("grade", ["searched", "exhausted"])
def test_one_of_deviations_finds_whom_a_lie_harms(cli, folder, grade):
    asked = ("verify", "second-price", "--property", "harm.py:HARMLESS", "--budget", 3, "--json", "v.json")
    assert cli(*asked, "--grade", grade).status == 0
    verdict = verdicts(folder / "v.json")["harm.py:HARMLESS"]
    assert verdict["grade"] == "refuted"
    assert cli("replay", "v.json", "--property", "harm.py:HARMLESS").status == 0


@pytest.mark.parametrize("name", [name for name in CATALOGUE if name not in EFFECTIVE_ENTRIES])
def test_every_mechanism_of_the_catalogue_is_asked(folder, name):
    mechanism = direct_mechanism(name)
    for text in ("no_subsidy.py:NO_SUBSIDY", "harm.py:HARMLESS"):
        prop = use_property(text)
        if prop.missing(mechanism) is None:
            probe = prop.probe(mechanism, np.random.default_rng(0), ("uniform", "uniform"), 32)
            check = prop.check(mechanism, probe.case)
            assert check.violation == pytest.approx(probe.worst, abs=1e-9)
            if not check.holds:
                assert replay(Witness.of(mechanism, prop, check.case), mechanism).reproduces


BODY = "from proofs_checks.properties.property import *\nclass C(Profiles):\n    def violation(self, m, c): return {}\n"
BODY += "    def sentence(self, m, c, n): return {}\nP = C('p', 'says', 'f')\n"
WRONG = [
    ("P = 1", "'bad.py:P' is 'int'; expected a property: an object of a class made from"),
    ("Q = 1", "bad.py holds no 'P'; it holds no property"),
    ("P = (", "bad.py, line 1: '(' was never closed"),
    ("import sys\nsys.exit(0)", "bad.py does not run, line 2: SystemExit: 0"),
    ("while True: pass", "'bad.py:P' did not load within 0.5 s"),
    (BODY.format("1 / 0", "''"), "bad.py:P fails in violation, line 3: ZeroDivisionError"),
    (BODY.format("0.0", "''"), "bad.py:P: violation is 'float'; expected numbers of the shape ["),
    (BODY.format("np.zeros(3)", "''"), "bad.py:P: violation is 'float64 [3]'; expected numbers of the shape ["),
    (BODY.format("np.full((len(c.types), 1), np.nan)", "''"), "bad.py:P: violation holds nan; expected finite"),
    (BODY.format("np.full((len(c.types), 1), np.inf)", "''"), "bad.py:P: violation holds inf; expected finite"),
    (BODY.format("np.ones((len(c.types), 1))", "1 / 0"), "bad.py:P fails in sentence, line 4: ZeroDivisionError"),
    (BODY.format("np.zeros((len(c.types), 1))", "''").replace("'says'", "''"), "'bad.py:P': statement is ''; expected"),
    (BODY.format("np.zeros((len(c.types), 1))", "''").replace("Profiles", "Property"), "'bad.py:P' has no draw of its"),
    (BODY.format("0", "0").replace("sentence", "words"), "'bad.py:P' has no sentence of its own"),
    (
        BODY.format("np.ma.masked_array(np.ones((len(c.types), 1)))", "''"),
        "bad.py:P: violation is 'MaskedArray'; expected",
    ),
    (BODY.format("np.ones((len(c.types), 1))", "None"), "bad.py:P: sentence is 'None'; expected a text"),
    (BODY.format("0", "''\n    def missing(self, m): return 5"), "bad.py:P: missing is '5'; expected a text"),
    (
        BODY.format("c.before.sort(axis=1)", "''"),
        "bad.py:P fails in violation, line 3: ValueError: sort array is read-only",
    ),
    (
        BODY.format("np.random.default_rng().random((len(c.types), 1))", "'says'"),
        "the answers of bad.py:P, or of the mechanism, do not repeat",
    ),
    (
        BODY.format("np.ones((len(c.types), 1))", "''\n    def numbers(self, m, c): return {'payment_before': [9.0]}"),
        "bad.py:P: numbers says that 'payment_before' is '[9.0]'; the mechanism gives [",
    ),
    (
        BODY.format("np.zeros((1, 1))", "''\n    def draw(self, m, r, w, n): return 3"),
        "bad.py:P draws no cases; expected types and reports",
    ),
    (
        BODY.format(
            "np.zeros((1, 1))", "''\n    def draw(self, m, r, w, n): return Cases(*[np.full((1, 3, 1), 9.0)] * 2)"
        ),
        "bad.py:P draws numbers outside the bounds of 3 agents",
    ),
    (
        BODY.format("np.ones((len(c.types), 1))", "''\n    def numbers(self, m, c): return {'a': [np.nan]}"),
        "bad.py:P: numbers is",
    ),
]


@pytest.mark.parametrize(("text", "told"), WRONG)
def test_hostile_files_are_one_line_and_nothing_is_written(cli, folder, text, told):
    (folder / "bad.py").write_text(text)
    before = sorted(folder.rglob("*"))
    answer = cli("verify", "second-price", "--property", "bad.py:P", "--budget", 0.5, "--json", "v.json")
    assert told in answer.line()
    assert sorted(folder.rglob("*")) == before


def test_what_runs_for_ever_is_unknown_and_what_is_not_named_is_not_executed(cli, folder):
    (folder / "bad.py").write_text(BODY.format("[0 for x in iter(int, 1) if x]", "''"))
    assert cli("verify", "second-price", "--property", "bad.py:P", "--budget", 0.5, "--json", "v.json").status == 0
    assert "not finished within" in verdicts(folder / "v.json")["bad.py:P"]["evidence"]["reason"]
    assert cli("verify", "agv", *SUBSIDY, "--budget", 2, "--json", "v.json").status == 0
    (folder / "elsewhere").mkdir()
    (folder / "elsewhere" / "no_subsidy.py").write_text((folder / "no_subsidy.py").read_text())
    told = cli("verify", "agv", *SUBSIDY, "--property", "elsewhere/no_subsidy.py:NO_SUBSIDY").line()
    assert told == "two properties are called 'no_subsidy.py:NO_SUBSIDY'; give one of their files another name"


def test_a_witness_of_a_property_that_is_not_named_is_refused(cli, folder):
    assert cli("verify", "agv", *SUBSIDY, "--budget", 2, "--json", "v.json").status == 0
    text = (folder / "v.json").read_text().replace("no_subsidy.py:NO", "some_subsidy.py:NO")
    (folder / "v.json").write_text(text)
    for command in ("replay", "check"):
        assert "name its code: --property FILE.py:NAME" in cli(command, "v.json").line()
