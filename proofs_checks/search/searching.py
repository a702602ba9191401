"""The search: probes of every kind in turn, larger and larger, and a climb from the best of them, within a budget."""

import time
import zlib
from dataclasses import dataclass, field, replace

import numpy as np

from mechanism.direct import DirectMechanism, Floats
from proofs_checks.properties.expectation import Expected
from proofs_checks.properties.property import Property, Rng, size
from proofs_checks.properties.truthful import exact_probe
from proofs_checks.search.cases import Cases, DependsOnBatch
from proofs_checks.search.pacing import Pace
from proofs_checks.search.sampling import around, wide

WAYS: tuple[tuple[str, str], ...] = (
    ("uniform", "uniform"), ("ties", "others"), ("uniform", "near"), ("lattice", "ends"), ("corners", "ends"),
    ("uniform", "others"), ("boxes", "scan"), ("corners", "near"), ("uniform", "scan"), ("lattice", "others"),
    ("ties", "near"), ("boxes", "near"), ("uniform", "ends"), ("corners", "others"), ("ties", "ends"),
    ("uniform", "breaks"), ("boxes", "uniform"), ("uniform", "uniform"), ("lattice", "breaks"), ("ties", "scan"),
    ("corners", "scan"), ("boxes", "others"), ("ties", "breaks"),
)  # fmt: skip
"""In which order profiles and reports are drawn how (`sampling`), over and over."""

_FIRST, _LARGEST = 512, 1 << 16
_BYTES = 1 << 26
CLIMBERS = 128
_CLIMB_EVERY = 6
_FOR_ITS_SIZE = 1e-6
_SCALES_EVERY = 3
_SLOW_FIRST = 16
_FOR_BREAKS = 2048
_FAR = 1e3  # tolerances: what is seen among many profiles and not of one alone is no rounding


@dataclass(eq=False)
class Search:
    """One property's search, resumable: `step` makes one probe, `found` is set once a violation is certain.

    The sequence of probes depends on the seed alone, never on the clock: a budget only decides how far it goes. Where a
    slow rule's ``pace`` is given, probes start small and none is larger than what is left of the time.
    """

    mechanism: DirectMechanism
    prop: Property
    seed: int = 0
    tried: int = 0
    uniform_profiles: int = 0
    exact_profiles: int = 0
    found: Cases | None = None
    best: Cases | None = None
    worst: float = -np.inf
    height: float = -np.inf
    seconds: float = 0.0
    probes: int = 0
    slowest: float = 0.0
    pace: Pace | None = None
    fits: int = _LARGEST
    rng: Rng = field(init=False)

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng([self.seed, zlib.crc32(self.prop.id.encode())])

    @property
    def _claimed(self) -> bool:
        """Whether tables rest on what a mechanism says of its utility (`lines.affine`)."""
        return bool(getattr(self.mechanism, "affine_in_own", False))

    @property
    def count(self) -> int:
        """Outcomes to ask for in the next probe: doubled every third probe, bounded by memory."""
        space = self.mechanism.space
        room = max(32, _BYTES // (8 * space.agents * space.k))
        first = _FIRST if self.pace is None else _SLOW_FIRST
        return min(first << (self.probes // 3), self.fits, room)

    def step(self) -> None:
        """Make the next probe, or a climb from the best case so far."""
        started = time.perf_counter()
        turn = self.probes
        self.probes += 1
        if turn % _CLIMB_EVERY == _CLIMB_EVERY - 1 and self.best is not None and not self.prop.costly:
            self._climb()
        elif (probe := exact_probe(self.mechanism, self.prop, self.rng, self.count, turn)) is not None:
            self.exact_profiles += probe.profiles
            self.tried += probe.tried
            self._note(probe.case, probe.worst)
        else:
            ways = WAYS[turn % len(WAYS)]
            if ways[1] == "breaks" and self.count < _FOR_BREAKS:
                ways = ways[0], "others"
            if turn % _SCALES_EVERY == 0 and wide(self.mechanism.space):
                ways = "scales", ways[1]
            probe = self.prop.probe(self.mechanism, self.rng, ways, self.count)
            self.tried += probe.tried
            self.uniform_profiles += probe.profiles if ways[0] == "uniform" else 0
            self._note(probe.case, probe.worst)
            if probe.sized is not None and self.found is None:
                self._note(probe.sized, float(self.prop.violation(self.mechanism, probe.sized).max()))
        spent = time.perf_counter() - started
        self.slowest = max(spent, self.slowest)
        self.seconds += spent

    def run(self, deadline: float, probes: int | None = None) -> None:
        """Step until a violation is found, the deadline (`time.perf_counter`) is near, or ``probes`` are made."""
        stop = None if probes is None else self.probes + probes
        while self.found is None and (stop is None or self.probes < stop):
            if self.pace is not None:
                left = deadline - time.perf_counter() - self.pace.needs(0)
                self.fits = min(_LARGEST, int(left / max(self.pace.row, 1e-9)))
                if self.fits < self.prop.least:
                    return
            elif self.probes and time.perf_counter() + min(self.slowest, 1.0) > deadline:
                return
            self.step()

    def _note(self, case: Cases, worst: float) -> None:
        self.worst = max(worst, self.worst)
        if (height := worst / float(size(case).max())) > self.height:
            self.height, self.best = height, case
        if worst <= 0.0:
            return
        tolerance = self.prop.tolerance(self.prop.numbers(self.mechanism, case))
        if worst <= tolerance:
            return
        # asked once more by the definition, alone in its batch
        alone = float(self.prop.violation(self.mechanism, case).max())
        if alone > tolerance:
            self.found = case
        elif worst > _FAR * tolerance and not isinstance(self.prop, Expected) and not self._claimed:
            raise DependsOnBatch(case.before[0], self.prop.blamed)

    def _climb(self) -> None:
        assert self.best is not None
        if not np.isfinite(self.height):
            return
        case, worst, tried = climb(
            self.mechanism, self.prop, self.best, self.rng, 4, max(1, min(CLIMBERS, self.count // 8))
        )
        self.tried += tried
        self._note(case, worst)


def climb(
    mechanism: DirectMechanism, prop: Property, case: Cases, rng: Rng, rounds: int, climbers: int = CLIMBERS
) -> tuple[Cases, float, int]:
    """Move the numbers of a case at random, over all scales, and keep what breaks the property most.

    What breaks it by more, but for its `size` by less than 1e-6 and than the case does, is not taken: it may be within
    its tolerance.
    Returns the best case (maybe the one given), its violation and the number of cases tried.
    """
    best, height, tried = case, float(prop.violation(mechanism, case).max()), 0
    least = min(_FOR_ITS_SIZE, height / size(case).max())
    for _ in range(rounds):
        near = _neighbours(mechanism, best, rng, climbers)
        found = prop.violation(mechanism, near).max(axis=1)
        found = np.where(found >= least * size(near).max(axis=1), found, -np.inf)
        tried += len(found)
        top = int(np.argmax(found))
        if found[top] > height:
            best, height = near.one(top), float(found[top])
            best = replace(best, after=None if near.after is None else near.after[top : top + 1].copy())
    return best, height, tried


def _neighbours(mechanism: DirectMechanism, case: Cases, rng: Rng, count: int) -> Cases:
    space = mechanism.space
    low, high = around(space, case.before)
    span = (high - low)[0]

    def step(shape: tuple[int, ...]) -> Floats:
        length = 10.0 ** rng.uniform(-6, -0.3, shape) * rng.choice((-1.0, 1.0), shape)
        return np.asarray(length * (rng.random(shape) < 0.4) * span)

    def within(values: Floats) -> Floats:
        values = np.where(space.integer, np.rint(values), values)
        return np.clip(values, space.low, space.high)

    shape = (count, space.agents, space.k)
    move = step(shape)
    before = within(case.before + move)
    types = np.where(case.types == case.before, before, within(case.types + move))
    after = None
    if case.after is not None:
        lie = step((count, *case.after.shape[1:]))
        moved = within(case.after + move[:, None])
        after = np.where(case.after == case.before[:, None], before[:, None], within(moved + lie))
    repeat = tuple((name, np.repeat(array, count, axis=0)) for name, array in case.extra)
    deviators = None if case.deviators is None else np.repeat(case.deviators, count, axis=0)
    return Cases(types, before, after, deviators, repeat)
