"""Files of a hostile hand: what `check` accepts it has worked out again, or says at the top that it has not."""

import copy
import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from analysis.run.files import digests
from mechanism import Market, Reports, market_mechanism
from mechanism.catalogue import direct_mechanism
from mechanism.market.allocation.certificate_file import ClearingFile, certified, check_parts
from mechanism.market.clients import Types
from proofs_checks import verify
from proofs_checks.evidence.grounds import find_proof, proved_formula
from proofs_checks.evidence.statistics import bound_words, upper_share
from proofs_checks.evidence.verdict import Grade
from proofs_checks.evidence.verify import verdict
from proofs_checks.evidence.witness import Witness
from proofs_checks.properties.registry import PROPERTY
from proofs_checks.search.pacing import Pace
from tests.marketproof.conftest import rules

RULE = rules(second_price="wins * (np.sort(bids, axis=1)[:, -2:-1]{extra})")
IN_A_CUBE = " + 0.1 * (np.abs(bids - 0.6) < 1e-3).all(axis=1)[:, None]"


@pytest.fixture(scope="module")
def mine(cli, tmp_path_factory):
    """A rule of one's own, verified: its file, and the file of verdicts, of which some are searched, some refuted."""
    folder = tmp_path_factory.mktemp("mine")
    (folder / "mine.py").write_text(RULE.format(extra=""))
    asked = ["dsic", "anonymity", "non-bossiness"]
    names = [part for name in asked for part in ("--property", name)]
    answer = cli("verify", f"{folder}/mine.py:second_price", *names, "--budget", 0.8, "--json", folder / "v.json", "-q")
    assert answer.status == 0
    told = json.loads((folder / "v.json").read_text())
    assert [v["grade"] for v in told["verdicts"]] == ["proved", "searched", "refuted"]
    return folder / "mine.py", told


def edited(told, name, **parts):
    """A copy, with parts of one verdict (keys joined by "__") replaced."""
    told = copy.deepcopy(told)
    for path, value in parts.items():
        inner = next(v for v in told["verdicts"] if v["property"] == name)
        *keys, last = path.split("__")
        for key in keys:
            inner = inner[key]
        inner[last] = value
    return told


@pytest.fixture
def ask(cli, tmp_path):
    """Write something as JSON, or text as it is, check it, and return the answer."""

    def check(told, *arguments):
        path = tmp_path / "it.json"
        path.write_text(told if isinstance(told, str) else json.dumps(told))
        return cli("check", path, *arguments)

    return check


def test_what_was_not_worked_out_again_is_said_at_the_top(ask, mine):
    file, told = mine
    rule = f"{file}:second_price"
    answer = ask(told, rule)
    assert answer.status == 0
    assert answer.out.startswith("NOT worked out again, 1 of 3 (anonymity): the search was not repeated; --repeat does")
    answer = ask(told, rule, "--repeat")
    assert answer.status == 0
    assert "NOT" not in answer.out


def test_a_search_that_never_was_is_found_out_when_repeated(ask, mine):
    file, told = mine
    evidence = next(v["evidence"] for v in told["verdicts"] if v["property"] == "anonymity")
    share = upper_share(10**12, 0.99)
    more = {"tried": 10**15, "uniform_profiles": 10**12, "share": share}
    claimed = edited(told, "anonymity", evidence=evidence | more, bound=bound_words(0.99, share, 10**12))
    assert ask(claimed, f"{file}:second_price").out.startswith("NOT worked out again")
    answer = ask(claimed, f"{file}:second_price", "--repeat")
    assert answer.status == 1
    assert "the same search tries" in answer.err


def test_verdicts_on_a_file_are_about_the_code_that_it_held(ask, mine, tmp_path):
    """The searched one falls with a change, what can be worked out on the new code is; nothing is repeated."""
    _, told = mine
    other = tmp_path / "mine.py"
    other.write_text(RULE.format(extra="") + "\n# changed\n")
    answer = ask(told, f"{other}:second_price")
    assert answer.status == 1
    assert "anonymity" in answer.err
    assert "dsic" not in answer.err
    assert ask(told, f"{other}:second_price", "--repeat").status == 2
    other.write_text(RULE.format(extra=IN_A_CUBE))
    assert "dsic under mine.py:second_price: does not stand" in ask(told, f"{other}:second_price").err


def test_the_code_of_a_rule_is_also_what_it_imports_from_beside_it(ask, cli, tmp_path):
    (tmp_path / "beside.py").write_text("X = 1\n")
    own = tmp_path / "own.py"
    own.write_text("from beside import X\n" + RULE.format(extra=" * X"))
    asked = ("--property", "anonymity", "--grade", "searched", "--budget", 0.3, "--json", tmp_path / "v.json", "-q")
    assert cli("verify", f"{own}:second_price", *asked).status == 0
    told = json.loads((tmp_path / "v.json").read_text())
    assert ask(told, f"{own}:second_price").status == 0
    (tmp_path / "beside.py").write_text("X = 2\n")
    assert ask(told, f"{own}:second_price").status == 1


def test_a_formula_proves_nothing_of_somebody_elses_code(ask, mine, tmp_path):
    """The theorem is real, and the code agrees with the formula on all random profiles: it overcharges in a cube."""
    theirs = direct_mechanism("second-price", 3)
    proof, _ = find_proof(theirs, PROPERTY["dsic"], 0)
    searched = {"method": "search", "tried": 10, "probes": 1, "uniform_profiles": 10, "worst": 0.0, "bound": "b"}
    file = tmp_path / "box.py"
    file.write_text(RULE.format(extra=IN_A_CUBE))
    told = edited(mine[1], "dsic", evidence=proved_formula(theirs, proof, searched))
    answer = ask(told, f"{file}:second_price")
    assert answer.status == 1
    assert "dsic under box.py:second_price: does not stand: its certificate is missing" in answer.err


def test_words_of_a_proof_are_those_of_what_is_proved(ask, mine):
    file, told = mine
    everywhere = "proved (code, every n): in exact arithmetic, no violation anywhere"
    for parts in (
        {"evidence__code__words": everywhere}, {"evidence__code__agents": 50}, {"evidence__note": "also for all n"},
        {"evidence__code__bounds": {"value": [-9.0, 9.0]}}, {"evidence__formula": {"by": "kernel"}},
        {"evidence__method": "theorem"}, {"statement": "It is truthful"}, {"comment": "trust me"},
    ):  # fmt: skip
        answer = ask(edited(told, "dsic", **parts), f"{file}:second_price")
        assert (parts, answer.status) == (parts, 1)
    for domain in (told["domain"].replace("3 agents", "50 agents"), told["domain"].replace("1]", "9]"), "any auction"):
        assert ask({**told, "domain": domain}, f"{file}:second_price").status in (1, 2)


def test_what_a_witness_says_in_words_is_made_from_its_numbers(ask):
    types = Types([100, 300, 300], [0, 1.1, 1.0], [3600, 0, 0])
    witness = Witness.of_lie(market_mechanism("ipfl"), types, Market(), 1, "cost", 0.9)
    assert ask(witness.to_dict()).status == 0
    said = replace(witness, sentence=witness.sentence.replace("1.9", "1900"), digest="")
    answer = ask(said.to_dict())  # its words may be those of another version: they are not repeated
    assert answer.status == 0
    assert answer.out.startswith("NOT worked out again")
    assert "1900" not in answer.out
    assert ask(replace(witness, digest="0" * 64).to_dict()).status == 1
    assert ask({**witness.to_dict(), "digest": ""}).status == 1


@pytest.mark.parametrize(
    "text", ['{"verdicts": [], "verdicts": [1]}', '{"verdicts": NaN}', '{"verdicts": -Infinity}', "[" * 100_000,
             '{"verdicts": [[]], "seed": 1e999, "mechanism": "agv"}', '{"verdicts": {}, "mechanism": "agv"}', "null"]
)  # fmt: skip
def test_json_that_readers_read_differently_is_refused(ask, text):
    assert ask(text).line()


def test_an_exhausted_verdict_that_fixes_public_numbers_is_checked_and_repeated(ask, cli, tmp_path):
    file = tmp_path / "grid.json"
    asked = ("--property", "dsic-cost", "--grade", "exhausted", "--budget", 2)
    assert cli("verify", "ipfl-exact", *asked, "--clients", 2, "--json", file, "-q").status == 0
    told = json.loads(file.read_text())
    assert [v["grade"] for v in told["verdicts"]] == ["exhausted"]
    fixed = next(v for v in told["verdicts"] if v["evidence"]["fixed"])
    assert ask(told).status == 0
    answer = ask(told, "--repeat")
    assert answer.status == 0
    assert "NOT" not in answer.out
    name = fixed["property"]
    for parts in (
        {"evidence__fixed": []}, {"evidence__profiles": 10**6}, {"evidence__grid": "grid of 9 x 9 types, 81 profiles"},
        {"evidence__worst": 0.5}, {"evidence__whole": True}, {"statement": PROPERTY[name].statement},
    ):  # fmt: skip
        assert (parts, ask(edited(told, name, **parts)).status) == (parts, 1)
    assert ask(edited(told, name, evidence__worst=-1.0), "--repeat").status == 1


def test_a_gap_that_is_claimed_buys_no_price():
    """Importers may claim to miss their optimum by a billion; prices are held against what is proved."""
    reports = Reports(np.array([100.0, 300, 300]), np.array([0.0, 1.1, 1.0]), np.array([3600.0, 0, 0]))
    rule = market_mechanism("ipfl-exact")
    told, _ = certified("abc", reports, Market(), rule.clear(reports, Market()), rule.id, rule.payment)

    def holds(**parts):
        return check_parts(ClearingFile.model_validate({**told, **parts})).holds

    assert holds()
    assert not holds(gap=[1e9] * 3, prices=[[1000.0], [], []])
    assert not holds(gap=[0.5] * 3, prices=[[1.5], [], []])


def test_nothing_tried_is_nothing_said():
    """A search for which no time was left says so; it does not say "searched, holds"."""
    rule = direct_mechanism("serial-dictatorship")
    found = verdict(rule, PROPERTY["non-bossiness"], 1e-3, "searched", 0, pace=Pace(0.01, 0.01))
    assert found.grade is Grade.UNKNOWN
    assert "no time was left" in found.evidence["reason"]
    assert all(v.grade is not Grade.SEARCHED or v.evidence["tried"] for v in verify(rule, budget=0.01))


@pytest.fixture(scope="module")
def folder(cli, quick, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run") / "it"
    asked = ("--methods", "local,ipfl/ipfl", "--scale", "smoke", "--clients", 4, "--backend", "rows", "--out", folder)
    assert cli("run", "digits-niid", *asked, "-q").status == 0
    return folder


def resealed(folder):
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(manifest | {"digests": digests(folder)}))


def test_a_runs_folder_is_worked_out_again_from_its_markets(cli, folder, tmp_path):
    answer = cli("check", folder)
    assert answer.status == 0
    assert answer.out.startswith("NOT worked out again")
    for name, change, where in (
        ("audit.json", lambda told: told["methods"]["ipfl/ipfl"]["words"].append("Nobody lies."), "words"),
        ("audit.json", lambda told: told["methods"]["ipfl/ipfl"]["best_lie"].update(cost=None), "best_lie"),
        ("summary.json", lambda told: told["methods"]["local"].update(accuracy_final=0.99), "accuracy_final"),
        ("summary.json", lambda told: told.update(note="the best run"), "note"),
    ):
        copied = tmp_path / f"{name}-{where}"
        shutil.copytree(folder, copied)
        told = json.loads((copied / name).read_text())
        change(told)
        (copied / name).write_text(json.dumps(told))
        answer = cli("check", copied)
        assert answer.status == 1
        assert "was changed since the run wrote it" in answer.err
        resealed(copied)
        answer = cli("check", copied)
        assert (name, answer.status) == (name, 1)
        assert where in " ".join(answer.err.split())
        assert "is not what the recorded markets give" in answer.err
    manifest = json.loads((copied / "manifest.json").read_text())
    (copied / "manifest.json").write_text(json.dumps({**manifest, "digests": {}}))
    assert "holds no digests" in " ".join(cli("check", copied).out.split())
