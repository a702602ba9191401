"""The report: recorded runs as one self-contained HTML page that loads nothing from anywhere."""

import re
from collections.abc import Sequence
from pathlib import Path

from analysis.findings.achieved import headline, methods_table
from analysis.findings.base import find
from analysis.findings.catalogue import OF_A_RUN, OF_SEVERAL
from analysis.findings.several.compared import compared_table
from analysis.page.export import encoded, inline_svg, shown
from analysis.run.files import RecordError
from analysis.run.records import Run, read_run
from mechanism.writing import write_all

MOST_ROWS = 400
"""Most rows of a table on the page; the rest is in the run folder."""

_TEMPLATES = Path(__file__).parent / "templates"


def _utf8(text: str) -> str:
    """Return text without lone surrogates and control characters, which no HTML file can hold."""
    clean = re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", "\N{REPLACEMENT CHARACTER}", text)
    return clean.encode("utf-8", "replace").decode("utf-8")


def render(runs: Sequence[Run]) -> str:
    """Return the page for runs that were read already; everything that comes from a record is escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    chapters = [
        {
            "anchor": f"r{k}",
            "title": f"{run.task} ({run.path.resolve().name})",
            "headline": headline(run),
            "summary": methods_table(run),
            "sections": find(OF_A_RUN, run, f"r{k}-"),
        }
        for k, run in enumerate(runs, start=1)
    ]
    several = find(OF_SEVERAL, runs) if len(runs) > 1 else ()
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["shown"] = shown
    # The two kinds of trusted markup: our own style sheet, and SVG whose every text matplotlib drew as outlines.
    environment.filters["svg"] = lambda drawn, prefix: Markup(inline_svg(drawn.figure, prefix, drawn.alt))
    title = f"{runs[0].task}: accuracy, utility, and promises kept" if len(runs) == 1 else f"{len(runs)} runs compared"
    page = environment.get_template("report.html").render(
        title=title,
        chapters=chapters,
        compared=(several[-1].answer, compared_table(runs), several) if several else None,
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
