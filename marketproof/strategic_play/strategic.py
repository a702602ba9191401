"""Strategic play of a mechanism: what is reported in equilibrium, and what that does to welfare."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from marketproof.errors import InputError
from marketproof.strategic_play.strategic_shading import known_equilibrium, longer, shading
from marketproof.strategic_play.strategic_welfare import welfare_json, worst_found
from marketproof.strategic_play.strategic_words import sentence
from mechanism.catalogue import CATALOGUE
from mechanism.direct import DirectMechanism, Floats
from mechanism.market.direct import MarketDirect
from mechanism.tolerance import MONEY, scale

if TYPE_CHECKING:
    from proofs_checks.play.anarchy import Anarchy
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
    from proofs_checks.play.anarchy import anarchy
    from proofs_checks.search import sampling

    # a user's own file has little time: it is played as long as is said
    most = longer() * ROUNDS[dynamics] if dynamics == "shading" and rounds is None and name in CATALOGUE else rounds
    rounds = ROUNDS[dynamics] if rounds is None else rounds
    count = PROFILES[dynamics] if profiles is None else profiles
    types = sampling.uniform(mechanism.space, np.random.default_rng([seed, 0]), count)
    rows: list[dict[str, Any]] = []
    at_rest = worst = None
    if dynamics == "shading":
        known = known_equilibrium(name, mechanism.space.agents)
        found, rows, play, reached = shading(mechanism, types, rounds, most, seed, known, progress)
    elif dynamics == "regret-matching":
        found, play, reached = _matching(mechanism, types, rounds, seed, progress)
    else:
        found, play, done = _best_response(mechanism, types, rounds, progress)
        reached, at_rest = done.reached, done.settled
        worst = worst_found(play, done, rounds, seed)
    books = anarchy(play, reached, seed, at_rest)
    rows = rows or _rows(play, reached, books)
    space, private = mechanism.space, np.atleast_1d(mechanism.space.private.any(axis=0))
    if "side" in space.names:
        for row in rows:
            row["role"] = "seller" if space.low[row["agent"], space.index("side")] > 0.5 else "buyer"
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
        "welfare": welfare_json(
            MARKET_MEASURE if isinstance(mechanism, MarketDirect) else "welfare",
            books.welfare_truthful,
            books.welfare,
            books.optimum,
            at_rest,
            worst,
            seed=seed,
        ),
        "payments": _paid(books, at_rest),
    }
    return {**result, "sentence": sentence(result)}


def _paid(books: Anarchy, at_rest: NDArray[np.bool_] | None) -> dict[str, float | None]:
    """Return what all pay to the centre per game: where play settles, and where it ends in all games (``played``)."""
    truthful, paid = books.paid_truthful.sum(axis=1), books.paid.sum(axis=1)
    rest = np.ones(len(paid), dtype=bool) if at_rest is None else at_rest
    some = bool(rest.any())
    return {
        "truthful": float(truthful[rest].mean()) + 0.0 if some else None,
        "equilibrium": float(paid[rest].mean()) + 0.0 if some else None,
        "truthful_everywhere": float(truthful.mean()) + 0.0,
        "played": float(paid.mean()) + 0.0,
    }


def _best_response(
    mechanism: DirectMechanism, types: Floats, rounds: int, progress: Progress
) -> tuple[dict[str, Any], Play, BestResponses]:
    from proofs_checks.play.dynamics import best_responses
    from proofs_checks.play.game import Play

    play = Play(mechanism, types)
    done = best_responses(play, rounds, progress=progress)
    return {**settled(done), **_left(play, done)}, play, done


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
    unknown: dict[str, float | None] = {"left": None, "left_mean": None, "left_games": None}
    if not (isinstance(play.mechanism, MarketDirect) and done.settled.any()):
        return unknown
    from proofs_checks.play.market_game import MarketPlay
    from proofs_checks.play.shading import LOOSE

    every = MarketPlay(play.mechanism, play.types)
    if not every.exact:
        return unknown
    games = np.flatnonzero(done.settled)
    left = every.left(done.reports[games], games)
    left[left <= MONEY * scale(left)] = 0.0
    had = every.utilities(done.reports[games], games)
    many = ((left > 0.0) & (left > LOOSE * had)).any(axis=1)
    return {"left": float(left.max()), "left_mean": float(left.mean()), "left_games": int(many.sum())}


def _matching(
    mechanism: DirectMechanism, types: Floats, rounds: int, seed: int, progress: Progress
) -> tuple[dict[str, Any], Play, Reached]:
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
    return found, play, done.reached


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
