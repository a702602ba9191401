"""Pages of results are what their records give, to the byte; verdicts on the paper follow from records alone."""

import json
import math
import re
from importlib.metadata import version

import numpy as np
import pytest
from scipy import stats

from docs.judges import HOLDS, MISSING, NOISE, NOT, PARTLY, UNTESTED, gain_law, lies, roles
from docs.pages import RESULTS, pages
from docs.paper import CLAIMS, verdicts
from docs.studies import compact

ROOT = RESULTS.parents[1]


def test_committed_pages_are_those_of_the_committed_records():
    pinned = re.search(r"^matplotlib==(\S+)", (ROOT / "constraints.txt").read_text(), re.MULTILINE)[1]
    for name, content in pages(RESULTS).items():
        if not name.endswith(".svg") or version("matplotlib") == pinned:  # another version draws other paths
            assert (RESULTS / name).read_bytes() == content, f"{name}: python -m docs.pages"


def units(task, **utility):
    """Five seeds of each method; the lowest utility is that of the seed."""
    return [
        {"task": task, "method": method, "seed": seed, "accuracy_best": 0.9 + 0.001 * seed, "utility_mean": value,
         "welfare": value, "utility_lowest": value}
        for method, values in utility.items() for seed, value in enumerate(values)
    ]  # fmt: skip


def judged(folder, found, word, told=None):
    (folder / "performance.json").write_text(json.dumps(told or {"units": found, "tasks": {}}))
    (folder / "matrix.json").write_bytes((RESULTS / "matrix.json").read_bytes())
    return next(verdict for claim, verdict in verdicts(folder) if word in claim.says)


NOISY = [0.0, 9.0, 1.0, 8.0, 2.0]
HIGH, LOW = [5.0, 5.1, 5.2, 5.1, 5.0], [1.0, 1.1, 1.0, 1.2, 1.1]


def test_a_verdict_on_utility_needs_every_task_and_falls_with_one(tmp_path):
    high = units("a", local=LOW, **{"ipfl/ipfl": HIGH})
    assert judged(tmp_path, high, "highest economic").word == PARTLY
    eleven = [{**unit, "task": f"t{k}"} for k in range(11) for unit in high]
    assert judged(tmp_path, eleven, "highest economic").word == HOLDS
    noisy = [*eleven, *units("noisy", local=NOISY, **{"ipfl/ipfl": HIGH})]
    assert judged(tmp_path, noisy, "highest economic").word == NOISE
    behind = judged(tmp_path, [*eleven, *units("low", local=HIGH, **{"ipfl/ipfl": LOW})], "highest economic")
    assert behind.word == NOT
    assert "local on low by 4 money a round" in behind.evidence
    one = judged(tmp_path, [unit for unit in high if unit["seed"] == 0], "highest economic")
    assert one.word == NOISE
    assert "Not decided: a (1 seed)." in one.evidence
    two = [unit for unit in units("a", local=HIGH, **{"ipfl/ipfl": [0.0, 0.1001]}) if unit["seed"] < 2]
    assert judged(tmp_path, two, "highest economic").word == NOISE  # however close two seeds are
    flat = judged(tmp_path, units("a", local=[0.0] * 5, **{"ipfl/ipfl": [2.0] * 5}), "highest economic")
    assert "On a the figure is the same under every seed" in flat.evidence


def test_accuracies_count_only_where_something_is_learnt_by_the_papers_model(tmp_path):
    found = [*units("a", local=LOW, **{"ipfl/ipfl": HIGH}), *units("b", local=LOW, **{"ipfl/ipfl": HIGH})]
    rule = {"network": "cnn", "base": ""}
    told = {"units": found, "tasks": {"a": rule, "b": rule}, "one_answer": {"a": {"0": 0.5}, "b": {"0": 0.88}}}
    one = judged(tmp_path, found, "comparable", told)
    assert one.word == PARTLY
    assert "Seen on 1 of 1 task run (a)" in one.evidence
    assert "Not counted: b (little is learnt: 90.0% by the best method, 88.0% by always one answer)." in one.evidence
    assert "Seen on 2 of 2 tasks" in judged(tmp_path, found, "highest economic", told).evidence
    tiny = told | {"tasks": {"a": {"network": "lora", "base": ""}, "b": rule}}
    assert judged(tmp_path, found, "comparable", tiny).word == MISSING
    assert "Not counted: a (a tiny random model" in judged(tmp_path, found, "highest economic", tiny).evidence


def test_comparable_is_a_point_behind_and_more_is_not(tmp_path):
    def of(shift):
        other = [{**unit, "method": "local", "accuracy_best": unit["accuracy_best"] + shift + 1e-4 * (unit["seed"] % 2)}
                 for unit in units("a", **{"ipfl/ipfl": HIGH})]  # fmt: skip
        return judged(tmp_path, [*units("a", **{"ipfl/ipfl": HIGH}), *other], "comparable")

    assert of(0.009).word == PARTLY
    assert of(0.010).word == NOISE
    behind = of(0.012)
    assert behind.word == NOT
    assert "local on a by 1.2 points" in behind.evidence


def test_who_loses_once_refutes_that_nobody_loses_in_training(tmp_path):
    assert judged(tmp_path, units("a", **{"ipfl/ipfl": HIGH}), "in training nobody loses").word == PARTLY
    lost = judged(tmp_path, units("a", **{"ipfl/ipfl": [*HIGH[:4], -0.5]}), "in training nobody loses")
    assert lost.word == NOT
    assert "Somebody loses on a" in lost.evidence


def test_where_a_record_is_missing_it_says_so(tmp_path):
    (tmp_path / "matrix.json").write_bytes((RESULTS / "matrix.json").read_bytes())
    told = {claim.says: verdict for claim, verdict in verdicts(tmp_path)}
    said = {says[:38]: verdict.evidence for says, verdict in told.items()}
    assert (
        "reporting cost 0 takes its utility from 0 to" in said["Truthfulness, cost: in theory nobody g"]
    )  # the market that refutes it
    assert "data that is there as reported" in said["Individual rationality: in theory nobo"]
    found = {says: verdict.word for says, verdict in told.items()}
    assert len(found) == len(CLAIMS)
    theory = [word for says, word in found.items() if "ruthfulness, " in says or "in theory" in says]
    assert set(theory) == {HOLDS, NOT}
    assert list(found.values()).count(MISSING) >= 8
    assert set(found.values()) <= {HOLDS, NOT, MISSING, UNTESTED}


def test_of_a_law_that_fits_the_interval_is_one_of_correlations():
    row = {"method": ["ipfl/ipfl"] * 3, "task": ["digits-niid"] * 3, "law_correlation": [0.9, 0.2, 0.99]}
    word, said = gain_law({"by_seed": [row, row | {"task": ["even"], "law_correlation": [None] * 3}]})
    z = [math.atanh(r) for r in row["law_correlation"]]
    low, high = stats.t.interval(0.95, 2, np.mean(z), stats.sem(z))
    assert word == NOISE
    assert f"digits-niid {math.tanh(np.mean(z)):.3g} ({math.tanh(low):.3g} to {math.tanh(high):.3g}, within" in said
    assert "none on even" in said
    assert gain_law({"by_seed": [row | {"law_correlation": [1.0, 1.0, 1.0]}]})[0] == HOLDS


def test_a_role_that_gains_nothing_under_one_seed_does_not_gain():
    row = {"method": ["ipfl/ipfl"] * 2, "population": ["inclusive"] * 2, "role": ["seller"] * 2}
    assert roles({"by_seed": [row | {"utility": [1.0, 2.0], "utility_lowest": [0.0, 0.5]}]})[0] == HOLDS
    assert roles({"by_seed": [row | {"utility": [0.0, 2.0], "utility_lowest": [0.0, 0.5]}]})[0] == NOT


def test_of_lies_it_is_said_how_many_rounds_of_how_many_liars():
    row = {"method": "ipfl/ipfl", "lie": "size", "factor": 2, "liars": 3, "share_paying": 0.4, "gain_best": 5.0}
    assert lies({"rounds": 10, "rows": [row]}) == (
        NOT,
        "2 times one's size paid in 40% of 30 rounds of 3 liars, at most 5",
    )


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.says[:40])
def test_each_claim_says_what_would_change_the_verdict(claim):
    assert claim.source in ("abstract", "paper.md")
    assert len(claim.changes) > 10


def recorded():
    """A record of study robustness: two populations, three seeds."""
    figures = {"accuracy_without": 0.9, "accuracy_with": 0.8, "utility_honest": 1.0, "utility_others": 4.0,
               "utility_others_if_honest": 1.5, "utility_more": 3.0}  # fmt: skip
    row = {key: [value + 0.01 * seed for seed in range(3)] for key, value in figures.items()}
    rows = [
        {"method": ["ipfl/ipfl"] * 3, "population": [name] * 3, "seeds_earning_less": [False] * 3, **row, **more}
        for name, more in (("benign", {"apart": True}), ("attackers-flip", {}))
    ]
    made = {"command": "marketproof study robustness", "commit": "abc", "machine": "a machine", "minutes": 2.5}
    head = {"study": "robustness", "title": "Attackers", "task": "digits-niid", "scale": "smoke", "seeds": [0, 1, 2]}
    return {**head, "rows": [], "by_seed": rows, "made": made}


def test_a_study_has_its_page_figures_and_tables_from_its_record_alone(tmp_path):
    told = recorded()
    (tmp_path / "robust.json").write_bytes(compact(told))
    (tmp_path / "matrix.json").write_bytes((RESULTS / "matrix.json").read_bytes())
    assert json.loads((tmp_path / "robust.json").read_text()) == told
    files = pages(tmp_path)
    text = files["robust.md"].decode()
    assert text.startswith("# Attackers: digits-niid, smoke, seeds 0 to 2\n\nMade by `marketproof study robustness`")
    assert "attackers and free-riders earn MORE than honest clients in attackers-flip." in text
    pictures = re.findall(r"\]\((\S+\.svg)\)", text)
    assert set(pictures) == {"robust-accuracy.svg", "robust-earnings.svg"}
    assert all(files[name].startswith(b"<svg") for name in pictures)
    assert files["robust.csv"].count(b"\n") == 2
    assert b"utility_others,utility_others_std" in files["robust.csv"]
    assert pages(tmp_path) == files
    earned = next(verdict for claim, verdict in verdicts(tmp_path) if claim.says.startswith("Attackers"))
    assert earned.word == NOT
    assert "honest clients do, a round: attackers-flip +3 (3 to 3)" in earned.evidence
    for row in told["by_seed"]:
        row["utility_others"] = [0.9, 1.2, 0.95]
    (tmp_path / "robust.json").write_bytes(compact(told))
    earned = next(verdict for claim, verdict in verdicts(tmp_path) if claim.says.startswith("Attackers"))
    assert earned.word == NOISE
