"""One look for every figure: colours that colour-blind readers can tell apart, dark text, a light grid.

Nothing here touches matplotlib's global settings: every figure is a `Figure` object of its own, styled explicitly, so
that figures can be drawn in any thread and leave nothing behind. Importing this module does not import matplotlib.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mechanism.wording import typeset

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK = "#1f2933"
"""Text and axes."""
SOFT = "#52606d"
"""Secondary text; contrast 6.5 on white."""
GRID = "#e4e7eb"
ZERO = "#1f2933"
GAIN = "#0072b2"
"""What a client gains (blue)."""
LOSS = "#d55e00"
"""What a client loses (vermilion)."""
LOSS_TEXT = "#a84300"
"""The same as text; contrast 6.3 on white."""
NEUTRAL = "#9aa5b1"
JUNK = "#882255"
"""Attackers and free-riders (Tol's wine); besides by another mark or bold."""

PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#52606d", "#882255", "#999933")
"""Six colours of Okabe and Ito (2008), a grey, and two of Tol's muted scheme; every one at least 2:1 on white.

Under simulated colour blindness of each kind, complete, any two stay at least 10 apart (CIE 1976); see the test.
"""

SMALL, BODY, TITLE = 9.0, 10.0, 11.0
"""Font sizes in points; a figure is shown at about 1.3 times its nominal size."""

WIDTH = 7.6
"""Width of a full figure, inches."""


def plain(text: object, longest: int = 28) -> str:
    """Return text that is safe to draw: no markup (a dollar sign is itself), no control characters, shortened."""
    shown = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in str(text))
    if len(shown) > longest:
        shown = shown[: longest - 1].rstrip() + "…"
    return shown.replace("$", r"\$")


def colour(index: int) -> str:
    """Return the colour of the ``index``-th method; the same in all figures of a run.

    After the last colour they begin anew: what shares a colour differs in `line`, `mark` and `hatch`.
    """
    return PALETTE[index % len(PALETTE)]


def _turn(index: int) -> int:
    return index // len(PALETTE) % 3


def line(index: int) -> tuple[float, tuple[float, ...]] | str:
    """Return the line style of the ``index``-th method: solid, then dashed and dotted where colours begin anew."""
    return ("-", (0.0, (5.0, 1.5)), (0.0, (1.2, 1.2)))[_turn(index)]


def mark(index: int) -> str:
    """Return the marker of the ``index``-th method: a disc, then a square and a diamond where colours begin anew."""
    return "osD"[_turn(index)]


def hatch(index: int) -> str:
    """Return the hatch of a bar of the ``index``-th method: none, then two kinds where colours begin anew."""
    return ("", "////", "....")[_turn(index)]


def faded(tone: str, strength: float) -> str:
    """Return ``tone`` mixed with white; ``strength`` 1 is the tone itself. Opaque, so that overlaps do not darken."""
    parts = (int(tone[k : k + 2], 16) for k in (1, 3, 5))
    return "#" + "".join(f"{round(255 + (part - 255) * min(1.0, max(0.0, strength))):02x}" for part in parts)


def figure(width: float = WIDTH, height: float = 3.4) -> Figure:
    """Return an empty figure of that size in inches, with its own Agg canvas and constrained layout."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure as NewFigure

    new = NewFigure(figsize=(width, height), layout="constrained", facecolor="white")
    FigureCanvasAgg(new)
    return new


def figure_of(ax: Axes) -> Figure:
    """Return the whole figure that ``ax`` is part of."""
    whole = ax.get_figure(root=True)
    if whole is None:
        raise ValueError("the axes have been removed from their figure")
    return whole


def axes(ax: Axes | None, width: float = WIDTH, height: float = 3.4) -> Axes:
    """Return ``ax``, or the only axes of a new figure."""
    return figure(width, height).add_subplot() if ax is None else ax


def style(ax: Axes, *, grid: Literal["", "x", "y", "both"] = "y", title: str = "", x: str = "", y: str = "") -> Axes:
    """Apply the theme: ``grid`` is "x", "y", "both" or "" ; titles to the left; only the axes that carry a scale."""
    ax.set_facecolor("white")
    for side, spine in ax.spines.items():
        spine.set_visible(side in {"left", "bottom"})
        spine.set_color(NEUTRAL)
        spine.set_linewidth(0.8)
    ax.tick_params(labelsize=SMALL, colors=NEUTRAL, labelcolor=INK, length=3, width=0.8)
    ax.set_axisbelow(True)
    ax.grid(visible=False)
    if grid:
        ax.grid(visible=True, axis=grid, color=GRID, linewidth=0.8)
    if title:
        ax.set_title(title, loc="left", fontsize=TITLE, fontweight="bold", color=INK, pad=8)
    for scale in (ax.xaxis, ax.yaxis):
        if type(scale.get_major_formatter()).__name__ == "ScalarFormatter":  # not where ticks have words of their own
            scale.set_major_formatter(_ticks())
    ax.set_xlabel(x, fontsize=BODY, color=INK)
    ax.set_ylabel(y, fontsize=BODY, color=INK)
    return ax


def _ticks() -> Any:
    """Return a formatter of ticks that writes thousands apart, as `number` does."""
    from matplotlib.ticker import ScalarFormatter

    class Ticks(ScalarFormatter):
        def __call__(self, x: float, pos: int | None = None) -> str:
            return grouped(str(super().__call__(x, pos)))

    return Ticks()


def grouped(text: str) -> str:
    """Return a number's text with a narrow space between thousands; digits behind a point stay together."""
    whole, point, rest = text.partition(".")
    return re.sub(r"(?<=\d)(?=(?:\d{3})+$)", "\N{NARROW NO-BREAK SPACE}", whole) + point + rest


_KEY = 0.75
"""Inches left of a plot that its own numbers and title take."""


def legend_above(ax: Axes, most: int = 4, **options: Any) -> Any:
    """Put the key above the axes, in at most ``most`` columns and in as few as it takes to stay on the picture.

    A key that is wider than the picture is cut, or presses the axes together. ``options`` as of ``Axes.legend``.
    """
    whole = figure_of(ax)
    chosen: dict[str, Any] = {
        "loc": "lower left", "bbox_to_anchor": (0.0, 1.01), "frameon": False, "fontsize": SMALL, "labelcolor": INK,
        "borderaxespad": 0.0, "handletextpad": 0.5, "columnspacing": 1.4,
    } | options  # fmt: skip
    room = float(whole.get_size_inches()[0]) * float(ax.get_position().width) / 0.775 - _KEY
    for columns in range(most, 0, -1):
        legend = ax.legend(ncols=columns, **chosen)
        if legend.get_window_extent().width / whole.dpi <= room:
            break
    return legend


def symmetric_log(ax: Axes, values: ArrayLike, axis: Literal["x", "y"] = "x") -> bool:
    """Give an axis a symmetric logarithmic scale if one value hides all others; return whether it did.

    It does where the largest size is more than 30 times the median of the sizes above 0: on an even scale half of the
    marks would stand within a thirtieth of the picture. Linear up to the power of ten at the median or below.
    """
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    every = np.asarray(values, dtype=np.float64)
    sizes = np.abs(every)
    sizes = sizes[np.isfinite(sizes) & (sizes > 0)]
    if sizes.size < 2 or sizes.max() <= 30.0 * np.median(sizes):
        return False
    linear = 10.0 ** np.floor(np.log10(np.median(sizes)))
    scale = ax.xaxis if axis == "x" else ax.yaxis
    (ax.set_xscale if axis == "x" else ax.set_yscale)("symlog", linthresh=linear, linscale=0.6)
    decades = int(np.ceil(np.log10(sizes.max() / linear)))
    powers = linear * 10.0 ** np.arange(0, decades + 1, max(1, -(-decades // 3)))
    left, right = (powers[: 1 + int((powers < size).sum())] for size in (-np.nanmin(every), np.nanmax(every)))
    below, above = (p if has else p[:0] for p, has in ((left, np.nanmin(every) < 0), (right, np.nanmax(every) > 0)))
    scale.set_major_locator(FixedLocator([*(-below[::-1]), 0.0, *above]))
    scale.set_minor_locator(NullLocator())
    scale.set_major_formatter(FuncFormatter(lambda x, _: typeset(x, 1)))
    return True


def write(ax: Axes, x: float, y: float, text: str, **options: Any) -> Any:
    """Write text at data coordinates in the theme's ink (``options`` as of ``Axes.text``)."""
    chosen: dict[str, Any] = {"fontsize": SMALL, "color": INK} | options
    return ax.text(x, y, text, **chosen)


def thinned(count: int, most: int) -> NDArray[np.int64]:
    """Return which of ``count`` ticks to label so that at most ``most`` are: every k-th from 0, k a round step."""
    for step in (1, 2, 5, 10, 20, 25, 50, 100, 200, 500, 1000, 5000, 10000):
        if -(-count // step) <= most:
            return np.arange(0, count, step)
    return np.array([0])


def apart(positions: ArrayLike, gap: float, low: float = -np.inf, high: float = np.inf) -> NDArray[np.float64]:
    """Return positions moved as little as possible (least squares) so that neighbours are at least ``gap`` apart.

    Pool adjacent violators on positions less the room that the labels before them need; order is kept, ties in the
    order given. All stay between ``low`` and ``high`` if there is room for them (else they run past ``high``).
    """
    wanted = np.asarray(positions, dtype=np.float64)
    order = np.argsort(wanted, kind="stable")
    room = gap * np.arange(wanted.size)
    blocks: list[tuple[float, int]] = []
    for value in wanted[order] - room:
        mean, size = float(value), 1
        while blocks and blocks[-1][0] > mean:
            other, others = blocks.pop()
            mean, size = (mean * size + other * others) / (size + others), size + others
        blocks.append((mean, size))
    placed = np.empty_like(wanted)
    even = np.concatenate([np.full(size, mean) for mean, size in blocks] or [np.empty(0)])
    last = high - room[-1] if wanted.size else high
    placed[order] = np.maximum(np.minimum(even, last), low) + room
    return placed


def never_flat(ax: Axes, axis: Literal["x", "y"], least: float = 2.0) -> None:
    """Widen an axis to span at least ``least``, so that nothing but rounding is never drawn as a difference."""
    low, high = ax.get_xlim() if axis == "x" else ax.get_ylim()
    if high - low < least:
        limits = ((low + high - least) / 2, (low + high + least) / 2)
        if axis == "x":
            ax.set_xlim(*limits)
        else:
            ax.set_ylim(*limits)


def names(methods: Sequence[str], longest: int = 28) -> list[str]:
    """Return method names as drawn in figures."""
    return [plain(m, longest) for m in methods]


def method_rows(ax: Axes, methods: Sequence[str], *, labels: bool = True, room: float = 0.08, ticks: int = 5) -> None:
    """Make an axes one of a row per method, the first on top, with ``room`` beside the values, named by ``labels``."""
    ax.set_yticks(np.arange(len(methods)), names(methods) if labels else [""] * len(methods), fontsize=BODY)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.set_ylim(len(methods) - 0.5, -0.5)
    ax.margins(x=room)
    if ax.get_xscale() == "linear":
        never_flat(ax, "x")
        ax.locator_params(axis="x", nbins=ticks)


def beside_row(ax: Axes, row: float, text: str, **options: Any) -> None:
    """Write what belongs to a row of a plot, such as its number, at its right (``options`` as of ``Axes.text``)."""
    write(ax, 1.02, row, text, **({"transform": ax.get_yaxis_transform(), "va": "center"} | options))


def squares(ax: Axes, size: int, shown: ArrayLike, labels: Sequence[str], *, turned: bool = False) -> None:
    """Make an axes one of a matrix, the first row on top, with ``labels`` at the rows and columns ``shown``.

    ``turned``: labels of columns stand upright, as names need it.
    """
    words = [plain(label, 12) for label in labels]
    ax.set_xticks(shown, words, rotation=90 if turned else 0)
    ax.set_yticks(shown, words)
    ax.tick_params(length=0)
    for spine in ax.spines.values():
        spine.set_visible(True)
    ax.set_xlim(-0.5, size - 0.5)
    ax.set_ylim(size - 0.5, -0.5)
    ax.set_box_aspect(1)


def flagged(ax: Axes, harmful: Sequence[int]) -> None:
    """Write the labels of attackers and free-riders, who are in these places of a matrix, in their colour, bold."""
    for place, label in zip(
        (*ax.get_xticks(), *ax.get_yticks()), (*ax.get_xticklabels(), *ax.get_yticklabels()), strict=True
    ):
        if place in harmful:
            label.set_color(JUNK)
            label.set_fontweight("bold")
