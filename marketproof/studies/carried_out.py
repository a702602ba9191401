"""Several runs carried out as one study: those that are finished are kept, the one that was stopped goes on.

A study's folder holds ``study.toml``, what decides its numbers, and one ordinary run folder for each of its runs. The
same command goes on until all is done; a command with other settings is refused, and told what differs. Then the table,
its words and figures are written: JSON, CSV, Markdown, and printed.
"""

import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.console import Console

from analysis.page.export import Table, png, svg_text
from analysis.run.files import changes, dotted
from marketproof.cluster import spread
from marketproof.exits import Interrupted
from marketproof.records.continued import carry_over
from marketproof.running.config import RunConfig, differences
from marketproof.running.execution import Place, run
from marketproof.running.loop import MakeTrainer
from marketproof.running.recorder import CONFIG, read_progress, recorded_config, refuse_occupied
from marketproof.studies.findings import Findings, measured
from marketproof.studies.planned import Plan
from marketproof.studies.study import Recorded
from marketproof.studies.units import NO_STUDY
from marketproof.terminal.console import show_fitted, stderr
from mechanism.errors import InputError, MarketProofError, shown
from mechanism.reading import read_toml
from mechanism.writing import dumps, to_toml, write_all

HEAD = "study.toml"

SPREAD = (
    "- ±: sample deviation over the seeds that have a number; two rows have the same seeds, so that it is no measure "
    "of their difference"
)


def run_all(
    plan: Plan,
    folder: Path,
    place: Place,
    again: str,
    *,
    quiet: bool,
    make: MakeTrainer | None = None,
    cluster: str | None = None,
) -> dict[str, Recorded]:
    """Run every configuration into its folder under ``folder``, or go on where that stopped.

    ``cluster``: the runs are spread over a Dask cluster (`marketproof.cluster`) whose workers see ``folder``.
    ``again`` is the command that goes on; ``make`` replaces trainers (for tests). `InputError` if the folder holds
    something else, or the same with other settings; the message names the difference. `Interrupted` on Ctrl-C; the
    message says where it stands and how to go on.
    """
    configs = plan.configs
    fresh = _open(plan.head, configs, folder)
    where, done = "before the first run", 0
    try:
        pieces = {name: _pieces(config, folder / name) for name, config in configs.items() if cluster is not None}
        each: Iterator[object] = iter(())
        if cluster is not None:
            where = "on the cluster"
            each = spread(_run_there, [piece for some in pieces.values() for piece in some], cluster, place)
        for name, config in configs.items():
            if cluster is None:
                where = f"in run {done + 1} of {len(configs)}, {name}"
                _tell(f"run {done + 1} of {len(configs)}: {name}", quiet=quiet)
                _run(config, folder / name, place, quiet=quiet, make=make)
            else:
                runs = [path for (_, path), _ in zip(pieces[name], each, strict=False)]
                if runs != [(folder / name).resolve()]:
                    carry_over(runs, folder / name, config)
                    _run(config, folder / name, place, quiet=True, make=None)
                _tell(f"run {done + 1} of {len(configs)} is there: {name}", quiet=quiet)
            done += 1
        shutil.rmtree(folder / ".seeds", ignore_errors=True)
    except Interrupted as stop:
        told = str(stop).partition(";")[0].removeprefix("interrupted ")
        raise Interrupted(f"interrupted {where} ({told}); go on with: {again}") from None
    except KeyboardInterrupt:
        raise Interrupted(f"interrupted {where}; go on with: {again}") from None
    except MarketProofError:
        if fresh and not any((folder / name).exists() for name in configs):
            _close(folder)
        raise
    return {name: Recorded(folder / name, config) for name, config in configs.items()}


def _pieces(config: RunConfig, folder: Path) -> list[tuple[RunConfig, Path]]:
    """Return the runs that make one: each seed in a folder of its own, unless it has begun, or noise has keys of it."""
    path = folder.resolve()
    if config.seeds == 1 or config.privacy.epsilon or (path / CONFIG).is_file():
        return [(config, path)]
    return [
        (config.model_copy(update={"seed": seed, "seeds": 1}), path.parent / ".seeds" / f"{path.name}-{seed}")
        for seed in config.seed_list
    ]


def _run_there(place: Place, config: RunConfig, folder: Path) -> None:
    """Run on a worker, which may not start processes of its own: with the plain loop, whose bits a pool's are."""
    _run(config, folder, replace(place, backend="rows") if place.backend == "auto" else place, quiet=True, make=None)


def _run(config: RunConfig, folder: Path, place: Place, *, quiet: bool, make: MakeTrainer | None) -> None:
    if not (folder / CONFIG).is_file():
        run(config, folder, place, resume=False, quiet=quiet, make=make)
    elif not (
        read_progress(folder).complete
        and ((folder / "report.html").is_file() or not place.paged)  # nothing is left to do, the report included
        and not differences(recorded_config(folder), config)
    ):
        run(config, folder, place, resume=True, quiet=quiet, make=make)


def _open(head: Mapping[str, Any], configs: Mapping[str, RunConfig], folder: Path) -> bool:
    """Make the folder of a study or check that it is this one's; return whether it was made."""
    path = folder / HEAD
    if path.is_file():
        changed = changes(dotted(read_toml(path, "the settings of a study")), dotted(head))
        if changed:
            raise InputError(
                f"{shown(folder)} was recorded with other settings ({'; '.join(changed[:3])}); ask for the same, or "
                "name another --out"
            )
        for name, config in configs.items():  # before the first of them costs time
            if (folder / name / CONFIG).is_file():
                _refuse_changed(folder / name, config)
        return False
    refuse_occupied(folder, NO_STUDY)
    write_all({path: to_toml(head).encode()})
    return True


def _refuse_changed(folder: Path, config: RunConfig) -> None:
    """Raise `InputError` where a recorded run is not the one wanted."""
    changed = differences(recorded_config(folder), config)
    if changed:
        raise InputError(
            f"{shown(folder)} was recorded with other settings ({'; '.join(changed[:3])}): the task has changed since; "
            "name another --out"
        )


def _close(folder: Path) -> None:
    """Take back a study of which nothing was begun."""
    (folder / HEAD).unlink(missing_ok=True)
    if not any(folder.iterdir()):
        folder.rmdir()


def _tell(text: str, *, quiet: bool) -> None:
    console = stderr(quiet=quiet)
    if console.is_terminal:
        console.print(text)


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
        heads = [column.head for column in found.columns]
        show_fitted(
            console,
            self.plan.title,
            heads,
            cells,
            dispensable=heads[: left - 1 : -1],
            elsewhere=f"{stem}.md",
            left=left,
        )
        console.print(" · ".join(f"{column.head}: {column.meaning}" for column in found.columns[1:]))
        for line in (*found.words, *(f"Note: {line}" for line in found.notes)):
            console.print(line)
        figures = "".join(f", {name}.png" for name in found.figures)
        files = f"{stem}.json, {stem}.csv, {stem}.md{figures}"
        console.print(f"Written to {shown(self.folder)}: {files}, and the runs' folders")


def carried_out(
    plan: Plan,
    folder: Path,
    place: Place,
    again: str,
    *,
    quiet: bool,
    make: MakeTrainer | None = None,
    cluster: str | None = None,
) -> Done:
    """Run what a study plans or go on with it (`run_all`), measure it, and write its table, words and figures.

    `InputError` or `Interrupted` as `run_all`.
    """
    cases = run_all(plan, folder, place, again, quiet=quiet, make=make, cluster=cluster)
    return measured_in(plan, folder, cases, again)


def measured_in(plan: Plan, folder: Path, cases: Mapping[str, Recorded], again: str) -> Done:
    """Measure finished runs, and write a study's table, words and figures into a folder; `Interrupted` on Ctrl-C."""
    try:
        found = measured(plan.study, cases)
        told = _as_json(plan, found)
        folder.mkdir(parents=True, exist_ok=True)
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
    write_all(
        {
            folder / f"{plan.stem}.json": dumps(told),
            folder / f"{plan.stem}.csv": numbers(found, plan.title).to_csv().encode(),
            folder / f"{plan.stem}.md": markdown(found, plan.title).encode(),
            **{folder / f"{name}.svg": svg_text(figure).encode() for name, figure in found.figures.items()},
            **{folder / f"{name}.png": png(figure) for name, figure in found.figures.items()},
        }
    )


def numbers(found: Findings, title: str) -> Table:
    """Return the table with a column KEY_std behind each mean over several seeds: their sample deviation."""
    rows = [row.to_json(found.columns) for row in found.rows]
    keys = [
        key for column in found.columns for key in (column.key, f"{column.key}_std") if any(key in row for row in rows)
    ]
    return Table(title, tuple(keys), tuple(tuple(row.get(key) for key in keys) for row in rows))


def markdown_table(heads: Sequence[str], rows: Iterable[Sequence[str]], left: Collection[int] = (0,)) -> str:
    """Return a table as Markdown; ``left``: the columns that are text, the others are numbers."""
    sides = [":--" if k in left else "--:" for k in range(len(heads))]
    escaped = [[cell.replace("|", r"\|") for cell in row] for row in rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (heads, sides, *escaped))


def markdown(found: Findings, title: str) -> str:
    """Return the table with its words as Markdown."""
    left = [k for k, column in enumerate(found.columns) if column.kind == "text"]
    rows = [[row.cell(column) for column in found.columns] for row in found.rows]
    lines = markdown_table([column.head for column in found.columns], rows, left)
    told = [f"- {line}" for line in found.words]
    meant = [f"- {column.head}: {column.meaning}" for column in found.columns]
    if any("±" in cell for row in rows for cell in row):
        meant.append(SPREAD)
    notes = [f"- {line}" for line in found.notes]
    pictures = [f"![{name}]({name}.png)" for name in found.figures]
    parts = [[f"# {title}"], [lines], ["What to look at:", "", *told], ["Columns:", "", *meant],
             ["What the numbers do not say:", "", *notes], pictures]  # fmt: skip
    return "\n\n".join("\n".join(part) for part in parts if part) + "\n"
