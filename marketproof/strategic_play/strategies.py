"""Strategies report = s(type) as play finds them, beside the equilibrium that theory knows."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from marketproof.strategic_play.results import AgentRow, Compared, Place, Shading, Strategy
from mechanism.catalogue import CATALOGUE
from mechanism.direct import DirectMechanism, Floats
from mechanism.entry import KnownEquilibrium
from proofs_checks.play.dynamics import Reached
from proofs_checks.play.game import Play
from proofs_checks.play.shading import Equilibrium, equilibrium

SHARES = (0.1, 0.25, 0.5, 0.75, 1.0)
"""Where in the range of types a strategy is shown."""


def shading(
    name: str,
    mechanism: DirectMechanism,
    types: Floats,
    rounds: int,
    most: int | None,
    seed: int,
    progress: Callable[[int, int], None] | None,
) -> tuple[Shading, list[AgentRow], Play, Reached]:
    """Return what play in strategies found, rows of a table of it, the games of ``types``, and what is reached there.

    ``most``: rounds at most, where ``rounds`` do not come to an equilibrium; ``name``: of the catalogue's entry that
    may know the equilibrium.
    """
    known = CATALOGUE[name].known_equilibrium(mechanism.space.agents) if name in CATALOGUE else None
    found = equilibrium(mechanism, iterations=rounds, most=most, seed=seed, progress=progress)
    play = Play(mechanism, types)
    reached = Reached(found.strategies(play.truth), np.arange(play.games), np.ones(play.games))
    grid, said = found.strategies.grid, found.strategies.reports
    lines = tuple(
        Strategy(i, grid[i].tolist(), said[i].tolist(), *found.strategies.slope(i), found.strategies.misfit(i))
        for i in range(play.agents)
    )
    told = Shading(
        strategies=lines,
        truthful=found.iterations == 0,
        furthest=float(np.abs(said - grid).max()),
        left=float(found.left.max()),
        left_at_any_type=found.most_left,
        left_share=_number(float(found.share.max())),
        rounds_played=found.iterations,
        deviations=found.deviations,
        known=None if known is None else _compared(found, known),
    )
    rows = [_row(found, known, i, share) for i in range(play.agents) for share in SHARES]
    return told, rows, play, reached


def _row(found: Equilibrium, known: KnownEquilibrium | None, agent: int, share: float) -> AgentRow:
    """Return one agent's strategy at a share of the range of its types."""
    grid = found.strategies.grid[agent]
    at = float(grid[0] + share * (grid[-1] - grid[0]))
    tables = (found.strategies.reports, found.truthful, found.utility)
    report, before, after = (float(np.interp(at, grid, table[agent])) for table in tables)
    theory = None if known is None else known.report(np.array([at]), len(found.strategies.grid), agent)
    return AgentRow(agent, at, report, before, after, None if theory is None else _number(float(theory[0])))


def _compared(found: Equilibrium, known: KnownEquilibrium) -> Compared:
    grid, said = found.strategies.grid, found.strategies.reports
    agents = len(grid)
    theory = np.stack([known.report(grid[i], agents, i) for i in range(agents)])
    off = np.abs(said - theory)
    agent, place = np.unravel_index(int(np.nanargmax(off)), off.shape)
    return Compared(
        words=known.words(agents),
        source=known.source,
        reports=[[_number(float(v)) for v in row] for row in theory],
        furthest=float(np.nanmax(off)),
        furthest_at=Place(int(agent), float(grid[agent, place])),
        mean=float(np.nanmean(off)),
    )


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
