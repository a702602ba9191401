"""Study performance over several tasks: what is trained, and the file of figures and the page that are made of it.

The page is made of the file alone, so that it can be made again to the byte.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from analysis.page.export import Table, inline_svg
from marketproof.running.config import DEFAULT_MECHANISM, RunConfig, load_task, resolve
from marketproof.running.methods import parse
from marketproof.studies import significance
from marketproof.studies.carried_out import markdown_table
from marketproof.studies.performance import ALL_METHODS, BEST, FINAL, LOWEST, PERFORMANCE, UTILITY, WELFARE
from marketproof.studies.study import METHOD, Column, Row
from marketproof.studies.units import Trained, Units
from mechanism.errors import InputError
from mechanism.market.accounting import MONEY
from mechanism.wording import listed, percent, plural
from mechanism.writing import write_all

PAPER_TASKS = (
    "fashion-niid", "fashion-cluster", "fashion-skew", "cifar10-niid", "cifar10-cluster", "cifar10-skew", "femnist",
    "shakespeare", "finance", "cofinance", "pacs",
)  # fmt: skip
"""The eleven tasks of the paper."""

COMPARED = (*ALL_METHODS, "ipfl-effective/ipfl-exact")
"""The methods of the paper with both mechanisms, and the market on measured data."""

SHORTER: Mapping[str, Mapping[str, int]] = {
    "femnist": {"rounds": 6, "steps": 10, "test": 500},
    "shakespeare": {"rounds": 5, "steps": 16, "batch": 16, "test": 400},
    "finance": {"rounds": 5, "steps": 6, "length": 320, "test": 60},
    "cofinance": {"rounds": 5, "steps": 6, "length": 320, "test": 60},
    "pacs": {"rounds": 5, "steps": 12, "batch": 16, "test": 224},
}
"""Tasks whose scale reduced takes minutes to half an hour a unit, and what they take here in the place of its own."""

_PLACES = {"test": "data", "length": "model", "batch": "training"}

SHOWN = (BEST, FINAL, UTILITY, LOWEST)

ONE_ANSWER = "(always one answer)"


def plan_units(
    tasks: Sequence[str],
    folder: Path,
    *,
    scale: str | None = None,
    seed: int = 0,
    seeds: int,
    methods: Sequence[str] | None = None,
) -> Units:
    """Return the units of a study over ``tasks`` ("all": the paper's); `InputError` if a name or number is wrong."""
    names = list(COMPARED if methods is None else methods)
    parse(names, DEFAULT_MECHANISM)
    options = {"scale": scale, "seed": seed, "seeds": seeds, "methods": names, "mechanism": DEFAULT_MECHANISM}
    configs = {}
    for task in PAPER_TASKS if list(tasks) == ["all"] else tasks:
        if task.endswith(".toml"):
            raise InputError(f"--tasks takes tasks by their names; for {task} alone: --task")
        configs[task] = sized(resolve(task, load_task(task), {**options, "population": "benign"}))
    if not configs:
        raise InputError("--tasks names no task; expected names such as fashion-niid,femnist, or all")
    return Units(configs, folder)


def sized(config: RunConfig) -> RunConfig:
    """Return a configuration at the scale of this study."""
    values = config.model_dump()
    for name, value in SHORTER.get(config.task, {}).items() if config.scale == "reduced" else ():
        (values[_PLACES[name]] if name in _PLACES else values)[name] = value
    return RunConfig.model_validate(values)


def size_of(config: RunConfig) -> dict[str, Any]:
    """Return what a task is and how long it is trained, and which share that is of the samples seen at scale paper."""
    task = load_task(config.task)
    seen = config.rounds * config.steps * config.training.batch
    whole = [size.rounds * size.steps * task.training.batch for name, size in task.scale.items() if name == "paper"]
    return {
        "title": task.title, "clients": config.data.clients, "network": config.model.name,
        "base": config.model.base, "rounds": config.rounds, "steps": config.steps, "batch": config.training.batch,
        "lr": config.training.lr, "test": config.data.test, "length": config.model.length,
        "shorter": config.task in SHORTER and config.scale == "reduced",
        "of_paper": round(seen / whole[0], 6) if whole else None,
    }  # fmt: skip


def as_json(units: Units, trained: Sequence[Trained], command: str) -> dict[str, Any]:
    """Return ``performance.json``: the settings of each task, and what was measured, unit by unit."""
    one, machines = units.first, list(dict.fromkeys(done.machine for done in trained))
    return {
        "study": "performance", "title": PERFORMANCE.title, "asks": PERFORMANCE.asks, "command": command,
        "scale": one.scale, "seeds": one.seed_list, "methods": one.methods, "planned": len(list(units)),
        "seconds_left": seconds_left(units, trained), "machines": machines,
        "columns": {column.key: column.meaning for column in PERFORMANCE.columns}
        | {"seconds": "of the processor, with reading the data; of the clock in a run that was taken over",
           "commit": "of the code; + if it was changed since",
           "machine": "place in machines"},
        "tasks": {task: size_of(config) for task, config in units.configs.items()},
        "notes": list(PERFORMANCE.notes),
        "units": [{**done.model_dump(), "machine": machines.index(done.machine)} for done in trained],
    }  # fmt: skip


def seconds_left(units: Units, trained: Sequence[Trained]) -> float | None:
    """Return the processor's seconds that the missing units take, as those did that are there; None where none is.

    A unit takes what those of its task and method took in the mean, else those of its task, else all.
    """
    there = {(one.task, one.method, one.seed) for one in trained}
    total = 0.0
    for task, method, seed in units:
        if (task, method, seed) in there:
            continue
        alike = [one.seconds for one in trained if (one.task, one.method) == (task, method)]
        alike = alike or [one.seconds for one in trained if one.task == task] or [one.seconds for one in trained]
        if not alike:
            return None
        total += sum(alike) / len(alike)
    return total


def written(told: Mapping[str, Any]) -> bytes:
    """Return the JSON with one line for each unit."""
    head = json.dumps({**told, "units": []}, indent=1, ensure_ascii=False)
    lines = ",\n".join("  " + json.dumps(unit) for unit in told["units"])
    return (head.removesuffix("[]\n}") + f"[\n{lines}\n ]\n}}\n").encode()


def by_task(told: Mapping[str, Any]) -> dict[str, list[Row]]:
    """Return for each task a row a method, over the seeds that all methods have; tasks without such seeds are left out.

    A row's columns are those of study performance.
    """
    found = {(unit["task"], unit["method"], unit["seed"]): unit for unit in told["units"]}
    return {
        task: [
            Row({METHOD: [method] * len(seeds)}
                | {c: [found[task, method, seed][c.key] for seed in seeds] for c in (*SHOWN, WELFARE)})
            for method in told["methods"]
        ]
        for task, seeds in whole_seeds(told).items()
    }  # fmt: skip


def whole_seeds(told: Mapping[str, Any]) -> dict[str, list[int]]:
    """Return for each task the seeds that all methods have; tasks without such seeds are left out."""
    there: dict[tuple[str, int], set[str]] = {}
    for unit in told["units"]:
        there.setdefault((unit["task"], unit["seed"]), set()).add(unit["method"])
    whole = {task: sorted(s for t, s in there if t == task and there[t, s] >= set(told["methods"]))
             for task in told["tasks"]}  # fmt: skip
    return {task: seeds for task, seeds in whole.items() if seeds}


def page(told: Mapping[str, Any]) -> str:
    """Return the page about what ``performance.json`` holds, in Markdown."""
    tables, units = by_task(told), told["units"]
    hours = sum(unit["seconds"] for unit in units) / 3600
    left = "" if told["seconds_left"] is None else f", about {told['seconds_left'] / 3600:.1f} hours"
    missing, shown = (
        told["planned"] - len(units),
        sum(len(row.seeds[METHOD]) for rows in tables.values() for row in rows),
    )
    said = [
        f"{told['asks'].capitalize()}. Of {told['planned']} units (task, method and seed) {len(units)} are trained"
        + (f"; {missing} are missing{left} of one core." if missing else ".")
        + (
            f" Tables and tests are of the seeds that all methods of a task have, {shown} units; the others are in "
            "performance.csv alone."
            if shown < len(units)
            else ""
        ),
        f"They took {hours:.1f} hours of one core (of the clock where the code is told by its version); code: "
        f"{listed(dict.fromkeys(unit['commit'] for unit in units))}; "
        f"machine: {'; '.join(told['machines'])}. Written by the study from performance.json: `{told['command']}`.",
        f"Scale {told['scale']}, a shorter one where the table says so. ± is the sample deviation over seeds: it says "
        "nothing about the difference between two rows, which share their seeds; without ± it is of one seed.",
    ]
    if told.get("one_answer"):
        said.append(
            f"{ONE_ANSWER}: the accuracy of a model that gives each client one answer, the one that is right most "
            "often for it. \"Of the paper's\": samples seen in training, as a share of those at the paper's scale."
        )
    parts = [f"# {told['title']}: {plural(len(told['tasks']), 'task')}", *said, _tasks(told, tables)]
    for column in SHOWN if tables else ():
        parts += [
            f"## {column.head.capitalize()}",
            f"{column.meaning.capitalize()}.",
            markdown_table(*crossed(told, column)),
        ]
        if column is LOWEST:
            parts.append("\n".join(f"- {line}" for line in _losing(told, tables)))
    parts += significance.section(tables, "performance-{}.svg") if tables else []
    parts += ["## What the numbers do not say", "\n".join(f"- {note}" for note in PERFORMANCE.notes)]
    return "\n\n".join(parts) + "\n"


def _tasks(told: Mapping[str, Any], tables: Mapping[str, Sequence[Row]]) -> str:
    """Return the table of tasks with their sizes."""
    rows = []
    for task, size in told["tasks"].items():
        of_text = f" on {size['base'] or 'a tiny random model'}" if size["network"] == "lora" else ""
        seeds = len(tables[task][0].seeds[METHOD]) if task in tables else 0
        steps = f"{size['rounds']} × {size['steps']} × {size['batch']}" + (", shorter" if size["shorter"] else "")
        of = "-" if size.get("of_paper") is None else percent(size["of_paper"], 2)
        rows.append(
            [task, size["title"], size["clients"], size["network"] + of_text, steps, of, size["test"] or "all", seeds]
        )
    heads = ("task", "what", "clients", "network", "rounds × steps × batch", "of the paper's", "test samples", "seeds")
    return markdown_table(heads, [[str(cell) for cell in row] for row in rows], (0, 1, 3))


def crossed(told: Mapping[str, Any], column: Column) -> tuple[list[str], list[list[str]]]:
    """Return heads and cells of a table of one column: a row for each method, a column for each task that is there."""
    tables = by_task(told)
    rows = [[method, *(table[k].cell(column) for table in tables.values())] for k, method in enumerate(told["methods"])]
    if column.kind == "share" and (answers := told.get("one_answer")):
        each = [[answers[task][str(seed)] for seed in seeds] if task in answers else []
                for task, seeds in whole_seeds(told).items()]  # fmt: skip
        rows.insert(0, [ONE_ANSWER, *(percent(sum(some) / len(some)) if some else "-" for some in each)])
    return ["method", *tables], rows


def _losing(told: Mapping[str, Any], tables: Mapping[str, Sequence[Row]]) -> list[str]:
    """Say for each method on which tasks somebody loses in some round."""
    lines = []
    for k, method in enumerate(told["methods"]):
        rows = {task: table[k] for task, table in tables.items()}
        tasks = [task for task, row in rows.items() if row[LOWEST] < -MONEY * max(1.0, abs(row[WELFARE]))]
        where = f"somebody loses in some round on {listed(tasks)}" if tasks else "nobody loses in any of these rounds"
        lines.append(f"`{method}`: {where}.")
    return lines


def comparison_files(told: Mapping[str, Any]) -> dict[str, bytes]:
    """Return what is made of ``performance.json``, by name: the page, its figures, and its tables as CSV and LaTeX."""
    keys, tables = tuple(Trained.model_fields), by_task(told)
    lines = Table(told["title"], keys, tuple(tuple(unit[key] for key in keys) for unit in told["units"]))
    means = tuple(
        (task, row[METHOD], len(row.seeds[METHOD]),
         *(value for column in SHOWN[:-1] for value in (row[column], row.spread(column))), row[LOWEST])
        for task, rows in tables.items() for row in rows
    )  # fmt: skip
    heads = (
        "task",
        METHOD.head,
        "seeds",
        *(head for column in SHOWN[:-1] for head in (column.head, "s.d.")),
        LOWEST.head,
    )
    shown = Table(told["title"], heads, means)
    apart = significance.differences_table(tables)
    return {
        "performance.csv": lines.to_csv().encode(),
        "performance.md": page(told).encode(),
        "performance.tex": shown.to_latex().encode(),
        "performance-differences.csv": apart.to_csv().encode(),
        "performance-differences.tex": apart.to_latex().encode(),
        **{
            f"performance-{name}.svg": inline_svg(figure, name, name).encode()
            for name, figure in significance.figures(tables).items()
        },
    }


def write_comparison(told: Mapping[str, Any], folder: Path) -> None:
    """Write ``performance.json`` (a line a unit), and what is made of it."""
    files = {"performance.json": written(told), **comparison_files(told)}
    write_all({folder / name: content for name, content in files.items()})
