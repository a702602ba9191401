"""The packaged verdicts are those of the matrix in the docs, and each can be redone."""

import json
from pathlib import Path

import pytest

from analysis.findings.rules import verdicts
from analysis.findings.rules.verdicts import VERDICTS
from mechanism.catalogue import MARKET_ENTRIES, direct_mechanism
from proofs_checks.evidence.witness import Witness, replay
from proofs_checks.proofs import check, prove

MATRIX = json.loads((Path(__file__).resolve().parents[3] / "docs" / "results" / "matrix.json").read_text())


@pytest.fixture(autouse=True)
def _fresh():
    yield
    verdicts.packaged.cache_clear()


def test_the_packaged_verdicts_are_those_of_the_matrix():
    """Made anew by: python -m analysis.findings.rules.verdicts docs/results/matrix.json."""
    assert list(verdicts.packaged()) == verdicts.compact(MATRIX, MARKET_ENTRIES)["cells"]
    assert {cell["mechanism"] for cell in verdicts.packaged()} == set(MARKET_ENTRIES)


@pytest.mark.parametrize("rule", MARKET_ENTRIES)
def test_theorems_and_witnesses_hold_here(rule):
    """What the report quotes: nothing proved without a theorem in the record, no witness that does not replay."""
    cells = [cell for cell in verdicts.packaged() if cell["mechanism"] == rule]
    assert len(cells) > 15
    for cell in cells:
        assert cell["words"]
        if cell["grade"] == "proved":
            certificate = prove(rule, cell["of"] or cell["property"])
            assert certificate is not None, cell
            assert not check(certificate), cell
        elif cell["witness"] is not None:
            witness = Witness.from_dict(cell["witness"])
            assert replay(witness, direct_mechanism(rule, witness.built)).reproduces, cell


def test_what_ipfl_promises_is_not_what_its_repairs_promise():
    grades = {rule: {v.property: v.grade for v in verdicts.verdicts(rule)} for rule in MARKET_ENTRIES}
    assert grades["ipfl"]["ir"] == grades["ipfl-exact"]["ir"] == grades["ipfl-exact"]["dsic-cost"] == "proved"
    assert grades["ipfl"]["dsic-cost"] == grades["exact-marginal"]["dsic-cost"] == "refuted"


def test_a_rule_of_somebody_else_and_a_missing_file_have_no_verdicts(monkeypatch, tmp_path):
    assert verdicts.verdicts("nobody-s-rule") == ()
    monkeypatch.setattr(verdicts, "PACKAGED", tmp_path / "none.json")
    verdicts.packaged.cache_clear()
    assert verdicts.verdicts("ipfl") == ()


def test_the_figure_says_in_words_what_it_shows():
    found = verdicts.verdicts("ipfl") + verdicts.verdicts("ipfl-exact")
    drawn = VERDICTS.drawings(None, found)["verdicts"]()
    for verdict in found:
        assert verdict.property in drawn.alt
    assert [row[:3] for row in drawn.table.rows] == [(v.property, v.mechanism, v.grade) for v in found]
    assert sum(len(ax.patches) for ax in drawn.figure.axes) == len(found)
    ticks = [tick.get_text() for ax in drawn.figure.axes for tick in ax.get_yticklabels()]
    assert ticks == list(dict.fromkeys(v.property for v in found))


def test_every_property_is_told_in_words() -> None:
    found = verdicts.verdicts("ipfl-exact")
    table = verdicts.property_table(found)
    assert [row[0] for row in table.rows] == list(dict.fromkeys(v.property for v in found))
    assert all(len(str(row[1])) > 10 for row in table.rows)
