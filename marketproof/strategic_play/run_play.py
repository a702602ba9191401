"""Strategic play of a recorded run: what lies would have earned, and what the honest would have lost."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.run.files import read_manifest
from analysis.run.market import MarketRecord
from analysis.run.records import open_markets
from marketproof.strategic_play.mechanism_play import Progress, misreports, settling
from marketproof.strategic_play.results import MethodPlayed, Misreports, Pooled, RunPlayed, Settling, Sums
from marketproof.strategic_play.sentences import method_sentence
from marketproof.strategic_play.welfare import MARKET_MEASURE, welfare_of, worst_found
from mechanism.direct import Floats
from mechanism.errors import InputError, shown
from mechanism.market.accounting import MONEY
from mechanism.market.clients import Market, Types
from mechanism.market.mechanisms import market_mechanism
from mechanism.market.rules.rule import Clearing
from mechanism.market.settling import gatherings
from proofs_checks.play.anarchy import Worst, anarchy
from proofs_checks.play.dynamics import best_responses
from proofs_checks.play.game import LEVELS, Play
from proofs_checks.search.given_markets import GivenMarkets
from proofs_checks.search.lies import MOST_CLIENTS, MOST_PAIRS, REPORTS_PER_POINT, best_reports


def play_run(folder: Path, rounds: int, seed: int = 0, progress: Progress = None) -> RunPlayed:
    """Return what play of a run folder came to; a method without a market is None.

    `InputError` if no method of the run has a market that can be played. `RecordError` if the folder is no complete
    run, or was changed.
    """
    manifest = read_manifest(folder)
    rules = {name: market_mechanism(rule) for name, rule in manifest.mechanisms.items() if rule is not None}
    if not rules:
        raise InputError(f"{shown(folder)} has no method with a market: nobody reports anything, nothing can be played")
    files = open_markets(folder, list(rules), manifest.seeds, manifest.digests)
    methods: dict[str, MethodPlayed | None] = {}
    for done, name in enumerate(manifest.methods):
        if progress is not None:
            progress(done, len(manifest.methods))
        methods[name] = None
        if name in rules:
            records = [files[name, one].read() for one in manifest.seeds]
            methods[name] = play_method(rules[name], records, rounds, seed)
    return RunPlayed(str(folder), manifest.seeds, methods)


def play_method(mechanism: Clearing, records: Sequence[MarketRecord], rounds: int, seed: int = 0) -> MethodPlayed:
    """Play every recorded market of one method in its clients' reported costs, all else as it was.

    Per client, summed over all markets: its utility if all are truthful; what its best lie alone adds to that; its
    utility where best-response dynamics end; and its utility if it stays truthful there while the others do not.
    `InputError` if the market is too large to be played, or no two clients were ever there together.
    """
    m = records[0].types.clients
    if m > MOST_CLIENTS:
        raise InputError(f"the market has {m} clients; play is possible with at most {MOST_CLIENTS}")
    points = max(1, int(MOST_PAIRS / (REPORTS_PER_POINT * m**3)))
    sums, parts = np.zeros((4, m)), []
    found: list[tuple[Settling, Misreports, int]] = []
    worsts: list[Worst] = []
    exact, pays, tried, cases = True, 0, 0, 0
    for which, types, market, there in _meetings(records):
        lies = best_reports(mechanism, types, market, limit=points)
        direct, profiles = GivenMarkets.of(mechanism, types, market, everywhere=True)
        play = Play(direct, profiles, _levels(types.cost), "cost")
        done = best_responses(play, rounds)
        books = anarchy(play, done.reached)
        alone = done.reached.mean(_honest(play, done.reached.reports, done.reached.games), play.games)
        gain = lies.gain.reshape(-1, len(there))
        small = MONEY * np.maximum(1.0, np.abs(lies.utility_truthful).reshape(gain.shape).max(axis=1, keepdims=True))
        pays, cases = pays + int((gain > small).sum()), cases + gain.size
        sums[:, there] += [part.sum(axis=0) for part in (books.utility_truthful, gain, books.utility, alone)]
        parts.append((
            books.welfare_truthful, books.welfare, books.optimum, done.settled, np.full(play.games, which)
        ))  # fmt: skip
        if (worst := worst_found(play, done, rounds, seed)) is not None:
            worsts.append(worst)
        found.append((settling(done), misreports(play, done.reached), play.games))
        exact, tried = exact and lies.exact, tried + lies.deviations
    if not found:
        raise InputError("no two clients of the run were ever there together; expected a run with a market")
    columns = (np.concatenate([p for p in column if p is not None]) for column in zip(*parts, strict=True))
    truthful, ended, optimum, at_rest, seeds = columns
    welfare = welfare_of(
        MARKET_MEASURE,
        truthful,
        ended,
        optimum,
        at_rest.astype(bool),
        _joined(worsts),
        seed=seed,
        resampled="seeds of the run",  # rounds of one seed follow from one another
        groups=seeds.astype(np.intp),
    )
    played = MethodPlayed(
        mechanism=mechanism.id,
        markets=sum(games for _, _, games in found),
        found=_pooled(found),
        clients=tuple(Sums(*row) for row in (sums + 0.0).T.tolist()),
        totals=Sums(*(sums.sum(axis=1) + 0.0).tolist()),
        lies_that_pay=pays,
        lies_exact=bool(exact),
        deviations=tried,
        welfare=welfare,
        cases=cases,
    )
    return replace(played, sentence=method_sentence(played))


def _joined(worsts: Sequence[Worst]) -> Worst | None:
    """Put what was found in several groups of markets one behind the other."""
    if not worsts:
        return None
    return Worst(
        np.concatenate([w.welfare for w in worsts]),
        np.concatenate([w.found for w in worsts]),
        min(w.starts for w in worsts),
        sum(w.deviations for w in worsts),
    )


def _meetings(records: Sequence[MarketRecord]) -> Iterator[tuple[int, Types, Market, NDArray[np.intp]]]:
    """Yield recorded markets with the same clients there: which record, types [r, k], what is public, who is there."""
    for which, record in enumerate(records):
        for group in gatherings(record.present, np.broadcast_shapes(record.market.batch, record.types.batch)):
            yield which, group.clients(record.types), group.market(record.market), group.there


def _levels(cost: Floats) -> Floats:
    """Return even reports from nothing to twice the highest true cost, the same for all clients ``[m, L]``."""
    m = cost.shape[-1]
    return np.broadcast_to(np.linspace(0.0, 2.0 * float(cost.max()), LEVELS), (m, LEVELS))


def _honest(play: Any, reports: Floats, games: Any) -> Floats:
    """Return each client's utility ``[Q, m]`` if it alone is truthful, the others reporting ``[Q, m]``."""
    columns = [play.payoffs(reports, i, play.truth[games, i][:, None], games)[:, 0] for i in range(play.agents)]
    return np.stack(columns, axis=1)


def _pooled(found: Sequence[tuple[Settling, Misreports, int]]) -> Pooled:
    """Put groups of markets (how they settled, who misreported, how many there are) together."""
    games = sum(many for _, _, many in found)
    counts = (sum(getattr(one, k) for one, _, _ in found) for k in ("settled", "circling", "unfinished", "deviations"))
    parts: list[float] = []
    for side in ("below", "above"):
        each = [(getattr(off, side), getattr(off, f"mean_{side}"), many) for _, off, many in found]
        share = sum(part * many for part, _, many in each) / games
        mean = sum(part * by * many for part, by, many in each) / games
        parts += [share, mean / share if share > 0.0 else 0.0]
    return Pooled(*counts, *parts)
