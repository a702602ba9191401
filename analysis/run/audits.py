"""A run's audit, read from ``audit.json``: per method the lowest utilities, the balance, the best lie found."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis.run.files import RecordError, read_json
from mechanism.tolerance import MONEY

ROLES = ("client", "buyer", "seller")
COORDINATES = ("cost", "gain", "size")

_LARGEST_TOLERANCE = 1e-6
"""A tolerance for money above this would let losses pass for rounding."""


@dataclass(frozen=True)
class Lie:
    """The best lie found about one private coordinate: who, where, what it said and what it won (money).

    ``gain`` >= 0 is utility_lying - utility_truthful, or 0 when no report beat the truth. ``round`` counts from 1.
    ``deviations`` is the number of reports tried, ``exact`` whether they are known to hold the best one. ``pays``: a
    replayable witness was stored, or the gain is beyond rounding.
    """

    coordinate: str
    gain: float
    seed: int
    round: int
    client: int
    truth: float
    report: float
    utility_truthful: float
    utility_lying: float
    deviations: int
    sentence: str
    exact: bool
    pays: bool


@dataclass(frozen=True)
class MethodAudit:
    """The audit of one method: money throughout; ``lies`` by coordinate, empty where nobody reports anything."""

    mechanism: str | None
    lowest_utility: Mapping[str, float]
    budget_imbalance: float
    optimality_gap: float
    objective: float
    optimal_objective: float
    lies: Mapping[str, Lie]
    words: tuple[str, ...]


@dataclass(frozen=True)
class Audit:
    """The whole audit: its scope in a sentence, its relative tolerance for money, and one entry per method."""

    scope: str
    tolerance: float
    methods: Mapping[str, MethodAudit]


class _Reader:
    """Typed access to a JSON object; every failure names the file and the place in it."""

    def __init__(self, path: Path, value: Any, where: str) -> None:
        self.path, self.where = path, where
        if not isinstance(value, dict):
            raise RecordError(f"{path}: {where} is a {type(value).__name__}; expected an object")
        self.value: dict[str, Any] = value

    def _get(self, key: str, kinds: type | tuple[type, ...], expected: str) -> Any:
        found = self.value.get(key)
        if not isinstance(found, kinds) or isinstance(found, bool):
            raise RecordError(f"{self.path}: {self.where}.{key} is {found!r:.60}; expected {expected}")
        return found

    def number(self, key: str) -> float:
        found = self._get(key, (int, float), "a number")
        try:
            value = float(found)
        except OverflowError:
            value = math.inf
        if not math.isfinite(value):
            raise RecordError(f"{self.path}: {self.where}.{key} is not finite; expected a number")
        return value

    def whole(self, key: str, low: int, high: int) -> int:
        found: int = self._get(key, int, "a whole number")
        if not low <= found <= high:
            raise RecordError(f"{self.path}: {self.where}.{key} is {found:.6g}; expected {low} to {high}")
        return found

    def text(self, key: str) -> str:
        return str(self._get(key, str, "text"))

    def texts(self, key: str) -> tuple[str, ...]:
        found = self._get(key, list, "a list of sentences")
        if not all(isinstance(item, str) for item in found):
            raise RecordError(f"{self.path}: {self.where}.{key} holds something else than text")
        return tuple(found)

    def inner(self, key: str) -> _Reader:
        return _Reader(self.path, self.value.get(key), f"{self.where}.{key}")


def _lie(entry: _Reader, coordinate: str, seeds: tuple[int, ...], rounds: int, clients: int) -> Lie:
    seed = entry.whole("seed", min(seeds), max(seeds))
    if seed not in seeds:
        raise RecordError(f"{entry.path}: {entry.where}.seed is {seed}; the run has seeds {list(seeds)}")
    gain, truthful, lying = (entry.number(k) for k in ("gain", "utility_truthful", "utility_lying"))
    won = max(0.0, lying - truthful)
    if not abs(gain - won) <= MONEY * max(1.0, abs(truthful), abs(lying)):
        raise RecordError(
            f"{entry.path}: {entry.where}.gain is {gain:.9g}; utility_lying - utility_truthful make it {won:.9g}; the "
            "file was changed, run again"
        )
    witness = isinstance(entry.value.get("witness"), dict)
    if witness and gain <= 0.0:
        raise RecordError(
            f"{entry.path}: {entry.where} has a witness but gains nothing; the file was changed, run again"
        )
    beyond_rounding = gain > 1e-7 * max(1.0, abs(truthful), abs(lying))
    return Lie(
        coordinate=coordinate,
        gain=max(0.0, gain),
        seed=seed,
        round=entry.whole("round", 1, rounds),
        client=entry.whole("client", 0, clients - 1),
        truth=entry.number("truth"),
        report=entry.number("report"),
        utility_truthful=truthful,
        utility_lying=lying,
        deviations=entry.whole("deviations", 0, 2**62),
        sentence=entry.text("sentence"),
        exact=entry.value.get("exact") is True,
        pays=witness or beyond_rounding,
    )


def _method(entry: _Reader, mechanism: str | None, seeds: tuple[int, ...], rounds: int, clients: int) -> MethodAudit:
    if entry.value.get("mechanism") != mechanism:
        raise RecordError(
            f"{entry.path}: {entry.where}.mechanism is {entry.value.get('mechanism')!r:.60}; "
            f"manifest.json says {mechanism!r}"
        )
    lowest = entry.inner("lowest_utility")
    lies: dict[str, Lie] = {}
    if entry.value.get("best_lie") is not None:
        found = entry.inner("best_lie")
        for coordinate, value in found.value.items():
            if coordinate not in COORDINATES:
                known = ", ".join(COORDINATES)
                raise RecordError(f"{entry.path}: {found.where} has {coordinate!r:.60}; expected {known}")
            if value is not None and mechanism is None:
                raise RecordError(f"{entry.path}: {found.where} tells a lie; under this method nobody reports anything")
            if value is not None:
                lies[coordinate] = _lie(found.inner(coordinate), coordinate, seeds, rounds, clients)
    return MethodAudit(
        mechanism=mechanism,
        lowest_utility={role: lowest.number(role) for role in ROLES},
        budget_imbalance=entry.number("budget_imbalance"),
        optimality_gap=entry.number("optimality_gap"),
        objective=entry.number("objective"),
        optimal_objective=entry.number("optimal_objective"),
        lies=lies,
        words=entry.texts("words"),
    )


def read_audit(
    path: Path, *, mechanisms: Mapping[str, str | None], seeds: tuple[int, ...], rounds: int, clients: int
) -> Audit:
    """Read and check ``audit.json`` against the run it belongs to.

    Raises
    ------
    RecordError
        If the file is damaged, lacks a method of the run, or names a seed, round or client that the run does not have.
    """
    top = _Reader(path, read_json(path), "audit")
    entries = top.inner("methods")
    for name in mechanisms:
        if name not in entries.value:
            raise RecordError(f"{path}: method {name!r:.80} is missing; manifest.json lists it")
    methods = {
        name: _method(entries.inner(name), mechanism, seeds, rounds, clients) for name, mechanism in mechanisms.items()
    }
    tolerance = top.number("tolerance")
    if not 0.0 <= tolerance <= _LARGEST_TOLERANCE:
        raise RecordError(f"{path}: tolerance is {tolerance:.3g}; expected 0 to {_LARGEST_TOLERANCE:g}")
    return Audit(scope=top.text("scope"), tolerance=tolerance, methods=methods)
