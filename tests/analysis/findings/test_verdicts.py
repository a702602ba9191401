"""The packaged verdicts are those of the matrix in the docs, and none is shown that cannot be redone."""

import json
from pathlib import Path

import pytest

from analysis.findings.rules import verdicts
from analysis.findings.rules.verdicts import VERDICTS
from mechanism.catalogue import MARKET_ENTRIES

MATRIX = json.loads((Path(__file__).resolve().parents[3] / "docs" / "results" / "matrix.json").read_text())


@pytest.fixture(autouse=True)
def _fresh():
    yield
    verdicts.packaged.cache_clear()
    verdicts.verdicts.cache_clear()


def test_the_packaged_verdicts_are_those_of_the_matrix():
    """Made anew by: python -m analysis.findings.rules.verdicts docs/results/matrix.json."""
    assert list(verdicts.packaged()) == verdicts.compact(MATRIX, MARKET_ENTRIES)["cells"]
    assert {cell["mechanism"] for cell in verdicts.packaged()} == set(MARKET_ENTRIES)


@pytest.mark.parametrize("rule", ["ipfl", "ipfl-exact", "exact-marginal", "posted-price"])
def test_certificates_and_witnesses_are_redone(rule):
    found = verdicts.verdicts(rule)
    assert len(found) > 15
    for verdict in found:
        assert verdict.redone == (verdict.grade in ("proved", "refuted")), verdict
        assert verdict.words
    grades = {v.property: v.grade for v in found}
    assert grades["ir"] == "proved"
    assert grades["dsic-cost"] == {"ipfl-exact": "proved", "posted-price": "proved"}.get(rule, "refuted")


def test_what_cannot_be_redone_becomes_unknown(monkeypatch):
    cells = [dict(c) for c in verdicts.packaged() if c["mechanism"] == "ipfl"]
    proved = next(c for c in cells if c["grade"] == "proved")
    refuted = next(c for c in cells if c["grade"] == "refuted")
    forged = proved | {"property": "dsic-cost", "of": "dsic-cost"}  # nobody can prove this of ipfl
    witness = json.loads(json.dumps(refuted["witness"]))
    witness["violation"] = float(witness["violation"]) + 1.0
    monkeypatch.setattr(verdicts, "packaged", lambda: (forged, refuted | {"witness": witness}))
    verdicts.verdicts.cache_clear()
    assert [(v.grade, v.holds, v.redone) for v in verdicts.verdicts("ipfl")] == [("unknown", None, False)] * 2


def test_a_rule_of_somebody_else_and_a_missing_file_have_no_verdicts(monkeypatch, tmp_path):
    assert verdicts.verdicts("nobody-s-rule") == ()
    monkeypatch.setattr(verdicts, "PACKAGED", tmp_path / "none.json")
    verdicts.packaged.cache_clear()
    verdicts.verdicts.cache_clear()
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
