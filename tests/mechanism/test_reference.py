"""The hundred markets cleared by the authors' research code: sets, payments and optima."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from mechanism import Market, Types, market_mechanism, optimal_objective
from mechanism.market.accounting import values
from mechanism.market.allocation.selection import thresholds
from tests.mechanism import oracle

MARKETS = json.loads(gzip.decompress((Path(__file__).parents[1] / "data" / "reference_markets.json.gz").read_bytes()))[
    "instances"
]


def market_of(row):
    return Types(size=row["n"], cost=row["c"], gain=row["K"]), Market(np.array(row["d"]), row["lam"])


def test_there_are_a_hundred():
    assert len(MARKETS) == 100


@pytest.mark.parametrize("row", MARKETS, ids=lambda row: f"{row['id']}-{row['kind']}-{row['m']}")
def test_sets_payments_and_optimum(row):
    types, market = market_of(row)
    reports = types.truthful()
    reference = market_mechanism("ipfl").clear(reports, market)
    assert [np.flatnonzero(r).tolist() for r in reference.imports] == row["exact_greedy_sets"]
    if [sorted(s) for s in row["sets"]] == row["exact_greedy_sets"]:
        np.testing.assert_allclose(reference.payments, row["payment"], atol=1e-4)
    exact = market_mechanism("ipfl-exact").clear(reports, market)
    np.testing.assert_allclose(values(types, exact.imports, market), row["optimal_welfare"], atol=1e-7)
    assert optimal_objective(reports, market)[0] == pytest.approx(sum(row["optimal_welfare"]), abs=1e-7)


@pytest.mark.parametrize("row", MARKETS, ids=lambda row: f"{row['id']}")
def test_thresholds_are_the_roots(row):
    types, market = market_of(row)
    ours = thresholds(types.truthful(), market)
    pen = market.penalties(types.size)
    for i in range(row["m"]):
        for j in range(row["m"]):
            if i != j:
                root = oracle.threshold_root(row["K"][i], row["n"][j], row["c"][j] + pen[i, j])
                assert ours[i, j] == pytest.approx(root, rel=1e-12)
                recorded = row["exact_thresholds"][i][j]  # null: an importer without gain, no root
                assert ours[i, j] == pytest.approx(row["n"][j] if recorded is None else recorded, rel=1e-9)
