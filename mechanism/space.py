"""The domain of a direct mechanism: who reports what, within which bounds, and how agents are called in sentences."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mechanism.errors import InvalidMechanismError, shown
from mechanism.wording import agent_words, letters, plural

Floats = NDArray[np.float64]

_LONGEST = 40  # characters of a name
_MOST_BOUNDS = 8
_OF_A_SELLER = {"value": "cost"}
_OF_A_MODEL = {"pen": "penalty for", "e": "effective size of"}


@dataclass(frozen=True, eq=False)
class Space:
    """The domain of a direct mechanism: who reports what.

    ``names``: the k coordinates of a type. ``low``, ``high``: float64 ``[agents, k]``, inclusive bounds (a scalar or
    one row serves all agents). ``private``: bool ``[agents, k]``, which an agent may misreport (default: all).
    ``integer``: bool ``[k]``, coordinates that take whole numbers only (ranks, positions).

    In sentences ``called`` says what the agents are, in a word for all ("bidder") or one each ("buyer", "seller"), and
    ``people`` their names (default: letters).
    """

    agents: int
    names: tuple[str, ...]
    low: Floats
    high: Floats
    private: NDArray[np.bool_] = field(default=True)  # type: ignore[arg-type]
    integer: NDArray[np.bool_] = field(default=False)  # type: ignore[arg-type]
    called: str | tuple[str, ...] = ""
    people: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.agents < 1 or not self.names or len(set(self.names)) != len(self.names):
            raise InvalidMechanismError("a space needs at least one agent and at least one name, each name once")
        shape = (self.agents, len(self.names))
        for name, kind, target in (
            ("low", np.float64, shape), ("high", np.float64, shape),
            ("private", np.bool_, shape), ("integer", np.bool_, shape[1:]),
        ):  # fmt: skip
            try:
                array = np.array(np.broadcast_to(np.asarray(getattr(self, name), dtype=kind), target))
            except (ValueError, TypeError):
                raise InvalidMechanismError(
                    f"{name} of the space does not fit {list(target)} (agents, names)"
                ) from None
            array.setflags(write=False)
            object.__setattr__(self, name, array)
        if not (np.isfinite(self.low).all() and np.isfinite(self.high).all() and (self.low <= self.high).all()):
            raise InvalidMechanismError("bounds of the space must be finite with low <= high for every coordinate")
        ends = np.stack([self.low, self.high])[..., self.integer]
        if (ends != np.rint(ends)).any():
            raise InvalidMechanismError("bounds of coordinates that take whole numbers must be whole numbers")
        called = self.called if isinstance(self.called, str) else _words("called", self.called, self.agents)
        _words("called", [called] * bool(called) if isinstance(called, str) else called)
        people = _words("people", self.people, self.agents) if len(self.people) else ()
        if len(set(people)) != len(people):
            raise InvalidMechanismError("people of the space has a name twice; expected a different one for each agent")
        object.__setattr__(self, "called", called)
        object.__setattr__(self, "people", people)

    @property
    def k(self) -> int:
        """Numbers in one type."""
        return len(self.names)

    def index(self, name: str) -> int:
        """Position of a coordinate by its name."""
        try:
            return self.names.index(name)
        except ValueError:
            raise InvalidMechanismError(f"no coordinate {name!r}; the types hold {', '.join(self.names)}") from None

    def domain(self) -> str:
        """Return who reports what in words: ``3 agents, private value in [0, 1]``."""
        private = [c for c in range(self.k) if self.private[:, c].any()]
        return f"{self.agents} agents, private {', '.join(self.bounds(c) for c in private)}"

    def bounds(self, column: int) -> str:
        """Return the bounds of one private number: of all agents, or by agent where they are unlike (the first few)."""
        agents = [int(a) for a in np.flatnonzero(self.private[:, column])]
        ends = {a: f"[{self.low[a, column]:g}, {self.high[a, column]:g}]" for a in agents}
        if len(set(ends.values())) == 1:
            return f"{self.names[column]} in {ends[agents[0]]}"
        told = ", ".join(f"of {self.name(a)} in {ends[a]}" for a in agents[:_MOST_BOUNDS])
        more = f", of {len(agents) - _MOST_BOUNDS} more in others" if len(agents) > _MOST_BOUNDS else ""
        return f"{self.names[column]} {told}{more}"

    def who(self, agent: int) -> str:
        """Return what an agent is called in a sentence: ``seller c``, ``the buyer`` where there is one, ``ann``."""
        called = (self.called,) * self.agents if isinstance(self.called, str) else self.called
        return agent_words(agent, called, self.people)

    def name(self, agent: int) -> str:
        """Return an agent's name, its letter where it has none."""
        return self.people[agent] if self.people else letters(agent)

    def short(self, agent: int) -> str:
        """Return what tells agents apart in a list: the name where all are called alike, else `who`."""
        return self.name(agent) if isinstance(self.called, str) else self.who(agent)

    def number(self, agent: int, column: int) -> str:
        """Return what a number of an agent is called in a sentence: a seller's value is its ``cost``."""
        name = self.names[column]
        kind, _, place = name.rpartition("_")
        if kind in _OF_A_MODEL and place.isdecimal() and int(place) < self.agents:
            return f"{_OF_A_MODEL[kind]} {self.name(int(place))}"
        role = self.called if isinstance(self.called, str) else self.called[agent]
        return _OF_A_SELLER.get(name, name) if role == "seller" else name


def _words(what: str, given: Sequence[str], agents: int | None = None) -> tuple[str, ...]:
    """Return words as they are declared, or refuse them."""
    words = tuple(given)
    if agents is not None and len(words) != agents:
        raise InvalidMechanismError(
            f"{what} of the space has {plural(len(words), 'word')} for {agents} agents; expected one each"
        )
    for word in words:
        if not (isinstance(word, str) and word.strip() == word and 0 < len(word) <= _LONGEST and word.isprintable()):
            raise InvalidMechanismError(
                f"{what} of the space holds {shown(word)}; expected a word of at most {_LONGEST} printable characters"
            )
    return words
