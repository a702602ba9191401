"""Pages of results are what their records give, to the byte; verdicts on the paper follow from records alone."""

import json
import re
from importlib.metadata import version

import pytest

from docs.pages import RESULTS, pages
from docs.paper import CLAIMS, HOLDS, MISSING, NOISE, NOT, UNTESTED, verdicts

ROOT = RESULTS.parents[1]


def test_committed_pages_are_those_of_the_committed_records():
    pinned = re.search(r"^matplotlib==(\S+)", (ROOT / "constraints.txt").read_text(), re.MULTILINE)[1]
    for name, content in pages(RESULTS).items():
        if not name.endswith(".svg") or version("matplotlib") == pinned:  # another version draws other paths
            assert (RESULTS / name).read_bytes() == content, f"{name}: python docs/pages.py"


def units(task, **utility):
    """Five seeds of each method; the lowest utility is that of the seed."""
    return [
        {"task": task, "method": method, "seed": seed, "accuracy_best": 0.9 + 0.001 * seed, "utility_mean": value,
         "welfare": value, "utility_lowest": value}
        for method, values in utility.items() for seed, value in enumerate(values)
    ]  # fmt: skip


def judged(folder, found, word):
    (folder / "performance.json").write_text(json.dumps({"units": found, "tasks": {}}))
    (folder / "matrix.json").write_bytes((RESULTS / "matrix.json").read_bytes())
    return next(verdict for claim, verdict in verdicts(folder) if word in claim.says)


NOISY = [0.0, 9.0, 1.0, 8.0, 2.0]
HIGH, LOW = [5.0, 5.1, 5.2, 5.1, 5.0], [1.0, 1.1, 1.0, 1.2, 1.1]


def test_a_verdict_on_utility_needs_every_task_and_falls_with_one(tmp_path):
    high = units("a", local=LOW, **{"ipfl/ipfl": HIGH})
    assert judged(tmp_path, high, "highest economic").word == "holds where it was run"
    eleven = [{**unit, "task": f"t{k}"} for k in range(11) for unit in high]
    assert judged(tmp_path, eleven, "highest economic").word == HOLDS
    noisy = [*eleven, *units("noisy", local=NOISY, **{"ipfl/ipfl": HIGH})]
    assert judged(tmp_path, noisy, "highest economic").word == NOISE
    behind = judged(tmp_path, [*eleven, *units("low", local=HIGH, **{"ipfl/ipfl": LOW})], "highest economic")
    assert behind.word == NOT
    assert "local on low by 4 money a round" in behind.evidence
    assert judged(tmp_path, [unit for unit in high if unit["seed"] == 0], "highest economic").word == NOISE


def test_who_loses_once_refutes_that_nobody_loses_in_training(tmp_path):
    assert judged(tmp_path, units("a", **{"ipfl/ipfl": HIGH}), "in training nobody loses").word == HOLDS
    lost = judged(tmp_path, units("a", **{"ipfl/ipfl": [*HIGH[:4], -0.5]}), "in training nobody loses")
    assert lost.word == NOT
    assert "Somebody loses on a" in lost.evidence


def test_where_a_record_is_missing_it_says_so(tmp_path):
    (tmp_path / "matrix.json").write_bytes((RESULTS / "matrix.json").read_bytes())
    found = {claim.says: verdict.word for claim, verdict in verdicts(tmp_path)}
    assert len(found) == len(CLAIMS)
    theory = [word for says, word in found.items() if "ruthfulness, " in says or "in theory" in says]
    assert set(theory) == {HOLDS, NOT}
    assert list(found.values()).count(MISSING) >= 8
    assert set(found.values()) <= {HOLDS, NOT, MISSING, UNTESTED}


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.says[:40])
def test_each_claim_says_what_would_change_the_verdict(claim):
    assert claim.source in ("abstract", "paper.md")
    assert len(claim.changes) > 10
