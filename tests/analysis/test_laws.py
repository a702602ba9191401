"""The gain law of a record is the law that its market was cleared with, in the report and in the playground."""

from pathlib import Path

import numpy as np
import pytest

from analysis.findings.rules.lies import utility_of_reports
from analysis.playground import recorded, view
from analysis.playground.state import PlayError, from_json, from_query, to_json, to_query
from analysis.run.files import RecordError
from analysis.run.records import read_run
from mechanism import InvalidMarketError, account, market_mechanism
from mechanism.market.gains import PowerGain, SqrtGain, TableGain, law_from_arrays, law_numbers, law_of
from tests.analysis.synthetic import edit_market

TABLE = TableGain((50.0, 400.0, 2000.0), (0.0, 0.0004, 0.0006))
LAWS = (SqrtGain(), PowerGain(0.3), TABLE)


def _recorded(folder: Path, **changes: object) -> None:
    """Add to a record what a run with --valuation measured or fitted adds."""
    knots = np.zeros((3, 2, 32))
    knots[:, 0, :3], knots[:, 1, :3] = TABLE.knots
    told = {"valuation_kind": np.full(3, 1.0), "valuation_exponent": np.full(3, 0.3), "valuation_knots": knots}
    edit_market(folder, "ipfl/ipfl", 0, **told | changes)


@pytest.mark.parametrize("law", LAWS)
def test_a_law_comes_back_from_its_numbers(law):
    assert law_of(law_numbers(law)).kernel_form()[:2] == law.kernel_form()[:2]
    x = np.array([60.0, 500.0, 5000.0])
    np.testing.assert_allclose(law_of(law_numbers(law)).value(3e4, 50.0, x), law.value(3e4, 50.0, x))


def test_the_kinds_of_a_record():
    assert law_from_arrays(0.0, 0.0, np.zeros((2, 32))) == SqrtGain()
    assert law_from_arrays(2.0, 0.3, np.zeros((2, 32))) == PowerGain(0.3)
    for kind, exponent in ((3.0, 0.3), (2.0, 1.5), (1.0, 0.0)):
        with pytest.raises(InvalidMarketError):
            law_from_arrays(kind, exponent, np.zeros((2, 32)))


@pytest.mark.parametrize(("kind", "law"), [(1.0, TABLE), (2.0, PowerGain(0.3))])
def test_report_and_playground_clear_with_the_law_from_arrays(copy: Path, kind: float, law) -> None:
    _recorded(copy, valuation_kind=np.full(3, kind))
    run = read_run(copy)
    record = run.market_round("ipfl/ipfl", 0, 2)
    expected = law.value(record.gain, record.size, record.size + record.imports @ record.size)
    np.testing.assert_allclose(run.traces["ipfl/ipfl"].gain[0, 1], expected, rtol=1e-12)
    assert type(record.law) is type(law)
    assert type(run.market_round("ipfl/ipfl", 1, 2).law) is SqrtGain
    rule = market_mechanism("ipfl")
    costs = np.tile(record.cost, (2, 1))
    costs[1, 3] = 0.5
    outcome = rule.clear(record.types.report(cost=costs), record.market)
    expected = account(record.types, outcome, record.market).utility[:, 3]
    np.testing.assert_allclose(utility_of_reports(record, "ipfl", 3)(costs[:, 3]), expected, rtol=1e-9)
    state = recorded.state_of(run, recorded.Place("ipfl/ipfl", 0, 2)).reporting(3, 0.5)
    np.testing.assert_allclose(view.look(state).utility, expected[1], rtol=1e-6, atol=1e-9)
    assert "the law that was measured" in recorded.words(run, recorded.Place("ipfl/ipfl", 0, 2))
    assert from_query(to_query(state)) == state
    assert from_json(to_json(state)) == state


def test_a_damaged_law_is_told(copy: Path) -> None:
    _recorded(copy, valuation_kind=np.full(3, 9.0))
    with pytest.raises(RecordError, match=r"holds no market \(the valuation's kind is 9"):
        read_run(copy)
    _recorded(copy, valuation_knots=np.zeros((3, 2, 5000)))
    with pytest.raises(RecordError, match=r"'valuation_knots' has shape \[3, 2, 5000\]"):
        read_run(copy)


@pytest.mark.parametrize("law", ["2", "0", '"x"', "[[1],[0]]", "[[1,2],[0]]", "[[2,1],[0,1]]", '[[1,2],[0,"a"]]'])
def test_a_wrong_law_in_a_link_is_refused(law: str) -> None:
    with pytest.raises(PlayError, match="law"):
        from_query({"law": law})
