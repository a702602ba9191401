"""What is shipped as proved is what was checked: no source admits anything, and the record is of these sources."""

import json
import os
import shutil
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture
def record(kernel: ModuleType) -> dict:
    return json.loads(kernel.RECORD.read_text())


def test_nothing_is_admitted_or_postulated(kernel):
    assert kernel.forbidden() == []


def test_the_search_for_admitted_lines_finds_them(kernel, tmp_path: Path):
    (tmp_path / "A.v").write_text(
        "(* Axiom in a comment *)\nLemma a : True.\nAdmitted.\n(* two\nlines *) Axiom b : False.\nProof. admit. Qed.\n"
    )
    assert [line.split(":")[1] for line in kernel.forbidden(tmp_path)] == ["3", "5", "6"]


def test_the_record_is_of_these_sources(kernel, record):
    assert record["sources"] == kernel.hashes(), "run make kernel: a source changed since the proofs were recorded"
    assert record["coqchk"] is True


def test_the_record_holds_every_claim_of_the_audit_as_it_stands_there(kernel, record):
    recorded = [{key: text for key, text in claim.items() if key != "assumptions"} for claim in record["theorems"]]
    assert recorded == kernel.claims()


def test_claims_rest_on_the_reals_of_the_standard_library_at_most(kernel, record):
    for claim in record["theorems"]:
        allowed = set(kernel.ALLOWED)
        if "power_market" not in claim["statement"]:
            allowed.discard("Classical_Prop.classic")  # the logarithm's
        if "reals" not in claim["statement"] and "sqrt" not in claim["statement"]:
            allowed.clear()
        assert set(claim["assumptions"]) <= allowed, claim["name"]


def test_the_page_tabulates_the_record(kernel, record):
    page = kernel.PAGE.read_text()
    assert page[page.index(kernel.TABLE) + len(kernel.TABLE) :] == kernel.table(record)


def test_no_compiled_file_lies_among_the_sources(kernel):
    compiled = [path for end in ("vo", "vos", "vok", "glob", "aux") for path in kernel.HERE.rglob(f"*.{end}")]
    assert compiled == []


@pytest.mark.slow
def test_the_proofs_check(kernel, record, tmp_path):
    if not shutil.which("coqc"):
        assert not os.environ.get("CI"), "Coq is missing on CI"
        pytest.skip("Coq is not installed: apt-get install --no-install-recommends coq")
    again = kernel.check(kernel.copy(tmp_path), chk=False)
    assert again["theorems"] == record["theorems"]
