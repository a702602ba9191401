"""What money goes with in real training: correlations of what is paid and what imports brought, clients and rounds.

    python docs/effective_money.py [FOLDER]      # units are kept in FOLDER (default runs/effective)

The three digits tasks, on the seeds 0 to 4 of docs/effective_training.py and on twenty on which nothing was chosen;
with ``--tables`` nothing is trained. Printed, and written to docs/results/effective_money.json if all units are there.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from effective_training import DIGITS, OUT, SEEDS, TRADED, Array, Unit, Units, complete, text_of, trained

from analysis.findings.several.statistics import paired

FRESH = range(120, 140)
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


def correlation(x: Array, y: Array) -> float:
    """Return Pearson's correlation of all entries; 0 where one of them is constant."""
    return float(np.corrcoef(x.ravel(), y.ravel())[0, 1]) if np.ptp(x) > 0 and np.ptp(y) > 0 else 0.0


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
    Spearman's, mean of seeds; ``_clients``: of clients' means over rounds. 0 where nobody pays or all pay the same.
    Under `TOGETHER` clients and rounds of the three digits tasks are in one correlation, so that what tasks differ in
    counts. ``_seeds``: of single seeds. ``surprise``: of what was expected, mean, mean within a round of the one
    before, and spread of clients'.
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
                row[f"{name}_ranks"] = float(
                    np.mean([correlation(*map(ranked, xy)) for xy in zip(xs, ys, strict=True)])
                )
                if task != TOGETHER:
                    of = [correlation(x.mean(axis=0), y.mean(axis=0)) for x, y in zip(xs, ys, strict=True)]
                    row[f"{name}_clients"] = float(np.mean(of))
                if not name.startswith(("now_", "booked_")):
                    row[f"{name}_seeds"] = [round(one, 4) for one in each]
                row[f"{name}_by_seed"], row[f"{name}_spread"] = float(np.mean(each)), float(np.std(each))
                row[f"mean_{name}" if "_" in name else f"mean_{name}_gained"] = float(joined(ys).mean())
    return table


def ranked(x: Array) -> Array:
    """Return the ranks of all entries, of equal ones their mean."""
    _, place, count = np.unique(x, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(count) - (count - 1) / 2.0)[place.ravel()])


def surprises(ones: list[dict[str, Array]]) -> dict[str, float]:
    """Return of surprises that prices were settled on, where there was one: what must be 0 if they are to be that.

    Mean, correlation with the same client's in the round before, and the spread of clients' means beside what chance
    alone makes it; means over seeds.
    """
    told = []
    for one in (one for one in ones if "surprise" in one and one["paid"].any()):
        s, bought = one["surprise"], one["paid"] > 0
        both, each = bought[1:] & bought[:-1], [x[b] for x, b in zip(s.T, bought.T, strict=True) if b.sum() > 2]
        chance = [float(x.var(ddof=1)) / len(x) for x in each]
        again = correlation(s[1:][both], s[:-1][both]) if both.sum() > 2 else 0.0
        spread = float(np.std([x.mean() for x in each])) if each else 0.0
        told.append((s[bought].mean(), again, spread, np.sqrt(np.mean(chance)) if each else 0.0))
    names = ("surprise", "surprise_again", "surprise_spread", "surprise_chance")
    return dict(zip(names, np.mean(told, axis=0).tolist(), strict=True)) if told else {}


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
            told.append("; ".join(f"{row[f'{k}_by_seed']:+.2f} ± {row[f'{k}_spread']:.2f}" for k in keys))
        print(f"| `{method}` | " + " | ".join(told) + " |")
    print("\nhow much more than the paper's two, 95 % interval of the paired difference over seeds; accuracy; loss")
    for (prefix, name), task in product({"round_": "round", "later_": "later", "": "so far"}.items(), table):
        for method, other in product(TRADED[2:], TRADED[:2]):
            both = [[table[task][k][f"{prefix}{kind}_seeds"] for k in (method, other)] for kind in ("accuracy", "loss")]
            told = [
                f"{one.mean:+.2f} ({one.low or 0:+.2f} to {one.high or 0:+.2f})" for one in (paired(*b) for b in both)
            ]
            print(f"{name}, {task}: {method} over {other}", *told)
    print("\nranks of a round's money; clients' means over rounds; points over local; money paid")
    for task, method in product(DIGITS, TRADED):
        row = table[task][method]
        pairs = (f"{row[f'round_{k}_{how}']:+.2f}" for how in ("ranks", "clients") for k in ("accuracy", "loss"))
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
            cells.append(" / ".join("; ".join(f"{one:+.2f}" for one in pair) for pair in pairs))
        print(f"| {name}: `{method}` | " + " | ".join(cells) + " |")
    print(f"\n| surprises, {' / '.join(tables)} | " + " | ".join(DIGITS) + " |\n" + "|---" * 4 + "|")
    for name, told in (
        ("", "mean"), ("_again", "correlation with the round before"), ("_spread", "spread of clients' means"),
        ("_chance", "of that by chance"),
    ):  # fmt: skip
        of = [[f"{t[task][TRADED[-1]][f'surprise{name}']:+.2f}" for t in tables.values()] for task in DIGITS]
        print(f"| {told} | " + " | ".join(map(" / ".join, of)) + " |")


def main(folder: Path, train: bool = True) -> int:
    """Train what is missing, then write and print the tables of all seeds that are there for every task and method."""
    results: dict[str, dict[str, Any]] = {}
    there: Units = {}
    asked: list[Unit] = []
    for name, seeds in (("seeds 0 to 4", SEEDS), ("fresh seeds", FRESH)):
        wanted = [(t, method, "benign", seed) for seed, t, method in product(seeds, DIGITS, ("local", *TRADED))]
        units = trained(wanted, folder, train=train)
        there, asked = there | units, asked + wanted
        whole = [s for s in seeds if all(unit in units for unit in wanted if unit[3] == s)]
        print(f"\n{name}: {len(whole)} seeds")
        if whole:
            results[name] = {"seeds": whole, "tasks": money(units, DIGITS, whole)}
            shown(results[name]["tasks"])
    if results:
        compared(results)
    out = OUT.with_name("effective_money.json")
    if not complete(there, asked, out):
        return 1
    out.write_text(text_of(results))
    return 0


if __name__ == "__main__":
    given = [argument for argument in sys.argv[1:] if not argument.startswith("--")]
    sys.exit(main(Path(given[0]) if given else Path("runs/effective"), "--tables" not in sys.argv))
