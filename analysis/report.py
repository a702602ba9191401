"""The report: recorded runs as one self-contained HTML page that loads nothing from anywhere."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from analysis import comparing, evidence, figures, metrics, rule_figures, tables, words
from analysis.decomposition import welfare_parts
from analysis.evidence import Evidence
from analysis.export import inline_svg, write_text
from analysis.figures import Drawn
from analysis.files import RecordError
from analysis.lies import lie_curves
from analysis.records import Run, read_run
from analysis.regions import all_regions
from analysis.regret import regret_map
from analysis.settings import flat
from analysis.tables import Table
from analysis.verdicts import verdicts

MOST_ROWS = 400
"""Most rows of a table on the page; the rest is in the run folder."""

_TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Figure:
    """A figure on the page: its SVG text, what to look at, and the table under it."""

    svg: str
    look: str
    table: Table


@dataclass(frozen=True)
class Section:
    """One question: its anchor, the answer in words, figures, graded evidence, and remarks."""

    anchor: str
    question: str
    answer: str
    figures: tuple[Figure, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    table: Table | None = None
    remarks: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True)
class Chapter:
    """One run: its title, headline, summary table and sections."""

    anchor: str
    title: str
    headline: str
    summary: Table
    sections: tuple[Section, ...]


def _settings(run: Run) -> Table:
    rows = [(f"config: {key}", value) for key, value in flat(run.config)]
    rows += [(f"run: {key}", value) for key, value in flat(run.manifest)]
    return Table("Settings and versions", ("setting", "value"), tuple(rows))


def _audit_remarks(run: Run) -> tuple[tuple[str, tuple[str, ...]], ...]:
    found = []
    for name in run.methods:
        audit = run.audit.methods[name]
        found.append((f"{name} ({audit.mechanism})" if audit.mechanism else name, audit.words))
    return tuple(found)


def _sections(run: Run, prefix: str) -> tuple[Section, ...]:
    """Return the sections of one run; ``prefix`` makes ids unique on a page of several runs."""

    def ready(drawn: Drawn) -> Figure:
        return Figure(inline_svg(drawn.figure, f"{prefix}-{drawn.name}", drawn.alt), drawn.look, drawn.table)

    best, curves, regions = metrics.optimum(run), lie_curves(run), all_regions(run)
    regrets = tuple(regret_map(run, curve) for curve in curves)
    rules = dict.fromkeys(str(run.mechanisms[name]) for name in run.markets)
    known = tuple(verdict for rule in rules for verdict in verdicts(rule))
    spread = metrics.inequality(run)
    return (
        Section(
            f"{prefix}-achieved", "What does each method achieve, in accuracy and in utility?",
            words.accuracy_beside_utility(run), (ready(figures.accuracy_and_utility(run)),), evidence.measured(run),
        ),
        Section(
            f"{prefix}-waterline", "Does anybody lose by taking part?",
            words.waterlines(run), (ready(figures.waterlines(run)),), evidence.individual_rationality(run),
        ),
        Section(
            f"{prefix}-welfare", "What are the imports worth, and what do they cost?",
            words.welfare_parts(welfare_parts(run)), (ready(figures.welfare_taken_apart(run)),),
            evidence.measured(run),
        ),
        Section(
            f"{prefix}-money", "Who pays whom?",
            words.money(run), tuple(ready(figures.money(run, name)) for name in run.markets), evidence.balance(run),
        ),
        Section(
            f"{prefix}-optimum", "How much of what was possible is reached?",
            words.against_optimum(run, best), (ready(figures.against_optimum(run)),), evidence.efficiency(run, best),
        ),
        Section(
            f"{prefix}-lies", "Does lying about one’s cost pay?",
            words.lying(run, curves),
            (ready(figures.lie_panels(curves)), ready(rule_figures.regret_panels(regrets))) if curves else (),
            evidence.truthfulness(run, curves), remarks=(("Scope", (run.audit.scope,)),) if curves else (),
        ),
        Section(
            f"{prefix}-spread", "How evenly is utility spread?",
            words.inequality(spread), (ready(figures.lorenz(run)),), evidence.measured(run),
        ),
        Section(
            f"{prefix}-rounds", "Does it hold over the rounds?",
            words.rounds(run), (ready(figures.over_rounds(run)),), evidence.measured(run),
        ),
        *(
            Section(
                f"{prefix}-regions", "What would be bought at other costs?",
                words.regions(regions), (ready(rule_figures.region_panels(regions)),), evidence.regions(regions),
            )
            for regions in [regions] if regions
        ),
        *(
            Section(
                f"{prefix}-verdicts", "Which promises does each rule keep in every market?",
                words.verdicts(known), (ready(rule_figures.verdict_marks(known)),), evidence.verdicts(known),
            )
            for known in [known] if known
        ),
        Section(
            f"{prefix}-audit", "What does the audit say, in words?",
            f"Every promise was checked on the record alone, to a relative tolerance of {run.audit.tolerance:.0e}.",
            table=tables.theory_table(run),
            remarks=(*_audit_remarks(run), ("Scope of the claim of truthfulness", (run.audit.scope,))),
        ),
        Section(
            f"{prefix}-settings", "How was this made?",
            f"Task {run.task}, seed{'s' * (len(run.seeds) > 1)} {words.listed(str(s) for s in run.seeds)}, folder "
            f"{run.path.resolve().name}. The same settings and seeds give the same numbers.",
            table=_settings(run),
        ),
    )  # fmt: skip


def _chapter(run: Run, prefix: str) -> Chapter:
    title = f"{run.task} ({run.path.resolve().name})"
    return Chapter(prefix, title, words.headline(run), tables.methods_table(run), _sections(run, prefix))


def _comparison(runs: Sequence[Run]) -> tuple[str, Table, tuple[Section, ...]]:
    """Return what stands before the chapters of several runs: headline, all rows, what differs and a figure."""
    differing, drawn = comparing.differing(runs), comparing.side_by_side(runs)
    figure = Figure(inline_svg(drawn.figure, "compared", drawn.alt), drawn.look, drawn.table)
    sections = (
        Section(
            "differing", "In what do the runs differ?", comparing.words(runs, differing),
            table=differing if differing.rows else None,
        ),
        Section("side-by-side", "How do they compare?", words.compared(runs), (figure,), evidence.compared(runs)),
    )  # fmt: skip
    return words.compared(runs), tables.compared_table(runs), sections


def _utf8(text: str) -> str:
    """Return text without lone surrogates and control characters, which no HTML file can hold."""
    clean = re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", "\N{REPLACEMENT CHARACTER}", text)
    return clean.encode("utf-8", "replace").decode("utf-8")


def render(runs: Sequence[Run]) -> str:
    """Return the page for runs that were read already; everything that comes from a record is escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    chapters = tuple(_chapter(run, f"r{k}") for k, run in enumerate(runs, start=1))
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["shown"] = tables.shown
    # The two kinds of trusted markup: our own style sheet, and SVG whose every text matplotlib drew as outlines.
    environment.filters["svg"] = Markup
    title = f"{runs[0].task}: accuracy, utility, and promises kept" if len(runs) == 1 else f"{len(runs)} runs compared"
    page = environment.get_template("report.html").render(
        title=title,
        chapters=chapters,
        compared=_comparison(runs) if len(runs) > 1 else None,
        style=Markup((_TEMPLATES / "report.css").read_text(encoding="utf-8")),
        most_rows=MOST_ROWS,
    )
    return _utf8(page)


def write_report(runs: Sequence[Path], out: Path) -> Path:
    """Read run folders and write their report to ``out``, atomically; returns ``out``.

    Raises
    ------
    RecordError
        If there is no run, a folder is no complete run, or ``out`` cannot be written.
    """
    if not runs:
        raise RecordError("no run to report on; name at least one run folder")
    return write_text(Path(out), render([read_run(folder) for folder in runs]))
