"""The smallest story that still tells it: fewer clients, shorter numbers, most of the gain kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from mechanism import MONEY, Market, MarketProofError, Types, market_mechanism
from proofs_checks.evidence import Deviation, Witness, observe
from proofs_checks.protocol import Clears

Array = NDArray[np.float64]

_PASSES = 8
_DIGITS = (1, 2, 3, 4)
_ARRAYS = ("size", "cost", "gain", "differences", "said")


@dataclass(frozen=True, eq=False)
class _Story:
    """A witness laid out for change: numbers in arrays, ``said`` the reports in the order of the deviations."""

    size: Array
    cost: Array
    gain: Array
    differences: Array
    said: Array
    lam: float
    deviations: tuple[Deviation, ...]


def shrink(witness: Witness, mechanism: Clears | None = None, *, keep: float = 0.5) -> Witness:
    """Return a smaller witness of the same thing that keeps at least ``keep`` of its gain.

    Greedy and deterministic: clients that do not deviate are left out one by one; then the penalties; then every
    number becomes 0 or is rounded to few digits. A change stays if the deviation still pays enough; passes repeat
    until nothing changes.

    Raises
    ------
    UnknownNameError
        If no mechanism is given and the catalogue does not know the witness's.
    """
    mechanism = market_mechanism(witness.mechanism) if mechanism is None else mechanism
    enough = max(keep * witness.rise, 10 * MONEY)
    m = len(witness.size)
    d = np.zeros((m, m)) if witness.differences is None else np.array(witness.differences)
    story = _Story(
        size=np.array(witness.size),
        cost=np.array(witness.cost),
        gain=np.array(witness.gain),
        differences=d,
        said=np.array([x.report for x in witness.deviations]),
        lam=witness.lam if witness.differences is not None else 0.0,
        deviations=witness.deviations,
    )
    best = _tell(story, mechanism, witness)
    if best is None or best.rise < enough:  # the witness does not replay with this mechanism: nothing to shrink
        return witness
    for _ in range(_PASSES):
        changed = False
        for place in _places(story):
            for simpler in _simpler(story, place):
                told = _tell(simpler, mechanism, witness)
                if told is not None and told.rise >= enough:
                    story, best, changed = simpler, told, True
                    break
        if not changed:
            break
    return best


def _tell(story: _Story, mechanism: Clears, witness: Witness) -> Witness | None:
    """Clear the story; None if its numbers are no market."""
    deviations = tuple(replace(d, report=float(r)) for d, r in zip(story.deviations, story.said, strict=True))
    try:
        types = Types(story.size, story.cost, story.gain)
        market = Market(story.differences if story.lam > 0.0 else None, story.lam, witness.law)
        return observe(mechanism, types, market, deviations, property=witness.property)
    except MarketProofError:
        return None


Place = tuple[str, tuple[int, ...]]
"""Where a story may become simpler: a client to leave out, λ, or one entry of an array."""


def _places(story: _Story) -> list[Place]:
    """Clients from the last to the first (so that leaving one out moves none yet to come), λ, then every number."""
    m = len(story.size)
    places: list[Place] = [("client", (k,)) for k in reversed(range(m))] + [("lam", ())]
    return places + [(name, index) for name in _ARRAYS for index in np.ndindex(getattr(story, name).shape)]


def _simpler(story: _Story, place: Place) -> Iterator[_Story]:
    """Yield stories that are simpler at one place, the simplest first; none if the place is gone."""
    name, index = place
    if name == "client":
        (k,) = index
        if len(story.size) > 2 and all(d.client != k for d in story.deviations):
            yield _without(story, k)
    elif name == "lam":
        for value in _rounder(story.lam):
            yield replace(story, lam=value)
    else:
        array = getattr(story, name)
        if all(k < n for k, n in zip(index, array.shape, strict=True)):
            for value in _rounder(float(array[index])):
                changed = array.copy()
                changed[index] = value
                yield replace(story, **{name: changed})


def _without(story: _Story, k: int) -> _Story:
    """Leave client k out."""
    return _Story(
        size=np.delete(story.size, k),
        cost=np.delete(story.cost, k),
        gain=np.delete(story.gain, k),
        differences=np.delete(np.delete(story.differences, k, axis=0), k, axis=1),
        said=story.said,
        lam=story.lam,
        deviations=tuple(replace(d, client=d.client - (d.client > k)) for d in story.deviations),
    )


def _length(value: float) -> int:
    """Significant digits of a number as it is written; 0 has none."""
    return len(Decimal(repr(value)).normalize().as_tuple().digits) if value else 0


def _rounder(value: float) -> Iterator[float]:
    """Yield 0, then the number rounded to the nearest, down and up to few digits, while that is shorter."""
    if value == 0.0:
        return
    yield 0.0
    length = _length(value)
    for digits in _DIGITS:
        if digits >= length:
            return
        step = Decimal(1).scaleb(Decimal(repr(value)).adjusted() - digits + 1)
        for mode in ("ROUND_HALF_EVEN", "ROUND_FLOOR", "ROUND_CEILING"):
            yield float((Decimal(repr(value)) / step).to_integral_value(rounding=mode) * step)
