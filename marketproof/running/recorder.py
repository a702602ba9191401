"""The run folder while it is being written: what a kill at any moment leaves is enough to go on, bit by bit.

Every file is written beside its place, flushed and renamed. After each round of a unit (one method under one seed)
come, in this order: the round's record, the trainer's state (a file that the trainer writes the same way), and
``progress.json`` naming the round as complete. What ``progress.json`` does not name never happened: a resumed run
computes it again, and the same seed gives the same bits.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from analysis.run.files import unit_key
from analysis.run.market import MarketRecord, encode, stack
from analysis.run.records import read_market
from marketproof.running.config import RunConfig, differences, load_run
from marketproof.running.methods import Method
from mechanism import writing
from mechanism.errors import InputError, shown
from mechanism.writing import to_toml

PROGRESS, ROUNDS = "progress.json", ".rounds"

_LONGEST_PROGRESS = 2**26
"""Bytes: far more than 10,000 units of which every client was told to stop."""


class Progress(BaseModel):
    """How far a run is: complete rounds and seconds per unit, finished units, and where it runs.

    ``backend`` and ``device`` are those of the last unit; ``used`` and ``reasons`` say for each unit which backend did
    its training, and why. ``keys`` names the noise keys of a private run (not the keys themselves), ``notices`` what
    its user was told. ``owners`` by seed: what clients are called whose data are somebody's by nature, and who of those
    was ``left_out`` and why.
    """

    model_config = ConfigDict(strict=True, extra="forbid")

    rounds: dict[str, Annotated[int, Field(ge=0, le=100_000)]] = {}
    seconds: dict[str, Annotated[float, Field(ge=0, le=1e12, allow_inf_nan=False)]] = {}
    finished: list[str] = []
    backend: str = ""
    device: str = ""
    used: dict[str, str] = {}
    reasons: dict[str, str] = {}
    keys: str = ""
    notices: list[str] = []
    owners: dict[str, list[str]] = {}
    left_out: dict[str, str] = {}
    complete: bool = False


def read_progress(folder: Path) -> Progress:
    """Return how far the run in a folder is; `InputError` if the file that says so is damaged, or lost."""
    path = folder / PROGRESS
    if not path.exists():
        if any((folder / name).exists() for name in (ROUNDS, "markets", "models")):
            raise InputError(
                f"{shown(path)} is missing, which says how many of the recorded rounds are complete; put it back, or "
                "run again into a new folder"
            )
        return Progress()
    try:
        if path.stat().st_size > _LONGEST_PROGRESS:
            raise ValueError(f"longer than {_LONGEST_PROGRESS} bytes")
        return Progress.model_validate_json(path.read_bytes())
    except ValueError:  # a ValidationError is one
        raise InputError(f"{shown(path)} is damaged; put the original back, or run again into a new folder") from None


__all__ = ["CONFIG", "PROGRESS", "Progress", "Recorder", "Unit", "read_progress", "recorded_config", "refuse_occupied"]

CONFIG, LOCK = "config.toml", ".lock"


@dataclass(frozen=True)
class Unit:
    """One method under one seed."""

    method: Method
    seed: int

    @property
    def key(self) -> str:
        """Its name in files."""
        return unit_key(self.method.name, self.seed)


class Recorder:
    """Writes one run folder. Made by `start` or `resume`; holds the folder's lock until `close`."""

    def __init__(self, folder: Path, config: RunConfig, progress: Progress) -> None:
        self.folder, self.config, self.progress = folder, config, progress
        self._made = False
        self._lock = take_lock(folder)

    @classmethod
    def start(cls, folder: Path, config: RunConfig) -> Recorder:
        """Make the folder, with the configuration as its first file.

        `InputError` if something is there already.
        """
        refuse_occupied(folder)
        there = folder.is_dir()
        folder.mkdir(parents=True, exist_ok=True)
        recorder = cls(folder, config, Progress())
        recorder._made = not there
        try:
            writing.write(folder / CONFIG, to_toml(config.model_dump()).encode())
        except BaseException:
            recorder.close()
            raise
        return recorder

    @classmethod
    def resume(cls, folder: Path, config: RunConfig) -> Recorder:
        """Go on in a folder that `start` made, if the configuration is the recorded one.

        `InputError` if nothing was recorded there, or the configuration differs; the message names the difference.
        """
        recorded = recorded_config(folder)
        changed = differences(recorded, config)
        if changed:
            raise InputError(
                f"{shown(folder)} was recorded with other settings ({'; '.join(changed[:3])}); resume without them, or "
                "run into a new folder"
            )
        return cls(folder, recorded, read_progress(folder))

    def close(self) -> None:
        """Let go of the folder."""
        if self._lock is not None:
            (self.folder / LOCK).unlink(missing_ok=True)
            os.close(self._lock)
            self._lock = None

    def abandon(self) -> None:
        """Delete a run of which no round is complete: its folder is as it was before `start`."""
        shutil.rmtree(self.folder / ROUNDS, ignore_errors=True)
        for name in (CONFIG, PROGRESS):
            (self.folder / name).unlink(missing_ok=True)
        self.close()
        if self._made:
            with contextlib.suppress(OSError):  # somebody else has put something there
                self.folder.rmdir()

    @property
    def has_trained(self) -> bool:
        """Whether anything that was trained has been written, be it only a part of the first round."""
        return bool(self.progress.rounds) or (self.folder / ROUNDS).exists()

    def rounds_done(self, unit: Unit) -> int:
        """Return how many rounds of a unit are complete."""
        return self.progress.rounds.get(unit.key, 0)

    def is_finished(self, unit: Unit) -> bool:
        """Say whether a unit's models and markets are in their final files."""
        return unit.key in self.progress.finished

    def state(self, unit: Unit, number: int) -> Path:
        """Return the file of the trainer's state after a round."""
        return self.folder / ROUNDS / unit.key / f"state-{number:06d}.safetensors"

    def _record(self, unit: Unit, number: int) -> Path:
        return self.folder / ROUNDS / unit.key / f"round-{number:06d}.safetensors"

    def recorded(self, unit: Unit, number: int) -> MarketRecord:
        """Return a complete round of a unit that is not finished."""
        return read_market(self._record(unit, number))

    def refuse_gaps(self, units: Sequence[Unit]) -> None:
        """Raise `InputError` that names the first file which a run that goes on needs and which is not there."""
        for unit in units:
            done = self.rounds_done(unit)
            if self.is_finished(unit):
                needed = [self.market(unit)]
            elif done:
                needed = [*(self._record(unit, k + 1) for k in range(done)), self.state(unit, done)]
            else:
                continue
            for path in needed:
                if not path.is_file():
                    raise InputError(
                        f"{shown(path)} is missing, and the run cannot go on without it; put it back, or run again "
                        "into a new folder"
                    )

    def market(self, unit: Unit) -> Path:
        """Return the file of a unit's stacked markets."""
        return self.folder / "markets" / f"{unit.key}.safetensors"

    def keep(
        self,
        unit: Unit,
        number: int,
        record: MarketRecord,
        save: Callable[[Path], object],
        seconds: float,
        notices: Sequence[str] = (),
    ) -> None:
        """Record a complete round: its numbers, the state to go on from, and at last that it is complete."""
        self.state(unit, number).parent.mkdir(parents=True, exist_ok=True)
        writing.write(self._record(unit, number), encode(record))
        save(self.state(unit, number))
        self.progress.rounds[unit.key] = number
        self.progress.seconds[unit.key] = self.progress.seconds.get(unit.key, 0.0) + seconds
        self.progress.notices += [f"{unit.method.name}, seed {unit.seed}: {line}" for line in notices]
        self.write_progress()
        self.state(unit, number - 1).unlink(missing_ok=True)

    def finish(self, unit: Unit, save: Callable[[Path], object], epsilon: NDArray[np.float64]) -> None:
        """Write a unit's final files from its rounds and what privacy it spent [m], then drop the rounds."""
        rounds = stack([self.recorded(unit, k + 1) for k in range(self.config.rounds)])
        for folder in ("models", "markets"):
            (self.folder / folder).mkdir(exist_ok=True)
        save(self.folder / "models" / f"{unit.key}.safetensors")
        writing.write(self.market(unit), encode(replace(rounds, epsilon=epsilon)))
        self.progress.finished.append(unit.key)
        self.write_progress()
        shutil.rmtree(self.folder / ROUNDS / unit.key, ignore_errors=True)

    def write(self, name: str, content: bytes) -> None:
        """Write one file of the folder."""
        writing.write(self.folder / name, content)

    def write_progress(self) -> None:
        """Write down how far the run is."""
        self.write(PROGRESS, (self.progress.model_dump_json(indent=2) + "\n").encode())

    def complete(self) -> None:
        """Write down that nothing is left to do."""
        self.clear_away()
        self.progress.complete = True
        self.write_progress()

    def clear_away(self) -> None:
        """Delete what only a resumed run would need, and what writes that a kill cut short left behind."""
        shutil.rmtree(self.folder / ROUNDS, ignore_errors=True)
        for pattern in (".*.partial", ".*.tmp"):
            for leftover in self.folder.rglob(pattern):
                leftover.unlink(missing_ok=True)


def refuse_occupied(
    folder: Path, instead: str = "; name another folder, or add --resume to go on with its run"
) -> None:
    """Raise `InputError`, saying what to do ``instead``, if a new run or study would touch what is in the folder."""
    if folder.is_dir():
        if any(not writing.is_partial(entry) and entry.name != LOCK for entry in folder.iterdir()):
            raise InputError(f"{shown(folder)} is not empty{instead}")
    elif folder.exists() or folder.is_symlink():
        raise InputError(f"{shown(folder)} is no folder; name another place")


def recorded_config(folder: Path) -> RunConfig:
    """Return the configuration of the run recorded in a folder; `InputError` if there is none."""
    if not (folder / CONFIG).is_file():
        raise InputError(f"no run was recorded in {shown(folder)}; leave --resume out, or name a run's folder")
    return load_run(folder / CONFIG)


def take_lock(folder: Path) -> int | None:
    """Lock the folder against a second run at the same time (where the system can)."""
    try:
        import fcntl
    except ImportError:
        return None
    handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        raise InputError(f"another run is writing to {shown(folder)}; wait for it or name another folder") from None
    return handle
