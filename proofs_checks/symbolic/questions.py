"""What a property asks of a rule's regions: affine forms that must not be above 0, over one profile or over a lie."""

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from mechanism.direct import Deal, DirectMechanism, SingleParameter
from proofs_checks.symbolic.affine import Affine, Decider, GivesUp, added, simplest
from proofs_checks.symbolic.regions import Box, Fork, Region, leaves
from proofs_checks.symbolic.traced import traced, tracing

_ODD = 50

Measure = Callable[[Any, Any, Any], Any]
"""Of the mechanism, true types and outcome (``[1, …]``): an array of numbers."""


@dataclass(frozen=True)
class Question:
    """``measure``: what is looked at. Over one profile (not ``lie``) none of its entries may be above 0.

    With a lie the entry of the agent that lies may not rise by it (``sign`` 1) or fall (-1); ``upwards``: only reports
    of the own number above the truth are lies.
    """

    measure: Measure
    lie: bool = False
    sign: int = 1
    upwards: bool = False


def _balance(mechanism: Any, types: Any, outcome: Any) -> Any:
    total = mechanism.payments(outcome).sum(axis=1)
    return np.stack([total, -total], axis=-1)


def _loss(part: str | None) -> Measure:
    if part is None:
        return lambda mechanism, types, outcome: -mechanism.utility(types, outcome)
    return lambda mechanism, types, outcome: -mechanism.parts(types, outcome)[part]


def _shortfall(mechanism: Any, types: Any, outcome: Any) -> Any:
    best, reached = mechanism.optimal_welfare(types), mechanism.welfare(types, outcome)
    if np.shape(best) != np.shape(reached):
        raise GivesUp("its welfare and its optimum are of different shapes")
    return best - reached


SINGLE: dict[str, Measure] = {
    "ir": _loss(None),
    "ir-buyer": _loss("buyer"),
    "ir-seller": _loss("seller"),
    "budget-balance": _balance,
    "weak-budget-balance": lambda mechanism, types, outcome: -mechanism.payments(outcome).sum(axis=1),
    "efficiency": _shortfall,
}
"""Properties of one profile: what must not be above 0."""


def question(mechanism: Any, name: str) -> Question | None:
    """Return what a property asks, None if it is not one that regions decide."""
    if name in SINGLE:
        return Question(SINGLE[name])
    if name == "dsic":
        return Question(lambda mechanism, types, outcome: mechanism.utility(types, outcome), lie=True)
    if name == "monotonicity":
        sign = -1 if mechanism.role == "buyer" else 1
        return Question(lambda mechanism, types, outcome: mechanism.allocation(outcome), True, sign, upwards=True)
    return None


@dataclass(frozen=True, eq=False)
class Profiles:
    """The variables of a mechanism's reports: one for each number that may vary, another for what a liar says.

    The truth about coordinate c of agent a is variable a·k + c, what the liar says of it n·k + c.
    """

    mechanism: DirectMechanism

    def box(self, liar: int | None = None, coordinates: tuple[int, ...] = ()) -> Box:
        """Return the bounds of all variables."""
        space = self.mechanism.space
        low, high = space.low.ravel().tolist(), space.high.ravel().tolist()
        box = {v: (_bound(low[v]), _bound(high[v])) for v in range(len(low)) if low[v] < high[v]}
        said = {space.agents * space.k + c: box[liar * space.k + c] for c in coordinates} if liar is not None else {}
        return box | said

    def lies(self, agent: int, upwards: bool) -> tuple[int, ...]:
        """Return the coordinates in which an agent may lie."""
        space = self.mechanism.space
        own = [space.index(self.mechanism.own)] if upwards else range(space.k)  # type: ignore[attr-defined]
        return tuple(c for c in own if space.private[agent, c] and space.low[agent, c] < space.high[agent, c])

    def array(self, decider: Decider, liar: int | None = None, coordinates: tuple[int, ...] = ()) -> Any:
        """Return the profile ``[1, n, k]``, with what the liar says in its row."""
        space = self.mechanism.space
        cells = np.empty((1, space.agents, space.k), dtype=object)
        for a, c in np.ndindex(space.agents, space.k):
            fixed = space.low[a, c] == space.high[a, c]
            said = a == liar and c in coordinates
            name = space.agents * space.k + c if said else a * space.k + c
            cells[0, a, c] = float(space.low[a, c]) if fixed else Affine({name: 1}, 0, decider)
        cells = traced(cells)
        cells.setflags(write=False)
        return cells

    def measured(
        self, decider: Decider, measure: Measure, liar: int | None = None, coordinates: tuple[int, ...] = ()
    ) -> list[Affine]:
        """Run the code, and return what is measured."""
        with tracing(), np.errstate(all="ignore"):
            types = self.array(decider)
            reports = types if liar is None else self.array(decider, liar, coordinates)
            found = measure(self.mechanism, types, outcome(self.mechanism, reports))
        return [_form(x, decider) for x in np.asarray(found, dtype=object).view(np.ndarray).flat]


def outcome(mechanism: Any, reports: Any) -> Any:
    """Ask a mechanism for its outcome on symbolic reports."""
    if not isinstance(mechanism, SingleParameter):
        return mechanism.outcome(reports)
    bids = reports[..., 0]
    bids.setflags(write=False)
    allocation, payment = (traced(np.asarray(part)) for part in mechanism.rule(bids))
    if allocation.shape != bids.shape or payment.shape != bids.shape:
        raise ValueError(f"allocation {allocation.shape} and payment {payment.shape} for bids {bids.shape}")
    return Deal(allocation, payment)


def _bound(value: float) -> Any:
    return simplest(Fraction(value))


def _form(value: Any, decider: Decider) -> Affine:
    if isinstance(value, Affine):
        return value
    if not math.isfinite(value):
        decider.give_up("it returns a number that is not finite")
    return Affine({}, simplest(Fraction(float(value))), decider)


def shared(tree: Fork[list[Affine]] | Region[list[Affine]], agent: int, odd: bool) -> list[Region[list[Affine]]]:
    """Return the regions whose form for the agent few others share (2 % of all with them, ``odd``), or those left."""
    found = leaves(tree)
    keys = [(tuple(sorted(r.result[agent].terms.items())), r.result[agent].constant) for r in found]
    alike = Counter(keys)
    return [r for r, key in zip(found, keys, strict=True) if (_ODD * alike[key] <= len(found)) == odd]


def difference(a: Affine, b: Affine, sign: int) -> tuple[dict[int, Any], Any]:
    """Return sign · (a - b) as terms and constant."""
    return (
        {v: sign * c for v, c in added(a.terms, b.terms, -1).items()},
        sign * (a.constant - b.constant),
    )
