"""What is shipped as proved is what was checked: no source admits anything, and the record is of these sources."""

import json
import os
import shutil
from pathlib import Path

import pytest

from proofs_checks.kernel import check


@pytest.fixture
def record() -> dict:
    return json.loads(check.RECORD.read_text())


def test_nothing_is_admitted_or_postulated():
    assert check.forbidden() == []


def test_the_search_for_admitted_lines_finds_them(tmp_path: Path):
    (tmp_path / "A.v").write_text(
        "(* Axiom in a comment *)\nLemma a : True.\nAdmitted.\n(* two\nlines *) Axiom b : False.\nProof. admit. Qed.\n"
    )
    assert [line.split(":")[1] for line in check.forbidden(tmp_path)] == ["3", "5", "6"]


def test_the_record_is_of_these_sources(record):
    assert record["sources"] == check.hashes(), "run make kernel: a source changed since the proofs were recorded"
    assert record["coqchk"] is True


def test_the_record_holds_every_claim_of_the_audit_as_it_stands_there(record):
    recorded = [{key: text for key, text in claim.items() if key != "assumptions"} for claim in record["theorems"]]
    assert recorded == check.claims()


def test_claims_rest_on_the_reals_of_the_standard_library_at_most(record):
    for claim in record["theorems"]:
        allowed = set(check.ALLOWED)
        if "power_market" not in claim["statement"]:
            allowed.discard("Classical_Prop.classic")  # the logarithm's
        if "reals" not in claim["statement"] and "sqrt" not in claim["statement"]:
            allowed.clear()
        assert set(claim["assumptions"]) <= allowed, claim["name"]


def test_the_page_tabulates_the_record(record):
    page = check.PAGE.read_text()
    assert page[page.index(check.TABLE) + len(check.TABLE) :] == check.table(record)


def test_no_compiled_file_lies_among_the_sources():
    compiled = [path for end in ("vo", "vos", "vok", "glob", "aux") for path in check.HERE.rglob(f"*.{end}")]
    assert compiled == []


@pytest.mark.slow
def test_the_proofs_check(record, tmp_path):
    if not shutil.which("coqc"):
        assert not os.environ.get("CI"), "Coq is missing on CI"
        pytest.skip("Coq is not installed: apt-get install --no-install-recommends coq")
    again = check.check(check.copy(tmp_path), chk=False)
    assert again["theorems"] == record["theorems"]
