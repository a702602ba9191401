"""Draw the house from its imports: python docs/architecture.py [docs/architecture.png].

A band is a package, a box a folder of it (as wide as its lines), an arrow stands for imports from one folder to
another, darker for more. Bands import downwards only.
"""

from __future__ import annotations

import ast
import sys
from collections import Counter
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from analysis.page import theme
from analysis.page.export import png
from mechanism.writing import write_all

ROOT = Path(__file__).resolve().parents[1]
BANDS = ("marketproof", "analysis", "proofs_checks", "learning", "mechanism")
"""From top to bottom; learning and proofs_checks do not import each other."""

HEIGHT, GAP, WIDTH = 0.62, 0.7, 10.0


def folder_of(module: str) -> str:
    """Return the folder of a package in which a module stands; what stands in the package itself is the package's.

    >>> folder_of("learning.data.sets.digits"), folder_of("learning.trainer")
    ('learning.data', 'learning')
    """
    package, *rest = module.split(".")
    return f"{package}.{rest[0]}" if rest and (ROOT / package / rest[0]).is_dir() else package


def survey() -> tuple[Counter[str], Counter[tuple[str, str]]]:
    """Return the lines of each folder, and how often one folder imports from another."""
    lines: Counter[str] = Counter()
    arrows: Counter[tuple[str, str]] = Counter()
    packages = set(BANDS)
    for path in (path for package in packages for path in (ROOT / package).rglob("*.py")):
        home = folder_of(".".join(path.relative_to(ROOT).with_suffix("").parts))
        text = path.read_text()
        lines[home] += len(text.splitlines())
        for node in ast.walk(ast.parse(text)):
            names = (
                [f"{node.module}.{alias.name}" for alias in node.names]
                if isinstance(node, ast.ImportFrom) and node.module
                else [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else []
            )
            for other in {folder_of(name) for name in names if name.split(".")[0] in packages} - {home}:
                arrows[home, other] += 1
    return lines, arrows


def place(lines: Counter[str]) -> dict[str, tuple[float, float, float]]:
    """Return x, y and width of each folder's box."""
    boxes = {}
    for row, band in enumerate(reversed(BANDS)):
        folders = [folder for folder in sorted(lines) if folder.split(".")[0] == band]
        least = {folder: 0.2 + 0.075 * len(folder.rpartition(".")[2]) for folder in folders}  # a name must fit
        total = sum(max(lines[folder], 1) for folder in folders)
        free = WIDTH - 0.08 * (len(folders) - 1) - sum(least.values())
        x = 0.0
        for folder in folders:
            width = least[folder] + free * lines[folder] / total
            boxes[folder] = (x, row * (HEIGHT + GAP), width)
            x += width + 0.08
    return boxes


def draw(ax: Axes) -> Axes:
    """Draw bands, boxes and arrows."""
    lines, arrows = survey()
    boxes = place(lines)
    shades = {package: theme.colour(k) for k, package in enumerate(BANDS)}
    for folder, (x, y, width) in boxes.items():
        package, _, name = folder.partition(".")
        ax.add_patch(
            FancyBboxPatch(
                (x + 0.03, y), width - 0.06, HEIGHT, boxstyle="round,pad=0,rounding_size=0.06", linewidth=1.2,
                edgecolor=shades[package], facecolor="white", zorder=2,
            )
        )  # fmt: skip
        ax.text(x + width / 2, y + 0.38, name or package, ha="center", va="center", fontsize=6.5, zorder=3,
                fontweight="normal" if name else "bold")  # fmt: skip
        ax.text(x + width / 2, y + 0.18, f"{lines[folder]:,}", ha="center", va="center", fontsize=6, zorder=3)
    most = max(arrows.values())
    for (start, end), count in sorted(arrows.items(), key=lambda item: item[1]):
        (x, y, width), (to_x, to_y, to_width) = boxes[start], boxes[end]
        same = abs(y - to_y) < 1e-9
        tail = (x + width / 2, y + (HEIGHT if same else 0.0))
        head = (to_x + to_width / 2, to_y + HEIGHT)
        ax.add_patch(
            FancyArrowPatch(
                tail, head, arrowstyle="-|>", mutation_scale=6, linewidth=0.4 + 1.6 * count / most, zorder=1,
                color=shades[start.split(".")[0]], alpha=0.18 + 0.6 * count / most,
                connectionstyle=f"arc3,rad={0.0 if not same else -0.12 if tail[0] < head[0] else 0.12}",
            )
        )  # fmt: skip
    ax.set_xlim(-0.1, WIDTH + 0.1)
    ax.set_ylim(-0.1, len(BANDS) * (HEIGHT + GAP) + 0.1)
    ax.set_axis_off()
    return ax


def main(out: str = "docs/architecture.png") -> None:
    """Write the picture as PNG."""
    ax = theme.axes(None, height=5.6)
    draw(ax)
    figure = theme.figure_of(ax)
    write_all({Path(out): png(figure, 150)})


if __name__ == "__main__":
    main(*sys.argv[1:])
