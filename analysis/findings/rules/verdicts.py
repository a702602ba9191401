"""Which promises each rule keeps in every market: the verdicts of ``make matrix``, quoted.

The package holds the verdicts on the market rules, on sizes as reported and on effective ones, made from
``docs/results/matrix.json`` by
``python -m analysis.findings.rules.verdicts docs/results/matrix.json``. A test holds every theorem among them to the
record of what Coq's kernel checked and replays every witness; `marketproof verify RULE` finds them anew.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.findings.base import Drawing, Evidence, Finding, always
from analysis.findings.scores import on_effective_data
from analysis.page import theme
from analysis.page.export import Table
from analysis.page.theme import GAIN, GRID, INK, LOSS, NEUTRAL, SMALL, faded, plain
from analysis.run.files import RecordError, read_json
from analysis.run.records import Run
from mechanism.entry import CatalogueEntry
from mechanism.wording import listed
from mechanism.writing import write_all

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MARKS: Mapping[str, tuple[str, str, str]] = {
    "proved": ("●", GAIN, "proved: the formula, by Coq's kernel, or the code, by its regions"),
    "exhausted": ("◉", GAIN, "exhausted: every profile and report of a finite grid"),
    "searched": ("○", GAIN, "searched: nothing found, with the bound that this gives"),
    "refuted": ("×", LOSS, "refuted: a witness that anyone can replay"),
    "unknown": ("?", NEUTRAL, "unknown"),
}
"""Mark, colour and words of each grade: shape and colour say the same."""

_CELL = 0.34
_WORDS = 4.4  # inches that the words of the grades need


@dataclass(frozen=True)
class VerdictMatrix:
    """Grades by mechanism and property; ``grades[mechanism].get(property)`` is absent where it does not apply.

    ``wrong``: the cells in which evidence and theory disagree. ``kernel``: those that a theorem of Coq's kernel proves,
    or refutes, of the formula.
    """

    mechanisms: tuple[str, ...]
    properties: tuple[str, ...]
    grades: Mapping[str, Mapping[str, str]]
    wrong: frozenset[tuple[str, str]]
    kernel: frozenset[tuple[str, str]] = frozenset()


def as_matrix(cells: Sequence[Mapping[str, Any]]) -> VerdictMatrix:
    """Collect verdicts, each with ``mechanism``, ``property``, ``grade`` and perhaps ``agrees``."""
    grades: dict[str, dict[str, str]] = {}
    wrong = set()
    for cell in cells:
        grades.setdefault(str(cell["mechanism"]), {})[str(cell["property"])] = str(cell["grade"])
        if cell.get("agrees") is False:
            wrong.add((str(cell["mechanism"]), str(cell["property"])))
    properties = dict.fromkeys(str(cell["property"]) for cell in cells)
    kernel = frozenset((str(cell["mechanism"]), str(cell["property"])) for cell in cells if cell.get("kernel"))
    return VerdictMatrix(tuple(grades), tuple(properties), grades, frozenset(wrong), kernel)


def draw_columns(matrix: VerdictMatrix) -> Figure:
    """Draw the matrix turned round, a row per property, in columns beside one another: few rules, many properties.

    So the letters stay as large as a page's own where the whole width of all properties would make them small.
    """
    names, rules = matrix.properties, len(matrix.mechanisms)
    columns = 3 if rules <= 2 else 2 if rules <= 6 else 1
    most = -(-len(names) // columns)
    used = _used(matrix)
    below = 0.24 * len(used) + 0.1
    height = _CELL * most + 1.4 + below
    whole = theme.figure(theme.WIDTH, height)
    whole.set_layout_engine("constrained", rect=(0.0, below / height, 1.0, 1.0 - below / height))
    for k in range(columns):
        part = names[k * most : (k + 1) * most]
        if part:
            turned = {p: {m: row[p] for m, row in matrix.grades.items() if p in row} for p in part}
            wrong = frozenset((p, m) for m, p in matrix.wrong)
            ax = whole.add_subplot(1, columns, k + 1)
            draw_matrix(VerdictMatrix(part, matrix.mechanisms, turned, wrong), ax, key=False)
            ax.set_ylim(most - 0.5, -0.5)
            ax.set_anchor("NW")
            for side in ax.spines.values():
                side.set_visible(False)
    for k, grade in enumerate(used):
        mark, tone, words = MARKS[grade]
        y = (below - 0.14 - 0.24 * k) / height
        whole.text(0.03, y, mark, color=tone, fontsize=SMALL + 2, ha="center", va="center_baseline")
        whole.text(0.05, y, words, color=INK, fontsize=SMALL, va="center_baseline")
    return whole


def _used(matrix: VerdictMatrix) -> list[str]:
    return [g for g in MARKS if any(g in row.values() for row in matrix.grades.values())]


def draw_matrix(matrix: VerdictMatrix, ax: Axes | None = None, *, key: bool = True) -> Axes:
    """Draw the matrix: a mark in each cell that applies; a frame where theory says otherwise; the ``key`` below."""
    rows, columns = len(matrix.mechanisms), len(matrix.properties)
    if ax is None:
        ax = theme.axes(None, max(_CELL * columns, _WORDS) + 2.6, _CELL * rows + 3.0)
    for y, mechanism in enumerate(matrix.mechanisms):
        for x, name in enumerate(matrix.properties):
            grade = matrix.grades[mechanism].get(name)
            if grade is None:
                continue
            mark, tone, _ = MARKS[grade]
            strength = 0.30 if grade in ("proved", "exhausted") else 0.12
            ax.add_patch(_square(x, y, faded(tone, strength), "none"))
            ax.text(x, y, mark, ha="center", va="center_baseline", color=tone, fontsize=SMALL + 2)
            if (mechanism, name) in matrix.kernel:
                ax.plot((x - 0.3, x + 0.3), (y + 0.36, y + 0.36), color=INK, linewidth=1.2, solid_capstyle="butt")
            if (mechanism, name) in matrix.wrong:
                ax.add_patch(_square(x, y, "none", INK))
    ax.set_xlim(-0.5, columns - 0.5)
    ax.set_ylim(rows - 0.5, -0.5)
    ax.set_aspect("equal")
    ax.set_xticks(range(columns), [plain(p) for p in matrix.properties], rotation=55, ha="left", rotation_mode="anchor")
    ax.set_yticks(range(rows), [plain(m) for m in matrix.mechanisms])
    ax.xaxis.tick_top()
    ax.tick_params(length=0, labelsize=SMALL, labelcolor=INK)
    for side in ax.spines.values():
        side.set_color(GRID)
    told = [MARKS[grade] for grade in _used(matrix)]
    if matrix.kernel:
        told.append(("_", INK, "underlined: a theorem of Coq's kernel proves or refutes it of the formula"))
    for k, (mark, tone, words) in enumerate(told if key else ()):
        for text, colour, right, middle in ((mark, tone, 6, "center"), (words, INK, 18, "left")):
            ax.annotate(
                text, (0.0, 0.0), xycoords="axes fraction", xytext=(right, -14 - 17 * k), textcoords="offset points",
                color=colour, fontsize=SMALL + 2 * (text == mark), ha=middle, va="center_baseline",
            )  # fmt: skip
    return ax


def _square(x: int, y: int, fill: str, edge: str) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle((x - 0.46, y - 0.46), 0.92, 0.92, facecolor=fill, edgecolor=edge, linewidth=1.5)


PACKAGED = Path(__file__).parents[2] / "page" / "templates" / "verdicts.json"


@dataclass(frozen=True)
class RuleVerdict:
    """One verdict: rule, property, grade, whether it holds, and the evidence in words."""

    mechanism: str
    property: str
    grade: str
    holds: bool | None
    words: str


def compact(matrix: Mapping[str, Any], mechanisms: Iterable[str]) -> dict[str, Any]:
    """Return the cells of the matrix about these mechanisms with what a report needs: words, witness, theorem."""
    cells = []
    for name in mechanisms:
        for cell in matrix["cells"]:
            if cell["mechanism"] == name:
                kept = {key: cell[key] for key in ("mechanism", "property", "grade", "holds", "agrees", "witness")}
                cells.append(kept | {"words": _words(cell), "of": cell["evidence"].get("of")})
    return {"cells": cells}


def _words(cell: Mapping[str, Any]) -> str:
    if cell["witness"] is not None:
        return str(cell["witness"]["sentence"])
    evidence = cell["evidence"]
    return str(evidence.get("scope") or cell["bound"] or evidence.get("reason") or evidence.get("method", ""))


@lru_cache(maxsize=1)
def packaged() -> tuple[Mapping[str, Any], ...]:
    """Return the packaged cells; none (and no error) where the installation lacks the file."""
    try:
        return tuple(read_json(PACKAGED)["cells"])
    except (RecordError, KeyError):
        return ()


def verdicts(rule: str) -> tuple[RuleVerdict, ...]:
    """Return the verdicts on a market rule; empty for another rule."""
    return tuple(RuleVerdict(*(c[f.name] for f in fields(RuleVerdict))) for c in packaged() if c["mechanism"] == rule)


def verdict_table(found: Iterable[RuleVerdict]) -> Table:
    """Return verdicts as a table: promise, rule, grade, and the evidence in words."""
    rows = tuple((v.property, v.mechanism, v.grade, v.words) for v in found)
    return Table("What is known of each rule, for every market", ("promise", "rule", "grade", "evidence"), rows)


def property_table(found: Iterable[RuleVerdict]) -> Table:
    """Return what each property says, in words, a row per property that has a verdict."""
    from mechanism.catalogue import PROPERTIES

    names = dict.fromkeys(v.property for v in found)
    rows = tuple((name, PROPERTIES.get(name, "–")) for name in names)
    return Table("What each property says", ("property", "statement"), rows)


def entries(run: Run) -> tuple[tuple[CatalogueEntry, ...], str]:
    """Return what the catalogue says of the run's rules, each where it was used: on reported or on measured sizes.

    And in a sentence of which rules on measured sizes it speaks on reported ones alone; "" if of none.
    """
    from mechanism.market.mechanisms import entry_of

    measured = on_effective_data(run)
    found = {name: entry_of(str(run.mechanisms[name]), effective=name in measured) for name in run.markets}
    known = {name: entry for name, entry in found.items() if entry is not None}
    strange = [name for name, entry in known.items() if name in measured and entry.id == run.mechanisms[name]]
    note = (
        f"Of {listed(str(run.mechanisms[name]) for name in strange)} this is known on sizes as reported, not on the "
        f"measured ones on which {listed(strange)} {'were' if len(strange) > 1 else 'was'} cleared."
    )
    return tuple({entry.id: entry for entry in known.values()}.values()), note if strange else ""


def of_run(run: Run) -> tuple[RuleVerdict, ...] | None:
    """Return what is known of every rule of the run, for every market; None where nothing is."""
    return tuple(verdict for entry in entries(run)[0] for verdict in verdicts(entry.id)) or None


Verdicts = tuple[RuleVerdict, ...]


def answer(run: Run, found: Verdicts) -> str:
    """Answer: what is proved and what refuted of each rule, and whence that is known."""
    said = []
    for rule in dict.fromkeys(v.mechanism for v in found):
        own = [v.grade for v in found if v.mechanism == rule]
        proved, refuted = own.count("proved"), own.count("refuted")
        said.append(f"Of {len(own)} properties of {rule}, {proved} are proved of its formula and {refuted} refuted.")
    said.append(
        "They are quoted from the package, whose tests look every theorem up in the record of Coq's kernel and redo "
        f"every counterexample; `marketproof verify {found[0].mechanism}` finds them anew."
    )
    return " ".join([*said, entries(run)[1]]).rstrip()


def drawing(_: Run, found: Verdicts) -> Drawing:
    """Verdicts of the run's rules on every property."""
    parts = []
    for rule in dict.fromkeys(v.mechanism for v in found):
        own = [v for v in found if v.mechanism == rule]
        grades = {g: [v.property for v in own if v.grade == g] for g in dict.fromkeys(v.grade for v in own)}
        parts.append(f"{rule}: " + "; ".join(f"{g} {', '.join(names)}" for g, names in grades.items()))
    return Drawing(
        "Verdicts by rule and property. " + ". ".join(parts) + ".",
        "A filled disc is a proof for every market, a circle a search that found nothing, a cross a counterexample. A "
        "cross is no scandal by itself: look whether the property is one that your market needs, and at its example in "
        "the table. What each property says stands below.",
        draw_columns(as_matrix([vars(v) for v in found])),
        verdict_table(found),
    )


def evidence(_: Run, found: Verdicts) -> tuple[Evidence, ...]:
    """Return the verdicts on the promises that matter most: individual rationality, costs, balance, efficiency."""
    chosen = ("ir", "dsic-cost", "budget-balance", "efficiency")
    return tuple(Evidence(v.grade, f"{v.mechanism}, {v.property}", v.words) for v in found if v.property in chosen)


VERDICTS = Finding(
    "verdicts", "What is known of each rule's promises, in any market?", of_run, answer, always("verdicts", drawing),
    evidence, table=lambda _, found: property_table(found),
)  # fmt: skip


def main(matrix: str) -> None:
    """Write the packaged verdicts from ``matrix.json``."""
    from mechanism.catalogue import EFFECTIVE_ENTRIES, MARKET_ENTRIES

    kept = compact(json.loads(Path(matrix).read_text(encoding="utf-8")), (*MARKET_ENTRIES, *EFFECTIVE_ENTRIES))
    lines = ",\n".join(json.dumps(cell, ensure_ascii=False) for cell in kept["cells"])
    write_all({PACKAGED: f'{{"cells": [\n{lines}\n]}}\n'.encode()})


if __name__ == "__main__":
    main(*sys.argv[1:])
