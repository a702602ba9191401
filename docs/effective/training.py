"""The market on effective data in real training: accuracy against all methods, and what junk earns.

    python -m docs.effective.training [FOLDER] [--tables] [--jobs 2]   # FOLDER: default runs/effective

Each unit, a task (scale reduced), method, population and seed, is trained once and kept in the folder: a stopped script
goes on; with ``--tables`` nothing is trained. The tables are printed as docs/effective-training.md has them, and
written to docs/results/effective.json if all units are there; else what is missing is said, and the status is 1. Of
Fashion-MNIST what docs/fashion.py recorded (other methods, three seeds) is taken from there; CIFAR-10, FEMNIST and PACS
from `study performance` (docs/performance.py), the latter two at its shorter scale.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from analysis.findings.several.statistics import paired
from analysis.run.market import HARMFUL, ROLES
from docs.effective.units import (
    CIFAR,
    DIGITS,
    FASHION,
    FRESH,
    NEW,
    OTHER,
    PRICED,
    RESULTS,
    SEEDS,
    Unit,
    Units,
    called,
    complete,
    deviation,
    made,
    text_of,
    trained,
)

OUT = RESULTS / "effective.json"
STUDY = (*CIFAR, "femnist", "pacs")
OTHERS = ("local", "fedavg", "fedprox", "ditto", "fedamp", "cfl", "fedfomo", "pfedgraph")
VARIANTS = ("ipfl-effective/clock-price", "ipfl-effective/pooled-price")
RIVALS, METHODS = (*OTHERS, *PRICED), (*OTHERS, *PRICED, *VARIANTS)
"""Those ranked against each other, the study's eleven, and all: variants are no rivals of their own base."""
JUNK = ("attackers-shuffle", "attackers-flip", "free-riders-noise", "free-riders-ones")
ASKED = {"sold": "sold", "income": "received", "utility": "utility"}  # of junk, by the name in a unit
KINDS = ("best", "final")


def recorded() -> dict[Unit, tuple[float, float]]:
    """Return best and final accuracy of the units that other scripts recorded: Fashion-MNIST and those of the study."""
    fashion, study = (json.loads((RESULTS / f"{name}.json").read_text()) for name in ("fashion", "performance"))
    told = [
        (task, method, int(seed), figures)
        for task in FASHION
        for method, by_seed in fashion[task]["by_seed"].items()
        for seed, figures in by_seed.items()
    ]
    told += [(unit["task"], unit["method"], unit["seed"], unit) for unit in study["units"] if unit["task"] in STUDY]
    return {
        (task, method, "benign", seed): (figures["accuracy_best"], figures["accuracy_final"])
        for task, method, seed, figures in told
    }


def wanted() -> list[Unit]:
    """Return every unit (task, method, population, seed) that no other script records: quick ones first."""
    there, fashion = recorded(), product(SEEDS, FASHION, reversed(METHODS))
    slow = [(task, method, "benign", seed) for seed, task, method in fashion]
    junk = product(DIGITS, (*PRICED, *VARIANTS), JUNK, SEEDS)
    benign = product(DIGITS, METHODS, ("benign",), (*SEEDS, *OTHER, *FRESH))
    return [*benign, *junk, *(unit for unit in slow if unit not in there)]


def accuracies(units: Units, tasks: Sequence[str], seeds: range = SEEDS) -> dict[str, Any]:
    """Return per task and method best and final accuracy: mean, spread, by seed, and ranks of rivals' means.

    Best is each client's in its best round, final that of the last, mean of clients. Seeds are those that all rivals
    have of which there are any; a variant that lacks some of them is left out. ``_lead``: of the new method over this
    one, paired over seeds, with its 95 % interval.
    """
    own = {unit: (one["accuracy"].max(axis=0).mean(), one["accuracy"][-1].mean()) for unit, one in units.items()}
    there, table = own | recorded(), {}
    for task in tasks:
        of = {method: {seed: (task, method, "benign", seed) for seed in seeds} for method in METHODS}
        figures = {name: {seed: there[unit] for seed, unit in row.items() if unit in there} for name, row in of.items()}
        rivals = [method for method in RIVALS if figures[method]]
        if NEW not in rivals or not (common := sorted(set.intersection(*(set(figures[method]) for method in rivals)))):
            continue
        told_of = [method for method in METHODS if set(common) <= set(figures[method])]
        rows: dict[str, dict[str, Any]] = {method: {} for method in told_of}
        for k, kind in enumerate(KINDS):
            every = np.array([[figures[method][seed][k] for seed in common] for method in told_of])
            means = every.mean(axis=1)
            for method, each, mean in zip(told_of, every, means, strict=True):
                rows[method] |= {kind: float(mean), f"{kind}_spread": deviation(each)}
                rows[method][f"{kind}_by_seed"] = [round(float(one), 6) for one in each]
                lead = paired(every[told_of.index(NEW)].tolist(), each.tolist())
                rows[method][f"{kind}_lead"] = [lead.mean, lead.low, lead.high]
                if method in RIVALS:
                    rows[method][f"{kind}_rank"] = 1 + int((means[: len(rivals)] > mean + 1e-12).sum())
        table[task] = {"seeds": common, "methods": rows}
    return table


def mean_ranks(table: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """Return the mean rank over tasks of each rival that all of them have."""
    return {
        method: {kind: float(np.mean([found["methods"][method][f"{kind}_rank"] for found in table.values()]))
                 for kind in KINDS}
        for method in RIVALS
        if table and all(method in found["methods"] for found in table.values())
    }  # fmt: skip


def junk(units: Units) -> list[dict[str, Any]]:
    """Return what attackers and free-riders sell and earn beside honest clients, and what they do to their accuracy.

    Sales, income and utility are per client and round; the change is that of honest clients' final accuracy from the
    same run in which all are honest. Means over seeds, their spread, and ``by_seed``; ``in_every_seed``: the utility of
    those who do harm is no more than honest clients'.
    """
    rows = []
    for task, population, method in product(DIGITS, JUNK, (*PRICED, *VARIANTS)):
        every: dict[str, list[float]] = {}
        for seed in SEEDS:
            one, benign = (units.get((task, method, who, seed)) for who in (population, "benign"))
            if one is None or benign is None:
                continue
            bad = np.isin(np.array(ROLES)[one["roles"][0].astype(int)], HARMFUL)
            for (name, key), (prefix, who) in product(ASKED.items(), (("", bad), ("honest_", ~bad))):
                every.setdefault(f"{prefix}{name}", []).append(float(one[key][:, who].mean()))
            change = one["accuracy"][-1, ~bad].mean() - benign["accuracy"][-1, ~bad].mean()
            every.setdefault("accuracy_change", []).append(float(change))
        if every:
            row = {"task": task, "population": population, "method": method, "seeds": len(every["utility"])}
            for name, told in every.items():
                row |= {name: float(np.mean(told)), f"{name}_spread": deviation(told)}
            pairs = zip(every["utility"], every["honest_utility"], strict=True)
            row["in_every_seed"] = all(harmful <= honest + 1e-9 for harmful, honest in pairs)
            rows.append(row | {"by_seed": {name: [round(x, 4) for x in told] for name, told in every.items()}})
    return rows


def spread(row: Mapping[str, Any], name: str, scale: float = 1.0) -> str:
    """Return a mean over seeds with its spread, or nothing but 0 where it is 0 in every seed."""
    mean, around = scale * row[name], scale * row[f"{name}_spread"]
    return f"{mean:.2f} ± {around:.2f}" if mean or around else "0"


def show_accuracies(table: Mapping[str, Any], tasks: Sequence[str], *, leads: bool = False) -> None:
    """Print a table of the page; with ``leads``, of the new method over each row, * where the interval is beside 0."""
    tasks = [task for task in tasks if task in table]
    heads = [f"{task} ({len(table[task]['seeds'])} seeds)" for task in tasks]
    first = f"accuracy, %: best; final{'; lead in final' if leads else ''}"
    print(f"\n| {' | '.join([first, *heads])} |\n{'|---' * (1 + len(tasks))}|")
    for method in (NEW, *VARIANTS, *OTHERS, *PRICED[:-1]):
        cells = [f"`{method}`"]
        for row in (table[task]["methods"].get(method) for task in tasks):
            told = [spread(row, kind, 100) for kind in KINDS] if row else ["-"]
            if leads and row and method != NEW:
                mean, low, high = row["final_lead"]
                told.append(f"{100 * mean:+.2f}{'*' if low is not None and low * high > 0 else ''}")
            cells.append("; ".join(told))
        if set(cells[1:]) != {"-"}:
            print(f"| {' | '.join(cells)} |")


def show_leads(table: Mapping[str, Any]) -> None:
    """Print by task the place, the lead over the next or the first, 95 %, and over ``local`` in the worst seed."""
    for (task, found), kind in product(table.items(), KINDS):
        rows = found["methods"]
        name = max((k for k in rows if k in RIVALS and k != NEW), key=lambda k: rows[k][kind])
        mean, low, high = (100 * x if x is not None else float("nan") for x in rows[name][f"{kind}_lead"])
        seeds = zip(rows[NEW][f"{kind}_by_seed"], rows["local"][f"{kind}_by_seed"], strict=True)
        least = min(100 * (mine - alone) for mine, alone in seeds)
        place, behind = rows[NEW][f"{kind}_rank"], f"over {name} {mean:+.2f} ({low:+.2f} to {high:+.2f})"
        print(
            f"  {task:15} {kind:5}: place {place} of {len(RIVALS)}; {behind}; over local in the worst seed {least:+.2f}"
        )
    print(
        "  mean rank, best and final:",
        *(f"{k} {r['best']:.2f} {r['final']:.2f};" for k, r in mean_ranks(table).items()),
    )


def show_cost() -> None:
    """Print of the study's units how many times the processor's seconds of ``ipfl/ipfl`` the new method takes."""
    study = json.loads((RESULTS / "performance.json").read_text())
    taken: dict[str, dict[str, list[float]]] = {}
    for unit in study["units"]:
        taken.setdefault(unit["task"], {}).setdefault(unit["method"], []).append(unit["seconds"])
    print("\nseconds of a unit of the study: times those of ipfl/ipfl, and what a round trains on")
    for task, by_method in taken.items():
        mine, other = (np.mean(by_method[method]) for method in (NEW, PRICED[0]))
        size = study["tasks"][task]
        print(f"  {task:15} {mine / other:5.1f} ({mine:.0f} and {other:.0f}), {size['steps']} steps of {size['batch']}")


def show_junk(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print for each split and method the kind of junk that does best, column by column, and the worst single seed."""
    print("\n| | " + " | ".join(ASKED) + " | utility no more than honest in every seed | points |\n" + 6 * "|---" + "|")
    for task, method in product(DIGITS, (*PRICED, *VARIANTS)):
        some = [row for row in rows if (row["task"], row["method"]) == (task, method)]
        if not some:
            continue
        cells = [f"{task.partition('-')[2]}: `{method}`"]
        for name in ASKED:
            row = max(some, key=lambda row: row[name] - row[f"honest_{name}"])
            cells.append(f"{spread(row, name)} ({spread(row, f'honest_{name}')})")
        cells.append(f"{sum(row['in_every_seed'] for row in some)} of {len(some)}")
        worst = min(100 * change for row in some for change in row["by_seed"]["accuracy_change"])
        cells.append(f"{spread(min(some, key=lambda r: r['accuracy_change']), 'accuracy_change', 100)}; {worst:.2f}")
        print(f"| {' | '.join(cells)} |")


def main(folder: Path, train: bool = True, jobs: int = 1) -> int:
    """Train what is missing, then print the tables of all that is there, and write them if nothing is missing."""
    asked = wanted()
    units = trained(asked, folder, train, jobs)
    accuracy, rows = accuracies(units, (*DIGITS, *FASHION, *STUDY)), junk(units)
    other, fresh = (accuracies(units, DIGITS, seeds) for seeds in (OTHER, FRESH))
    for table in (other, fresh):
        show_accuracies(table, DIGITS, leads=True)
        show_leads(table)
    for tasks in (DIGITS, FASHION, CIFAR, STUDY[len(CIFAR) :]):
        show_accuracies(accuracy, tasks)
    show_leads(accuracy)
    show_cost()
    show_junk(rows)
    if not complete(units, asked, OUT):
        return 1
    found = {"made": made(units), "accuracy": accuracy, "mean_rank": mean_ranks(accuracy)}
    beside = {name: {"accuracy": of, "mean_rank": mean_ranks(of)} for name, of in (("other", other), ("fresh", fresh))}
    text = text_of({**found, **beside, "junk": []})
    lines = ",\n".join(f"  {json.dumps(row)}" for row in rows)
    OUT.write_text(text.replace('"junk": []', f'"junk": [\n{lines}\n ]'))
    return 0


if __name__ == "__main__":
    sys.exit(called(main, __doc__))
