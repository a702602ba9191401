"""The packaged record of the proofs in Coq, and which cells of the catalogue its theorems are about."""

import tomllib
from pathlib import Path

import pytest

from mechanism.catalogue import CATALOGUE
from mechanism.entry import PROPERTIES
from proofs_checks.proofs.kernel_record import CELLS, kernel_refutation, kernel_theorem, record

ROOT = Path(__file__).parents[3]
NAMES = {theorem["name"]: theorem for theorem in record()["theorems"]}


def test_a_wheel_holds_the_record_and_the_sources():
    data = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]["proofs_checks"]
    package = ROOT / "proofs_checks"
    held = {path.relative_to(package).as_posix() for pattern in data for path in package.glob(pattern)}
    assert {"kernel/record.json", "kernel/check.py"} <= held
    assert {f"kernel/{source}" for source in record()["sources"]} <= held


@pytest.mark.parametrize("cell", CELLS, ids=" ".join)
def test_a_cell_is_a_theorem_that_the_record_holds_and_the_catalogue_calls_true(cell):
    mechanism, prop = cell
    assert prop in PROPERTIES
    entry = CATALOGUE[mechanism]
    assert str(entry.truths[prop]).startswith("yes")
    theorem = kernel_theorem(*cell)
    assert theorem is not None
    assert (theorem.checked, theorem.coq) == ("recorded", NAMES[theorem.name]["statement"])


def test_a_theorem_on_falling_increments_is_not_said_of_every_law():
    """What the statement asks of the law and of the data is what the reader is told."""
    for cell in CELLS:
        theorem = kernel_theorem(*cell)
        if "falling E" in theorem.coq or "rising E" in theorem.coq:
            assert theorem.law == "concave", cell
        if "sqrt_market" in theorem.coq:
            assert theorem.law == "square root", cell
        if any(word in theorem.coq for word in ("as_reported", " ir E", "ir_buyer E", "dsic_gain E (p")):
            assert theorem.delivered or cell[0].endswith("-effective"), cell  # measured: nothing to deliver


def test_refutations_are_not_proofs():
    assert kernel_theorem("ipfl", "dsic-cost") is None
    assert kernel_refutation("ipfl", "dsic-cost") == "ipfl_cost_refuted"
    assert kernel_refutation("ipfl-exact", "dsic-cost") is None
    assert not {cell for cell in CELLS if kernel_refutation(*cell)}
