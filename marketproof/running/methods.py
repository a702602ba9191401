"""The methods of a run: a learning algorithm, and where a market decides its graph, the mechanism that clears it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from marketproof.errors import InputError, shown

DEFAULT_METHODS = "local,fedavg,ipfl/ipfl,ipfl/ipfl-exact"
DEFAULT_MECHANISM = "ipfl-exact"


@dataclass(frozen=True)
class Method:
    """One line of a comparison: ``name`` as the user wrote it, the algorithm, and its mechanism's id (None: none)."""

    name: str
    algorithm: str
    mechanism: str | None


def parse(names: Sequence[str], default: str) -> list[Method]:
    """Return the methods named ``ALGORITHM`` or ``ALGORITHM/MECHANISM``, in their order.

    Raises
    ------
    InputError
        If there is none, one stands twice, or a mechanism is given to a method that has no market.
    UnknownNameError
        If an algorithm or mechanism is not in the catalogue.
    """
    from learning.algorithms import ALGORITHMS
    from mechanism.market.mechanisms import market_mechanism

    methods: list[Method] = []
    for name in names:
        algorithm, slash, mechanism = name.partition("/")
        if algorithm not in ALGORITHMS:
            raise InputError(f"unknown method {shown(name)}; known: {', '.join(ALGORITHMS)}")
        if slash and not uses_market(algorithm):
            raise InputError(f"method {shown(name)}: {algorithm} has no market to clear; write {algorithm}")
        if any(method.name == name for method in methods):
            raise InputError(f"method {shown(name)} stands twice; name each method once")
        chosen = market_mechanism(mechanism if slash else default).id if uses_market(algorithm) else None
        methods.append(Method(name, algorithm, chosen))
    if not methods:
        raise InputError(f"no method is named; write some, such as {DEFAULT_METHODS}")
    return methods


def split_names(text: str) -> list[str]:
    """Return the comma-separated names of an option."""
    return [name.strip() for name in text.split(",") if name.strip()]


def judged_by(algorithm: str) -> str:
    """Return by which models of a round a method is judged: "trained" by the clients, or "aggregated" after that."""
    from learning.algorithms import ALGORITHMS

    return ALGORITHMS[algorithm].deploys


def uses_market(algorithm: str) -> bool:
    """Say whether a method's graph is decided by the market (else the method implies it)."""
    from learning.algorithms import ALGORITHMS

    return ALGORITHMS[algorithm].implied(2) is None
