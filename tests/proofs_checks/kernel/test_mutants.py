"""A rule that is bent breaks the proofs: the theorems are about the rules and not about something else of that name."""

import json
import os
import shutil
from pathlib import Path

import pytest

from proofs_checks.kernel import check, mutants


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    if not shutil.which("coqc"):
        assert not os.environ.get("CI"), "Coq is missing on CI"
        pytest.skip("Coq is not installed: apt-get install --no-install-recommends coq")
    folder = check.copy(tmp_path_factory.mktemp("kernel"))
    check.build(folder)
    return folder


@pytest.mark.parametrize("name", mutants.MUTANTS)
def test_the_rule_is_where_the_mutant_bends_it(name, tmp_path):
    folder = check.copy(tmp_path)
    mutants.bent(folder, name)
    changed = [path for path, digest in check.hashes(folder).items() if check.hashes()[path] != digest]
    assert changed == [mutants.MUTANTS[name][0]]


def test_every_mutant_is_recorded_as_broken_and_the_page_says_how_many():
    found = json.loads(mutants.FOUND.read_text())
    assert set(found) == set(mutants.MUTANTS)
    assert all(found.values())
    assert f"{len(found)} mutants" in check.PAGE.read_text()


@pytest.mark.slow
@pytest.mark.parametrize("name", mutants.MUTANTS)
def test_a_bent_rule_breaks_the_proofs(built, tmp_path, name):
    folder = tmp_path / "kernel"
    shutil.copytree(built, folder)
    mutants.bent(folder, name)
    assert mutants.broken(folder)
