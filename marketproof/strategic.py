"""Strategic play of a mechanism: what is reported in equilibrium, and what that does to welfare."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from marketproof.errors import InputError
from marketproof.strategic_words import sentence
from mechanism.direct import DirectMechanism, Floats
from mechanism.market.direct import MarketDirect
from mechanism.tolerance import MONEY, scale

if TYPE_CHECKING:
    from proofs_checks.play.anarchy import Anarchy, Ratio
    from proofs_checks.play.dynamics import BestResponses, Reached
    from proofs_checks.play.game import Play

MARKET_MEASURE = "welfare less penalties"
"""What a market maximises, V_lambda: at lambda = 0 welfare itself."""

DYNAMICS = ("best-response", "regret-matching", "shading")

ROUNDS = {"best-response": 60, "regret-matching": 1000, "shading": 40}
PROFILES = {"best-response": 200, "regret-matching": 20, "shading": 2000}
"""How much is played, and how many true profiles are drawn, unless said otherwise."""

MATCHING_LEVELS = 15
"""Reports besides the truth among which regret matching chooses."""

SHARES = (0.1, 0.25, 0.5, 0.75, 1.0)
"""Where in the range of types a strategy is shown."""

Progress = Callable[[int, int], None] | None


def default_dynamics(mechanism: DirectMechanism) -> str:
    """Return "shading" for auctions over one private number, "best-response" for markets and all else."""
    from proofs_checks.play.shading import shading_problem

    return "best-response" if shading_problem(mechanism) is not None else "shading"


def play_mechanism(
    name: str,
    mechanism: DirectMechanism,
    dynamics: str,
    *,
    rounds: int | None = None,
    profiles: int | None = None,
    seed: int = 0,
    progress: Progress = None,
) -> dict[str, Any]:
    """Return the result of ``strategic`` on a mechanism, as it is written.

    Raises
    ------
    InvalidMechanismError
        If the mechanism fails, or the dynamics do not apply to it.
    """
    from proofs_checks.engine import sampling

    rounds = ROUNDS[dynamics] if rounds is None else rounds
    count = PROFILES[dynamics] if profiles is None else profiles
    types = sampling.uniform(mechanism.space, np.random.default_rng([seed, 0]), count)
    how = {"best-response": _best_response, "regret-matching": _matching, "shading": _shading}[dynamics]
    found, rows, play, reached = how(mechanism, types, rounds, seed, progress)
    from proofs_checks.play.anarchy import anarchy

    books = anarchy(play, reached, seed)
    if not rows:
        rows = _rows(play, reached, books)
    space, private = mechanism.space, np.atleast_1d(mechanism.space.private.any(axis=0))
    result: dict[str, Any] = {
        "mechanism": name,
        "dynamics": dynamics,
        "coordinate": mechanism.space.names[play.at],
        "told_truthfully": [n for n, p in zip(space.names, private, strict=True) if p and n != space.names[play.at]],
        "clients": play.agents,
        "rounds": rounds,
        "profiles": count,
        "seed": seed,
        "found": {**found, **misreports(play, reached)},
        "agents": rows,
        "welfare": welfare_json(books, MARKET_MEASURE if isinstance(mechanism, MarketDirect) else "welfare"),
        "payments": {
            "truthful": float(books.paid_truthful.sum(axis=1).mean()) + 0.0,
            "equilibrium": float(books.paid.sum(axis=1).mean()) + 0.0,
        },
    }
    return {**result, "sentence": sentence(result)}


Answer = tuple[dict[str, Any], list[dict[str, Any]], "Play", "Reached"]


def _best_response(mechanism: DirectMechanism, types: Floats, rounds: int, seed: int, progress: Progress) -> Answer:
    from proofs_checks.play.dynamics import best_responses
    from proofs_checks.play.game import Play

    play = Play(mechanism, types)
    done = best_responses(play, rounds, progress=progress)
    return {**settled(done), **_left(play, done)}, [], play, done.reached


def settled(done: BestResponses) -> dict[str, Any]:
    """Say how many games came to rest, went in circles, or did neither before the rounds ran out."""
    return {
        "settled": int(done.settled.sum()),
        "circling": int((done.cycle > 1).sum()),
        "unfinished": int((done.cycle == 0).sum()),
        "longest_cycle": int(done.cycle.max(initial=0)),
        "rounds_played": done.rounds,
        "deviations": done.deviations,
    }


def _left(play: Play, done: BestResponses) -> dict[str, float | None]:
    """Return what a client gains by the best of all reports where play settled, None where nobody can say."""
    unknown: dict[str, float | None] = {"left": None, "left_mean": None}
    if not (isinstance(play.mechanism, MarketDirect) and done.settled.any()):
        return unknown
    from proofs_checks.play.markets import MarketPlay

    every = MarketPlay(play.mechanism, play.types)
    if not every.exact:
        return unknown
    games = np.flatnonzero(done.settled)
    left = every.left(done.reports[games], games)
    left[left <= MONEY * scale(left)] = 0.0
    return {"left": float(left.max()), "left_mean": float(left.mean())}


def _matching(mechanism: DirectMechanism, types: Floats, rounds: int, seed: int, progress: Progress) -> Answer:
    from proofs_checks.play.game import Play, even_levels, own_coordinate
    from proofs_checks.play.matching import regret_matching

    play = Play(mechanism, types, even_levels(mechanism.space, own_coordinate(mechanism), MATCHING_LEVELS))
    done = regret_matching(play, rounds, seed, progress)
    found = {
        "external_regret": float(done.external.max()),
        "external_regret_mean": float(done.external.mean()),
        "conditional_regret": float(done.conditional.max()),
        "deviations": done.deviations,
    }
    return found, [], play, done.reached


def _shading(mechanism: DirectMechanism, types: Floats, rounds: int, seed: int, progress: Progress) -> Answer:
    from proofs_checks.play.dynamics import Reached
    from proofs_checks.play.game import Play
    from proofs_checks.play.shading import equilibrium

    found = equilibrium(mechanism, iterations=rounds, seed=seed, progress=progress)
    play = Play(mechanism, types)
    reached = Reached(found.strategies(play.truth), np.arange(play.games), np.ones(play.games))
    rows, lines = [], []
    grid, said = found.strategies.grid, found.strategies.reports
    for i in range(play.agents):
        slope, intercept = found.strategies.slope(i)
        lines.append({
            "agent": i, "types": grid[i].tolist(), "reports": said[i].tolist(), "slope": slope, "intercept": intercept
        })  # fmt: skip
        for share in SHARES:
            at = grid[i, 0] + share * (grid[i, -1] - grid[i, 0])
            report, before, after = (
                float(np.interp(at, grid[i], table[i])) for table in (said, found.truthful, found.utility)
            )
            rows.append({
                "agent": i, "truth": float(at), "report": report, "utility_truthful": before, "utility": after
            })  # fmt: skip
    told = {
        "strategies": lines,
        "truthful": found.iterations == 0,
        "furthest": float(np.abs(said - grid).max()),
        "left": float(found.left.max()),
        "left_at_any_type": found.most_left,
        "deviations": found.deviations,
    }
    return told, rows, play, reached


def misreports(play: Play, reached: Reached) -> dict[str, Any]:
    """Return the shares of agents whose report is below and above their truth, and by how much on average."""
    off = reached.reports - play.truth[reached.games]
    able = play.mechanism.space.private[:, play.at]
    weights = np.broadcast_to(reached.weights[:, None], off.shape) * able
    small = MONEY * np.maximum(1.0, np.abs(play.truth[reached.games]))
    total = float(weights.sum())
    told = {}
    for word, side in (("below", off < -small), ("above", off > small)):
        weight = float((weights * side).sum())
        told[word] = weight / total
        told[f"mean_{word}"] = float((weights * np.abs(off) * side).sum()) / weight if weight > 0.0 else 0.0
    return told


def _rows(play: Play, reached: Reached, books: Anarchy) -> list[dict[str, Any]]:
    said = reached.mean(reached.reports, play.games)
    return [
        {
            "agent": i,
            "truth": float(play.truth[:, i].mean()),
            "report": float(said[:, i].mean()),
            "utility_truthful": float(books.utility_truthful[:, i].mean()),
            "utility": float(books.utility[:, i].mean()),
        }
        for i in range(play.agents)
    ]


def welfare_json(books: Anarchy, measure: str) -> dict[str, Any] | None:
    """Return mean welfare per game and the price of anarchy; None where the mechanism does not say what welfare is."""
    if books.welfare is None or books.welfare_truthful is None:
        return None
    return {
        "measure": measure,
        "truthful": float(books.welfare_truthful.mean()),
        "equilibrium": float(books.welfare.mean()),
        "optimal": None if books.optimum is None else float(books.optimum.mean()),
        "price_of_anarchy": ratio_json(books.price),
        "price_truthful": ratio_json(books.price_truthful),
    }


def ratio_json(ratio: Ratio | None) -> dict[str, Any] | None:
    """Return a ratio with its interval; an infinite number is null."""
    if ratio is None:
        return None
    from proofs_checks.play.anarchy import CONFIDENCE

    parts = {"value": ratio.value, "low": ratio.low, "high": ratio.high}
    return {**{k: v if math.isfinite(v) else None for k, v in parts.items()}, "confidence": CONFIDENCE}


def check(rounds: int | None, profiles: int | None) -> None:
    """Refuse numbers of rounds and profiles that nothing can be played with.

    Raises
    ------
    InputError
        Saying which one.
    """
    for option, value, most in (("--rounds", rounds, 1_000_000), ("--profiles", profiles, 100_000)):
        if value is not None and not 1 <= value <= most:
            raise InputError(f"{option} is {value}; expected a whole number from 1 to {most}")
