"""The matrix in the docs: complete, in agreement with theory, and every witness in it replays."""

import json
from pathlib import Path

import pytest

from analysis.findings.rules.verdicts import as_matrix, draw_matrix
from mechanism.catalogue import CATALOGUE, direct_mechanism
from proofs_checks import Witness, replay
from proofs_checks.evidence.matrix import row
from proofs_checks.properties.registry import PROPERTY
from proofs_checks.search.shrinking import longest

PATH = Path(__file__).resolve().parents[2] / "docs" / "results" / "matrix.json"
TOLD = json.loads(PATH.read_text())
CELLS = {(cell["mechanism"], cell["property"]): cell for cell in TOLD["cells"]}

TABLE = ("ir", "dsic-cost", "dsic-gain", "dsic-size", "budget-balance", "efficiency")
"""The columns of the table in theory.md."""

MARKETS = (
    "ipfl", "exact-marginal", "ipfl-exact", "posted-price", "pooled-price", "vcg-two-sided", "shapley-split",
    "realised", "no-payment",
)  # fmt: skip


def test_the_matrix_is_complete_and_agrees() -> None:
    assert set(TOLD["mechanisms"]) == set(CATALOGUE)
    for name in CATALOGUE:
        mechanism = direct_mechanism(name)
        applying = {p.id for p in PROPERTY.values() if p.missing(mechanism) is None}
        assert {p for m, p in CELLS if m == name} == applying
    assert TOLD["disagreements"] == []
    for (name, prop), cell in CELLS.items():
        assert cell["truth"] == CATALOGUE[name].truths.get(prop)
        assert cell["agrees"] in (True, None)


@pytest.mark.parametrize("name", list(CATALOGUE))
def test_every_witness_replays(name: str) -> None:
    for (mechanism, prop), cell in CELLS.items():
        if mechanism != name or cell["witness"] is None:
            continue
        witness = Witness.from_dict(cell["witness"])
        assert witness.mechanism == name, prop  # so that anybody can replay it who has but the file
        replayed = replay(witness, None)
        assert replayed.reproduces, (prop, replayed.difference)


@pytest.mark.parametrize("name", MARKETS)
def test_false_cells_of_the_table_have_small_witnesses(name: str) -> None:
    for prop in TABLE:
        cell = CELLS[name, prop]
        if cell["holds"] is False:
            witness = Witness.from_dict(cell["witness"])
            assert witness.agents <= 3, prop
            assert longest(witness.case) <= 3, prop


def test_what_the_issue_wants_proved_is_proved() -> None:
    wanted = [(name, "ir") for name in ("ipfl", "exact-marginal", "ipfl-exact")]
    wanted += [("ipfl-exact", prop) for prop in ("dsic-cost", "efficiency", "budget-balance")]
    assert {CELLS[cell]["grade"] for cell in wanted} == {"proved"}


def test_one_row_is_made_again_as_it_stands() -> None:
    for cell in row("first-price", seconds=0.3):
        stored = CELLS["first-price", cell.verdict.property]
        assert (cell.verdict.holds, str(cell.verdict.grade)) == (stored["holds"], stored["grade"])


def test_the_picture_marks_every_cell_and_frames_what_disagrees() -> None:
    matrix = as_matrix(TOLD["cells"])
    assert sum(len(grades) for grades in matrix.grades.values()) == len(TOLD["cells"])
    cells = [dict(cell, agrees=cell["property"] != "dsic") for cell in TOLD["cells"] if cell["mechanism"] == "agv"]
    axes = draw_matrix(as_matrix(cells))
    framed = [p for p in axes.patches if p.get_facecolor()[3] == 0.0]
    assert len(framed) == 1
    assert len(axes.patches) == len(cells) + 1
