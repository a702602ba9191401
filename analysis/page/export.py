"""Tables and figures to files: inline SVG for the report, and SVG, PNG, CSV and LaTeX for anybody's paper."""

from __future__ import annotations

import csv
import html
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mechanism.wording import typeset
from mechanism.writing import write_all

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Cell = str | float | int | None
_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", "\n": " ", "−": "$-$", "\N{NARROW NO-BREAK SPACE}": r"\,", "±": r"$\pm$", "–": "--", "—": "---",
    "…": r"\dots{}", "’": "'", "“": "``", "”": "''", "λ": r"$\lambda$", "ε": r"$\varepsilon$", "θ": r"$\theta$",
    "η": r"$\eta$", "Σ": r"$\Sigma$", "√": r"$\surd$", "≤": r"$\le$", "≥": r"$\ge$", "∞": r"$\infty$", "·": r"$\cdot$",
    "×": r"$\times$", "→": r"$\to$", "²": r"$^2$",
}  # fmt: skip
_WIDE = 60
"""Longest text of a column that LaTeX does not break into lines."""


def shown(cell: Cell) -> str:
    """Return a cell as people read it: numbers with three digits, nothing as a dash."""
    if cell is None:
        return "–"
    return typeset(float(cell)) if isinstance(cell, float) else str(cell)


@dataclass(frozen=True)
class Table:
    """A caption, column heads and rows of equal length. Numbers are raw; only `shown` and LaTeX round them."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def __post_init__(self) -> None:
        if any(len(row) != len(self.columns) for row in self.rows):
            raise ValueError(f"table {self.caption!r}: a row has not the {len(self.columns)} cells of its head")

    def joined(self) -> Table:
        """Return the table as a page shows it: a spread stands in no column of its own but behind its value.

        A spread that is known of no row, as with one seed, is not shown.
        """
        spreads = {k for k, column in enumerate(self.columns) if column == "±"}
        known = {k for k in spreads if any(row[k] is not None for row in self.rows)}

        def both(value: Cell, spread: Cell) -> str:
            digits = typeset(spread, 2) if isinstance(spread, float) else shown(spread)
            return f"{shown(value)}\N{NO-BREAK SPACE}±\N{NO-BREAK SPACE}{digits}"

        def join(row: tuple[Cell, ...]) -> tuple[Cell, ...]:
            pairs = [(k, both(c, row[k + 1]) if k + 1 in known and c is not None else c) for k, c in enumerate(row)]
            return tuple(cell for k, cell in pairs if k not in spreads)

        heads = tuple(column for column in self.columns if column != "±")
        return Table(self.caption, heads, tuple(join(row) for row in self.rows))

    def to_csv(self) -> str:
        """Return the table as CSV with a header, full precision, empty where there is nothing."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows(["" if c is None else c for c in row] for row in self.rows)
        return text.getvalue()

    def to_latex(self) -> str:
        """Return a ``tabular`` (no packages needed), numbers with three digits, text escaped."""

        def escape(text: str) -> str:
            return "".join(_LATEX.get(c, c) for c in text)

        def kind(k: int) -> str:
            texts = [row[k] for row in self.rows if isinstance(row[k], str)]
            wide = any(len(str(text)) > _WIDE for text in texts)
            return "r" if not texts else r"p{0.5\linewidth}" if wide else "l"

        kinds = "".join(kind(k) for k in range(len(self.columns)))
        lines = [rf"\begin{{tabular}}{{{kinds}}}", r"\hline"]
        lines.append(" & ".join(escape(c) for c in self.columns) + r" \\ \hline")
        lines += [" & ".join(escape(shown(c)) for c in row) + r" \\" for row in self.rows]
        return "\n".join([*lines, r"\hline", r"\end{tabular}", ""])


def svg_text(figure: Figure) -> str:
    """Return the figure as SVG text without date or creator, letters as outlines (the same on every machine)."""
    text = io.StringIO()
    with _laid_out(figure):
        figure.savefig(
            text, format="svg", dpi=220, metadata={"Date": None, "Creator": None, "Format": None, "Type": None}
        )
    return text.getvalue()


@contextmanager
def _laid_out(figure: Figure) -> Iterator[None]:
    """Lay a figure out for SVG beforehand: `savefig` would draw it once only for that, and then once more."""
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    engine, canvas, dpi = figure.get_layout_engine(), figure.canvas, figure.dpi
    if engine is not None:
        FigureCanvasSVG(figure)
        figure.dpi = 72  # as SVG has it: in points
        engine.execute(figure)
        figure.set_canvas(canvas)
        figure.dpi = dpi
    figure.set_layout_engine(None)
    try:
        yield
    finally:
        figure.set_layout_engine(engine)


def inline_svg(figure: Figure, prefix: str, label: str) -> str:
    """Return an ``<svg>`` element for an HTML page: no size but its viewBox, ids unique to ``prefix``, named ``label``.

    matplotlib draws random ids; numbering them in order makes the same figure give the same text.
    """
    text = svg_text(figure)
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)
    text = re.sub(r"<defs>\s*<style[^>]*>.*?</style>\s*</defs>", "", text, flags=re.DOTALL)
    numbers: dict[str, str] = {}
    for name in re.findall(r'\bid="([^"]+)"', text):
        numbers.setdefault(name, f"{prefix}-{len(numbers)}")
    text = re.sub(r'\bid="([^"]+)"', lambda found: f'id="{numbers[found[1]]}"', text)
    text = re.sub(r'xlink:href="#([^"]+)"', lambda found: f'href="#{numbers.get(found[1], found[1])}"', text)
    text = text.replace('xlink:href="data:', 'href="data:')
    text = re.sub(r"url\(#([^)]+)\)", lambda found: f"url(#{numbers.get(found[1], found[1])})", text)
    box = re.search(r'viewBox="([^"]+)"', text)
    if box is None:  # every SVG of matplotlib has one
        raise ValueError("the SVG has no viewBox")
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box[1]}" role="img" aria-label="{html.escape(label)}">'
    return re.sub(r"\n\s*", "\n", head + text[text.index(">") + 1 :]).strip()


def png(figure: Figure, dpi: int = 200) -> bytes:
    """Return the figure as PNG."""
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=dpi)
    return picture.getvalue()


def encoded(text: str) -> bytes:
    """Return a text in UTF-8; what is no character becomes a question mark."""
    return text.encode("utf-8", "replace")


def export(figure: Figure, table: Table, stem: Path, *, drawn: Table | None = None) -> tuple[Path, ...]:
    """Write ``stem``.svg, .png, .csv and .tex: a figure and its numbers. Returns the four paths.

    The CSV holds ``drawn``, everything that is drawn (default: the table); the LaTeX holds ``table``, which may be a
    summary that fits on a page. To export a plot's Axes, pass ``ax.figure``. `InputError` if the folder cannot be
    written.
    """
    content = {
        "svg": encoded(svg_text(figure)),
        "png": png(figure),
        "csv": encoded((table if drawn is None else drawn).to_csv()),
        "tex": encoded(table.to_latex()),
    }
    files = {Path(f"{stem}.{kind}"): made for kind, made in content.items()}
    write_all(files)
    return tuple(files)
