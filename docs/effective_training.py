"""The market on effective data in real training: accuracy against all methods, and what junk earns.

    python docs/effective_training.py [FOLDER] [--tables] [--tune [100-104]]     # FOLDER: default runs/effective

Each unit, a task (scale reduced), method, population and seed, is trained once and kept in the folder: a stopped script
goes on; with ``--tables`` nothing is trained. The tables are printed, and written to docs/results/effective.json if all
units are there; else what is missing is said, and the status is 1. Of Fashion-MNIST what docs/fashion.py recorded
(other methods, three seeds) is taken from there; CIFAR-10, FEMNIST and PACS from `study performance`
(docs/performance.py), the latter two at its shorter scale. ``--tune``: digits on other seeds, printed only; choose by
these alone.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections import Counter
from collections.abc import Iterable
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.findings.several.statistics import paired
from analysis.run.market import HARMFUL, ROLES
from learning.trainer import Trainer
from learning.valuation.peers import Peers
from marketproof.running.config import load_task, resolve
from marketproof.running.execution import plan_of
from marketproof.running.loop import participants_of, play_round, types_of
from marketproof.running.methods import parse
from marketproof.studies.units import commit, machine

Array = NDArray[np.float64]
Unit = tuple[str, str, str, int]
Units = dict[Unit, dict[str, Array]]

OUT = Path(__file__).parent / "results" / "effective.json"
FASHION_RESULTS, STUDY_RESULTS = OUT.with_name("fashion.json"), OUT.with_name("performance.json")
SEEDS = range(5)
DIGITS, FASHION, CIFAR = (
    tuple(f"{data}-{split}" for split in ("niid", "cluster", "skew")) for data in ("digits", "fashion", "cifar10")
)
STUDY = (*CIFAR, "femnist", "pacs")
PRICED = ("ipfl/ipfl", "ipfl/ipfl-exact", "ipfl-effective/ipfl-exact")
OTHERS = ("local", "fedavg", "fedprox", "ditto", "fedamp", "cfl", "fedfomo", "pfedgraph")
VARIANTS = ("ipfl-effective/pooled-price", "ipfl-effective/clock-price")
RIVALS, METHODS = (*OTHERS, *PRICED), (*OTHERS, *PRICED, *VARIANTS)
"""Those ranked against each other, the study's eleven, and all: variants are no rivals of their own base."""
NEW = PRICED[-1]
TRADED = (*PRICED, f"{NEW}-earned")
JUNK = ("attackers-shuffle", "attackers-flip", "free-riders-noise", "free-riders-ones")
KEPT = ("accuracy", "loss", "roles", "accuracy_trained", "loss_trained")
MONEY = ("paid", "received", "utility", "gain")
ASKED = {"sold": "sold", "income": "received", "utility": "utility"}  # of junk, by the name in a unit


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


def wanted() -> list[Unit]:
    """Return every unit (task, method, population, seed) that no other script records: quick ones first."""
    there, fashion = recorded(), product(SEEDS, FASHION, reversed(METHODS))
    slow = [(task, method, "benign", seed) for seed, task, method in fashion]
    junk = product(DIGITS, reversed((*PRICED, *VARIANTS)), JUNK, SEEDS)
    return [*product(DIGITS, METHODS, ("benign",), SEEDS), *junk, *(unit for unit in slow if unit not in there)]


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
    """Return per task and method best and final accuracy: mean and spread over seeds, and ranks of rivals' means.

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
        for k, kind in enumerate(("best", "final")):
            every = np.array([[figures[method][seed][k] for seed in common] for method in told_of])
            means = every.mean(axis=1)
            for method, each, mean in zip(told_of, every, means, strict=True):
                rows[method] |= {kind: float(mean), f"{kind}_spread": float(each.std())}
                lead = paired(every[told_of.index(NEW)].tolist(), each.tolist())
                rows[method][f"{kind}_lead"] = [lead.mean, lead.low, lead.high]
                if method in RIVALS:
                    rows[method][f"{kind}_rank"] = 1 + int((means[: len(rivals)] > mean + 1e-12).sum())
        table[task] = {"seeds": common, "methods": rows}
    return table


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
                row |= {name: float(np.mean(told)), f"{name}_spread": float(np.std(told))}
            pairs = zip(every["utility"], every["honest_utility"], strict=True)
            row["in_every_seed"] = all(harmful <= honest + 1e-9 for harmful, honest in pairs)
            rows.append(row | {"by_seed": {name: [round(x, 4) for x in told] for name, told in every.items()}})
    return rows


def spread(row: dict[str, Any], name: str, scale: float = 1.0) -> str:
    """Return a mean over seeds with its spread."""
    return f"{scale * row[name]:.2f} ± {scale * row[f'{name}_spread']:.2f}"


def shown(results: dict[str, Any]) -> None:
    """Print the tables; the last has of each method the settings that are the best for junk, column by column."""
    for task, found in results["accuracy"].items():
        print(f"\n{task}: accuracy in %, mean ± spread over seeds {found['seeds']}, best; final; {NEW} over it (95 %)")
        for method, row in sorted(found["methods"].items(), key=lambda item: -item[1]["best"]):
            leads = (f"{100 * x:+.2f}" for k in ("best", "final") for x in row[f"{k}_lead"] if x is not None)
            print(f"  {method:28}", spread(row, "best", 100), spread(row, "final", 100), *leads)
    print("\nmean rank, best; final")
    for method, ranks in results["mean_rank"].items():
        print(f"  {method:28} {ranks['best']:5.2f} {ranks['final']:5.2f}")
    print("\njunk (honest clients), per client and round, mean ± spread over seeds; points of honest clients' accuracy")
    of: dict[str, list[dict[str, Any]]] = {}
    for row in results["junk"]:
        of.setdefault(row["method"], []).append(row)
        told = (f"{name} {spread(row, name)} ({spread(row, f'honest_{name}')})," for name in ASKED)
        told = (row["task"], row["population"], row["method"], *told, "points", spread(row, "accuracy_change", 100))
        print(" ", *told, "" if row["in_every_seed"] else "; utility MORE in a seed")
    print("\n| | " + " | ".join(ASKED) + " | sold / honest | utility no more | points |\n" + 7 * "|---" + "|")
    for method, rows in of.items():
        cells = [f"`{method}`"]
        for name in ASKED:
            row = max(rows, key=lambda row: row[name] - row[f"honest_{name}"])
            cells.append(f"{spread(row, name)} ({spread(row, f'honest_{name}')})")
        cells.append(f"{max(row['sold'] / max(row['honest_sold'], 1e-9) for row in rows):.2f}")
        cells.append(f"{sum(row['in_every_seed'] for row in rows)} of {len(rows)}")
        cells.append(spread(min(rows, key=lambda row: row["accuracy_change"]), "accuracy_change", 100))
        print(f"| {' | '.join(cells)} |")


def trained(wanted: Iterable[Unit], folder: Path, train: bool = True) -> Units:
    """Return what these units were recorded to be; those that are missing are trained first, if ``train``."""
    folder.mkdir(parents=True, exist_ok=True)
    units: Units = {}
    for unit in wanted:
        path = folder / f"{'_'.join(map(str, unit)).replace('/', '+')}.npz"
        if train and not path.exists():
            found = played(*unit) | {"commit": np.array(commit())}
            np.savez(path.with_suffix(".part.npz"), **found)  # type: ignore[arg-type]
            path.with_suffix(".part.npz").replace(path)
        if path.exists():
            with np.load(path) as stored:
                units[unit] = dict(stored)
    return units


def complete(units: Units, wanted: Iterable[Unit], out: Path) -> bool:
    """Return whether all units are there; if not, say so: then the record is left as it is."""
    missing = [unit for unit in wanted if unit not in units]
    if missing:
        print(f"\n{len(missing)} units are missing, such as {missing[0]}: {out.name} is not written")
    return not missing


def text_of(record: dict[str, Any]) -> str:
    """Return the JSON of a record, each list of numbers on one line."""
    lines = json.dumps(record, indent=1) + "\n"
    return re.sub(r"\[([^][{}]+)\]", lambda numbers: f"[{' '.join(numbers[1].split())}]", lines)


def main(folder: Path, train: bool = True, tune: range | None = None) -> int:
    """Train what is missing, then print the tables of all that is there, and write them if nothing is missing."""
    asked = wanted() if tune is None else list(product(DIGITS, METHODS, ("benign",), tune))
    units = trained(asked, folder, train)
    accuracy = accuracies(units, (*DIGITS, *FASHION, *STUDY), tune or SEEDS)
    ranks = {
        method: {
            kind: float(np.mean([found["methods"][method][f"{kind}_rank"] for found in accuracy.values()]))
            for kind in ("best", "final")
        }
        for method in RIVALS
        if accuracy and all(method in found["methods"] for found in accuracy.values())
    }
    rows = junk(units)
    shown({"accuracy": accuracy, "mean_rank": ranks, "junk": rows})
    if not complete(units, asked, OUT):
        return 1
    if tune is None:
        of = Counter(str(unit.get("commit", "before commits were kept")) for unit in units.values())
        made = {"commit": commit(), "machine": machine(), "units": dict(of)}
        lines = ",\n".join(f"  {json.dumps(row)}" for row in rows)
        text = text_of({"made": made, "accuracy": accuracy, "mean_rank": ranks, "junk": []})
        OUT.write_text(text.replace('"junk": []', f'"junk": [\n{lines}\n ]'))
    return 0


def seeds(text: str) -> range:
    """Return the seeds that "105-109" names."""
    first, last = map(int, text.split("-"))
    return range(first, last + 1)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=Path("runs/effective"))
    parser.add_argument("--tables", action="store_true", help="train nothing")
    parser.add_argument("--tune", nargs="?", type=seeds, const=range(100, 105), help="other seeds, such as 105-109")
    given = parser.parse_args()
    sys.exit(main(given.folder, not given.tables, given.tune))
