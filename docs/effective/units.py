"""Runs of the market on effective data that tables are made of: each is trained once and kept in a folder.

A unit is a task (scale reduced), a method, a population and a seed; of each client and round its accuracy, loss, money
and sales are kept. What was stopped goes on with what is missing.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import re
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.run.market import MarketRecord
from learning.backends.backend import one_thread
from learning.trainer import Trainer
from learning.valuation.peers import Peers
from marketproof.running.config import RunConfig, load_task, resolve
from marketproof.running.execution import Place, plan_of
from marketproof.running.loop import participants_of, play_round, types_of
from marketproof.running.methods import parse
from marketproof.studies import units as study
from marketproof.studies.units import commit, machine

Array = NDArray[np.float64]
Unit = tuple[str, str, str, int]
Units = dict[Unit, dict[str, Array]]

RESULTS = Path(__file__).parents[1] / "results"
SEEDS, OTHER, FRESH = range(5), range(105, 110), range(120, 140)
"""Those that design and constants had in sight; five, of which some had three; those whose accuracy set none."""
DIGITS, FASHION, CIFAR = (
    tuple(f"{data}-{split}" for split in ("niid", "cluster", "skew")) for data in ("digits", "fashion", "cifar10")
)
PRICED = ("ipfl/ipfl", "ipfl/ipfl-exact", "ipfl-effective/ipfl-exact")
NEW = PRICED[-1]
TRADED = (*PRICED, f"{NEW}-earned")
KEPT = ("accuracy", "loss", "roles", "accuracy_trained", "loss_trained")
MONEY = ("paid", "received", "utility", "gain")


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


def _train(unit: Unit, path: Path) -> None:
    """Train a unit, with one thread so that the machine's number of cores changes no bit, and keep it."""
    with one_thread():
        found = played(*unit) | {"commit": np.array(commit())}
    np.savez(path.with_suffix(".part.npz"), **found)  # type: ignore[arg-type]
    path.with_suffix(".part.npz").replace(path)


def trained(wanted: Iterable[Unit], folder: Path, train: bool = True, jobs: int = 1) -> Units:
    """Return what these units were recorded to be; those that are missing are trained first, if ``train``."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = {unit: folder / f"{'_'.join(map(str, unit)).replace('/', '+')}.npz" for unit in wanted}
    missing = [unit for unit, path in paths.items() if train and not path.exists()]
    if missing:
        with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn")) as pool:
            list(pool.map(_train, missing, [paths[unit] for unit in missing]))
    units: Units = {}
    for unit, path in paths.items():
        if path.exists():
            with np.load(path) as stored:
                units[unit] = dict(stored)
    return units


def deviation(values: Iterable[float]) -> float:
    """Return the sample deviation over seeds, 0 of a single one."""
    every = np.asarray(list(values))
    return float(every.std(ddof=1)) if len(every) > 1 else 0.0


def complete(units: Units, wanted: Iterable[Unit], out: Path) -> bool:
    """Return whether all units are there; if not, say so: then the record is left as it is."""
    missing = [unit for unit in wanted if unit not in units]
    if missing:
        print(f"\n{len(missing)} units are missing, such as {missing[0]}: {out.name} is not written")
    return not missing


def made(units: Units | None = None) -> dict[str, Any]:
    """Return by which code a record was made and on which machine; of units, how many were trained by which."""
    of = {} if units is None else {"units": dict(Counter(str(unit["commit"]) for unit in units.values()))}
    return {"commit": commit(), "machine": machine(), **of}


def recorded_run(config: RunConfig, method: str, seed: int) -> MarketRecord:
    """Train one method of a run under one seed, with one thread, and return what happened."""
    with one_thread():
        return study.played(config, method, seed, Place("rows", "cpu"))


def called(main: Callable[[Path, bool, int], int], description: str | None) -> int:
    """Call a script's ``main`` with folder, whether to train, and processes, as the command line says."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=Path("runs/effective"))
    parser.add_argument("--tables", action="store_true", help="train nothing")
    parser.add_argument("--jobs", type=int, default=1, help="processes that share the units out")
    given = parser.parse_args()
    return main(given.folder, not given.tables, given.jobs)


def text_of(record: dict[str, Any]) -> str:
    """Return the JSON of a record, each list of numbers on one line."""
    lines = json.dumps(record, indent=1) + "\n"
    return re.sub(r"\[([^][{}]+)\]", lambda numbers: f"[{' '.join(numbers[1].split())}]", lines)
