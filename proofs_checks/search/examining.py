"""What is refused before anything is said of a mechanism."""

from typing import Any

import numpy as np

from mechanism.direct import DirectMechanism, Floats
from mechanism.errors import InvalidMechanismError
from mechanism.market.accounting import MONEY
from proofs_checks.search.cases import DependsOnBatch, answer, payments, utilities

_MOST_ASKED = 32  # agents of whom it is asked whether others' types matter to them
_SMALLEST = 100.0 * MONEY  # amounts below it: whatever is wrong is hardly a violation


def examine(
    mechanism: DirectMechanism, rng: np.random.Generator, profiles: Floats, *, randomised: bool = False
) -> None:
    """Refuse a mechanism that cannot be verified.

    It is random or keeps a state, answers a profile by its batch, or deals in amounts that no tolerance resolves; parts
    have the wrong shape; utilities depend on what is true of others and it does not name that. ``randomised``:
    it may be random, and is asked once. `InvalidMechanismError` with the reports at which it happened.
    """
    first = answer(mechanism, profiles)
    values = utilities(mechanism, profiles, first), payments(mechanism, profiles, first)
    if 0.0 < (most := float(max(np.abs(v).max() for v in values))) < _SMALLEST:
        raise InvalidMechanismError(
            f"utilities and payments are {most:.3g} at most, and a violation counts from {MONEY:g} on; "
            "expected amounts in a smaller unit"
        )
    if not hasattr(mechanism, "interdependent"):
        _refuse_interdependent(mechanism, profiles, first, values[0])
    if randomised:
        return
    again = answer(mechanism, profiles.copy())
    repeat = utilities(mechanism, profiles, again), payments(mechanism, profiles, again)
    for a, b in zip(values, repeat, strict=True):
        if not np.array_equal(a, b):
            row = int(np.argwhere(a != b)[0][0])
            raise InvalidMechanismError(
                f"the mechanism is random or keeps a state: its answer to the reports "
                f"{np.round(profiles[row], 12).tolist()} changed when it was asked again; expected one answer (keep "
                "nothing between calls; return the expected allocation and payment, or verify it with --randomised)"
            )
    for row in rng.choice(len(profiles), size=min(8, max(1, len(profiles) // 4)), replace=False):
        alone = profiles[row : row + 1]
        single = answer(mechanism, alone)
        for a, b in zip(values, (utilities(mechanism, alone, single), payments(mechanism, alone, single)), strict=True):
            if not np.allclose(a[row], b[0], rtol=MONEY, atol=MONEY):
                raise DependsOnBatch(alone[0])


def _refuse_interdependent(mechanism: DirectMechanism, profiles: Floats, outcome: Any, values: Floats) -> None:
    """Refuse a mechanism if others' true numbers, reports as they were, move somebody's utility."""
    space = mechanism.space
    for c in np.flatnonzero(space.private.any(axis=0)):
        for agent in range(min(space.agents, _MOST_ASKED)):
            others = space.private & (np.arange(space.k) == c) & (np.arange(space.agents) != agent)[:, None]
            types = np.where(others, profiles[::-1], profiles)
            now = utilities(mechanism, types, outcome)
            if not np.allclose(now[:, agent], values[:, agent], rtol=MONEY, atol=MONEY):
                name = space.names[c]
                raise InvalidMechanismError(
                    f"an agent's utility depends on the true {name} of others, who may lie about it; expected that the "
                    f"mechanism says so: interdependent = ({name!r},)"
                )
