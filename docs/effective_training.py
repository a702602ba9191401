"""The market on effective data in real training: accuracy against all methods, and what junk earns.

    python docs/effective_training.py [FOLDER]     # units are kept in FOLDER (default runs/effective)

Each unit, a task (scale reduced), method, population and seed, is trained once and kept: a stopped script goes on; with
``--tables`` nothing is trained. The tables of what is there are printed and written to docs/results/effective.json.
Of Fashion-MNIST what docs/fashion.py recorded (other methods, three seeds) is taken from there; CIFAR-10, FEMNIST and
PACS from `study performance` (docs/performance.py), the latter two at its shorter scale. ``--tune``: digits on other
seeds, printed only; choose by these alone.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.run.market import HARMFUL, ROLES
from learning.trainer import Trainer
from learning.valuation.peers import Peers
from marketproof.running.config import load_task, resolve
from marketproof.running.execution import plan_of
from marketproof.running.loop import participants_of, play_round, types_of
from marketproof.running.methods import parse

Array = NDArray[np.float64]
Unit = tuple[str, str, str, int]
Units = dict[Unit, dict[str, Array]]

OUT = Path(__file__).parent / "results" / "effective.json"
FASHION_RESULTS, STUDY_RESULTS = OUT.with_name("fashion.json"), OUT.with_name("performance.json")
SEEDS, TUNING = range(5), range(100, 105)
DIGITS, FASHION, CIFAR = (
    tuple(f"{data}-{split}" for split in ("niid", "cluster", "skew")) for data in ("digits", "fashion", "cifar10")
)
STUDY = (*CIFAR, "femnist", "pacs")
PRICED = ("ipfl/ipfl", "ipfl/ipfl-exact", "ipfl-effective/ipfl-exact")
OTHERS = ("local", "fedavg", "fedprox", "ditto", "fedamp", "cfl", "fedfomo", "pfedgraph")
METHODS = (*OTHERS, *PRICED, "ipfl-effective/pooled-price")
NEW = PRICED[-1]
EARNED = f"{NEW}-earned"
TRADED = (*PRICED, EARNED)
JUNK = ("attackers-shuffle", "attackers-flip", "free-riders-noise", "free-riders-ones")
KEPT = ("accuracy", "loss", "roles", "accuracy_trained", "loss_trained")
MONEY = ("paid", "received", "utility", "gain")


def recorded() -> dict[Unit, tuple[float, float]]:
    """Return best and final accuracy of the units that other scripts recorded: Fashion-MNIST and those of the study."""
    fashion, study = (json.loads(path.read_text()) for path in (FASHION_RESULTS, STUDY_RESULTS))
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


def wanted(tune: bool) -> Iterator[Unit]:
    """Yield every unit (task, method, population, seed): quick ones first, whole seeds of the slow ones."""
    if tune:
        yield from product(DIGITS, METHODS, ("benign",), TUNING)
        return
    yield from product(DIGITS, METHODS, ("benign",), SEEDS)
    there = recorded()
    missing = [
        unit
        for seed, task, method in product(SEEDS, FASHION, reversed(METHODS))
        if (unit := (task, method, "benign", seed)) not in there
    ]
    first = [unit for unit in missing if unit[1] == NEW and (unit[0], "local", *unit[2:]) in there]
    yield from first
    yield from product(DIGITS, reversed(PRICED), JUNK, SEEDS)
    yield from (unit for unit in missing if unit not in first)


class Forked(Trainer):
    """A trainer that also finds, in each round, how trained models would do had nobody imported anything in the last.

    ``without``: their test accuracy and loss [m], from the second round on.
    """

    without: tuple[Array, Array] | None = None

    def train(self, round_index: int, present: NDArray[np.bool_] | None = None) -> Array:
        """Train twice from the second round on: first from what a server step without imports made."""
        if round_index > 1:
            kept = self._copy()
            self._put(self._alone)
            super().train(round_index, present)
            self.without = self.evaluate()
            self._put(kept)
        return super().train(round_index, present)

    def aggregate(self, imports: NDArray[np.bool_], sizes: Array | None = None) -> bool:
        """Do the server's step, and remember what one without imports makes of the same models."""
        trained = self._copy()
        moved = super().aggregate(imports, sizes)
        kept = self._copy()
        self._put(trained)
        super().aggregate(np.zeros_like(imports), sizes)
        self._alone = self._copy()
        self._put(kept)
        return moved

    def _copy(self) -> dict[str, Any]:
        return {name: tensor.clone() for name, tensor in self.state.tensors().items()}

    def _put(self, kept: dict[str, Any]) -> None:
        for name, tensor in self.state.tensors().items():
            tensor.copy_(kept[name])


def played(task: str, method: str, population: str, seed: int) -> dict[str, Array]:
    """Train one unit and return accuracy, loss, money and sales of every client, [rounds, m] each.

    Where money is held against what it brought, on the digits, ``accuracy_without`` and ``loss_without`` too: of the
    models of a round, from the second on, had nobody imported in the last.
    """
    options = {"scale": "reduced", "methods": [method], "mechanism": "ipfl-exact", "seeds": 1, "seed": seed}
    config = resolve(task, load_task(task), options | {"population": population})
    chosen = parse([method], config.mechanism)[0]
    who, records, without = participants_of(config, seed), [], []
    kind = Forked if task in DIGITS and method in TRADED and population == "benign" else Trainer
    with kind(plan_of(config, seed), chosen.algorithm, "rows", seed=seed) as trainer:
        types, peers = types_of(config.market, trainer.sizes, seed, who), Peers(len(trainer.sizes))
        for number in range(1, config.rounds + 1):
            records.append(play_round(trainer, types, config.market.lam, chosen.mechanism, number, who, peers=peers))
            if isinstance(trainer, Forked) and trainer.without is not None:
                without.append(trainer.without)
        judged = trainer.judged
    found = {name: np.stack([getattr(record, name) for record in records]) for name in KEPT}
    found |= {name: np.stack([getattr(record.accounts, name) for record in records]) for name in MONEY}
    if "surprise" in records[0].valuation:
        found["surprise"] = np.stack([record.valuation["surprise"] for record in records])
    found["sold"] = np.stack([record.imports.sum(axis=0) for record in records])
    if without:
        found["accuracy_without"], found["loss_without"] = np.stack(without, axis=1)
        found["at_once"] = np.array(judged == "aggregated")
    return found


def accuracies(units: Units, tasks: tuple[str, ...], seeds: range = SEEDS) -> dict[str, Any]:
    """Return per task and method best and final accuracy: mean and spread over seeds, and ranks of the means.

    Best is each client's in its best round, final that of the last, mean of clients. Seeds are those that the new
    method and all others but its variants have; a method that lacks some of them is left out.
    """
    there, table = recorded(), {}
    for task in tasks:
        figures: dict[str, dict[int, tuple[float, float]]] = {method: {} for method in METHODS}
        for method, seed in product(METHODS, seeds):
            unit = (task, method, "benign", seed)
            if (told := there.get(unit)) is not None:
                figures[method][seed] = told
            elif (one := units.get(unit)) is not None:
                figures[method][seed] = one["accuracy"].max(axis=0).mean(), one["accuracy"][-1].mean()
        common = sorted(set(seeds).intersection(*(figures[method] for method in (*OTHERS, *PRICED))))
        if not common:
            continue
        told_of = [method for method in METHODS if set(common) <= set(figures[method])]
        rows: dict[str, dict[str, float]] = {method: {} for method in told_of}
        for k, kind in enumerate(("best", "final")):
            every = np.array([[figures[method][seed][k] for seed in common] for method in told_of])
            means = every.mean(axis=1)
            ranks = 1 + (means[None, :] > means[:, None] + 1e-12).sum(axis=1)
            for method, mean, spread, rank in zip(told_of, means, every.std(axis=1), ranks, strict=True):
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


def shown(results: dict[str, Any]) -> None:
    """Print the tables."""
    for task, found in results["accuracy"].items():
        print(f"\n{task}: accuracy in %, mean ± spread over seeds {found['seeds']}, best; final")
        for method, row in sorted(found["methods"].items(), key=lambda item: -item[1]["best"]):
            told = (f"{100 * row[k]:6.2f} ± {100 * row[f'{k}_spread']:.2f}" for k in ("best", "final"))
            print(f"  {method:28}", *told)
    print("\nmean rank, best; final")
    for method, ranks in results["mean_rank"].items():
        print(f"  {method:28} {ranks['best']:5.2f} {ranks['final']:5.2f}")
    print("\njunk: sales, utility per client and round (of honest clients), accuracy of honest clients, points")
    for row in results["junk"]:
        told = (
            f"{row['sold']:6.3f} ({row['honest_sold']:.3f}) {row['utility']:6.2f} ({row['honest_utility']:.2f}, no more"
        )
        told += f" in {'every' if row['in_every_seed'] else 'NOT every'} seed of {row['seeds']})"
        print(
            f"  {row['task']:15} {row['population']:18} {row['method']:26}",
            told,
            f"{100 * row['accuracy_change']:+.2f}",
        )


def trained(wanted: Iterable[Unit], folder: Path, train: bool = True) -> Units:
    """Return what these units were recorded to be; those that are missing are trained first, if ``train``."""
    folder.mkdir(parents=True, exist_ok=True)
    units: Units = {}
    for unit in wanted:
        path = folder / f"{'_'.join(map(str, unit)).replace('/', '+')}.npz"
        if train and not path.exists():
            found = played(*unit)
            np.savez(path.with_suffix(".part.npz"), **found)  # type: ignore[arg-type]
            path.with_suffix(".part.npz").replace(path)
        if path.exists():
            with np.load(path) as stored:
                units[unit] = dict(stored)
    return units


def main(folder: Path, train: bool = True, tune: bool = False) -> int:
    """Train what is missing, then write and print the tables of all that is there."""
    units = trained(wanted(tune), folder, train)
    accuracy = accuracies(units, (*DIGITS, *FASHION, *STUDY), TUNING if tune else SEEDS)
    ranks = {
        method: {
            kind: float(np.mean([found["methods"][method][f"{kind}_rank"] for found in accuracy.values()]))
            for kind in ("best", "final")
        }
        for method in METHODS
        if all(method in found["methods"] for found in accuracy.values())
    }
    results = {"accuracy": accuracy, "mean_rank": ranks, "junk": junk(units)}
    if not tune:
        OUT.write_text(json.dumps(results, indent=1) + "\n")
    shown(results)
    return 0


if __name__ == "__main__":
    given = [argument for argument in sys.argv[1:] if not argument.startswith("--")]
    where = Path(given[0]) if given else Path("runs/effective")
    sys.exit(main(where, train="--tables" not in sys.argv, tune="--tune" in sys.argv))
