"""What a finding is: a question about a run, with its numbers, the answer in words, drawings, tables and grades.

A new finding is one file that ends in a `Finding`, and one line in `catalogue`; the report, the export and the list of
figures take what they show from there.

Grades: *measured* means counted or computed on a run's own record; *searched* that reports were tried on its own
markets and none was found that breaks the promise, no proof for others; *refuted* that the record holds a
counterexample. A recorded run proves nothing for all markets: *proved* and *exhausted* are verdicts of the verification
package.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from analysis.page import theme
from analysis.page.export import Table
from analysis.run.records import Run

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MEASURED, SEARCHED, REFUTED = "measured", "searched", "refuted"


@dataclass(frozen=True)
class Evidence:
    """One graded line: what it is about (usually a method) and the sentence."""

    grade: str
    subject: str
    text: str


@dataclass(frozen=True, eq=False)
class Drawing:
    """A finished figure: ``alt`` for those who cannot see it, ``look`` what to look at, and its numbers.

    ``table`` is short enough for a page; ``points`` every number that is drawn, where that is more.
    """

    alt: str
    look: str
    figure: Figure
    table: Table
    points: Table | None = None

    @property
    def numbers(self) -> Table:
        """Every number that is drawn."""
        return self.table if self.points is None else self.points


Subject = TypeVar("Subject")
Numbers = TypeVar("Numbers")
Remarks = tuple[tuple[str, tuple[str, ...]], ...]
"""Heads and the lines under each."""

Drawings = Mapping[str, Callable[[], Drawing]]
"""Drawings by the names of their files, each drawn when it is called."""


def nothing(*_: Any) -> Any:
    """Return no evidence, or no remarks."""
    return ()


@dataclass(frozen=True, eq=False)
class Finding(Generic[Subject, Numbers]):
    """A question about a subject (a run, or several) and how it is answered.

    ``numbers``: a pure function of the subject, or None where it has nothing of the kind: then the question is not
    asked. All others take the subject and those numbers: ``answer`` in a sentence or more, ``drawings``, graded
    ``evidence``, a ``table`` that stands by itself, and ``remarks``. ``anchor`` names it in links.
    """

    anchor: str
    question: str
    numbers: Callable[[Subject], Numbers | None]
    answer: Callable[[Subject, Numbers], str]
    drawings: Callable[[Subject, Numbers], Drawings] = lambda *_: {}
    evidence: Callable[[Subject, Numbers], tuple[Evidence, ...]] = nothing
    table: Callable[[Subject, Numbers], Table | None] = lambda *_: None
    remarks: Callable[[Subject, Numbers], Remarks] = nothing


@dataclass(frozen=True, eq=False)
class Section:
    """A finding as a subject has it: the question, and what answers it; drawings are made when they are called."""

    anchor: str
    question: str
    answer: str
    drawings: Drawings
    evidence: tuple[Evidence, ...]
    table: Table | None
    remarks: Remarks


def find(findings: Iterable[Finding[Subject, Any]], subject: Subject, prefix: str = "") -> tuple[Section, ...]:
    """Return the findings that a subject has, in their order; ``prefix`` stands before their anchors."""
    pairs = ((finding, finding.numbers(subject)) for finding in findings)
    return tuple(
        Section(
            prefix + finding.anchor,
            finding.question,
            finding.answer(subject, numbers),
            finding.drawings(subject, numbers),
            finding.evidence(subject, numbers),
            finding.table(subject, numbers),
            finding.remarks(subject, numbers),
        )
        for finding, numbers in pairs
        if numbers is not None
    )


def always(name: str, draw: Callable[[Subject, Numbers], Drawing]) -> Callable[[Subject, Numbers], Drawings]:
    """Return the ``drawings`` of a finding that has always one: ``draw``, under the name of its file."""
    return lambda subject, numbers: {name: lambda: draw(subject, numbers)}


def measured(run: Run, _: object = None) -> tuple[Evidence, ...]:
    """Return the one line for plain measurements: on how much they rest."""
    seeds = f"{len(run.seeds)} seeds" if len(run.seeds) > 1 else "one seed, so no spread is known"
    harmful = max(int((~trace.benign).sum(axis=1).max()) for trace in run.traces.values())
    left_out = f" {harmful} attackers or free-riders are not counted in accuracy and utility." if harmful else ""
    return (Evidence(MEASURED, "", f"{run.clients} clients, {run.rounds} rounds, {seeds}; this run only.{left_out}"),)


def whiskers(seeds: int) -> str:
    """Return what the whiskers of a figure are, for its caption; nothing where one seed gives none."""
    return " Whiskers are one standard deviation over seeds." if seeds > 1 else ""


def panels(count: int, columns: int, height: float) -> tuple[Figure, list[Axes]]:
    """Return a figure with ``count`` panels of ``height`` inches, at most ``columns`` beside one another."""
    across = min(count, columns)
    rows = -(-count // across)
    share = across / columns if across < columns else 1.0
    whole = theme.figure(theme.WIDTH * max(share, 0.5), height * rows)
    grid = whole.add_gridspec(rows, across)
    return whole, [whole.add_subplot(grid[k // across, k % across]) for k in range(count)]


def label_once(axes: Sequence[Axes], columns: int, *, ticks: bool = True) -> None:
    """Leave the name of the vertical axis (and without ``ticks`` its numbers) to the first panel of each row."""
    for k, panel in enumerate(axes):
        if k % min(len(axes), columns):
            panel.set_ylabel("")
            if not ticks:
                panel.tick_params(labelleft=False)


def note(whole: Figure, text: str) -> None:
    """Write a line below all panels: what holds of the whole figure and must not be lost when it is exported."""
    whole.supxlabel(theme.plain(text, 120), x=0.01, ha="left", fontsize=theme.SMALL, color=theme.SOFT)
