"""Regions: a program is run again and again until every way through its comparisons has been taken.

On each way the answers given so far are linear constraints. An answer that they exclude is refuted by multipliers; else
it is another way. So the regions cover the box without a gap, and every refutation can be checked again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Generic, NoReturn, Protocol, TypeVar

from proofs_checks.symbolic.affine import AT_LEAST, EITHER, EQUAL, GREATER, Exact, GivesUp, Terms
from proofs_checks.symbolic.farkas import Constraint, Multipliers, answers, refutes
from proofs_checks.symbolic.simplex import Simplex

T = TypeVar("T")
Box = Mapping[int, tuple[Exact, Exact]]
"""Bounds of each variable."""


class Reasoner(Protocol):
    """Knows which constraints are assumed, and whether one more is refuted by them."""

    path: list[Constraint]

    def refuted(self, constraint: Constraint) -> bool:
        """Tell whether the constraints assumed leave no point for this one."""
        ...

    def assume(self, constraint: Constraint) -> None:
        """Add a constraint."""
        ...

    def drop(self) -> None:
        """Withdraw the constraint assumed last."""
        ...


def walls(box: Box) -> list[Constraint]:
    """Return the box as constraints."""
    sides = ((v, 1, -low, 1, high) for v, (low, high) in sorted(box.items()))
    return [
        Constraint({v: sign}, bound, AT_LEAST)
        for v, up, lower, down, upper in sides
        for sign, bound in ((up, lower), (-down, upper))
    ]


class Proving:
    """Finds refutations by the simplex method, has each checked by `farkas.refutes`, and records them in order."""

    def __init__(self, box: Box, deadline: float, record: list[Multipliers | None]) -> None:
        self.path = walls(box)
        self._deadline, self._record = deadline, record
        self._system = Simplex()
        for position, wall in enumerate(self.path):
            self._system.add(wall, position)

    def refuted(self, constraint: Constraint) -> bool:
        """Solve, check, record.

        `GivesUp` if the time is over.
        """
        if time.perf_counter() > self._deadline:
            raise GivesUp("its regions are too many for the time; give it a larger budget")
        self._system.push()
        found = self._system.add(constraint, len(self.path))
        self._system.pop()
        if found is not None and not refutes([*self.path, constraint], found):  # pragma: no cover - a bug in ours
            found = None
        self._record.append(found)
        return found is not None

    def assume(self, constraint: Constraint) -> None:
        """Add a constraint."""
        self._system.push()
        self._system.add(constraint, len(self.path))
        self.path.append(constraint)

    def drop(self) -> None:
        """Withdraw the constraint assumed last."""
        self._system.pop()
        self.path.pop()


class Checking:
    """Takes refutations from a record, and believes none that does not add up."""

    def __init__(self, box: Box, record: Iterator[Multipliers | None]) -> None:
        self.path = walls(box)
        self._record = record

    def refuted(self, constraint: Constraint) -> bool:
        """Take the next entry.

        `GivesUp` if it is missing or does not add up.
        """
        try:
            found = next(self._record)
        except StopIteration:
            raise GivesUp("the certificate ends before the proof does") from None
        if found is not None and not refutes([*self.path, constraint], found):
            raise GivesUp("multipliers of the certificate do not add up to a contradiction")
        return found is not None

    def assume(self, constraint: Constraint) -> None:
        """Add a constraint."""
        self.path.append(constraint)

    def drop(self) -> None:
        """Withdraw the constraint assumed last."""
        self.path.pop()


@dataclass(eq=False)
class Region(Generic[T]):
    """A way through the program: the constraints beyond the box, and what the program returned."""

    path: tuple[Constraint, ...]
    result: T


@dataclass(eq=False)
class Fork(Generic[T]):
    """A comparison that goes either way: each answer's constraint and what follows."""

    branches: list[tuple[Constraint, Fork[T] | Region[T]]] = field(default_factory=list)


@dataclass(eq=False)
class _Asked:
    """A comparison on the way that is being run: the answers that were not refuted, the first of them being taken."""

    question: tuple[Terms, Exact, str]
    left: list[tuple[bool, Constraint]]
    fork: Fork[object] | None = None


class Explorer(Generic[T]):
    """Runs a program on all ways. It is the `Decider` of the affine forms that the program gets."""

    def __init__(self, reasoner: Reasoner, most: int) -> None:
        self._reasoner, self._most = reasoner, most
        self._asked: list[_Asked] = []
        self._at = 0
        self._reason: str | None = None

    def decide(self, terms: Terms, constant: Exact, question: str) -> bool:
        """Answer as on the way that is taken; where it ends, find out which answers there are."""
        asked = (terms, constant, question)
        if self._at == len(self._asked):
            left = self._answers(*asked)
            if not left:  # only a certificate that leaves impossible ways open comes here
                self.give_up("a way through the code that no report takes")
            self._asked.append(_Asked(asked, left))
            if len(left) > 1:
                self._reasoner.assume(left[0][1])
                self._asked[-1].fork = Fork()
        elif self._asked[self._at].question != asked:
            self.give_up("it does not repeat its comparisons on the same reports (a state, randomness, the time)")
        self._at += 1
        return self._asked[self._at - 1].left[0][0]

    def _answers(self, terms: Terms, constant: Exact, question: str) -> list[tuple[bool, Constraint]]:
        """Return the answers that are not refuted.

        Where either will do at a tie, none is told apart: what is known to be at least 0, or at most, is so answered;
        else the tie goes to the side on which the first variable is the larger, as the first of equal bids wins.
        """
        if question == EITHER:
            (_, at_least), (_, below) = answers(terms, constant, AT_LEAST)
            (_, above), (_, at_most) = answers(terms, constant, GREATER)
            if self._reasoner.refuted(below):
                return [(True, at_least)]
            if self._reasoner.refuted(above):
                return [(False, at_most)]
            first_is_larger = terms[min(terms)] > 0
            return [(True, at_least), (False, below)] if first_is_larger else [(True, above), (False, at_most)]
        return [a for a in answers(terms, constant, question) if not self._reasoner.refuted(a[1])]

    def give_up(self, reason: str) -> NoReturn:
        """Remember why, whatever the code does with the error."""
        self._reason = self._reason or reason
        raise GivesUp(reason)

    def run(self, program: Callable[[], T]) -> Fork[T] | Region[T]:
        """Return the tree of all regions.

        `GivesUp` if the program does what affine forms cannot follow, fails, does not repeat itself, or has more than
        ``most`` regions.
        """
        walls = len(self._reasoner.path)
        regions = 0
        root: Fork[T] | Region[T] | None = None
        while True:
            self._at = 0
            try:
                result = program()
            except GivesUp:
                if self._reason is None:
                    raise
            except (Exception, SystemExit) as error:
                said = (str(error).splitlines() or [""])[0][:160]
                self._reason = self._reason or f"it fails on symbolic reports: {type(error).__name__}: {said}"
            if self._reason is not None:
                raise GivesUp(self._reason)
            if self._at != len(self._asked):
                raise GivesUp("it does not repeat its comparisons on the same reports (a state, randomness, the time)")
            regions += 1
            if regions > self._most:
                raise GivesUp(f"it has more than {self._most} regions")
            tree: Fork[T] | Region[T] = Region(tuple(self._reasoner.path[walls:]), result)
            while self._asked:  # what is finished hangs below the comparison before it
                asked = self._asked[-1]
                if asked.fork is not None:
                    asked.fork.branches.append((asked.left[0][1], tree))  # type: ignore[arg-type]
                    self._reasoner.drop()
                    if len(asked.left) > 1:
                        asked.left.pop(0)
                        self._reasoner.assume(asked.left[0][1])
                        break
                    tree = asked.fork  # type: ignore[assignment]
                self._asked.pop()
            else:
                root = tree
            if root is not None:
                return root


def leaves(tree: Fork[T] | Region[T]) -> list[Region[T]]:
    """Return the regions, in order."""
    if isinstance(tree, Region):
        return [tree]
    return [leaf for _, branch in tree.branches for leaf in leaves(branch)]


def within(tree: Fork[T] | Region[T], reasoner: Reasoner, known: bool = False) -> Iterator[T]:
    """Yield what the regions hold that meet the constraints assumed, each while its constraints are assumed too.

    ``known``: all of them do, so that none is asked.
    """
    if isinstance(tree, Region):
        yield tree.result
        return
    for constraint, branch in tree.branches:
        if known or not reasoner.refuted(constraint):
            reasoner.assume(constraint)
            yield from within(branch, reasoner, known)
            reasoner.drop()


def entered(reasoner: Reasoner, path: tuple[Constraint, ...], ask: bool) -> bool:
    """Assume the constraints of a region; tell whether any point is left, as far as one must ``ask``."""
    possible = True
    for constraint in path:
        possible = possible and not (ask and reasoner.refuted(constraint))
        reasoner.assume(constraint)
    return possible


def leave(reasoner: Reasoner, path: tuple[Constraint, ...]) -> None:
    """Withdraw the constraints of a region."""
    for _ in path:
        reasoner.drop()


def region_at(tree: Fork[T] | Region[T], point: Mapping[int, Exact]) -> tuple[T, Exact]:
    """Return what holds at a point, and how near the closest comparison on the way is to a tie (a large number: none).

    A tie that the way itself asks for counts as none.
    """
    nearest: Exact = 10**9
    while isinstance(tree, Fork):
        for constraint, branch in tree.branches:
            if constraint.holds(point):
                if constraint.relation != EQUAL:
                    nearest = min(nearest, constraint.at(point))
                tree = branch
                break
        else:
            raise GivesUp("a point lies in no region")  # pragma: no cover - the regions cover the box
    return tree.result, nearest
