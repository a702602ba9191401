"""nashpy and pygambit on small games of two bidders with complete information: the same equilibria as the engine's.

pygambit has no wheel for Linux, so its answers are recorded (``pygambit.json``: its version, and the equilibria by
mechanism and truths) and held against it where it is installed (``pip install '.[gambit]'``).
"""

import itertools
import json
import subprocess
import sys
from pathlib import Path

import nashpy
import numpy as np
import pytest

from mechanism import Market, Types, market_mechanism
from mechanism.catalogue import direct_mechanism
from proofs_checks.search.lines import Lines, utility_table

LEVELS = np.array([0.0, 0.25, 0.5, 0.75, 1.0])
GAMES = [
    (name, truths)
    for name in ("second-price", "first-price", "all-pay", "vcg-positions", "gsp")
    for truths in ((0.75, 0.5), (0.5, 0.75), (1.0, 0.25))
]
RECORDED = json.loads(Path(__file__).with_name("pygambit.json").read_text())

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")  # nashpy warns of degenerate games


def bimatrix(name: str, truths: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Payoffs ``[own report, other's report]`` of both agents at true values, by the mechanism itself."""
    mechanism = direct_mechanism(name, 2)
    reports = np.array(list(itertools.product(LEVELS, LEVELS)))[:, :, None]
    types = np.broadcast_to(np.array(truths)[None, :, None], reports.shape)
    utility = mechanism.utility(types, mechanism.outcome(reports)).reshape(len(LEVELS), len(LEVELS), 2)
    return utility[..., 0], utility[..., 1]


def pure(first: np.ndarray, second: np.ndarray) -> set[tuple[int, int]]:
    """All pure equilibria, by looking."""
    best = (first == first.max(axis=0, keepdims=True)) & (second == second.max(axis=1, keepdims=True))
    return {(int(a), int(b)) for a, b in np.argwhere(best)}


def by_pygambit(name: str, truths: tuple[float, float]) -> list[list[int]]:
    """All pure equilibria, by pygambit; skipped where it is not installed."""
    pygambit = pytest.importorskip("pygambit")
    game = pygambit.Game.from_arrays(*bimatrix(name, truths))
    return sorted(
        [[float(equilibrium[s]) for s in player.strategies].index(1.0) for player in game.players]
        for equilibrium in pygambit.nash.enumpure_solve(game).equilibria
    )


@pytest.mark.parametrize(("name", "truths"), GAMES)
def test_the_record_is_pygambits(name: str, truths: tuple[float, float]) -> None:
    assert RECORDED[f"{name} {truths}"] == by_pygambit(name, truths)


@pytest.mark.parametrize(("name", "truths"), GAMES)
def test_pure_equilibria_agree(name: str, truths: tuple[float, float]) -> None:
    first, second = bimatrix(name, truths)
    ours = pure(first, second)
    assert {tuple(pair) for pair in RECORDED[f"{name} {truths}"]} == ours
    checker = nashpy.Game(first, second)
    eye = np.eye(len(LEVELS))
    for a, b in itertools.product(range(len(LEVELS)), repeat=2):
        assert all(checker.is_best_response(eye[a], eye[b])) == ((a, b) in ours)


@pytest.mark.parametrize("name", ["second-price", "vcg-positions"])
def test_truth_is_weakly_dominant_where_the_engine_finds_no_lie(name: str) -> None:
    mechanism = direct_mechanism(name, 2)
    for other in LEVELS:
        reports = np.array([[[0.0], [other]]])
        table = utility_table(mechanism, Lines(reports, reports, np.array([0]), LEVELS[None, :, None]))[0]
        for t, truth in enumerate(LEVELS):
            first, _ = bimatrix(name, (float(truth), 1.0))
            assert np.array_equal(table[t], first[:, list(LEVELS).index(other)])
            assert table[t, t] == table[t].max()
    truths = (0.75, 0.5)
    assert (3, 2) in pure(*bimatrix(name, truths))


def test_truth_is_no_equilibrium_of_the_first_price_auction() -> None:
    assert (3, 2) not in pure(*bimatrix("first-price", (0.75, 0.5)))


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
