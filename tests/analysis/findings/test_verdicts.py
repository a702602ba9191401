"""The packaged verdicts are those of the matrix in the docs, and each can be redone."""

import json
from pathlib import Path

import pytest

from analysis.findings.provenance import theory_table
from analysis.findings.rules import verdicts
from analysis.findings.rules.verdicts import VERDICTS
from analysis.run.records import read_run
from mechanism.catalogue import EFFECTIVE_ENTRIES, MARKET_ENTRIES, direct_mechanism
from proofs_checks.evidence.witness import Witness, replay
from proofs_checks.proofs import check, prove
from tests.analysis.synthetic import section, write_run

ENTRIES = (*MARKET_ENTRIES, *EFFECTIVE_ENTRIES)

MATRIX = json.loads((Path(__file__).resolve().parents[3] / "docs" / "results" / "matrix.json").read_text())


@pytest.fixture(autouse=True)
def _fresh():
    yield
    verdicts.packaged.cache_clear()


def test_the_packaged_verdicts_are_those_of_the_matrix():
    """Made anew by: python -m analysis.findings.rules.verdicts docs/results/matrix.json."""
    assert list(verdicts.packaged()) == verdicts.compact(MATRIX, ENTRIES)["cells"]
    assert {cell["mechanism"] for cell in verdicts.packaged()} == set(ENTRIES)


@pytest.mark.parametrize("rule", ENTRIES)
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


def recorded(folder, *methods):
    return read_run(write_run(folder, rounds=1, seeds=(0,), methods={m: m.partition("/")[2] or None for m in methods}))


def test_a_market_on_measured_sizes_has_the_verdicts_that_hold_there(tmp_path):
    """Of the rule on sizes as reported they are the contrary: there a false size pays."""
    run = recorded(tmp_path / "run", "local", "ipfl-effective/clock-price")
    found = section(VERDICTS, run)
    grades = {row[0]: row[1:3] for row in found.drawings["verdicts"]().table.rows}
    assert grades["dsic-size"] == ("clock-price-effective", "searched")
    assert {v.grade for v in verdicts.verdicts("clock-price") if v.property == "dsic-size"} == {"refuted"}
    assert "`marketproof verify clock-price-effective`" in found.answer
    table = theory_table(run)
    assert table.columns == ("promise", "clock-price-effective")
    assert next(row[1] for row in table.rows if "of its number of samples" in row[0]) == "yes"
    assert "as reported" not in found.answer + table.caption


def test_a_rule_used_both_ways_shows_both_and_one_known_on_reports_only_says_so(tmp_path):
    on = ("ipfl/ipfl-exact", "ipfl-effective/ipfl-exact", "ipfl-effective/posted-price", "ipfl/clock-price")
    run = recorded(tmp_path / "run", *on)
    table, found = theory_table(run), section(VERDICTS, run)
    known = ("ipfl-exact", "ipfl-exact-effective", "posted-price", "clock-price")
    assert table.columns[1:] == known
    assert tuple(dict.fromkeys(row[1] for row in found.drawings["verdicts"]().table.rows)) == known
    note = (
        "Of posted-price this is known on sizes as reported, not on the measured ones on which "
        "ipfl-effective/posted-price was cleared"
    )
    assert note in table.caption
    assert found.answer.endswith(f"{note}.")


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
