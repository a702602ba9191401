"""What is found of every claim: whether it agrees with its source, how sure that is, and that witnesses replay."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from mechanism import UnknownNameError
from mechanism.errors import InvalidMechanismError
from mechanism.market.direct import MarketDirect
from mechanism.market.mechanisms import market_mechanism
from proofs_checks.claims import CLAIMS, Claim, ClaimResult, ClaimVerdict, Context, run_claims
from proofs_checks.claims.claim import COMPUTED
from proofs_checks.evidence.verdict import Grade
from proofs_checks.evidence.witness import FORMAT, Witness, replay
from proofs_checks.proofs import Certificate, check
from proofs_checks.properties.registry import PROPERTY

CORRECTS = {
    "paper-truthful-cost", "paper-truthful-gain", "paper-truthful-size",
    "rule-cost-share", "rule-optimal-share", "rule-ratio", "rule-skip-ratio",
    "no-split-ipfl", "no-split-exact-marginal",
    "table-posted-price-dsic-gain", "table-pooled-price-dsic-gain", "table-vcg-two-sided-dsic-gain",
    "gain-needs-sizes-posted-price", "gain-needs-sizes-pooled-price", "gain-needs-sizes-vcg-two-sided",
}  # fmt: skip
OPEN = {"paper-utility", "paper-accuracy", "rule-real-ratio", "rule-fsolve", "trade-continuous"}

PROVED = {
    "paper-ir", "paper-payments", "rule-ir-seller", "rule-ir-buyer", "rule-marginals",
    "repair-truthful", "repair-ir-seller", "repair-ir-buyer", "repair-budget", "repair-efficient", "repair-any-gain",
    "trade-15-04", "trade-15-04-money", "trade-13-02-bic", "trade-13-02-dsic", "trade-14-03", "trade-135-024",
    "table-ipfl-ir", "table-exact-marginal-ir", "table-ipfl-exact-ir", "table-ipfl-exact-dsic-cost",
    "table-ipfl-exact-efficiency", "table-ipfl-exact-budget-balance", "table-posted-price-dsic-gain-sizes",
}  # fmt: skip


@pytest.mark.parametrize("name", CLAIMS)
def test_each_claim_agrees_with_its_source_or_is_known_to_correct_it(results, name):
    result = results[name]
    expected = "corrects" if name in CORRECTS else "open" if name in OPEN else "agrees"
    assert result.agrees == expected, result.verdict.words
    assert result.verdict.words
    assert result.claim.statement.endswith(".")


@pytest.mark.parametrize("name", sorted(PROVED))
def test_what_is_proved_is_proved(results, name):
    assert results[name].verdict.grade == Grade.PROVED


def test_certificates_are_checked_again_from_their_json(results):
    told = [r.verdict.evidence["certificate"] for r in results.values() if "certificate" in r.verdict.evidence]
    assert len(told) > 20
    for certificate in told:
        assert check(Certificate.from_json(json.dumps(certificate))) == []


def test_a_promise_that_fails_has_a_witness_and_only_that_is_called_refuted(results):
    for result in results.values():
        failed = result.verdict.holds is False and result.verdict.grade != Grade.PROVED
        assert (result.verdict.grade == Grade.REFUTED) == failed, result.claim.id
        if failed:
            assert result.verdict.witness, result.claim.id


def test_every_witness_of_the_engine_replays(results):
    count = 0
    for result in results.values():
        told = result.verdict.witness
        if told is None or told.get("format") != FORMAT or told["mechanism"] == "posted-price-penalised":
            continue
        witness = Witness.from_dict(json.loads(json.dumps(told)))
        if witness.property == "bic":
            continue
        agents = len(witness.case.types[0])
        inner = market_mechanism(witness.mechanism)
        wide = (1.0, 0.0, 0.0), (20_000.0, 20.0, 100_000.0)
        direct = MarketDirect(inner, agents, *wide, largest_penalty=2.0)
        again = replay(witness, direct)
        assert again.reproduces, (result.claim.id, again.difference)
        count += 1
    assert count > 60


def test_a_search_without_a_find_never_corrects_a_source():
    claim = Claim("x", "theory", "x.", False, lambda context: None)  # type: ignore[arg-type, return-value]
    found = ClaimVerdict(True, Grade.SEARCHED, {}, None, "nothing found")
    assert ClaimResult(claim, found, 0.0).agrees == "open"
    assert ClaimResult(claim, replace(found, grade=Grade.PROVED), 0.0).agrees == "corrects"
    assert ClaimResult(replace(claim, expected=True), found, 0.0).agrees == "agrees"
    assert ClaimResult(replace(claim, expected=True), replace(found, holds=False), 0.0).agrees == "corrects"


def test_results_are_json_and_the_same_for_the_same_seed():
    names = ["rule-cost", "prefix-price", "pooled-inside", "trade-15-04"]
    first, second = (
        [{**r.to_dict(), "seconds": 0.0} for r in run_claims(names, budget=600.0, seed=3, probes=3)] for _ in range(2)
    )
    assert first == second
    assert json.loads(json.dumps(first, allow_nan=False)) == first


def test_an_unknown_claim_is_named_with_its_neighbours():
    with pytest.raises(UnknownNameError, match=r"unknown claim 'rule-costs'; known: rule-cost"):
        run_claims(["rule-costs"])
    with pytest.raises(InvalidMechanismError, match=r"budget is 0\.0; expected seconds > 0"):
        run_claims(["rule-cost"], budget=0.0)


def test_progress_is_told_claim_by_claim():
    seen: list[tuple[str, int, int]] = []
    run_claims(["pooled-k", "posted-price-one"], progress=lambda *told: seen.append(told))
    assert seen == [("pooled-k", 0, 2), ("posted-price-one", 1, 2)]


def test_every_property_of_the_table_is_one_of_the_engines():
    from proofs_checks.claims.theory_table import COLUMNS, TABLE

    assert set(COLUMNS) <= set(PROPERTY)
    assert all(len(row.split()) == len(COLUMNS) for row in TABLE.values())
    assert np.array([row.split() for row in TABLE.values()]).shape == (8, 6)
    assert Context(2.0).part(0.5).seconds == 1.0


def test_a_grade_says_no_more_than_was_done(results):
    """One market is computed; what was searched names how many clients and which bounds; roots are exact."""
    assert {str(r.verdict.grade) for r in results.values()} == {"proved", "searched", "computed", "refuted", "unknown"}
    for name, result in results.items():
        verdict, evidence = result.verdict, result.verdict.evidence
        if verdict.grade == COMPUTED:
            assert "computed" in verdict.words or evidence["method"].startswith(("every row", "100 markets")), name
            assert "confidence" not in verdict.words
        if verdict.grade == Grade.SEARCHED and evidence["method"] != "several":
            assert "clients" in verdict.words or "agents, private " in verdict.words or "by_distribution" in evidence, (
                name
            )
        if "formula" in evidence:
            assert verdict.words.startswith("proved of the formula by Coq's kernel"), name
            assert re.search(r"(tested on|agrees with the formula on) \d+ profiles", json.dumps(evidence["code"])), name
    for name in ("paper-ir", "paper-truthful-cost", "paper-payments", "rule-cost-example"):
        claim = results[name].claim
        assert "exact roots" in claim.statement + claim.source
