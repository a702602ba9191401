"""Strategic play of a mechanism: what is reported in equilibrium, and what that does to welfare."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from marketproof.strategic_play.results import (
    AgentRow,
    Compared,
    Matching,
    Misreports,
    Paid,
    Place,
    Played,
    Settling,
    Shading,
    Strategy,
)
from marketproof.strategic_play.sentences import sentence
from marketproof.strategic_play.welfare import MARKET_MEASURE, welfare_of, worst_found
from mechanism.catalogue import CATALOGUE
from mechanism.direct import DirectMechanism, Floats, Space
from mechanism.entry import KnownEquilibrium
from mechanism.errors import InputError
from mechanism.market.accounting import MONEY, scale
from mechanism.market.direct import MarketDirect
from proofs_checks.play.anarchy import Anarchy, anarchy
from proofs_checks.play.dynamics import BestResponses, Reached, best_responses, regret_matching
from proofs_checks.play.game import MarketPlay, Play, even_levels, own_coordinate
from proofs_checks.play.shading import LONGER, LOOSE, Equilibrium, equilibrium, shading_problem
from proofs_checks.search import sampling

DYNAMICS = ("best-response", "regret-matching", "shading")

ROUNDS = {"best-response": 60, "regret-matching": 1000, "shading": 40}
PROFILES = {"best-response": 200, "regret-matching": 20, "shading": 2000}
"""How much is played, and how many true profiles are drawn, unless said otherwise."""

MATCHING_LEVELS = 15
"""Reports besides the truth among which regret matching chooses."""

Progress = Callable[[int, int], None] | None


def default_dynamics(mechanism: DirectMechanism) -> str:
    """Return "shading" for auctions over one private number, "best-response" for markets and all else."""
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
) -> Played:
    """Return what play of a mechanism came to.

    `InvalidMechanismError` if the mechanism fails, or the dynamics do not apply to it.
    """
    # a user's own file has little time: it is played as long as is said
    most = LONGER * ROUNDS[dynamics] if dynamics == "shading" and rounds is None and name in CATALOGUE else rounds
    rounds = ROUNDS[dynamics] if rounds is None else rounds
    count = PROFILES[dynamics] if profiles is None else profiles
    types = sampling.uniform(mechanism.space, np.random.default_rng([seed, 0]), count)
    found: Settling | Matching | Shading
    rows: list[AgentRow] = []
    at_rest = worst = None
    if dynamics == "shading":
        found, rows, play, reached = shading(name, mechanism, types, rounds, most, seed, progress)
    elif dynamics == "regret-matching":
        found, play, reached = _matching(mechanism, types, rounds, seed, progress)
    else:
        found, play, done = _best_response(mechanism, types, rounds, progress)
        reached, at_rest = done.reached, done.settled
        worst = worst_found(play, done, rounds, seed)
    books = anarchy(play, reached)
    space, private = mechanism.space, np.atleast_1d(mechanism.space.private.any(axis=0))
    measure = MARKET_MEASURE if isinstance(mechanism, MarketDirect) else "welfare"
    played = Played(
        mechanism=name,
        dynamics=dynamics,
        coordinate=space.names[play.at],
        told_truthfully=[n for n, p in zip(space.names, private, strict=True) if p and n != space.names[play.at]],
        clients=play.agents,
        rounds=rounds,
        profiles=count,
        seed=seed,
        found=found,
        misreports=misreports(play, reached),
        agents=tuple(replace(row, role=_role(space, row.agent)) for row in rows or _rows(play, reached, books)),
        welfare=welfare_of(measure, books.welfare_truthful, books.welfare, books.optimum, at_rest, worst, seed=seed),
        payments=_paid(books, at_rest),
    )
    return replace(played, sentence=sentence(played))


def _role(space: Space, agent: int) -> str | None:
    """Return what an agent is where agents are unlike: on which side of a market it stands."""
    return None if isinstance(space.called, str) else space.called[agent]


def _paid(books: Anarchy, at_rest: NDArray[np.bool_] | None) -> Paid:
    truthful, paid = books.paid_truthful.sum(axis=1), books.paid.sum(axis=1)
    rest = np.ones(len(paid), dtype=bool) if at_rest is None else at_rest
    before, after = (float(part[rest].mean()) + 0.0 if rest.any() else None for part in (truthful, paid))
    return Paid(before, after, float(truthful.mean()) + 0.0, float(paid.mean()) + 0.0)


def _best_response(
    mechanism: DirectMechanism, types: Floats, rounds: int, progress: Progress
) -> tuple[Settling, Play, BestResponses]:
    play = Play(mechanism, types)
    done = best_responses(play, rounds, progress=progress)
    return replace(settling(done), **_left(play, done)), play, done


def settling(done: BestResponses) -> Settling:
    """Say how many games came to rest, went in circles, or did neither before the rounds ran out."""
    return Settling(
        settled=int(done.settled.sum()),
        circling=int((done.cycle > 1).sum()),
        unfinished=int((done.cycle == 0).sum()),
        longest_cycle=int(done.cycle.max(initial=0)),
        rounds_played=done.rounds,
        deviations=done.deviations,
    )


def _left(play: Play, done: BestResponses) -> dict[str, Any]:
    """Return what a client gains by the best of all reports where play settled; nothing where nobody can say."""
    if not (isinstance(play.mechanism, MarketDirect) and done.settled.any()):
        return {}
    every = MarketPlay(play.mechanism, play.types)
    if not every.exact:
        return {}
    games = np.flatnonzero(done.settled)
    left = every.left(done.reports[games], games)
    left[left <= MONEY * scale(left)] = 0.0
    had = every.utilities(done.reports[games], games)
    many = ((left > 0.0) & (left > LOOSE * had)).any(axis=1)
    return {"left": float(left.max()), "left_mean": float(left.mean()), "left_games": int(many.sum())}


def _matching(
    mechanism: DirectMechanism, types: Floats, rounds: int, seed: int, progress: Progress
) -> tuple[Matching, Play, Reached]:
    play = Play(mechanism, types, even_levels(mechanism.space, own_coordinate(mechanism), MATCHING_LEVELS))
    done = regret_matching(play, rounds, seed, progress)
    external = done.external
    found = Matching(float(external.max()), float(external.mean()), float(done.conditional.max()), done.deviations)
    return found, play, done.reached


def misreports(play: Play, reached: Reached) -> Misreports:
    """Return the shares of agents whose report is below and above their truth, and by how much on average."""
    off = reached.reports - play.truth[reached.games]
    weights = np.broadcast_to(reached.weights[:, None], off.shape) * play.mechanism.space.private[:, play.at]
    small = MONEY * np.maximum(1.0, np.abs(play.truth[reached.games]))
    parts: list[float] = []
    for side in (off < -small, off > small):
        weight = float((weights * side).sum())
        mean = float((weights * np.abs(off) * side).sum()) / weight if weight > 0.0 else 0.0
        parts += [weight / float(weights.sum()), mean]
    return Misreports(*parts)


def _rows(play: Play, reached: Reached, books: Anarchy) -> list[AgentRow]:
    said = reached.mean(reached.reports, play.games)
    parts = (play.truth, said, books.utility_truthful, books.utility)
    columns = [[float(part[:, i].mean()) for i in range(play.agents)] for part in parts]
    return [AgentRow(i, *row) for i, row in enumerate(zip(*columns, strict=True))]


def check(rounds: int | None, profiles: int | None) -> None:
    """Refuse numbers of rounds and profiles that nothing can be played with.

    `InputError`: saying which one.
    """
    for option, value, most in (("--rounds", rounds, 1_000_000), ("--profiles", profiles, 100_000)):
        if value is not None and not 1 <= value <= most:
            raise InputError(f"{option} is {value}; expected a whole number from 1 to {most}")


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
