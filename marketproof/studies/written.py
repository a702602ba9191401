"""What a study leaves for its readers: study.json, study.csv, study.md, figures, and a printed table with words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console

from marketproof.commands.options import dumps
from marketproof.errors import shown
from marketproof.files.atomic import write_all
from marketproof.studies.plan import Plan
from marketproof.studies.study import Column, Findings
from marketproof.terminal.console import table


def as_json(plan: Plan, found: Findings) -> dict[str, Any]:
    """Return ``study.json``: no times and no paths, so that the same study gives the same bytes."""
    one = plan.first
    return {
        **plan.head,
        "title": plan.study.title,
        "asks": plan.study.asks,
        "seeds": one.seed_list,
        "rounds": one.rounds,
        "steps": one.steps,
        "runs": {
            name: {"population": config.population.name, "factor": config.population.factor,
                   "clients": config.data.clients}
            for name, config in plan.configs.items()
        },
        **found.to_json(),
    }  # fmt: skip


def which_seeds(first: int, count: int) -> str:
    """Say in words over which seeds something is.

    >>> which_seeds(0, 1), which_seeds(3, 2)
    ('seed 0', 'seeds 3 to 4')
    """
    return f"seed {first}" if count == 1 else f"seeds {first} to {first + count - 1}"


def write_findings(folder: Path, stem: str, told: Mapping[str, Any], found: Findings, title: str) -> None:
    """Write ``STEM.json``, ``.csv`` and ``.md``, and each figure as PNG and SVG."""
    from analysis.page.export import svg_text, write_atomically
    from analysis.page.tables import Table

    rows = [row.to_json(found.columns) for row in found.rows]
    keys = [
        key for column in found.columns for key in (column.key, f"{column.key}_std") if any(key in row for row in rows)
    ]
    lines = Table(title, tuple(keys), tuple(tuple(row.get(key) for key in keys) for row in rows))
    write_all(
        {
            folder / f"{stem}.json": dumps(told),
            folder / f"{stem}.csv": lines.to_csv().encode(),
            folder / f"{stem}.md": markdown(found, title).encode(),
            **{folder / f"{name}.svg": svg_text(figure).encode() for name, figure in found.figures.items()},
        }
    )
    for name, figure in found.figures.items():
        write_atomically(folder / f"{name}.png", partial(figure.savefig, format="png", dpi=200))


def markdown(found: Findings, title: str) -> str:
    """Return the table with its words as Markdown."""
    heads = [column.head for column in found.columns]
    sides = [":--" if column.kind == "text" else "--:" for column in found.columns]
    rows = [[row.cell(column).replace("|", r"\|") for column in found.columns] for row in found.rows]
    lines = ["| " + " | ".join(cells) + " |" for cells in (heads, sides, *rows)]
    told = [f"- {line}" for line in found.words]
    meant = [f"- {column.head}: {column.meaning}" for column in found.columns]
    notes = [f"- {line}" for line in found.notes]
    pictures = [f"![{name}]({name}.png)" for name in found.figures]
    parts = [[f"# {title}"], lines, ["What to look at:", "", *told], ["Columns:", "", *meant],
             ["What the numbers do not say:", "", *notes], pictures]  # fmt: skip
    return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


def show_findings(found: Findings, title: str, folder: Path, stem: str, console: Console) -> None:
    """Print the table, what its columns mean, the words, and where everything lies."""
    columns: Sequence[Column] = found.columns
    left = 1 + max(k for k, column in enumerate(columns[:3]) if column.kind == "text")  # what a row is about
    cells = [[row.cell(column) for column in columns] for row in found.rows]
    console.print(table(title, [column.head for column in columns], cells, left=left))
    console.print(" · ".join(f"{column.head}: {column.meaning}" for column in columns[1:]))
    for line in found.words:
        console.print(line)
    for line in found.notes:
        console.print(f"Note: {line}")
    figures = "".join(f", {name}.png" for name in found.figures)
    console.print(f"Written to {shown(folder)}: {stem}.json, {stem}.csv, {stem}.md{figures}, and the runs' folders")
