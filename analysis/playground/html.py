"""Small pieces of HTML for the apps: everything that a person typed is escaped."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from analysis.page.export import inline_svg
from analysis.page.theme import INK, LOSS_TEXT, figure_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_CELL = "padding:0.2em 0.9em 0.2em 0;text-align:{};border-bottom:1px solid #e4e7eb"


def table(name: str, caption: str, header: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> str:
    """Return a table with ``id`` name; the first ``left`` columns are words, the others numbers."""

    def line(cells: Sequence[str], tag: str) -> str:
        styled = (
            f'<{tag} style="{_CELL.format("left" if k < left else "right")}">{html.escape(cell)}</{tag}>'
            for k, cell in enumerate(cells)
        )
        return f"<tr>{''.join(styled)}</tr>"

    body = "".join(line(row, "td") for row in rows)
    return (
        '<div style="overflow-x:auto">'
        f'<table id="{name}" style="border-collapse:collapse;font-variant-numeric:tabular-nums;color:{INK}">'
        f'<caption style="text-align:left;font-weight:600;padding:0.4em 0">{html.escape(caption)}</caption>'
        f"<thead>{line(header, 'th')}</thead><tbody>{body}</tbody></table></div>"
    )


def sentence(name: str, text: str, *, warning: bool = False) -> str:
    """Return a paragraph with ``id`` name that screen readers announce when it changes."""
    tone = LOSS_TEXT if warning else INK
    return f'<p id="{name}" role="status" style="color:{tone};margin:0.4em 0">{html.escape(text)}</p>'


def drawing(name: str, ax: Axes, alt: str) -> str:
    """Return the whole figure of ``ax`` as inline SVG with words for those who do not see it."""
    return f'<div id="{name}" style="max-width:44em">{inline_svg(figure_of(ax), name, alt)}</div>'


def link(name: str, query: dict[str, str], text: str) -> str:
    """Return a link to this page with another query."""
    where = html.escape(urlencode(query))
    return f'<a id="{name}" href="?{where}" style="text-decoration:underline">{html.escape(text)}</a>'
