"""A study carried out and left for its readers: JSON, CSV, Markdown, figures, and a printed table with words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console

from marketproof.errors import Interrupted, shown
from marketproof.files.atomic import dumps, write_all
from marketproof.running.execution import Place
from marketproof.running.loop import MakeTrainer
from marketproof.studies.runs import Plan, run_all
from marketproof.studies.study import Findings, measured
from marketproof.terminal.console import table


@dataclass(frozen=True, eq=False)
class Done:
    """A study that is carried out: what ``STEM.json`` holds, and the findings behind it."""

    plan: Plan
    folder: Path
    told: Mapping[str, Any]
    findings: Findings

    def show(self, console: Console) -> None:
        """Print the table, what its columns mean, the words, and where everything lies."""
        found, stem = self.findings, self.plan.stem
        left = 1 + max(k for k, column in enumerate(found.columns[:3]) if column.kind == "text")  # whom it is about
        cells = [[row.cell(column) for column in found.columns] for row in found.rows]
        console.print(table(self.plan.title, [column.head for column in found.columns], cells, left=left))
        console.print(" · ".join(f"{column.head}: {column.meaning}" for column in found.columns[1:]))
        for line in (*found.words, *(f"Note: {line}" for line in found.notes)):
            console.print(line)
        figures = "".join(f", {name}.png" for name in found.figures)
        files = f"{stem}.json, {stem}.csv, {stem}.md{figures}"
        console.print(f"Written to {shown(self.folder)}: {files}, and the runs' folders")


def carried_out(
    plan: Plan, folder: Path, place: Place, again: str, *, quiet: bool, make: MakeTrainer | None = None
) -> Done:
    """Run what a study plans or go on with it (`run_all`), measure it, and write its table, words and figures.

    Raises
    ------
    InputError, Interrupted
        As `run_all`.
    """
    cases = run_all(plan, folder, place, again, quiet=quiet, make=make)
    try:
        found = measured(plan.study, cases)
        told = _as_json(plan, found)
        _write(folder, plan, told, found)
    except KeyboardInterrupt:
        raise Interrupted(f"interrupted after the last run; go on with: {again}") from None
    return Done(plan, folder, told, found)


def _as_json(plan: Plan, found: Findings) -> dict[str, Any]:
    """Return ``STEM.json``: no times and no paths, so that the same study gives the same bytes."""
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


def _write(folder: Path, plan: Plan, told: Mapping[str, Any], found: Findings) -> None:
    """Write ``STEM.json``, ``.csv`` and ``.md``, and each figure as PNG and SVG."""
    from analysis.page.export import svg_text, write_atomically
    from analysis.page.tables import Table

    rows = [row.to_json(found.columns) for row in found.rows]
    keys = [
        key for column in found.columns for key in (column.key, f"{column.key}_std") if any(key in row for row in rows)
    ]
    lines = Table(plan.title, tuple(keys), tuple(tuple(row.get(key) for key in keys) for row in rows))
    write_all(
        {
            folder / f"{plan.stem}.json": dumps(told),
            folder / f"{plan.stem}.csv": lines.to_csv().encode(),
            folder / f"{plan.stem}.md": markdown(found, plan.title).encode(),
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
