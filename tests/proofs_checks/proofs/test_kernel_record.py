"""The packaged record of the proofs in Coq, and which cells of the catalogue its theorems are about."""

import tomllib
from pathlib import Path

import pytest

from mechanism.catalogue import CATALOGUE
from mechanism.entry import PROPERTIES
from proofs_checks.claims.theory_table import COLUMNS, EX_POST, TABLE
from proofs_checks.proofs.kernel_record import CELLS, kernel_refutations, kernel_theorem, record
from proofs_checks.properties.registry import PROPERTY, premises

ROOT = Path(__file__).parents[3]
REFUTED = kernel_refutations()
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
        if any(
            word in theorem.coq
            for word in ("as_reported", " ir E", "ir_buyer E", "dsic_gain E (p", "dsic_gain E (clocked")
        ):
            assert theorem.delivered or cell[0].endswith("-effective"), cell  # measured: nothing to deliver


def test_refutations_are_not_proofs():
    assert kernel_theorem("ipfl", "dsic-cost") is None
    assert REFUTED["ipfl", "dsic-cost"] == "ipfl_cost_refuted"
    assert not set(CELLS) & set(REFUTED)


def test_the_catalogue_says_nothing_that_the_kernel_contradicts():
    """Where a property is refuted, so is all that it follows from: the catalogue calls none of it true."""
    for (mechanism, prop), name in REFUTED.items():
        entry = CATALOGUE.get(mechanism)
        for said in () if entry is None else {prop, *premises(PROPERTY[prop])} & set(entry.truths):
            assert not str(entry.truths[said]).startswith("yes"), (mechanism, said, name)


EFFECTIVE = {
    "ipfl-exact-effective": "dsic-cost ir budget-balance efficiency",
    "pooled-price-effective": "dsic dsic-cost dsic-gain dsic-size ir budget-balance",
    "clock-price-effective": "dsic dsic-cost dsic-gain dsic-size ir budget-balance",
}
"""What theory.md's last section says of effective data, and docs/effective.md of the clock."""


def test_every_yes_of_the_theory_is_a_theorem_and_every_no_a_refutation():
    table = {(name, prop): says for name, row in TABLE.items() for prop, says in zip(COLUMNS, row.split(), strict=True)}
    for name, told in EX_POST.items():
        table |= {(name, prop): says for prop, says in (cell.split() for cell in told.split(", "))}
        table |= {(name, "ir"): "yes", (name, "efficiency"): "yes"}
    table |= {(name, prop): "yes" for name, props in EFFECTIVE.items() for prop in props.split()}
    assert {cell for cell, says in table.items() if says == "yes"} <= set(CELLS)
    # the forms of realised fail by what they are: not held to refutations here
    assert {cell for cell, says in table.items() if says == "no" and cell[0] not in EX_POST} <= set(REFUTED)
    assert all(str(CATALOGUE[name].truths["monotonicity"]).startswith("yes") for name in TABLE)
    assert {(name, "monotonicity") for name in TABLE} <= set(CELLS)


def test_what_the_theory_says_besides_the_table_is_recorded():
    """Effective data: no size report moves what a seller earns, the worthless sell nothing; and lone statements."""
    assert {
        "effective_data_measured", "ipfl_exact_seller_size", "ipfl_exact_worthless", "ipfl_exact_below_marginal",
        "ipfl_exact_regret", "ipfl_exact_regret_pivot", "ipfl_exact_seller_gap", "ipfl_prefix_sqrt", "skip_prefix_sqrt",
        "sqrt_law", "marginals_sum", "two_sided_budget", "two_sided_never_surplus", "two_sided_has_deficit",
        "realised_bilateral_sellers", "dominant_is_bayesian", "rational_is_interim", "balance_is_weak",
        "trade_15_04", "trade_135_024", "trade_13_02", "trade_13_02_dominant",
    } <= set(NAMES)  # fmt: skip
