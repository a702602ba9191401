"""Certificates: what is proved, and that no changed one proves anything else."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from proofs_checks.proofs import THEOREMS, Certificate, CertificateError, check, prove
from proofs_checks.proofs.certificate import KINDS, kind_of
from proofs_checks.proofs.proving import trade_certificate
from tests.checks import refused
from tests.proofs_checks.changes import at, changed, places, variants

ASKED = (
    "ipfl ir, ipfl ir-buyer, ipfl ir-seller, ipfl budget-balance, exact-marginal ir, exact-marginal ir-buyer, "
    "exact-marginal ir-seller, exact-marginal budget-balance, exact-marginal efficiency, ipfl-exact ir, "
    "ipfl-exact ir-buyer, ipfl-exact ir-seller, ipfl-exact dsic-cost, ipfl-exact efficiency, "
    "ipfl-exact budget-balance, posted-price ir, posted-price dsic-cost, posted-price dsic-gain, "
    "posted-price budget-balance, second-price dsic, second-price ir, second-price-reserve dsic, "
    "second-price-reserve ir, vcg-positions dsic, vcg-combinatorial dsic, clarke-public-good dsic, myerson dsic"
)


def samples():
    """One certificate of each kind of proof."""
    return {
        "kernel": prove("ipfl-exact", "dsic-cost"),
        "impossible": trade_certificate([1, 5], [0, 4]),
        "possible": trade_certificate([1, 3], [0, 2], rationality="ex-post", balance="ex-post"),
    }


SAMPLES = samples()


@pytest.mark.parametrize("asked", ASKED.split(", "))
def test_promised_theorems_are_proved_and_survive_json(asked):
    certificate = prove(*asked.split())
    assert certificate is not None
    assert check(certificate) == []
    assert Certificate.from_json(certificate.to_json()) == certificate


@pytest.mark.parametrize(
    "asked",
    ["ipfl dsic-cost", "exact-marginal dsic-cost", "ipfl efficiency", "ipfl-exact dsic-gain", "no-payment ir",
     "first-price dsic", "gsp dsic", "clarke-public-good ir", "posted-price efficiency", "ipfl nonsense"],
)  # fmt: skip
def test_what_is_false_or_unknown_has_no_certificate(asked):
    assert prove(*asked.split()) is None


def test_every_kind_of_part_is_among_the_samples():
    assert {kind_of(part) for c in SAMPLES.values() for part in c.parts} == set(KINDS)


@pytest.mark.parametrize("name", SAMPLES)
@settings(max_examples=250, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_changed_certificate_is_refused_or_proves_the_same_statement(name, data):
    """The same statement: every field but the proof itself is equal (`Certificate.claim`)."""
    original = SAMPLES[name]
    table = json.loads(original.to_json())
    path = data.draw(st.sampled_from(list(places(table))))
    altered = changed(table, path, data.draw(st.sampled_from(variants(at(table, path)))))
    try:
        certificate = Certificate.from_json(json.dumps(altered))
    except CertificateError:
        return
    if not check(certificate):
        assert certificate.claim == original.claim


@pytest.mark.parametrize("name", SAMPLES)
def test_no_single_change_of_the_words_is_accepted(name):
    original = SAMPLES[name]
    for field in ("mechanism", "property", "statement", "formula", "scope"):
        table = {**original.to_dict(), field: getattr(original, field) + " and more"}
        assert check(Certificate.from_json(table))
    assert check(Certificate.from_json({**original.to_dict(), "assumptions": [*original.assumptions, "x"]}))


def test_a_proof_of_one_mechanism_is_none_of_another():
    swapped = {**prove("ipfl", "ir").to_dict(), "mechanism": "exact-marginal"}
    assert check(Certificate.from_json(swapped))


def test_every_theorem_has_a_proof_that_is_checked():
    for mechanism, prop in THEOREMS:
        assert check(prove(mechanism, prop)) == []


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{", "nul", '{"a": 1, "a": 2}', "1e400", "NaN", "[" * 100_000, '{"format": 1.5}', b"\xff\xfe",
     '{"format": ' + "9" * 5000 + "}"],
)  # fmt: skip
def test_hostile_texts_are_refused_in_one_line(text):
    with refused(CertificateError) as caught:
        Certificate.from_json(text)
    assert len(str(caught.value)) < 400
