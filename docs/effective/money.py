"""What money goes with in real training: correlations of what is paid and what imports brought, clients and rounds.

    python -m docs.effective.money [FOLDER] [--tables] [--jobs 2]     # units are kept in FOLDER, runs/effective

The three digits tasks, on the seeds 0 to 4 of `docs.effective.training` and on twenty whose accuracy set no constant;
with ``--tables`` nothing is trained. Printed, and written to docs/results/effective_money.json if all units are there.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from analysis.findings.several.statistics import Difference, paired
from docs.effective.units import (
    DIGITS,
    FRESH,
    RESULTS,
    SEEDS,
    TRADED,
    Array,
    Unit,
    Units,
    called,
    complete,
    deviation,
    made,
    text_of,
    trained,
)

OUT = RESULTS / "effective_money.json"
TOGETHER = "digits, all three"
MEANINGS = {"later_": "later", "": "so far", "now_": "over `local`", "booked_": "booked"}
"""What "gained" may mean beside what a round brought, by the prefix in `money`, as tables call it."""


def brought(one: dict[str, Array], kind: str) -> Array:
    """Return what a round's imports did to the model that each client used next, in the first rounds [k, m].

    ``kind``: "loss", by how much that of the test fell, or "accuracy", by how much it rose: beside the same model had
    nobody imported anything in that round. Where clients use models as the server's step left them, that is the step
    alone, in every round; where they use trained ones, all of the next round's training is between.
    """
    sign = -1.0 if kind == "loss" else 1.0
    if one["at_once"]:
        return sign * (one[kind] - one[f"{kind}_trained"])
    return sign * (one[f"{kind}_trained"][1:] - one[f"{kind}_without"])


def correlation(x: Array, y: Array) -> float | None:
    """Return Pearson's correlation of all entries; there is none where one of them is constant."""
    return float(np.corrcoef(x.ravel(), y.ravel())[0, 1]) if len(x) and np.ptp(x) > 0 and np.ptp(y) > 0 else None


def mean(found: Iterable[float | None]) -> float | None:
    """Return the mean of what there is."""
    there = [one for one in found if one is not None]
    return float(np.mean(there)) if there else None


def said(value: float | None) -> str:
    """Return a correlation as tables print it."""
    return "-" if value is None else f"{value:+.2f}"


def apart(mine: Sequence[float | None], other: Sequence[float | None]) -> Difference | None:
    """Return the paired difference over those seeds in which there are both."""
    both = [(a, b) for a, b in zip(mine, other, strict=True) if a is not None and b is not None]
    return paired([a for a, _ in both], [b for _, b in both]) if both else None


def held_against(one: dict[str, Array], alone: dict[str, Array]) -> dict[str, tuple[Array, Array]]:
    """Return by name money of a run and what it is held against; ``alone``: the run of ``local``."""
    pairs = {}
    for kind, sign in (("accuracy", 1.0), ("loss", -1.0)):
        over = sign * (one[kind] - alone[kind])
        pairs[kind], pairs[f"now_{kind}"] = (np.cumsum(one["paid"], axis=0), over), (one["paid"], over)
        if "at_once" in one:
            gained, later = brought(one, kind), sign * (one[f"{kind}_trained"][1:] - one[f"{kind}_without"])
            for name, what, of in (("round", "paid", gained), ("booked", "gain", gained), ("later", "paid", later)):
                pairs[f"{name}_{kind}"] = one[what][: len(of)], of
    return pairs


def money(units: Units, tasks: tuple[str, ...], among: list[int]) -> dict[str, Any]:
    """Return how money paid for imports goes with what they brought, over clients and rounds.

    Each is a correlation of all seeds together, with mean and spread of those of single seeds: ``round_`` of a round's
    money with what its imports brought (`brought`), ``later_`` with what they brought after the next training, whatever
    clients use, ``booked_`` of the gain that the market counted with the first, ``now_`` of a round's money with what a
    client has over itself under ``local`` in that round; without prefix, of the money so far with the same. ``_ranks``:
    Spearman's, mean of seeds; ``_clients``: of clients' means over rounds. Where nobody pays, or no model in use
    changes, there is none: that seed is left out of mean and spread, and None in ``_seeds``, those of single seeds.
    Under `TOGETHER` clients and rounds of the three digits tasks are in one correlation, so that what tasks differ in
    counts. ``surprise``: of what was expected, mean, correlation with the round before, and spread of clients'.
    """
    table: dict[str, Any] = {}
    for method in TRADED:
        found: dict[str, list[dict[str, tuple[Array, Array]]]] = {}
        for task in tasks:
            seeds = [s for s in among if {(task, k, "benign", s) for k in (method, "local")} <= set(units)]
            if seeds:
                ones, alones = ([units[task, k, "benign", s] for s in seeds] for k in (method, "local"))
                found[task] = [held_against(one, alone) for one, alone in zip(ones, alones, strict=True)]
                paid = float(np.mean([one["paid"].mean() for one in ones]))
                table.setdefault(task, {})[method] = {"seeds": len(seeds), "paid": paid} | surprises(ones)
        if all(len(found.get(task, ())) == len(among) for task in DIGITS):
            table.setdefault(TOGETHER, {})[method] = {"seeds": len(among)}
            found[TOGETHER] = [
                {name: (joined(run[name][0] for run in runs), joined(run[name][1] for run in runs)) for name in runs[0]}
                for runs in zip(*(found[task] for task in DIGITS), strict=True)
            ]
        for task, runs in found.items():
            row = table[task][method]
            for name in runs[0]:
                xs, ys = zip(*(run[name] for run in runs), strict=True)
                each = [correlation(x, y) for x, y in zip(xs, ys, strict=True)]
                row[name] = correlation(joined(xs), joined(ys))
                row[f"{name}_ranks"] = mean(correlation(*map(ranked, xy)) for xy in zip(xs, ys, strict=True))
                if task != TOGETHER:
                    of = [correlation(x.mean(axis=0), y.mean(axis=0)) for x, y in zip(xs, ys, strict=True)]
                    row[f"{name}_clients"] = mean(of)
                if not name.startswith(("now_", "booked_")):
                    row[f"{name}_seeds"] = [None if one is None else round(one, 4) for one in each]
                row[f"{name}_by_seed"] = mean(each)
                row[f"{name}_spread"] = deviation(one for one in each if one is not None)
                row[f"mean_{name}" if "_" in name else f"mean_{name}_gained"] = float(joined(ys).mean())
    return table


def ranked(x: Array) -> Array:
    """Return the ranks of all entries, of equal ones their mean."""
    _, place, count = np.unique(x, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(count) - (count - 1) / 2.0)[place.ravel()])


def surprises(ones: list[dict[str, Array]]) -> dict[str, float | None]:
    """Return of surprises that prices were settled on, where there was one: what must be 0 if they are to be that.

    Mean, correlation with the same client's in the round before, and the spread of clients' means beside what chance
    alone makes it; means over seeds.
    """
    told = []
    for one in (one for one in ones if "surprise" in one and one["paid"].any()):
        s, bought = one["surprise"], one["paid"] > 0
        both, each = bought[1:] & bought[:-1], [x[b] for x, b in zip(s.T, bought.T, strict=True) if b.sum() > 2]
        chance = [float(x.var(ddof=1)) / len(x) for x in each]
        again = correlation(s[1:][both], s[:-1][both]) if both.sum() > 2 else None
        spread = deviation(x.mean() for x in each) if each else None
        told.append((float(s[bought].mean()), again, spread, float(np.sqrt(np.mean(chance))) if each else None))
    names = ("surprise", "surprise_again", "surprise_spread", "surprise_chance")
    return {name: mean(one) for name, one in zip(names, zip(*told, strict=True), strict=True)} if told else {}


def joined(parts: Iterable[Array]) -> Array:
    """Return all entries of all parts in one row."""
    return np.concatenate([part.ravel() for part in parts])


def shown(table: dict[str, Any]) -> None:
    """Print of `money` what goes with a round's money: mean of seeds' and their spread, and what is beside it."""
    print("\n| accuracy; loss | " + " | ".join(table) + " |\n" + "|---" * 5 + "|")
    for method in TRADED:
        told = []
        for row in (table[task][method] for task in table):
            keys = "round_accuracy", "round_loss"
            some = [sum(one is not None for one in row[f"{k}_seeds"]) for k in keys]
            of = "" if min(some) == row["seeds"] else f" ({some[0]}; {some[1]} of {row['seeds']} seeds)"
            told.append("; ".join(f"{said(row[f'{k}_by_seed'])} ± {row[f'{k}_spread']:.2f}" for k in keys) + of)
        print(f"| `{method}` | " + " | ".join(told) + " |")
    print("\nhow much more than the paper's two, 95 % interval of the paired difference over seeds; accuracy; loss")
    for (prefix, name), task in product({"round_": "round", "later_": "later", "": "so far"}.items(), table):
        for method, other in product(TRADED[2:], TRADED[:2]):
            told = []
            for kind in ("accuracy", "loss"):
                one = apart(*(table[task][k][f"{prefix}{kind}_seeds"] for k in (method, other)))
                told.append(
                    f"{said(one.mean)} ({said(one.low)} to {said(one.high)}, {one.pairs} seeds)" if one else "-"
                )
            print(f"{name}, {task}: {method} over {other}", *told)
    print("\nranks of a round's money; clients' means over rounds; points over local; money paid")
    for task, method in product(DIGITS, TRADED):
        row = table[task][method]
        pairs = (said(row[f"round_{k}_{how}"]) for how in ("ranks", "clients") for k in ("accuracy", "loss"))
        print(task, method, *pairs, f"{100 * row['mean_accuracy_gained']:+.2f} {row['paid']:.2f}")


def compared(results: dict[str, dict[str, Any]]) -> None:
    """Print, of all sets of seeds side by side, correlations by other meanings of "gained", and surprises."""
    tables = {name: found["tasks"] for name, found in results.items()}
    print(f"\n| accuracy; loss, {' / '.join(tables)} | " + " | ".join((*DIGITS, TOGETHER)) + " |\n" + "|---" * 5 + "|")
    for (prefix, name), method in product(MEANINGS.items(), TRADED):
        cells = []
        for task in (*DIGITS, TOGETHER):
            rows = [table[task][method] for table in tables.values()]
            pairs = ((row[f"{prefix}{kind}_by_seed"] for kind in ("accuracy", "loss")) for row in rows)
            cells.append(" / ".join("; ".join(map(said, pair)) for pair in pairs))
        print(f"| {name}: `{method}` | " + " | ".join(cells) + " |")
    print(f"\n| surprises, {' / '.join(tables)} | " + " | ".join(DIGITS) + " |\n" + "|---" * 4 + "|")
    for name, told in (
        ("", "mean"), ("_again", "correlation with the round before"), ("_spread", "spread of clients' means"),
        ("_chance", "of that by chance"),
    ):  # fmt: skip
        of = [[said(t[task][TRADED[-1]][f"surprise{name}"]) for t in tables.values()] for task in DIGITS]
        print(f"| {told} | " + " | ".join(map(" / ".join, of)) + " |")


def main(folder: Path, train: bool = True, jobs: int = 1) -> int:
    """Train what is missing, then write and print the tables of all seeds that are there for every task and method."""
    results: dict[str, dict[str, Any]] = {}
    there: Units = {}
    asked: list[Unit] = []
    for name, seeds in (("seeds 0 to 4", SEEDS), ("fresh seeds", FRESH)):
        wanted = [(t, method, "benign", seed) for seed, t, method in product(seeds, DIGITS, ("local", *TRADED))]
        units = trained(wanted, folder, train, jobs)
        there, asked = there | units, asked + wanted
        whole = [s for s in seeds if all(unit in units for unit in wanted if unit[3] == s)]
        print(f"\n{name}: {len(whole)} seeds")
        if whole:
            results[name] = {"seeds": whole, "tasks": money(units, DIGITS, whole)}
            shown(results[name]["tasks"])
    if results:
        compared(results)
    if not complete(there, asked, OUT):
        return 1
    OUT.write_text(text_of({"made": made(there), **results}))
    return 0


if __name__ == "__main__":
    sys.exit(called(main, __doc__))
