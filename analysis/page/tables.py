"""Plain tables: rows of numbers and names, written as CSV, LaTeX or HTML cells. Used by the report and every export."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

from mechanism.wording import typeset

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
