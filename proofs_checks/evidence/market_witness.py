"""How sure a verdict is, and the counterexamples that make it so: witnesses that anyone can replay."""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mechanism import MONEY, Market, Outcome, Types, account, market_mechanism
from mechanism.market.accounting import Accounts
from mechanism.market.gains import GainLaw
from mechanism.market.realised import settled
from mechanism.wording import apart, letters, number
from proofs_checks.errors import WitnessError
from proofs_checks.search.flat_markets import Clears, flatten
from proofs_checks.search.reports import Lies

Row = tuple[float, ...]

REPLAY_TOLERANCE: float = 1e-12
"""Relative to the market's scale: another machine may add in another order, which moves the last bits."""


def scales(accounts: Accounts) -> NDArray[np.float64]:
    """Return each market's scale ``[...]``: max(1, largest gain, cost or payment of a client), money."""
    parts = (accounts.gain, accounts.cost, accounts.paid, accounts.received, np.abs(accounts.centre))
    return np.maximum(1.0, np.max([np.abs(p).max(axis=-1, initial=0.0) for p in parts], axis=0))


class Grade(StrEnum):
    """How sure a verdict is.

    proved: a certificate re-checked without the solver that found it, for all types. exhausted: every profile and
    report of a declared finite grid, or an exact best response on every profile looked at. searched: nothing found by
    a named method, with a statistical bound. refuted: a witness is attached. unknown: none of these.
    """

    PROVED = "proved"
    EXHAUSTED = "exhausted"
    SEARCHED = "searched"
    REFUTED = "refuted"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Deviation:
    """Client (from 0) says ``report`` for its ``coordinate`` (`cost`, `gain` or `size`) instead of the truth."""

    client: int
    coordinate: str
    report: float


@dataclass(frozen=True)
class Sales:
    """An outcome, sparsely: (importer, exporter, gross price) by rising indices, and what each pays the centre."""

    sales: tuple[tuple[int, int, float], ...]
    centre: Row

    @classmethod
    def of(cls, outcome: Outcome) -> Sales:
        """Record the outcome of one market (no batch axes)."""
        pairs = [(int(i), int(j)) for i, j in np.argwhere(outcome.imports)]
        return cls(tuple((i, j, float(outcome.prices[i, j])) for i, j in pairs), tuple(outcome.centre.tolist()))


@dataclass(frozen=True)
class Witness:
    """A market in which a property fails: the true types, who deviates how, and what that does.

    With deviations, each deviator's true utility rises from ``utility_before`` (all truthful) to ``utility_after``.
    Without any, a truthful client's utility is below zero (individual rationality). ``size cost gain`` and the
    utilities have one number per client; ``differences`` is None where they play no part.
    """

    property: str
    mechanism: str
    size: Row
    cost: Row
    gain: Row
    differences: tuple[Row, ...] | None
    lam: float
    law: GainLaw
    deviations: tuple[Deviation, ...]
    utility_before: Row
    utility_after: Row
    before: Sales
    after: Sales

    @builtins.property
    def types(self) -> Types:
        """The true types, ``[m]``."""
        return Types(*(np.array(a) for a in (self.size, self.cost, self.gain)))

    @builtins.property
    def market(self) -> Market:
        """The public data."""
        return Market(None if self.differences is None else np.array(self.differences), self.lam, self.law)

    @builtins.property
    def rise(self) -> float:
        """Money gained by the deviator that gains least; without deviators, minus the lowest utility."""
        if not self.deviations:
            return -min(self.utility_before)
        return min(self.utility_after[d.client] - self.utility_before[d.client] for d in self.deviations)

    def sentence(self, names: tuple[str, ...] | None = None) -> str:
        """Return the witness in words; clients are called a, b, c, … unless ``names`` are given."""
        names = tuple(letters(k) for k in range(len(self.size))) if names is None else names
        if not self.deviations:
            worst = int(np.argmin(self.utility_before))
            return (
                f"client {names[worst]} tells the truth and is left with {number(_whole(self.utility_before[worst]))}"
            )
        truths, lies, rises = [], [], []
        for d in self.deviations:
            truth, said = _apart(getattr(self, d.coordinate)[d.client], d.report)
            low, high = _apart(self.utility_before[d.client], self.utility_after[d.client])
            truths.append(f"client {names[d.client]} {_TRUTHS[d.coordinate].format(truth)}")
            lies.append(said if len(self.deviations) == 1 else f"{d.coordinate} {said} of {names[d.client]}")
            rises.append(f"from {low} to {high}")
        if len(self.deviations) == 1:
            return f"{truths[0]}; saying {lies[0]} raises its utility {rises[0]}"
        return f"{', '.join(truths)}; saying {', '.join(lies)} raises their utilities {', '.join(rises)}"

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists, numbers and strings, ready for JSON."""
        from proofs_checks.evidence.witness_json import encode

        return encode(self)

    def to_json(self) -> str:
        """Return one line of JSON; every float is written so that it is read back to the bit."""
        import json

        return json.dumps(self.to_dict(), allow_nan=False)

    @classmethod
    def from_json(cls, text: str | bytes | Mapping[str, Any]) -> Witness:
        """Read a witness written by `to_json` (or its dictionary), trusting nothing in it.

        Raises
        ------
        WitnessError
            If it is not JSON, too large, or any part of it is missing, unknown, of the wrong kind or out of bounds.
        """
        from proofs_checks.evidence.witness_json import decode

        return decode(text)


@dataclass(frozen=True)
class Replay:
    """What recomputing a witness gave.

    ``reproduced``: same imports, all money within `REPLAY_TOLERANCE` of the market's scale, and the deviation still
    pays. ``bitwise``: every number is the same to the bit. ``difference``: which number differs first, or None.
    ``witness``: the recomputed one.
    """

    reproduced: bool
    bitwise: bool
    difference: str | None
    witness: Witness


def property_of(deviations: tuple[Deviation, ...]) -> str:
    """Return the property of `mechanism.PROPERTIES` that deviations speak about, if they pay: by who lies about what.

    Nobody: "ir". One client: "dsic-cost", "dsic-gain" or "dsic-size"; "dsic" where it lies about more than one number.
    More clients: "group-dsic".
    """
    if not deviations:
        return "ir"
    if len({d.client for d in deviations}) > 1:
        return "group-dsic"
    about = {d.coordinate for d in deviations}
    return f"dsic-{about.pop()}" if len(about) == 1 else "dsic"


def observe(
    mechanism: Clears, types: Types, market: Market, deviations: tuple[Deviation, ...], *, property: str = ""
) -> Witness:
    """Clear one market ``[m]`` truthfully and with the deviations, and record what happens (whether it pays or not).

    ``property`` is what the witness is said to be about; if empty, what such deviations are about (`property_of`). A
    mechanism with two stages is settled on the truth.
    """
    honest, before = _run(mechanism, types, market, ())
    lying, after = (honest, before) if not deviations else _run(mechanism, types, market, deviations)
    d = market.differences
    return Witness(
        property=property or property_of(deviations),
        mechanism=mechanism.id,
        size=tuple(types.size.tolist()),
        cost=tuple(types.cost.tolist()),
        gain=tuple(types.gain.tolist()),
        differences=None if d is None else tuple(tuple(row) for row in d.tolist()),
        lam=float(market.lam),
        law=market.law,
        deviations=deviations,
        utility_before=tuple(before.utility.tolist()),
        utility_after=tuple(after.utility.tolist()),
        before=Sales.of(honest),
        after=Sales.of(lying),
    )


def witness_of(
    lies: Lies, mechanism: Clears, types: Types, market: Market, where: tuple[int, ...] | None = None
) -> Witness | None:
    """Return the witness of the best lie (or of the one at ``where``: batch index, client); None if it gains nothing.

    Nothing: not more than `mechanism.MONEY` times the scale of that market.
    """
    where = lies.best() if where is None else where
    flat = flatten(types, market)
    row = int(np.ravel_multi_index(where[:-1], flat.batch)) if flat.batch else 0
    public = flat.market(slice(row, row + 1))
    d = public.differences
    one = Types(flat.size[row], flat.cost[row], flat.gain[row])
    lone = Market(None if d is None else d.reshape(-1, *d.shape[-2:])[0], market.lam, market.law)
    deviation = Deviation(where[-1], lies.coordinate, float(lies.report[where]))
    witness = observe(mechanism, one, lone, (deviation,))
    return witness if witness.rise > MONEY * _scale(mechanism, witness) else None


def replay(witness: Witness, mechanism: Clears | None = None) -> Replay:
    """Recompute a witness with the mechanism of its id, or with the one given, and compare every number.

    Raises
    ------
    UnknownNameError
        If no mechanism is given and the catalogue does not know the witness's.
    """
    mechanism = market_mechanism(witness.mechanism) if mechanism is None else mechanism
    again = observe(mechanism, witness.types, witness.market, witness.deviations, property=witness.property)
    scale = _scale(mechanism, again)
    exact, near = _difference(witness, again, 0.0), _difference(witness, again, REPLAY_TOLERANCE * scale)
    if near is None and again.rise <= MONEY * scale:
        near = f"the deviation does not pay: it changes utility by {again.rise!r}"
    return Replay(near is None, exact is None, near or exact, again)


def _run(
    mechanism: Clears, types: Types, market: Market, deviations: tuple[Deviation, ...]
) -> tuple[Outcome, Accounts]:
    said = {name: np.array(getattr(types, name)) for name in ("size", "cost", "gain")}
    for d in deviations:
        if d.coordinate not in said or not 0 <= d.client < types.clients:
            raise WitnessError(
                f"a deviation names client {d.client} and {d.coordinate!r}; expected one of the market's"
            )
        said[d.coordinate][d.client] = d.report
    outcome = settled(mechanism, mechanism.clear(types.report(**said), market), types)
    return outcome, account(types, outcome, market.law)


def _scale(mechanism: Clears, witness: Witness) -> float:
    return float(scales(_run(mechanism, witness.types, witness.market, ())[1]))


def _difference(stored: Witness, again: Witness, tolerance: float) -> str | None:
    """Name the first number in which two runs of a witness differ by more than the tolerance."""
    for when, old, new in (("before", stored.before, again.before), ("after", stored.after, again.after)):
        pairs = [{(i, j) for i, j, _ in side.sales} for side in (old, new)]
        for i, j in sorted(pairs[0] ^ pairs[1]):
            holder = "the witness" if (i, j) in pairs[0] else "the replay"
            return f"{when}: client {i} imports from {j} only in {holder}"
        for (i, j, a), (_, _, b) in zip(sorted(old.sales), sorted(new.sales), strict=True):
            if abs(a - b) > tolerance:
                return f"{when}: price of {j} to {i} is {b!r}, the witness says {a!r}"
        for k, (a, b) in enumerate(zip(old.centre, new.centre, strict=True)):
            if abs(a - b) > tolerance:
                return f"{when}: payment of {k} to the centre is {b!r}, the witness says {a!r}"
        name = f"utility_{when}"
        for k, (a, b) in enumerate(zip(getattr(stored, name), getattr(again, name), strict=True)):
            if abs(a - b) > tolerance:
                return f"{when}: utility of {k} is {b!r}, the witness says {a!r}"
    return None


_NOTHING = 1e-12
_TRUTHS = {"cost": "costs {}", "gain": "has gain parameter {}", "size": "holds {} samples"}


def _apart(a: float, b: float) -> tuple[str, str]:
    """Write two numbers with as few digits as tell them apart, 0 for what rounding leaves of it."""
    return apart(_whole(a), _whole(b))


def _whole(x: float) -> float:
    return 0.0 if abs(x) < _NOTHING else x
