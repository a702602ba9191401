"""A finished run goes on: more rounds, methods or seeds, in a folder of its own; what was recorded is carried over.

What comes out is, bit for bit, what one run of all of it would have given.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from analysis.run.files import dotted, market_file, read_manifest, unit_key, verify
from analysis.run.market import encode
from analysis.run.records import MarketFile
from marketproof.running.config import RunConfig, overridden, schedule_of
from marketproof.running.recorder import (
    CONFIG,
    PROGRESS,
    ROUNDS,
    Progress,
    read_progress,
    recorded_config,
    refuse_occupied,
)
from mechanism.errors import InputError, shown
from mechanism.wording import plural
from mechanism.writing import refuse_unwritable, to_toml

CHANGED = ("rounds", "methods", "seeds", "population.schedule")
"""What a run that goes on may have other than the recorded one."""


def continued(run: Path, options: Mapping[str, Any]) -> RunConfig:
    """Return the settings of a recorded run with more rounds, methods or seeds; `InputError` if that cannot be.

    Not where the rounds decide what each of them does: a learning rate that falls over them, or noise that keeps all of
    them within a budget of privacy.
    """
    recorded = recorded_config(run)
    values = recorded.model_dump()
    wanted = overridden(values, options)
    if wanted.rounds != recorded.rounds and recorded.population.name == "arrivals":  # as it was, not anew over more
        values["population"]["schedule"] = schedule_of(recorded)
        wanted = overridden(values, options)
    before, now = dotted(recorded.model_dump()), dotted(wanted.model_dump())
    odd = [n for n in now if now[n] != before.get(n) and n not in CHANGED and not n.startswith("code.")]
    odd += [n for n in before if n.startswith("code.") and n in now and now[n] != before[n]]
    if odd:
        raise InputError(
            f"{shown(run)} goes on with more rounds, methods or seeds only; {odd[0]} is {shown(now[odd[0]])} here and "
            f"{shown(before.get(odd[0]))} there: leave it, or start a new run (--start-from takes the models)"
        )
    if wanted.rounds < recorded.rounds or wanted.seeds < recorded.seeds or wanted == recorded:
        raise InputError(
            f"{shown(run)} has {recorded.rounds} rounds under {plural(recorded.seeds, 'seed')}; --continue gives it "
            "more --rounds (in all), --seeds or --methods"
        )
    if wanted.rounds > recorded.rounds and (recorded.training.lr_end or recorded.privacy.epsilon):
        why = "its noise" if recorded.privacy.epsilon else "its learning rate"
        raise InputError(f"{why} was chosen for {recorded.rounds} rounds, so {shown(run)} cannot go on; run anew")
    return wanted


def carry_over(runs: Sequence[Path], folder: Path, config: RunConfig) -> None:
    """Make a folder that `Recorder.resume` goes on with, from complete runs; it appears whole or not at all.

    Several are runs of one configuration under seeds of their own. `MarketProofError` if one is not complete, a file of
    it was changed, or the folder is not free.
    """
    refuse_occupied(folder)
    refuse_unwritable(folder, CONFIG)
    part = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(part, ignore_errors=True)
    kept = Progress()
    try:
        for run in runs:
            _carried(run, part, config, kept)
        part.mkdir(parents=True, exist_ok=True)
        (part / PROGRESS).write_text(kept.model_dump_json(indent=2) + "\n", encoding="utf-8")
        (part / CONFIG).write_text(to_toml(config.model_dump()), encoding="utf-8")
        if folder.is_dir():
            folder.rmdir()
        os.replace(part, folder)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise


def discard_unless_begun(run: Path, folder: Path) -> None:
    """Delete what `carry_over` made, if no round was added to it."""
    before, now = read_progress(run), read_progress(folder)
    if all(before.rounds.get(key) == rounds for key, rounds in now.rounds.items()):
        shutil.rmtree(folder)


def _carried(run: Path, part: Path, config: RunConfig, kept: Progress) -> None:
    """Take over what a complete run recorded, and write down in ``kept`` that it did."""
    progress = read_progress(run)
    if not progress.complete:
        raise InputError(f"{shown(run)} is not finished; go on with: marketproof run --resume --out {shown(run)}")
    manifest, before = read_manifest(run), recorded_config(run)
    kept.backend, kept.device = progress.backend, progress.device
    kept.owners |= progress.owners
    kept.left_out |= progress.left_out
    kept.notices += progress.notices
    for method in (name for name in manifest.methods if name in config.methods):
        for seed in manifest.seeds:
            key = unit_key(method, seed)
            state = verify(run, f"models/{key}.safetensors", manifest.digests)
            market = verify(run, str(market_file(run, method, seed).relative_to(run)), manifest.digests)
            if config.rounds == before.rounds:
                _copied(state, part / "models")
                _copied(market, part / "markets")
                kept.finished.append(key)
            else:
                _unstacked(market, part / ROUNDS / key)
                _longer(state, part / ROUNDS / key / f"state-{before.rounds:06d}.safetensors", config.rounds)
            kept.rounds[key] = before.rounds
            kept.seconds[key] = progress.seconds.get(key, 0.0)
            kept.used[key], kept.reasons[key] = progress.used.get(key, ""), progress.reasons.get(key, "")


def _copied(file: Path, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, folder / file.name)


def _unstacked(market: Path, folder: Path) -> None:
    """Write the recorded rounds of a unit one by one, as they were before it was finished."""
    folder.mkdir(parents=True, exist_ok=True)
    file = MarketFile(market)
    for number in range(1, file.rounds + 1):
        (folder / f"round-{number:06d}.safetensors").write_bytes(encode(file.round(number)))


def _longer(state: Path, target: Path, rounds: int) -> None:
    """Write a trainer's state as that of the same training over so many rounds."""
    from learning.checkpoint import replanned

    replanned(state, target, rounds=rounds)
