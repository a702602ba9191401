"""Direct mechanisms: every agent reports its type, the rule answers. The one interface that verification needs.

A type is a row of named numbers. Some are private (only their owner knows them: a value, a cost), some are public
(a difference between models, a budget that everyone sees) and are never misreported. A profile is ``[batch, agents,
k]``; everything is batched, so that thousands of reports are answered in one call.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mechanism.errors import InvalidMechanismError
from mechanism.space import Space

__all__ = ["Deal", "DirectMechanism", "Floats", "Rule", "SingleParameter", "Space", "single_parameter"]

Floats = NDArray[np.float64]


@runtime_checkable
class DirectMechanism(Protocol):
    """What verification asks of a mechanism. Sign: a payment is positive when the agent pays the centre.

    Optional, each unlocking properties (absent: the property says that it does not apply):

    - ``welfare(types, outcome) -> [batch]`` and ``optimal_welfare(types) -> [batch]``: efficiency;
    - ``allocation(outcome) -> [batch, agents]``, with ``role`` "buyer" (more for a higher number) or "seller" (less)
      and ``own`` = the coordinate's name: monotonicity;
    - ``consequences(outcome) -> [batch, agents, q]``: all that an agent receives or pays (non-bossiness);
    - ``permuted(profiles, order) -> profiles``: relabelling, where it is more than reordering rows (anonymity);
    - ``parts(types, outcome) -> {"buyer": [batch, agents], "seller": …}``: utilities by role (ir-buyer, ir-seller);
    - ``resized(agents) -> DirectMechanism``: the same rule for another number of agents (false names, small witnesses);
    - ``joint(types, outcome, a, b) -> [batch]``: utility of an agent of a's type that holds both names (split-proof);
    - ``split(types, agent, share, cost_rule)``, ``merge(types, a, b, cost_rule)``: profiles with one agent more or
      less (split-proof, merge-proof);
    - ``payoffs(types, outcome)`` and ``coalition_value(types, members)``: the core;
    - ``affine_in_own``: whether utility changes by ``allocation`` per unit of the own number (minus it for a seller),
      all else equal: then a line of reports is accounted for once;
    - ``voluntary = False``: there is no staying out, so that individual rationality is no question;
    - ``interdependent``: names of the coordinates of *others* on which an agent's utility depends (default none).
    """

    @property
    def space(self) -> Space:
        """Who reports what."""
        ...

    def outcome(self, reports: Floats) -> Any:
        """Answer a batch of reported profiles ``[batch, agents, k]``."""
        ...

    def utility(self, types: Floats, outcome: Any) -> Floats:
        """Utility ``[batch, agents]`` at the true profiles ``[batch, agents, k]``."""
        ...

    def payments(self, outcome: Any) -> Floats:
        """What each agent pays the centre, ``[batch, agents]`` (negative: receives)."""
        ...


@dataclass(frozen=True, eq=False)
class Deal:
    """Outcome of a single-parameter rule: ``allocation`` and ``payment``, both ``[batch, agents]``."""

    allocation: Floats
    payment: Floats


class UnitWorth:
    """What mechanisms share whose outcome is a `Deal` and whose types' first number is the worth of a unit.

    A negative allocation is a sale.
    """

    def _worth(self, types: Floats, outcome: Deal) -> Floats:
        """Worth of what comes to each agent ``[batch, agents]``."""
        return np.asarray(types[..., 0] * outcome.allocation)

    def utility(self, types: Floats, outcome: Deal) -> Floats:
        """Worth of what comes to the agent, less its payment ``[batch, agents]``."""
        return self._worth(types, outcome) - outcome.payment

    def payments(self, outcome: Deal) -> Floats:
        """What each pays the centre ``[batch, agents]``; negative: receives."""
        return outcome.payment

    def allocation(self, outcome: Deal) -> Floats:
        """Return what comes to each agent ``[batch, agents]``; of sellers, what they deliver."""
        return outcome.allocation

    def consequences(self, outcome: Deal) -> Floats:
        """Allocation and payment of each agent, ``[batch, agents, 2]``."""
        return np.stack([outcome.allocation, outcome.payment], axis=-1)

    def welfare(self, types: Floats, outcome: Deal) -> Floats:
        """Total worth of what is allocated, less that of what is sold ``[batch]``; payments are transfers."""
        return np.asarray(self._worth(types, outcome).sum(axis=-1))


def _an(word: str) -> str:
    return f"an {word}" if word[0] in "aeiou" else f"a {word}"


Rule = Callable[[Floats], tuple[ArrayLike, ArrayLike]]


@dataclass(frozen=True, eq=False)
class SingleParameter(UnitWorth):
    """A rule over one private number per agent.

    role "buyer": utility = value · allocation - payment, ``payment`` is what the agent pays. role "seller": the number
    is a cost, utility = payment - cost · allocation, ``payment`` is what the agent receives. ``called``, ``people``: of
    the `Space`; agents are called by their role if nothing is said.
    """

    rule: Rule
    agents: int
    low: float = 0.0
    high: float = 1.0
    role: str = "buyer"
    name: str = "mechanism"
    optimum: Callable[[Floats], ArrayLike] | None = None
    called: str | tuple[str, ...] = ""
    people: tuple[str, ...] = ()
    amounts: tuple[float, float] | None = None
    own: str = field(init=False)
    space: Space = field(init=False)

    def __post_init__(self) -> None:
        if self.role not in ("buyer", "seller"):
            raise InvalidMechanismError(f"role is {self.role!r}; expected 'buyer' or 'seller'")
        own = "value" if self.role == "buyer" else "cost"
        object.__setattr__(self, "own", own)
        low, high, called = np.asarray(self.low), np.asarray(self.high), self.called or self.role
        space = Space(self.agents, (own,), low, high, called=called, people=self.people)
        object.__setattr__(self, "space", space)

    def __call__(self, bids: ArrayLike) -> tuple[Floats, Floats]:
        """Apply the rule to bids ``[batch, agents]`` (or one row) as it was written."""
        deal = self.outcome(np.atleast_2d(np.asarray(bids, dtype=np.float64))[..., None])
        return deal.allocation, deal.payment

    def outcome(self, reports: Floats) -> Deal:
        """Answer ``[batch, agents, 1]``; what the rule returns is checked for shape and finiteness.

        `InvalidMechanismError` if the rule fails or returns something else than two finite arrays ``[batch, agents]``;
        the message names reports at which it happened.
        """
        bids = np.ascontiguousarray(reports[..., 0])
        bids.setflags(write=False)  # a rule that writes into its input would change the question
        answer = self.rule(bids)
        try:
            allocation, payment = answer
        except (TypeError, ValueError):
            raise InvalidMechanismError(
                f"{self.name} returned {type(answer).__name__}; expected (allocation, payment), each [batch, agents]"
            ) from None
        return Deal(self._checked("allocation", allocation, bids), self._checked("payment", payment, bids))

    def _checked(self, what: str, values: ArrayLike, bids: Floats) -> Floats:
        try:
            found = np.asarray(values)
            array = found.astype(np.float64) if found.dtype.kind in "biuf" else None
        except (TypeError, ValueError):
            array = None
        if array is None:
            raise InvalidMechanismError(f"{self.name} returned {_an(what)} that is not numbers; expected real numbers")
        if array.shape != bids.shape:
            raise InvalidMechanismError(
                f"{self.name} returned {_an(what)} of shape {list(array.shape)} for bids of shape {list(bids.shape)}; "
                "expected the same shape, one row per profile"
            )
        if not np.isfinite(array).all():
            at = int(np.argwhere(~np.isfinite(array))[0][0])
            raise InvalidMechanismError(
                f"{self.name} returned {_an(what)} that is not finite at bids {bids[at].tolist()}"
            )
        return array

    def utility(self, types: Floats, outcome: Deal) -> Floats:
        """Value times allocation less payment (buyer), payment less cost times allocation (seller)."""
        worth = types[..., 0] * outcome.allocation  # whatever a subclass makes of it: `linear` relies on this
        return worth - outcome.payment if self.role == "buyer" else outcome.payment - worth

    def joint(self, types: Floats, outcome: Deal, a: int, b: int) -> Floats:
        """Utility ``[batch]`` of an agent of a's type that holds names a and b."""
        worth = types[..., a, 0] * (outcome.allocation[..., a] + outcome.allocation[..., b])
        paid = outcome.payment[..., a] + outcome.payment[..., b]
        return np.asarray(worth - paid if self.role == "buyer" else paid - worth)

    def payments(self, outcome: Deal) -> Floats:
        """Payments to the centre."""
        return outcome.payment if self.role == "buyer" else -outcome.payment

    def welfare(self, types: Floats, outcome: Deal) -> Floats:
        """Total value (buyer) or minus total cost (seller) ``[batch]``."""
        total = super().welfare(types, outcome)
        return total if self.role == "buyer" else -total

    def optimal_welfare(self, types: Floats) -> Floats:
        """Return the largest welfare over the declared feasible set ``[batch]``.

        `InvalidMechanismError` if no ``optimum`` was declared: a rule alone does not say what else was feasible.
        """
        if self.optimum is None:
            raise InvalidMechanismError(
                f"{self.name} declares no optimum: pass optimum=f, f(bids) -> best welfare [batch]"
            )
        return np.asarray(self.optimum(types[..., 0]), dtype=np.float64)


def single_parameter(
    _rule: Any = None,
    /,
    *,
    agents: int | None = None,
    low: float = 0.0,
    high: float = 1.0,
    role: str = "buyer",
    optimum: Callable[[Floats], ArrayLike] | None = None,
    called: str | tuple[str, ...] = "",
    people: tuple[str, ...] = (),
    amounts: tuple[float, float] | None = None,
) -> Callable[[Rule], SingleParameter]:
    """Turn a function of bids into a mechanism.

    >>> @single_parameter(agents=2)
    ... def pay_your_bid(bids):
    ...     wins = bids == bids.max(axis=1, keepdims=True)
    ...     return wins, wins * bids
    >>> pay_your_bid([0.5, 0.75])
    (array([[0., 1.]]), array([[0.  , 0.75]]))

    `InvalidMechanismError` if the number of agents is missing (as where the decorator is written without parentheses),
    or there are no such numbers, bounds or role.

    Parameters
    ----------
    agents, low, high
        How many agents (must be given), and the bounds of their one private number.
    role
        "buyer": utility = value · allocation - payment; "seller": utility = payment - cost · allocation.
    optimum
        Largest feasible welfare at true numbers ``[batch, agents]``, needed for efficiency only.
    called, people
        What the agents are in sentences, a word for all ("bidder") or one each, and their names (default: letters).
    amounts
        Of a rule that draws: the least and the most that one agent can gain, pay or get in one draw.
    """
    if _rule is not None or agents is None:  # without parentheses, the rule itself comes as the first argument
        on = f" on {_rule.__name__}" if callable(_rule) and hasattr(_rule, "__name__") else ""
        raise InvalidMechanismError(
            f"single_parameter{on} needs the number of agents; write @single_parameter(agents=N) above the rule"
        )

    def wrap(rule: Rule) -> SingleParameter:
        name = getattr(rule, "__name__", "mechanism")
        return SingleParameter(rule, agents, low, high, role, name, optimum, called, people, amounts)

    return wrap
