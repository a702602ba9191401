"""What a notebook shows of an outcome, of verdicts and of a run: one is executed, where nbclient is installed."""

import numpy as np
import pytest

from mechanism import Outcome
from tests.analysis.synthetic import write_run

CELLS = """
from mechanism import Market, Types, market_mechanism
types = Types(size=[100, 300, 300], cost=[0, 1.1, 1.0], gain=[3600, 0, 0])
market_mechanism("ipfl-exact").clear(types.truthful(), Market())
#
from mechanism.catalogue import direct_mechanism
from proofs_checks import verify
verify(direct_mechanism("second-price"), ["dsic"], budget=1)
#
import marketproof
run = marketproof.load(folder)
run
#
run.ledger
"""


def test_a_notebook_shows_tables(tmp_path, monkeypatch):
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel")
    folder = write_run(tmp_path / "run")
    book = nbformat.v4.new_notebook()
    book.cells = [nbformat.v4.new_code_cell(cell) for cell in f"folder = {str(folder)!r}\n{CELLS}".split("#\n")]
    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")
    nbclient.NotebookClient(book, timeout=300, kernel_name="python3").execute()
    outcome, verdicts, run, ledger = (cell.outputs[-1].data["text/html"] for cell in book.cells)
    assert "<th>importer</th>" in outcome
    assert "1.1 paid" in outcome
    assert "<td>dsic</td><td>yes</td>" in verdicts
    assert "<th>accuracy best</th>" in run
    assert "payment" in ledger


def test_many_markets_are_shown_by_their_sums_and_large_ones_in_part():
    imports = np.ones((2, 9, 9), dtype=bool) & ~np.eye(9, dtype=bool)
    prices, nothing = imports * 0.5, np.zeros((2, 9))
    shown = Outcome(imports, prices, nothing, nothing)._repr_html_()
    assert "<caption>144 imports among 9 clients, 72 paid</caption>" in shown
    assert "<td>1</td><td>72</td><td>36</td>" in shown
    one = Outcome(imports[0], prices[0], nothing[0], nothing[0])._repr_html_()
    assert "72 imports among 9 clients, 36 paid; the first 50 of 72 rows" in one
    assert one.count("<tr>") == 51
