"""The units of a study over several tasks: a task, a method and a seed, trained whole and recorded at once.

What was begun and not finished is trained again, to the same bits. Processes share units out, each with one thread, so
that how many there are changes no number. A folder holds the settings of each task (``TASK.toml``), and the recorded
markets and the figures of each unit, these written last: what has none never happened.
"""

from __future__ import annotations

import itertools
import multiprocessing
import os
import platform
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from queue import Empty
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, Field

import marketproof
from analysis.run.files import market_file, unit_key
from analysis.run.market import MarketRecord, encode, stack
from marketproof.exits import Interrupted
from marketproof.running.config import RunConfig, differences, load_run
from marketproof.running.execution import Place, terminable, trainers
from marketproof.running.loop import participants_of, play_round, types_of
from marketproof.running.methods import parse
from marketproof.running.recorder import LOCK, Unit, refuse_occupied, take_lock
from marketproof.studies.performance import PERFORMANCE
from marketproof.studies.study import Seen
from marketproof.terminal.console import stderr
from mechanism.errors import InputError, MarketProofError, shown
from mechanism.reading import read_json, validated
from mechanism.wording import plural
from mechanism.writing import dumps, to_toml, write

if TYPE_CHECKING:
    from multiprocessing.sharedctypes import Synchronized

Finite = Annotated[float, Field(allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1)]
_LONGEST = 4096  # bytes of a unit's figures

NO_STUDY = " and holds no study; name another --out"
"""What is said of a folder in which a study cannot begin."""


class Trained(BaseModel, frozen=True, strict=True, extra="forbid"):
    """The figures of a unit, what they mean is said by the study's columns; seconds of the processor, code, machine."""

    task: str
    method: str
    seed: Annotated[int, Field(ge=0)]
    accuracy_best: Share
    accuracy_final: Share
    utility_mean: Finite
    welfare: Finite
    utility_lowest: Finite
    seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    commit: str
    machine: str


@dataclass(frozen=True, eq=False)
class Units:
    """What is to be trained for a study, and where it is recorded; ``configs`` by task share methods and seeds."""

    configs: Mapping[str, RunConfig]
    folder: Path

    @property
    def first(self) -> RunConfig:
        """The settings of the first task."""
        return next(iter(self.configs.values()))

    def __iter__(self) -> Iterator[tuple[str, str, int]]:
        """Yield task, method and seed of every unit: all of a seed before the next, so that it makes a whole table."""
        for seed, task in itertools.product(self.first.seed_list, self.configs):
            for method in self.first.methods:
                yield task, method, seed

    def file(self, task: str, method: str, seed: int) -> Path:
        """Return the file of a unit's figures."""
        return self.folder / task / "units" / f"{unit_key(method, seed)}.json"

    def trained(self) -> list[Trained]:
        """Return what is there, in the order of the units; `InputError` names a file that is damaged."""
        found = []
        for unit in self:
            if (path := self.file(*unit)).is_file():
                told = validated(Trained, read_json(path, _LONGEST, "the figures of a unit"), shown(path))
                if (told.task, told.method, told.seed) != unit:
                    raise InputError(f"{shown(path)} is of another unit; delete it, and it is trained again")
                found.append(told)
        return found


def played(config: RunConfig, method: str, seed: int, place: Place) -> MarketRecord:
    """Train one method of a run under one seed, from the first round to the last, and return what happened."""
    unit = Unit(parse([method], config.mechanism)[0], seed)
    trainer = trainers(config, place, None, lambda unit: "")(unit)
    try:
        who = participants_of(config, seed, len(trainer.sizes))
        types, lam = types_of(config.market, trainer.sizes, seed, who), config.market.lam
        rounds = range(1, config.rounds + 1)
        return stack([play_round(trainer, types, lam, unit.method.mechanism, number, who) for number in rounds])
    finally:
        trainer.close()


def figures(config: RunConfig, method: str, seed: int, record: MarketRecord) -> dict[str, Any]:
    """Return what the columns of study performance say of one unit."""
    one = Seen(config, "benign", method, seed, record, PERFORMANCE.clients(record), record)
    return {column.key: column.of(one) for column in PERFORMANCE.columns if column.kind != "text"}


def _train(units: Units, place: Place, task: str, method: str, seed: int) -> Trained:
    """Train a unit and record it."""
    began, config = time.process_time(), units.configs[task]
    record = played(config, method, seed, place)
    told = Trained(
        task=task, method=method, seed=seed, **figures(config, method, seed, record),
        seconds=round(time.process_time() - began, 2), commit=commit(), machine=machine(),
    )  # fmt: skip
    keep(units, told, record)
    return told


def keep(units: Units, told: Trained, record: MarketRecord) -> None:
    """Write a unit's markets and then its figures, without which it never happened."""
    path = units.file(told.task, told.method, told.seed)
    market = market_file(units.folder / told.task, told.method, told.seed)
    for folder in (market.parent, path.parent):
        folder.mkdir(parents=True, exist_ok=True)
    write(market, encode(record))
    write(path, dumps(told.model_dump()))


def _work(
    units: Units,
    todo: Sequence[tuple[str, str, int]],
    place: Place,
    deadline: float,
    taken: Iterator[int],
    failed: Callable[[str], None],
    *,
    quiet: bool,
) -> None:
    """Train the units that ``taken`` numbers until there are no more, it is too late, or the first process is gone."""
    from learning.backends.backend import one_thread

    first, console = multiprocessing.parent_process(), stderr(quiet=quiet)
    commit()  # of the code that is loaded, whatever lies there when a unit is done
    while time.monotonic() < deadline and (first is None or first.is_alive()):
        if (k := next(taken)) >= len(todo):
            break
        name = "{}, {}, seed {}".format(*todo[k])
        try:
            with one_thread():
                seconds = _train(units, place, *todo[k]).seconds
        except MarketProofError as error:
            failed(f"{name}: {error}")
            continue
        if console.is_terminal:
            console.print(f"{k + 1} of {len(todo)}: {name}, {seconds:.0f} s")


def _process(units: Units, todo: Any, place: Place, deadline: float, shared: tuple[Any, Any], quiet: bool) -> None:
    """Work in a process of its own; Ctrl-C is answered by the first one."""
    taken, failed = shared
    with suppress(KeyboardInterrupt):
        _work(units, todo, place, deadline, _counted(taken), failed.put, quiet=quiet)


def _counted(number: Synchronized[int]) -> Iterator[int]:
    """Yield 0, 1, 2, … over all processes together."""
    while True:
        with number.get_lock():
            k, number.value = number.value, number.value + 1
        yield k


def train_all(
    units: Units,
    place: Place,
    again: str,
    *,
    budget: float | None = None,
    jobs: int = 1,
    before: Callable[[], None] = lambda: None,
    quiet: bool = False,
) -> list[Trained]:
    """Train what is missing, in ``jobs`` processes, and return all that is there; none is begun after ``budget`` s.

    ``before`` is called when the folder is ours; ``again`` is the command that goes on. `InputError` if the folder
    holds something else or other settings, or a unit could not be trained (the others are); `Interrupted` on Ctrl-C or
    SIGTERM.
    """
    units.folder.mkdir(parents=True, exist_ok=True)
    lock = take_lock(units.folder)
    try:
        _open(units)
        before()
        there = {(one.task, one.method, one.seed) for one in units.trained()}
        todo = [unit for unit in units if unit not in there]
        deadline = time.monotonic() + budget if budget is not None else float("inf")
        with terminable():
            failures = _shared_out(units, todo, place, deadline, min(jobs, len(todo)), quiet) if todo else []
    except KeyboardInterrupt:
        done = len(units.trained())
        raise Interrupted(f"interrupted after {done} of {len(list(units))} units; go on with: {again}") from None
    finally:
        if lock is not None:
            (units.folder / LOCK).unlink(missing_ok=True)
            os.close(lock)
    if failures:
        raise InputError(
            f"{plural(len(failures), 'unit')} of {len(todo)} could not be trained; the first: {failures[0]}"
        )
    return units.trained()


def _shared_out(units: Units, todo: Any, place: Place, deadline: float, jobs: int, quiet: bool) -> list[str]:
    """Work here, or in processes; return what failed."""
    failures: list[str] = []
    if jobs < 2:
        _work(units, todo, place, deadline, itertools.count(), failures.append, quiet=quiet)
        return failures
    spawn = multiprocessing.get_context("spawn")
    taken, failed = spawn.Value("q", 0), spawn.Queue()
    given = (units, todo, place, deadline, (taken, failed), quiet)
    workers = [spawn.Process(target=_process, args=given, daemon=True) for _ in range(jobs)]
    try:
        for worker in workers:
            worker.start()
        while any(worker.is_alive() for worker in workers) or not failed.empty():
            with suppress(Empty):
                failures.append(failed.get(timeout=1.0))
    finally:
        for worker in workers:
            if worker.is_alive():
                worker.terminate()
    return failures + [f"a process ended with {worker.exitcode}" for worker in workers if worker.exitcode]


def _open(units: Units) -> None:
    """Write each task's settings, or refuse what was trained with others; more seeds, methods and tasks are welcome."""
    if not any(units.folder.glob("*.toml")):
        refuse_occupied(units.folder, NO_STUDY)
    for task, config in units.configs.items():
        path = units.folder / f"{task}.toml"
        known = load_run(path) if path.is_file() else config
        shared = config.model_dump(include={"seed", "seeds", "methods"})
        shared["code"] = {name: known.code.get(name, digest) for name, digest in config.code.items()}
        if changed := differences(known.model_copy(update=shared), config):
            raise InputError(
                f"{shown(path)} was recorded with other settings ({'; '.join(changed[:3])}); ask for the same, or name "
                "another --out"
            )
        if not path.is_file() or not set(config.code) <= set(known.code):
            every = config.model_copy(update={"code": {**known.code, **config.code}})
            write(path, to_toml(every.model_dump()).encode())


@cache
def commit() -> str:
    """Return the commit that the code is of, with "+" where it was changed since; its version where git knows none."""
    root = Path(marketproof.__file__).parent.parent
    if (root / ".git").exists():
        with suppress(OSError, subprocess.SubprocessError):
            asked = ["git", "-C", str(root), "describe", "--always", "--abbrev=10", "--exclude=*", "--dirty=+"]
            return subprocess.run(asked, check=True, capture_output=True, text=True, timeout=60).stdout.strip()
    return f"version {version('marketproof')}"


def machine() -> str:
    """Return what decides the last bits of training: processor, system, and versions of what computes."""
    model = platform.processor() or platform.machine()
    with suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        model = next((line.partition(": ")[2] for line in lines if line.startswith("model name")), model)
    return f"{model}, {os.cpu_count()} cores, {platform.system()}, torch {version('torch')}, numpy {version('numpy')}"
