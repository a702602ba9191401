"""pyDVL's exact Shapley values of an importer's game equal the prices of `shapley-split`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mechanism import Market, Types, market_mechanism

SEEDS = range(12)
GAIN = 20_000.0


def purchase(seed: int) -> tuple[dict[str, object], np.ndarray, np.ndarray]:
    """Return the game of a random importer, the costs of what it buys, and the prices that it pays."""
    rng = np.random.default_rng(seed)
    m = 5
    types = Types(rng.uniform(50, 500, m), rng.uniform(0, 1, m), np.r_[GAIN, np.zeros(m - 1)])
    differences = np.where(np.eye(m, dtype=bool), 0.0, rng.uniform(0, 0.05, (m, m)))
    market = Market(differences, float(seed % 2))
    outcome = market_mechanism("shapley-split").clear(types.truthful(), market)
    sellers = np.flatnonzero(outcome.imports[0])
    prices = types.cost[sellers] + market.penalties(types.size)[0, sellers]
    game = {"gain": GAIN, "own": types.size[0], "sizes": types.size[sellers].tolist(), "prices": prices.tolist()}
    return game, types.cost[sellers], outcome.prices[0, sellers]


@pytest.fixture(scope="module")
def values() -> list[list[float]]:
    script = Path(__file__).with_name("pydvl_values.py")
    games = json.dumps([purchase(seed)[0] for seed in SEEDS])
    done = subprocess.run(
        [sys.executable, script], input=games, capture_output=True, text=True, timeout=120, check=True
    )
    return json.loads(done.stdout)


@pytest.mark.parametrize("seed", SEEDS)
def test_prices_are_cost_plus_shapley_value(seed: int, values: list[list[float]]) -> None:
    _, cost, price = purchase(seed)
    assert len(price) >= 1
    assert price == pytest.approx(cost + np.array(values[seed][1:]), abs=1e-9)


def test_most_purchases_have_several_sellers() -> None:
    assert np.mean([len(purchase(seed)[2]) for seed in SEEDS]) > 2
