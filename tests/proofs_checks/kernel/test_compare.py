"""The kernel's definitions and `mechanism` agree, and the comparison would see it if they did not."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from proofs_checks.kernel import check, compare
from proofs_checks.kernel.faults import KERNEL_FAULTS, faulty_kernels

SMALL = 20  # markets of each mechanism


@pytest.fixture(scope="module")
def figures() -> dict:
    return json.loads(compare.FIGURES.read_text())


def test_what_is_recorded_is_enough_and_nothing_differs(figures):
    assert list(figures["rules"]) == list(compare.RULES)
    assert sum(part["markets"] for part in figures["rules"].values()) >= 5000
    for part in figures["rules"].values():
        assert min(part["effective"], part["penalties"]) >= part["markets"] / 3
        assert part["imports"] >= part["markets"]
    assert figures["certified"]["clients"] == [20, 50]
    assert set(figures["faulty"]) == set(KERNEL_FAULTS)
    assert compare.amiss(figures) == []


def test_the_page_says_what_is_recorded(figures):
    page = " ".join(check.PAGE.read_text().split())
    total = sum(part["markets"] for part in figures["rules"].values())
    effective = sum(part["effective"] for part in figures["rules"].values())
    assert f"{total:,} rational markets of 2 to 5 clients, {effective:,} of them with effective sizes" in page
    assert f"{figures['certified']['markets']} markets of 20 to 50 clients" in page
    assert f"{len(figures['faulty'])} faults planted" in page


@pytest.mark.parametrize("name", KERNEL_FAULTS)
def test_a_planted_fault_is_in_the_kernels_and_changes_answers(name):
    rule, right, wrong = KERNEL_FAULTS[name]
    with faulty_kernels(right, wrong):
        rng = np.random.default_rng(0)
        bent = [compare.draw(rule, rng) for _ in range(100)]
    rng = np.random.default_rng(0)
    # the faults end with the block: these are drawn with the kernels as they are
    sound = [compare.draw(rule, rng) for _ in range(100)]
    assert any(
        not np.array_equal(a.imports, b.imports) or not np.allclose(a.utility, b.utility, rtol=0.0, atol=1e-9)
        for a, b in zip(sound, bent, strict=True)
    )


def test_a_few_markets_of_each_mechanism_agree_and_bent_answers_do_not(tmp_path: Path):
    if not shutil.which("coqc"):
        assert not os.environ.get("CI"), "Coq is missing on CI"
        pytest.skip("Coq is not installed: apt-get install --no-install-recommends coq")
    agrees = compare.program(tmp_path)
    rng = np.random.default_rng(1)
    for rule in compare.RULES:
        cases = [compare.draw(rule, rng) for _ in range(SMALL)]
        assert compare.disagreeing(agrees, cases) == [], rule
    for rule, bend in compare.FAULTS.values():
        assert compare.disagreeing(agrees, [bend(compare.draw(rule, rng)) for _ in range(SMALL)])
    large = [compare.draw("ipfl-exact", rng, 20)]
    assert compare.disagreeing(agrees, large, [compare.certificate(case) for case in large]) == []
