"""Figures to files: inline SVG for the report, and SVG, PNG, CSV and LaTeX for anybody's paper."""

from __future__ import annotations

import html
import io
import os
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.page.tables import Table
from analysis.run.files import RecordError

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def svg_text(figure: Figure) -> str:
    """Return the figure as SVG text without date or creator, letters as outlines (the same on every machine)."""
    text = io.StringIO()
    figure.savefig(text, format="svg", dpi=220, metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    return text.getvalue()


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


def write_atomically(path: Path, write: Callable[[Path], object]) -> Path:
    """Call ``write`` with a temporary path beside ``path`` and rename: readers see the old file or the new one.

    Raises
    ------
    RecordError
        If the folder cannot be written.
    """
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-", suffix=path.suffix)
        os.close(handle)
        temporary = Path(name)
        write(temporary)
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        temporary.replace(path)
    except OSError as error:
        raise RecordError(f"{path}: cannot be written ({error.strerror or error}); name another file") from None
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
    return path


def write_text(path: Path, text: str) -> Path:
    """Write a UTF-8 text file atomically; what is no character becomes a question mark."""
    return write_atomically(path, lambda temporary: temporary.write_bytes(text.encode("utf-8", "replace")))


def export(
    figure: Figure, table: Table, stem: Path | str, *, drawn: Table | None = None, dpi: int = 200
) -> tuple[Path, ...]:
    """Write ``stem``.svg, .png, .csv and .tex: a figure and its numbers. Returns the four paths.

    The CSV holds ``drawn``, everything that is drawn (default: the table); the LaTeX holds ``table``, which may be a
    summary that fits on a page. To export a plot's Axes, pass ``ax.figure``.

    Raises
    ------
    RecordError
        If the folder cannot be written.
    """
    stem = Path(stem)
    paths = tuple(stem.with_name(f"{stem.name}.{kind}") for kind in ("svg", "png", "csv", "tex"))
    write_text(paths[0], svg_text(figure))
    write_atomically(paths[1], lambda path: figure.savefig(path, format="png", dpi=dpi))
    write_text(paths[2], (table if drawn is None else drawn).to_csv())
    write_text(paths[3], table.to_latex())
    return paths
