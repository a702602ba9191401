"""The market on effective data in real training: accuracy against all methods, what junk earns, what money follows.

    python docs/effective_training.py [FOLDER] [DATA_DIR]     # units are kept in FOLDER (default runs/effective)

Each unit, a task (scale reduced), method, population and seed, is trained once and kept: a stopped script goes on. The
tables of what is there are printed and written to docs/results/effective.json, with how many seeds each figure is of.
With DATA_DIR, which holds FEMNIST, that task too. Of Fashion-MNIST what
docs/fashion.py recorded (other methods, three seeds) is taken from there.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.run.market import HARMFUL, ROLES
from learning.trainer import Trainer
from marketproof.running.config import load_task, parse, resolve
from marketproof.running.execution import plan_of
from marketproof.running.loop import participants_of, play_round, types_of

Array = NDArray[np.float64]
Units = dict[tuple[str, str, str, int], dict[str, Array]]

OUT = Path(__file__).parent / "results" / "effective.json"
FASHION_RESULTS = OUT.with_name("fashion.json")
SEEDS = range(5)
DIGITS, FASHION = (tuple(f"{data}-{split}" for split in ("niid", "cluster", "skew")) for data in ("digits", "fashion"))
PRICED = ("ipfl/ipfl", "ipfl/ipfl-exact", "ipfl-effective/ipfl-exact")
OTHERS = ("local", "fedavg", "fedprox", "ditto", "fedamp", "cfl", "fedfomo", "pfedgraph")
METHODS = (*OTHERS, *PRICED, "ipfl-effective/pooled-price")
JUNK = ("attackers-shuffle", "attackers-flip", "free-riders-noise", "free-riders-ones")
KEPT = ("accuracy", "loss", "roles")
MONEY = ("paid", "received", "utility")


def wanted(more: tuple[str, ...]) -> Iterator[tuple[str, str, str, int]]:
    """Yield every unit (task, method, population, seed): quick ones first, whole seeds of the slow ones."""
    yield from product(DIGITS, METHODS, ("benign",), SEEDS)
    yield from product(DIGITS, PRICED, JUNK, SEEDS)
    recorded = json.loads(FASHION_RESULTS.read_text())
    for seed in SEEDS:
        for task, method in product(FASHION, reversed(METHODS)):
            if str(seed) not in recorded[task]["by_seed"].get(method, {}):
                yield task, method, "benign", seed
    for seed in SEEDS:
        yield from product(more, METHODS, ("benign",), (seed,))


def played(task: str, method: str, population: str, seed: int, data_dir: Path | None) -> dict[str, Array]:
    """Train one unit and return accuracy, loss, money and sales of every client, [rounds, m] each, and its seconds."""
    options = {"scale": "reduced", "methods": [method], "mechanism": "ipfl-exact", "seeds": 1, "seed": seed}
    config = resolve(task, load_task(task), options | {"population": population})
    chosen = parse([method], config.mechanism)[0]
    who, records = participants_of(config, seed), []
    with Trainer(plan_of(config, seed), chosen.algorithm, "rows", seed=seed, data_dir=data_dir) as trainer:
        types = types_of(config.market, trainer.sizes, seed, who)
        for number in range(1, config.rounds + 1):
            records.append(play_round(trainer, types, config.market.lam, chosen.mechanism, number, who))
    found = {name: np.stack([getattr(record, name) for record in records]) for name in KEPT}
    found |= {name: np.stack([getattr(record.accounts, name) for record in records]) for name in MONEY}
    found["sold"] = np.stack([record.imports.sum(axis=0) for record in records])
    return found


def accuracies(units: Units, tasks: tuple[str, ...]) -> dict[str, Any]:
    """Return per task and method best and final accuracy: mean and spread over seeds, and ranks of the means.

    Best is each client's in its best round, final that of the last, mean of clients. Seeds are those that all have.
    """
    recorded = json.loads(FASHION_RESULTS.read_text())
    table: dict[str, Any] = {}
    for task in tasks:
        figures: dict[str, dict[int, tuple[float, float]]] = {method: {} for method in METHODS}
        for method, seed in product(METHODS, SEEDS):
            told = recorded.get(task, {}).get("by_seed", {}).get(method, {}).get(str(seed))
            if told is not None:
                figures[method][seed] = told["accuracy_best"], told["accuracy_final"]
            elif (one := units.get((task, method, "benign", seed))) is not None:
                figures[method][seed] = one["accuracy"].max(axis=0).mean(), one["accuracy"][-1].mean()
        common = sorted(set(SEEDS).intersection(*figures.values()))
        if not common:
            continue
        rows: dict[str, dict[str, float]] = {method: {} for method in METHODS}
        for k, kind in enumerate(("best", "final")):
            every = np.array([[figures[method][seed][k] for seed in common] for method in METHODS])
            means = every.mean(axis=1)
            ranks = 1 + (means[None, :] > means[:, None] + 1e-12).sum(axis=1)
            for method, mean, spread, rank in zip(METHODS, means, every.std(axis=1), ranks, strict=True):
                rows[method] |= {kind: float(mean), f"{kind}_spread": float(spread), f"{kind}_rank": int(rank)}
        table[task] = {"seeds": common, "methods": rows}
    return table


def junk(units: Units) -> list[dict[str, Any]]:
    """Return what attackers and free-riders sell and earn beside honest clients, and what they do to their accuracy.

    Sales and money are per client and round. ``in_every_seed``: an attacker earns no more than an honest client.
    """
    rows = []
    for task, population, method in product(DIGITS, JUNK, PRICED):
        told = []
        for seed in SEEDS:
            if (one := units.get((task, method, population, seed))) is None:
                continue
            bad = np.isin(np.array(ROLES)[one["roles"][0].astype(int)], HARMFUL)
            alone = units[task, method, "benign", seed]["accuracy"][-1, ~bad].mean()
            halves = [[one[k][:, who].mean() for who in (bad, ~bad)] for k in ("sold", "received", "utility")]
            told.append([*np.ravel(halves), one["accuracy"][-1, ~bad].mean() - alone])
        if told:
            sold, honest_sold, income, honest_income, utility, honest, change = np.mean(told, axis=0).tolist()
            every = np.array(told)
            rows.append(
                {
                    "task": task, "population": population, "method": method, "seeds": len(told),
                    "sold": sold, "honest_sold": honest_sold, "income": income, "honest_income": honest_income,
                    "utility": utility, "honest_utility": honest,
                    "in_every_seed": bool((every[:, 4] <= every[:, 5] + 1e-9).all()), "accuracy_change": change,
                }
            )  # fmt: skip
    return rows


def money(units: Units, tasks: tuple[str, ...]) -> dict[str, Any]:
    """Return how money paid for imports so far goes with what was gained over training alone, over clients and rounds.

    Gained are accuracy and loss of the same client in the same round under ``local``, of the same seed. Correlations
    are Pearson's, over all seeds together; 0 where nobody pays or all pay the same.
    """
    table: dict[str, Any] = {}
    for task, method in product(tasks, PRICED):
        seeds = [s for s in SEEDS if {(task, k, "benign", s) for k in (method, "local")} <= set(units)]
        if not seeds:
            continue
        pairs = [(units[task, method, "benign", s], units[task, "local", "benign", s]) for s in seeds]
        paid = np.ravel([np.cumsum(one["paid"], axis=0) for one, _ in pairs])
        gains = {
            "accuracy": np.ravel([one["accuracy"] - alone["accuracy"] for one, alone in pairs]),
            "loss": np.ravel([alone["loss"] - one["loss"] for one, alone in pairs]),
        }
        table.setdefault(task, {})[method] = {
            "seeds": len(seeds), "mean_accuracy_gained": float(gains["accuracy"].mean()),
            "paid": float(np.mean([one["paid"].mean() for one, _ in pairs])),
        } | {
            kind: float(np.corrcoef(paid, gain)[0, 1]) if np.ptp(paid) > 0 else 0.0 for kind, gain in gains.items()
        }  # fmt: skip
    return table


def shown(results: dict[str, Any]) -> None:
    """Print the tables."""
    for task, found in results["accuracy"].items():
        print(f"\n{task}: accuracy in %, mean and spread over seeds {found['seeds']}")
        for method, row in sorted(found["methods"].items(), key=lambda item: -item[1]["best"]):
            print(
                f"  {method:28} best {100 * row['best']:6.2f} ± {100 * row['best_spread']:.2f}   final "
                f"{100 * row['final']:6.2f} ± {100 * row['final_spread']:.2f}"
            )
    print("\nmean rank (best, final):")
    for method, ranks in results["mean_rank"].items():
        print(f"  {method:28} {ranks['best']:5.2f} {ranks['final']:5.2f}")
    print("\njunk: sales and utility per client and round (honest in brackets), accuracy of honest clients, points")
    for row in results["junk"]:
        print(
            f"  {row['task']:15} {row['population']:18} {row['method']:26} sells {row['sold']:5.3f} "
            f"({row['honest_sold']:5.3f})  utility {row['utility']:6.2f} ({row['honest_utility']:6.2f}, no more in "
            f"{'every' if row['in_every_seed'] else 'NOT every'} seed of {row['seeds']})  "
            f"{100 * row['accuracy_change']:+.2f}"
        )
    print("\ncorrelation of money paid with accuracy and loss gained over training alone")
    for task, methods in results["money"].items():
        for method, row in methods.items():
            print(
                f"  {task:15} {method:26} accuracy {row['accuracy']:+.2f} loss {row['loss']:+.2f}; "
                f"paid {row['paid']:.2f}, accuracy gained {100 * row['mean_accuracy_gained']:+.2f} points"
            )


def main(folder: Path, data_dir: Path | None, train: bool = True) -> int:
    """Train what is missing, then write and print the tables of all that is there."""
    folder.mkdir(parents=True, exist_ok=True)
    more: tuple[str, ...] = () if data_dir is None else ("femnist",)
    units: Units = {}
    for unit in wanted(more):
        path = folder / f"{'_'.join(map(str, unit)).replace('/', '+')}.npz"
        if train and not path.exists():
            found = played(*unit, data_dir=data_dir if unit[0] in more else None)
            np.savez(path.with_suffix(".part.npz"), **found)  # type: ignore[arg-type]
            path.with_suffix(".part.npz").replace(path)
        if path.exists():
            with np.load(path) as stored:
                units[unit] = dict(stored)
    tasks = (*DIGITS, *FASHION, *more)
    accuracy = accuracies(units, tasks)
    ranks = {
        method: {
            kind: float(np.mean([found["methods"][method][f"{kind}_rank"] for found in accuracy.values()]))
            for kind in ("best", "final")
        }
        for method in METHODS
    }
    results = {"accuracy": accuracy, "mean_rank": ranks, "junk": junk(units), "money": money(units, tasks)}
    OUT.write_text(json.dumps(results, indent=1) + "\n")
    shown(results)
    return 0


if __name__ == "__main__":
    given = [argument for argument in sys.argv[1:] if argument != "--tables"]
    where = Path(given[0]) if given else Path("runs/effective")
    sys.exit(main(where, Path(given[1]) if len(given) > 1 else None, train="--tables" not in sys.argv))
