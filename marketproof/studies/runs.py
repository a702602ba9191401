"""Several runs in the folders of one study: those that are finished are kept, the one that was stopped goes on.

A study's folder holds ``study.toml``, what decides its numbers, and one ordinary run folder for each of its runs. The
same command goes on until all is done; a command with other settings is refused, and told what differs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis.run.market import MarketRecord
from analysis.run.market_file import read_market
from analysis.run.settings import changes, dotted
from marketproof.errors import InputError, Interrupted, shown
from marketproof.files import atomic
from marketproof.files.toml_files import to_toml
from marketproof.running.config import RunConfig, differences
from marketproof.running.execution import Place, run
from marketproof.running.loop import MakeTrainer, units_of
from marketproof.running.methods import parse
from marketproof.running.recorder import CONFIG, Unit, read_progress, recorded_config
from marketproof.terminal.console import stderr
from mechanism.errors import MarketProofError
from mechanism.reading import read_toml

HEAD = "study.toml"


@dataclass(frozen=True, eq=False)
class Recorded:
    """One finished run of a study: its folder and configuration."""

    folder: Path
    config: RunConfig

    @property
    def units(self) -> list[Unit]:
        """Every method under every seed."""
        return units_of(self.config, parse(self.config.methods, self.config.mechanism))

    def _file(self, unit: Unit) -> Path:
        return self.folder / "markets" / f"{unit.key}.safetensors"

    def markets(self) -> dict[str, list[MarketRecord]]:
        """Return the recorded markets per method, in the order of the seeds."""
        found: dict[str, list[MarketRecord]] = {}
        for unit in self.units:
            found.setdefault(unit.method.name, []).append(read_market(self._file(unit)))
        return found


def run_all(
    head: Mapping[str, Any],
    configs: Mapping[str, RunConfig],
    folder: Path,
    place: Place,
    again: str,
    *,
    quiet: bool,
    make: MakeTrainer | None = None,
) -> dict[str, Recorded]:
    """Run every configuration into its folder under ``folder``, or go on where that stopped.

    ``head`` is what decides the numbers, ``again`` the command that goes on; ``make`` replaces trainers (for tests).

    Raises
    ------
    InputError
        If the folder holds something else, or the same with other settings; the message names the difference.
    Interrupted
        On Ctrl-C; the message says where it stands and how to go on.
    """
    fresh = _open(head, configs, folder)
    where, done = "before the first run", 0
    try:
        for name, config in configs.items():
            where = f"in run {done + 1} of {len(configs)}, {name}"
            _tell(f"run {done + 1} of {len(configs)}: {name}", quiet=quiet)
            _run(config, folder / name, place, quiet=quiet, make=make)
            done += 1
    except Interrupted as stop:
        told = str(stop).partition(";")[0].removeprefix("interrupted ")
        raise Interrupted(f"interrupted {where} ({told}); go on with: {again}") from None
    except KeyboardInterrupt:
        raise Interrupted(f"interrupted {where}; go on with: {again}") from None
    except MarketProofError:
        if fresh and not any((folder / name).exists() for name in configs):
            _close(folder)
        raise
    return {name: Recorded(folder / name, config) for name, config in configs.items()}


def _run(config: RunConfig, folder: Path, place: Place, *, quiet: bool, make: MakeTrainer | None) -> None:
    if not (folder / CONFIG).is_file():
        run(config, folder, place, resume=False, quiet=quiet, make=make)
    elif not (_complete(folder) and not differences(recorded_config(folder), config)):
        run(config, folder, place, resume=True, quiet=quiet, make=make)


def _complete(folder: Path) -> bool:
    """Say whether nothing is left to do in a run folder, its report included."""
    return read_progress(folder).complete and (folder / "report.html").is_file()


def _open(head: Mapping[str, Any], configs: Mapping[str, RunConfig], folder: Path) -> bool:
    """Make the folder of a study or check that it is this one's; return whether it was made."""
    path = folder / HEAD
    if path.is_file():
        changed = changes(dotted(read_toml(path, "the settings of a study")), dotted(head))
        if changed:
            raise InputError(
                f"{shown(folder)} was recorded with other settings ({'; '.join(changed[:3])}); ask for the same, or "
                "name another --out"
            )
        for name, config in configs.items():  # before the first of them costs time
            if (folder / name / CONFIG).is_file():
                _refuse_changed(folder / name, config)
        return False
    if folder.is_dir():
        if any(not atomic.is_partial(entry) for entry in folder.iterdir()):
            raise InputError(f"{shown(folder)} is not empty and holds no study; name another --out")
    elif folder.exists() or folder.is_symlink():
        raise InputError(f"{shown(folder)} is no folder; name another --out")
    atomic.write_all({path: to_toml(head).encode()})
    return True


def _refuse_changed(folder: Path, config: RunConfig) -> None:
    """Raise `InputError` where a recorded run is not the one wanted."""
    changed = differences(recorded_config(folder), config)
    if changed:
        raise InputError(
            f"{shown(folder)} was recorded with other settings ({'; '.join(changed[:3])}): the task has changed since; "
            "name another --out"
        )


def _close(folder: Path) -> None:
    """Take back a study of which nothing was begun."""
    (folder / HEAD).unlink(missing_ok=True)
    if not any(folder.iterdir()):
        folder.rmdir()


def _tell(text: str, *, quiet: bool) -> None:
    console = stderr(quiet=quiet)
    if console.is_terminal:
        console.print(text)
