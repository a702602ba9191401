"""A property of one's own: a `Property` in a file, used under the name ``FILE.py:NAME``, or in a plugin."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from mechanism.direct import DirectMechanism, Floats
from mechanism.errors import InputError, one_line, shown
from mechanism.own_code import explaining, find, is_file
from proofs_checks.properties.property import Deviations, Profiles, Property, Rng
from proofs_checks.properties.registry import OWN
from proofs_checks.search.cases import Cases

_LONGEST = 1000  # characters of a statement or a sentence


@dataclass(frozen=True)
class OwnProperty(Property):
    """Asks somebody's property ``of``, and holds what it answers to what a `Property` answers.

    Its ``follows`` and parameters are not taken over: that it follows from another is said, not shown.
    """

    of: Property
    file: Path

    @property
    def blamed(self) -> str:
        """Whose answers vary where a witness is not found again: its own, or those of the mechanism."""
        return f"{self.id}, or of the mechanism,"

    def _asked(self, name: str, *arguments: Any) -> Any:
        arguments = tuple(_read_only(value) if isinstance(value, Cases) else value for value in arguments)
        with explaining(self.id, self.file, f"fails in {name}"), np.errstate(all="ignore"):
            return getattr(self.of, name)(*arguments)

    def missing(self, mechanism: DirectMechanism) -> str | None:
        """Say why the property does not apply to this mechanism, or None; lies need a private number."""
        if isinstance(self.of, Deviations) and not mechanism.space.private.any():
            return "agents have no private number"
        reason = self._asked("missing", mechanism)
        return None if reason is None else self._text("missing", reason)

    def draw(self, mechanism: DirectMechanism, rng: Rng, ways: tuple[str, str], count: int) -> Cases:
        """Draw cases; `InputError` if they are none, or lie outside the mechanism's bounds."""
        cases, space = self._asked("draw", mechanism, rng, ways, count), mechanism.space
        shape = (space.agents, space.k)
        arrays = (cases.types, cases.before, cases.after) if isinstance(cases, Cases) else ()
        for array in (a for a in arrays if a is not None):
            if np.shape(array)[-2:] != shape or not ((array >= space.low) & (array <= space.high)).all():
                raise InputError(f"{self.id} draws numbers outside the bounds of {shape[0]} agents")
        if not arrays or not len(cases.types) or np.shape(cases.types) != np.shape(cases.before):
            raise InputError(f"{self.id} draws no cases; expected types and reports of one profile at least")
        return cases

    def violation(self, mechanism: DirectMechanism, cases: Cases) -> Floats:
        """Return by how much each case breaks it, ``[P, R]``; `InputError` if that is another shape or no number."""
        found = self._asked("violation", mechanism, cases)
        shape = (len(cases.types), 1 if cases.after is None else cases.after.shape[1])
        plain = type(found) is np.ndarray  # of masked arrays and their like comparisons mean something else
        if not plain or found.dtype.kind not in "fiu" or found.shape != shape:
            told = f"{found.dtype} {list(found.shape)}" if plain else type(found).__name__
            raise InputError(f"{self.id}: violation is {shown(told)}; expected numbers of the shape {list(shape)}")
        if not (found < np.inf).all():
            raise InputError(f"{self.id}: violation holds {found[~(found < np.inf)][0]}; expected finite numbers")
        return found.astype(np.float64)

    def numbers(self, mechanism: DirectMechanism, case: Cases) -> dict[str, list[float]]:
        """Return what one case gives, by name; `InputError` if it is no table of finite numbers.

        Utilities and payments under the names that every property has for them are those of the mechanism.
        """
        told = self._asked("numbers", mechanism, case)
        try:
            rows = {str(name): np.asarray(row, dtype=np.float64).ravel().tolist() for name, row in told.items()}
            if not rows or not all(row and np.isfinite(row).all() for row in rows.values()):
                raise ValueError
        except (ValueError, TypeError, AttributeError):
            raise InputError(
                f"{self.id}: numbers is {shown(told)}; expected lists of finite numbers, by name"
            ) from None
        true = super().numbers(mechanism, case)
        wrong = next((name for name, row in rows.items() if row != true.get(name, row)), None)
        if wrong is not None:
            raise InputError(
                f"{self.id}: numbers says that {shown(wrong)} is {shown(rows[wrong])}; "
                f"the mechanism gives {true[wrong]}"
            )
        return rows

    def sentence(self, mechanism: DirectMechanism, case: Cases, numbers: dict[str, list[float]]) -> str:
        """Return the case in its author's words, on one line that says so: verdicts and reports print it among ours."""
        return f"{self.id} says: {self._text('sentence', self._asked('sentence', mechanism, case, numbers))}"

    def _text(self, name: str, said: object) -> str:
        if not isinstance(said, str) or not said.strip():
            raise InputError(f"{self.id}: {name} is {shown(said)}; expected a text")
        return one_line(said)[:_LONGEST]


def _read_only(cases: Cases) -> Cases:
    """Return cases whose arrays refuse to be written to: the search goes on from them, and a witness holds them."""
    arrays: dict[str, Any] = {k: array.view() for k, array in vars(cases).items() if isinstance(array, np.ndarray)}
    for array in arrays.values():
        array.flags.writeable = False
    return replace(cases, **arrays)


@dataclass(frozen=True)
class _OfProfiles(OwnProperty, Profiles):
    """One that a grid exhausts: truthful profiles as they are drawn."""


@dataclass(frozen=True)
class _OfDeviations(OwnProperty, Deviations):
    """One that a grid exhausts: one agent's other reports as they are drawn."""


def use_property(text: str) -> OwnProperty:
    """Execute the file of ``FILE.py:NAME`` (or import the plugin) and let `properties` know the property in it.

    Its name is the file's last part and NAME, wherever the file lies; verdicts and witnesses bear it. `InputError` in
    one line if the file does not run, or NAME is no `Property` that draws cases.
    """
    file, found = find(text, lambda value: isinstance(value, Property), "property")
    if not isinstance(found, Property):
        raise InputError(f"{shown(text)} is {shown(type(found).__name__)}; expected a property: an object of a class "
                         "made from proofs_checks.properties.property.Profiles or Deviations")  # fmt: skip
    kind, name = type(found), f"{file.name}:{text.rpartition(':')[2]}" if is_file(text) else text
    for part, base in (("violation", Property.violation), ("sentence", Property.sentence), ("draw", Property.draw)):
        if getattr(kind, part) is base:
            more = " (Profiles and Deviations have one)" if part == "draw" else ""
            raise InputError(
                f"{shown(text)} has no {part} of its own{more}; 'marketproof new property' writes one that has"
            )
    words = []
    for part in ("statement", "formula"):
        said = getattr(found, part)
        if not isinstance(said, str) or not said.strip() or len(said) > _LONGEST:
            raise InputError(f"{shown(text)}: {part} is {shown(said)}; expected a text of 1 to {_LONGEST} characters")
        words.append(one_line(said))
    as_drawn = {Profiles: _OfProfiles, Deviations: _OfDeviations}
    made = next((own for base, own in as_drawn.items() if kind.draw is base.draw), OwnProperty)
    OWN[name] = prop = made(name, words[0], words[1], of=found, file=file)
    return prop
