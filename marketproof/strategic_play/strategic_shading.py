"""Strategies report = s(type) as ``strategic`` writes them, beside the equilibrium that theory knows."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from mechanism.direct import DirectMechanism, Floats

if TYPE_CHECKING:
    from mechanism.entry import KnownEquilibrium
    from proofs_checks.play.dynamics import Reached
    from proofs_checks.play.game import Play
    from proofs_checks.play.shading import Equilibrium

SHARES = (0.1, 0.25, 0.5, 0.75, 1.0)
"""Where in the range of types a strategy is shown."""


def shading(
    mechanism: DirectMechanism,
    types: Floats,
    rounds: int,
    most: int | None,
    seed: int,
    known: KnownEquilibrium | None,
    progress: Callable[[int, int], None] | None,
) -> tuple[dict[str, Any], list[dict[str, Any]], Play, Reached]:
    """Return what play in strategies found, rows of a table of it, the games of ``types``, and what is reached there.

    ``most``: rounds at most, where ``rounds`` do not come to an equilibrium; ``known``: what to compare with.
    """
    from proofs_checks.play.dynamics import Reached
    from proofs_checks.play.game import Play
    from proofs_checks.play.shading import equilibrium

    found = equilibrium(mechanism, iterations=rounds, most=most, seed=seed, progress=progress)
    play = Play(mechanism, types)
    reached = Reached(found.strategies(play.truth), np.arange(play.games), np.ones(play.games))
    rows, lines = [], []
    grid, said = found.strategies.grid, found.strategies.reports
    for i in range(play.agents):
        slope, intercept = found.strategies.slope(i)
        lines.append({
            "agent": i, "types": grid[i].tolist(), "reports": said[i].tolist(), "slope": slope, "intercept": intercept,
            "misfit": found.strategies.misfit(i),
        })  # fmt: skip
        for share in SHARES:
            at = grid[i, 0] + share * (grid[i, -1] - grid[i, 0])
            report, before, after = (
                float(np.interp(at, grid[i], table[i])) for table in (said, found.truthful, found.utility)
            )
            row: dict[str, Any] = {
                "agent": i,
                "truth": float(at),
                "report": report,
                "utility_truthful": before,
                "utility": after,
            }
            if known is not None:
                row["known"] = _number(float(known.report(np.array([at]), play.agents, i)[0]))
            rows.append(row)
    share = float(found.share.max())
    told = {
        "strategies": lines,
        "truthful": found.iterations == 0,
        "furthest": float(np.abs(said - grid).max()),
        "left": float(found.left.max()),
        "left_at_any_type": found.most_left,
        "left_share": _number(share),
        "rounds_played": found.iterations,
        "deviations": found.deviations,
        "known": None if known is None else _compared(found, known),
    }
    return told, rows, play, reached


def longer() -> int:
    """Return how many times its rounds play may take that has not come to an equilibrium."""
    from proofs_checks.play.shading import LONGER

    return LONGER


def known_equilibrium(name: str, agents: int) -> KnownEquilibrium | None:
    """Return the equilibrium in strategies that theory knows of a mechanism of the catalogue, for so many agents."""
    from mechanism.catalogue import CATALOGUE

    entry = CATALOGUE.get(name)
    return None if entry is None else entry.known_equilibrium(agents)


def _compared(found: Equilibrium, known: KnownEquilibrium) -> dict[str, Any]:
    """Say how far play is from a known equilibrium, over the grid of types; free reports do not count."""
    grid, said = found.strategies.grid, found.strategies.reports
    agents = len(grid)
    theory = np.stack([known.report(grid[i], agents, i) for i in range(agents)])
    off = np.abs(said - theory)
    agent, place = np.unravel_index(int(np.nanargmax(off)), off.shape)
    return {
        "words": known.words(agents),
        "source": known.source,
        "reports": [[_number(float(v)) for v in row] for row in theory],
        "furthest": float(np.nanmax(off)),
        "furthest_at": {"agent": int(agent), "truth": float(grid[agent, place])},
        "mean": float(np.nanmean(off)),
    }


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
