"""The report: recorded runs as one self-contained HTML page that loads nothing from anywhere."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from analysis.findings.achieved import headline, methods_table
from analysis.findings.base import Section, find
from analysis.findings.catalogue import OF_A_RUN, OF_SEVERAL
from analysis.findings.several.compared import compared_table
from analysis.page.export import Table, encoded, inline_svg, shown
from analysis.run.files import RecordError
from analysis.run.records import Run, read_run
from mechanism.writing import write_all

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
class Chapter:
    """One run: its title, headline, summary table and sections."""

    anchor: str
    title: str
    headline: str
    summary: Table
    sections: tuple[Section, ...]


def _drawn(section: Section) -> tuple[Figure, ...]:
    """Draw the figures of a section; its anchor makes their ids unique."""
    made = {name: draw() for name, draw in section.drawings.items()}
    return tuple(
        Figure(inline_svg(d.figure, f"{section.anchor}-{name}", d.alt), d.look, d.table) for name, d in made.items()
    )


def _chapter(run: Run, prefix: str) -> Chapter:
    title = f"{run.task} ({run.path.resolve().name})"
    return Chapter(prefix, title, headline(run), methods_table(run), find(OF_A_RUN, run, f"{prefix}-"))


def _comparison(runs: Sequence[Run]) -> tuple[str, Table, tuple[Section, ...]]:
    """Return what stands before the chapters of several runs: headline, all rows, what differs and a figure."""
    sections = find(OF_SEVERAL, runs)
    return sections[-1].answer, compared_table(runs), sections


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
    environment.filters |= {"shown": shown, "drawn": _drawn}
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

    `RecordError` if there is no run, a folder is no complete run, or ``out`` cannot be written.
    """
    if not runs:
        raise RecordError("no run to report on; name at least one run folder")
    write_all({out: encoded(render([read_run(folder) for folder in runs]))})
    return out
