"""Methods of a run by their names, ``ALGORITHM`` or ``ALGORITHM/MECHANISM``, ours and one's own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from mechanism.errors import InputError, shown
from mechanism.own_code import digests_of, is_own


@dataclass(frozen=True)
class Method:
    """One line of a comparison: ``name`` as the user wrote it, the algorithm, and its mechanism's id (None: none)."""

    name: str
    algorithm: str
    mechanism: str | None


def parse(names: Sequence[str], default: str) -> list[Method]:
    """Return the methods named ``ALGORITHM`` or ``ALGORITHM/MECHANISM``, in their order.

    Either may be one's own, ``FILE.py:NAME``, whose file is executed, or a plugin. `InputError` if there is none, one
    stands twice, or a mechanism is given to a method that has no market.
    `UnknownNameError` if an algorithm or mechanism is not in the catalogue.
    """
    from learning.algorithms import ALGORITHMS
    from learning.algorithms.own_method import use_method
    from mechanism.market.mechanisms import OURS, market_mechanism, use_rule
    from mechanism.market.rules.earned import SUFFIX

    def rule(name: str) -> str:
        own = name not in OURS and is_own(name, "rule")
        return (use_rule(name) if own else market_mechanism(name)).id

    methods: list[Method] = []
    for name in names:
        algorithm, mechanism = _parts(name)
        slash = len(algorithm) < len(name)
        if algorithm not in ALGORITHMS:
            if not is_own(algorithm, "method"):
                raise InputError(f"unknown method {shown(name)}; known: {', '.join(ALGORITHMS)}")
            use_method(algorithm)
        if slash and not uses_market(algorithm):
            raise InputError(f"method {shown(name)}: {algorithm} has no market to clear; write {algorithm}")
        if any(method.name == name for method in methods):
            raise InputError(f"method {shown(name)} stands twice; name each method once")
        chosen = rule(mechanism if slash else default) if uses_market(algorithm) else None
        if (chosen or "").endswith(SUFFIX) and chosen in OURS and not ALGORITHMS[algorithm].measures:
            raise InputError(
                f"method {shown(name)}: {algorithm} does not measure what models bring, so nothing can be earned; "
                f"write {algorithm}/{str(chosen).removesuffix(SUFFIX)}, or ipfl-effective/{chosen}"
            )
        methods.append(Method(name, algorithm, chosen))
    if not methods:
        raise InputError("no method is named; write some, such as local,ipfl")
    return methods


def _parts(name: str) -> tuple[str, str]:
    """Return the algorithm, and the mechanism after a slash ("": none); the path of a file has slashes of its own."""
    from learning.algorithms import ALGORITHMS

    first, _, rest = name.partition("/")
    own = None if first in ALGORITHMS else re.fullmatch(r"(.*?\.py:\w*)(?:/(.*))?", name, re.DOTALL)
    return (first, rest) if own is None else (own[1], own[2] or "")


def digests_of_own(names: Sequence[str], mechanism: str, model: str, data: str = "") -> dict[str, str]:
    """Return the digests of all code of one's own: methods, the mechanism of those that name none, a network, data.

    By path, or by kind and name of a plugin. `InputError` if one cannot be read.
    """
    from learning.algorithms import ALGORITHMS
    from learning.models import MODELS
    from mechanism.market.mechanisms import OURS

    ours = {*ALGORITHMS, *OURS, *MODELS}
    named = [part for name in names for part in zip(("method", "rule"), _parts(name), strict=True)]
    named += [("rule", mechanism), ("network", model), *([("function", data)] if ".py:" in data else [])]
    return digests_of((kind, part) for kind, part in named if part not in ours)


def judged_by(algorithm: str) -> str:
    """Return by which models of a round a method is judged: "trained" by the clients, or "aggregated" after that."""
    from learning.algorithms import method_named

    return method_named(algorithm).deploys


def uses_market(algorithm: str) -> bool:
    """Say whether a method's graph is decided by the market (else the method implies it)."""
    from learning.algorithms import method_named

    return method_named(algorithm).implied(2) is None
