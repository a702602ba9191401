"""The tables of a run, for further work: as they were written, without torch, with pandas but without pyarrow."""

import json
import sys

import numpy as np

import marketproof
from analysis.run.files import RecordError
from mechanism.errors import InputError
from tests.checks import fresh, refused


def test_frames_are_the_recorded_tables(copy, run):
    recorded = marketproof.load(copy)
    assert recorded.rounds.columns[:4] == ["method", "seed", "round", "client"]
    for name, trace in run.traces.items():
        mine = recorded.rounds.filter(recorded.rounds["method"] == name)
        assert np.array_equal(mine["utility"].to_numpy(), trace.utility.ravel())
        assert len(recorded.ledger.filter(recorded.ledger["method"] == name)) == len(run.ledger[name].seed)
    assert recorded.summary["method"].to_list() == list(run.methods)
    assert recorded.rounds is recorded.rounds
    frame = recorded.pandas("ledger")
    assert list(frame.columns) == recorded.ledger.columns
    assert frame["payment"].tolist() == recorded.ledger["payment"].to_list()


def test_torch_is_not_imported_and_pandas_needs_no_pyarrow(copy):
    code = (
        "import sys; sys.modules['pyarrow'] = None; import marketproof; "
        f"run = marketproof.load({str(copy)!r}); print(len(run.pandas('rounds')) == len(run.rounds), "
        "'torch' in sys.modules, len(run._repr_html_()) > 100)"
    )
    assert fresh(code).strip() == "True False True"


def test_tables_that_are_not_there_or_changed_are_told_in_one_line(copy, monkeypatch):
    run = marketproof.load(copy)
    with refused(InputError, "a run has no table 'round'; expected rounds, ledger, summary"):
        run.pandas("round")
    monkeypatch.setitem(sys.modules, "pandas", None)
    with refused(InputError, "pandas is not installed"):
        run.pandas("rounds")
    (copy / "ledger.parquet").write_bytes(b"PAR1")
    with refused(RecordError, "ledger.parquet: was changed since the run wrote it"):
        run.ledger  # noqa: B018
    manifest = json.loads((copy / "manifest.json").read_text())
    (copy / "manifest.json").write_text(json.dumps(manifest | {"digests": {}}))
    with refused(RecordError, "ledger.parquet: is no table"):
        marketproof.load(copy).ledger  # noqa: B018
    with refused(RecordError, "no such folder"):
        marketproof.load(copy / "no")


def test_a_notebook_shows_a_run_as_a_table(run, copy):
    shown = marketproof.load(copy)._repr_html_()
    assert shown == run._repr_html_()
    for name in run.methods:
        assert f"<td>{name}</td>" in shown
    assert shown.count("<tr>") == 1 + len(run.methods)
