"""A rule that is bent breaks the proofs: the theorems are about the rules and not about something else of that name."""

import os
import shutil
from pathlib import Path

import pytest

MUTANTS = {
    "marginal price in place of the critical value": (
        "market/Exact.v",
        "N := cost r j + top E r i (others E i) - top E r i (without j (others E i)).",
        "N := marginal E r i (sel r i) j - pen E r i j.",
    ),
    "ties that read the importer's own cost": (
        "market/Exact.v",
        "sel_view : forall r r' i, same_view E r r' i ->",
        "sel_view : forall r r' i, same_view E r r' i -> cost r i = cost r' i ->",
    ),
    "penalty subtracted at posted prices": (
        "market/Posted.v",
        "N := value E r i s - sum (p (size r) i) s.",
        "N := value E r i s - sum (p (size r) i) s - sum (pen E r i) s.",
    ),
    "rising thresholds": (
        "market/Threshold.v",
        "StronglySorted (fun a b => before (x r i) a b = true) (ord r i) }.",
        "StronglySorted (fun a b => before (x r i) b a = true) (ord r i) }.",
    ),
    "a pool priced at its own dearest": (
        "market/Pooled.v",
        "match next N (cost r) (suppliers r k) (width k) with\n",
        "match next N (cost r) (suppliers r k) (pred (width k)) with\n",
    ),
    "a certificate's leaf that forgets the undecided": (
        "market/Clearing.v",
        "else if taken_too a j then mu * e j - w j else plus (mu * e j - w j).",
        "else if taken_too a j then mu * e j - w j else 0.",
    ),
    "a certificate's exchange for less data": (
        "market/Clearing.v",
        "bool := leb (e b) (e a) && leb (w a) (w b) &&",
        "bool := leb (e a) (e b) && leb (w a) (w b) &&",
    ),
    "effective data moved by a report": (
        "market/Market.v",
        "(n : nat -> N) (i j : nat) : N := e i j.",
        "(n : nat -> N) (i j : nat) : N := add (e i j) (n j).",
    ),
}


@pytest.fixture(scope="module")
def built(kernel, tmp_path_factory) -> Path:
    if not shutil.which("coqc"):
        assert not os.environ.get("CI"), "Coq is missing on CI"
        pytest.skip("Coq is not installed: apt-get install --no-install-recommends coq")
    folder = kernel.copy(tmp_path_factory.mktemp("kernel"))
    kernel.build(folder)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("name", MUTANTS)
def test_a_bent_rule_breaks_the_proofs(kernel, built, tmp_path, name):
    file, rule, bent = MUTANTS[name]
    folder = tmp_path / "kernel"
    shutil.copytree(built, folder)
    text = (folder / file).read_text()
    assert text.count(rule) == 1, "the rule moved: update the mutant"
    (folder / file).write_text(text.replace(rule, bent))
    with pytest.raises(SystemExit) as stop:
        kernel.build(folder)
    # it is a proof that fails, not the mutant's wording
    assert "Syntax error" not in str(stop.value)
    assert "was not found in the current environment" not in str(stop.value)
