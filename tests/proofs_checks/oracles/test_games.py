"""nashpy and pygambit on small games of two bidders with complete information: the same equilibria as the engine's."""

from __future__ import annotations

import itertools

import nashpy
import numpy as np
import pygambit
import pytest

from mechanism.catalogue import direct_mechanism
from proofs_checks.search.lines import Lines, utility_table

LEVELS = np.array([0.0, 0.25, 0.5, 0.75, 1.0])

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


@pytest.mark.parametrize("truths", [(0.75, 0.5), (0.5, 0.75), (1.0, 0.25)])
@pytest.mark.parametrize("name", ["second-price", "first-price", "all-pay", "vcg-positions", "gsp"])
def test_pure_equilibria_agree(name: str, truths: tuple[float, float]) -> None:
    first, second = bimatrix(name, truths)
    game = pygambit.Game.from_arrays(first, second)
    found = set()
    for equilibrium in pygambit.nash.enumpure_solve(game).equilibria:
        at = [[float(equilibrium[s]) for s in player.strategies].index(1.0) for player in game.players]
        found.add((at[0], at[1]))
    ours = pure(first, second)
    assert found == ours
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
