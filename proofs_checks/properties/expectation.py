"""Promises in expectation: an agent knows its own type and what is public, the others' types are drawn from the prior.

The prior is independent and uniform on the declared bounds, or what a case gives: the others' types and their chances.
Where the others have finitely many types (whole numbers, given lists) the expectation is summed. Elsewhere a violation
counts only beyond sampling error: what is returned is a lower confidence bound of the expected gain (empirical
Bernstein), drawn anew after the candidate was chosen, so that choosing among many candidates costs no confidence.
"""

import math
from dataclasses import dataclass

import numpy as np

from mechanism.direct import DirectMechanism, Floats
from mechanism.wording import number
from proofs_checks.properties.property import Probe, Property, Rng, profile_words, row_words
from proofs_checks.search import sampling
from proofs_checks.search.cases import Cases, answer, utilities
from proofs_checks.search.grids import Grid, whole_grid
from proofs_checks.search.lines import Lines, utility_table

DOUBT = 1e-9
"""Probability with which one confirmation may accuse wrongly (a shrinking asks some hundreds)."""

_LEVELS = 12
_CHUNK = 1 << 14
_SECOND, _LEAST, _MOST = 1 << 9, 1 << 15, 1 << 18
MOST_DRAWS = 1 << 22
"""Draws that a case may ask for; a search gives its candidates ``_MOST``."""

_MOST_SUMMED = 1 << 16
"""Profiles of the others up to which an expectation over whole numbers is summed."""


@dataclass(frozen=True)
class Estimate:
    """Mean and variance of what was drawn, the range taken for it, and how many draws (0: it was summed)."""

    mean: float
    variance: float
    spread: float
    draws: int

    def at_least(self, draws: int = 0, pairs: int = 1) -> float:
        """Return the lower confidence bound, or what it would be with so many draws; ``pairs`` were asked together.

        Maurer and Pontil (2009), theorem 4: mean - sqrt(2 V log(2/δ) / N) - 7 B log(2/δ) / (3 (N - 1)). The range B of
        a difference is taken as twice the range of utilities (`Expected.estimate`), not from the sample itself: where a
        rare loss pays for a sure small gain, a sample without the loss has no variance at all.
        """
        if not self.draws:
            return self.mean
        number, log = draws or self.draws, math.log(2.0 * pairs / DOUBT)
        error = math.sqrt(2.0 * self.variance * log / number) + 7.0 * self.spread * log / (3.0 * (number - 1))
        return self.mean - error


@dataclass(frozen=True)
class Expected(Property):
    """Shared by the properties in expectation: candidates by a small sample, confirmed by a large one."""

    @property
    def costly(self) -> bool:
        """Every violation is an estimate."""
        return True

    def missing(self, mechanism: DirectMechanism) -> str | None:
        """Needs a private number."""
        return None if mechanism.space.private.any() else "agents have no private number"

    @property
    def least(self) -> int:
        """A candidate and its confirmation."""
        return 2 * _LEAST

    @property
    def _reports(self) -> int:
        """How many reports of each type are compared."""
        return _LEVELS

    def bound(self, tried: int, probes: int) -> str:
        """Return how the number tried comes about, and what it says."""
        draws = tried // max(1, probes * _LEVELS * self._reports)
        return (
            f"{probes * _LEVELS} types with {self._asked}, against {draws} draws of the others (uniform prior) on "
            f"average: {self._none} beyond sampling error; nothing is said of types that were not asked"
        )

    @property
    def _asked(self) -> str:
        return f"{self._reports} reports each"

    @property
    def _none(self) -> str:
        return "no report was better than the truth"

    def _pick(self, table: Floats) -> tuple[int, int]:
        """Return (truth, report) of the most suspicious pair in samples of U ``[N, R, R]``."""
        raise NotImplementedError  # pragma: no cover - both subclasses have their own

    def _samples(self, mechanism: DirectMechanism, case: Cases, others: Floats) -> Floats:
        """Return what breaks the property where it is positive on average, per drawn profile of others ``[N]``."""
        raise NotImplementedError  # pragma: no cover - both subclasses have their own

    def probe(self, mechanism: DirectMechanism, rng: Rng, ways: tuple[str, str], count: int) -> Probe:
        """Average a table of truths and reports over few draws of the others, then confirm its worst pair."""
        space = mechanism.space
        drawn = max(64, count // _LEVELS)
        able = np.flatnonzero(space.private.any(axis=1))
        agent = int(able[rng.integers(len(able))])
        base = sampling.PROFILES[ways[0]](space, rng, 1)
        others = np.where(space.private, sampling.uniform(space, rng, drawn), base)
        everything = np.ones(space.k, dtype=np.bool_)
        levels = np.empty((_LEVELS, space.k))
        levels[0] = base[0, agent]
        levels[1:] = sampling.reports(space, rng, base, np.array([agent]), _LEVELS - 1, everything, ways[1])[0]
        repeated = np.broadcast_to(levels, (drawn, *levels.shape))
        table = utility_table(mechanism, Lines(others, others, np.full(drawn, agent), repeated))
        truth, report = self._pick(table)
        types = np.where(space.private, space.low, base)  # private numbers of others are drawn: here they play no part
        types[0, agent] = levels[truth]
        after = types.copy()
        after[0, agent] = levels[report]
        who = np.zeros((1, space.agents), dtype=np.bool_)
        who[0, agent] = True
        draws = np.array([float(rng.integers(1 << 31)), float(min(_MOST, max(_LEAST, 8 * count)))])
        case = Cases(types, types, after[:, None], who, (("draws", draws[None]),))
        worst = -math.inf
        rough = self._samples(mechanism, case, others)  # the case was chosen by these: they flatter it
        if rough.mean() > 2.0 * rough.std() / math.sqrt(len(rough)):
            anew = np.where(space.private, sampling.uniform(space, rng, _SECOND), base)
            if self._promises(self._samples(mechanism, case, anew), int(draws[1])):
                worst = float(self.violation(mechanism, case)[0, 0])
        return Probe(case, worst, drawn * _LEVELS * self._reports, 1)

    def _promises(self, samples: Floats, draws: int) -> bool:
        """Tell whether so many draws could confirm what a sample shows, two standard errors of it in its favour."""
        spread = float(samples.std())
        error = spread * math.sqrt(2.0 * math.log(2.0 / DOUBT) / draws)
        return bool(samples.mean() + 2.0 * spread / math.sqrt(len(samples)) > error)

    def violation(self, mechanism: DirectMechanism, cases: Cases) -> Floats:
        """Return the lower confidence bound of each case ``[P, 1]``, by the draws that it names."""
        return np.array([[self.estimate(mechanism, cases.one(p)).at_least()] for p in range(len(cases.types))])

    def estimate(self, mechanism: DirectMechanism, case: Cases) -> Estimate:
        """Return what is expected of a case, by the draws that it names; summed where that can be."""
        if (known := _others(mechanism, case)) is not None:
            profiles, chances = known
            return Estimate(float(self._samples(mechanism, case, profiles) @ chances), 0.0, 0.0, 0)
        seed, number = (int(x) for x in case.more("draws")[0])
        if not 2 <= number <= MOST_DRAWS:
            raise ValueError(f"draws are {number}; expected 2 to {MOST_DRAWS}")
        rng = np.random.default_rng(seed)
        space, parts = mechanism.space, []
        for start in range(0, number, _CHUNK):
            drawn = sampling.uniform(space, rng, min(_CHUNK, number - start))
            parts.append(self._samples(mechanism, case, np.where(space.private, drawn, case.types)))
        values = np.concatenate(parts)
        spread = max(self._spread(mechanism, rng), float(np.ptp(values)))
        return Estimate(float(values.mean()), float(values.var(ddof=1)), spread, number)

    def _spread(self, mechanism: DirectMechanism, rng: Rng) -> float:
        """Return twice the range of the utilities of truthful agents, seen at random and at the corners."""
        profiles = np.concatenate(
            [sampling.PROFILES[way](mechanism.space, rng, 1024) for way in ("uniform", "corners")]
        )
        return 2.0 * float(np.ptp(utilities(mechanism, profiles, answer(mechanism, profiles))))

    def numbers(self, mechanism: DirectMechanism, case: Cases) -> dict[str, list[float]]:
        """Return the expected violation, and its lower confidence bound where it is an estimate."""
        found = self.estimate(mechanism, case)
        if not found.draws:
            return {"expected": [found.mean]}
        return {"expected": [found.mean], "at_least": [found.at_least()], "draws": [float(found.draws)]}

    def tolerance(self, numbers: dict[str, list[float]]) -> float:
        """Return the tolerance for the money alone: the number of draws is no amount."""
        return super().tolerance({"expected": numbers["expected"]})


def prior_of(grid: Grid, chances: Floats) -> tuple[tuple[str, Floats], ...]:
    """Return the extras of a case in which profile p of a grid has the chance ``chances[p]``, which sum to 1.

    The others' types are drawn from these, whatever the bounds say.
    """
    counts = np.array(grid.counts, dtype=np.float64)
    return ("counts", counts[None]), ("given", np.concatenate(grid.types)[None]), ("chances", chances[None])


def _others(mechanism: DirectMechanism, case: Cases) -> tuple[Floats, Floats] | None:
    """Return the profiles ``[N, n, k]`` that are drawn from and their chances ``[N]``; None: too many to be summed.

    Those that the case gives, else all whole numbers between the bounds (the deviator's row plays no part).
    """
    extra, space = dict(case.extra), mechanism.space
    if "chances" not in extra:
        fixed = ~space.private
        fixed[int(case.deviator[0])] = True
        grid = whole_grid(space, np.where(fixed, case.types[0], np.nan), _MOST_SUMMED)
        return None if grid is None else (grid.rows(0, grid.profiles), np.full(grid.profiles, 1.0 / grid.profiles))
    counts, given, chances = (np.asarray(extra[name][0], dtype=np.float64) for name in ("counts", "given", "chances"))
    ends = np.cumsum(counts.astype(np.intp))
    if counts.shape != (space.agents,) or given.shape != (ends[-1], space.k) or (counts < 1).any():
        raise ValueError("the types that are drawn from do not fit the agents")
    grid = Grid(tuple(np.split(given, ends[:-1])), chances)
    if ((given < space.low.min(axis=0)) | (given > space.high.max(axis=0))).any():
        raise ValueError("a type that is drawn lies outside the mechanism's bounds")
    likely = np.flatnonzero(chances)
    return grid.rows(0, grid.profiles)[likely], chances[likely]


def _against(mechanism: DirectMechanism, case: Cases, numbers: dict[str, list[float]]) -> str:
    """Say how sure an expectation is, and what is public; the private numbers of the others are drawn."""
    public = profile_words(mechanism, case.types[0], said=np.ones_like(mechanism.space.private))
    if "draws" not in numbers:
        return f" (summed over all types of the others){public}"
    return f" (at least {number(numbers['at_least'][0])}, {int(numbers['draws'][0])} draws of the others){public}"


def _own(mechanism: DirectMechanism, case: Cases, others: Floats, *, lie: bool) -> Floats:
    agent = int(case.deviator[0])
    types = others.copy()
    types[:, agent] = case.types[0, agent]
    reports = types
    if lie:
        reports = types.copy()
        reports[:, agent] = case.reported[0, 0, agent]
    return utilities(mechanism, types, answer(mechanism, reports))[:, agent]


@dataclass(frozen=True)
class BayesTruthful(Expected):
    """No agent expects to gain by a false report, the others truthful and drawn from the prior."""

    def _pick(self, table: Floats) -> tuple[int, int]:
        gain = table - np.diagonal(table, axis1=1, axis2=2)[:, :, None]
        score = gain.mean(axis=0) - gain.std(axis=0) / math.sqrt(len(gain))
        truth, report = (int(x) for x in np.unravel_index(int(np.argmax(score)), score.shape))
        return truth, report

    def _samples(self, mechanism: DirectMechanism, case: Cases, others: Floats) -> Floats:
        return _own(mechanism, case, others, lie=True) - _own(mechanism, case, others, lie=False)

    def sentence(self, mechanism: DirectMechanism, case: Cases, numbers: dict[str, list[float]]) -> str:
        """What is expected of which report."""
        a = int(case.deviator[0])
        truth, lie = case.types[0, a], case.reported[0, 0, a]
        return (
            f"{mechanism.space.who(a)} has {row_words(mechanism, a, truth, mechanism.space.private[a])}; reporting "
            f"{row_words(mechanism, a, lie, truth != lie)} raises what it expects by {number(numbers['expected'][0])}"
            f"{_against(mechanism, case, numbers)}"
        )


@dataclass(frozen=True)
class InterimRational(Expected):
    """No agent expects to lose by taking part, the others truthful and drawn from the prior."""

    def missing(self, mechanism: DirectMechanism) -> str | None:
        """Staying out must be possible."""
        stays = not getattr(mechanism, "voluntary", True)
        return "there is no staying out of this mechanism" if stays else super().missing(mechanism)

    @property
    def _reports(self) -> int:
        return 1

    @property
    def _asked(self) -> str:
        return "their true reports"

    @property
    def _none(self) -> str:
        return "none expects to lose"

    def _pick(self, table: Floats) -> tuple[int, int]:
        truth = int(np.argmin(np.diagonal(table, axis1=1, axis2=2).mean(axis=0)))
        return truth, truth

    def _samples(self, mechanism: DirectMechanism, case: Cases, others: Floats) -> Floats:
        return -_own(mechanism, case, others, lie=False)

    def sentence(self, mechanism: DirectMechanism, case: Cases, numbers: dict[str, list[float]]) -> str:
        """Who expects to lose."""
        a = int(case.deviator[0])
        truth = row_words(mechanism, a, case.types[0, a], mechanism.space.private[a])
        loses = f"{mechanism.space.who(a)} has {truth} and expects to lose {number(numbers['expected'][0])}"
        return f"{loses}{_against(mechanism, case, numbers)}"


FAMILY = (
    InterimRational.stated("interim-ir", "E[U_i(θ_i, θ_-i)] >= 0 for all θ_i", follows=("ir",)),
    BayesTruthful.stated("bic", "E[U_i(θ_i, θ_-i)] >= E[U_i(r_i, θ_-i)] for all θ_i, r_i", follows=("dsic",)),
)
