"""One run from its configuration to its report: start or resume, the loop, the finish."""

from __future__ import annotations

import contextlib
import json
import shlex
import signal
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from marketproof.config import RunConfig
from marketproof.errors import InputError, Interrupted, shown
from marketproof.finish import finish_run, make_report
from marketproof.keyring import Keyring
from marketproof.loop import MakeTrainer, Trains, people_of, run_units, units_of
from marketproof.methods import Method, parse
from marketproof.recorder import Recorder, Unit, refuse_occupied
from marketproof.run_view import Bar
from mechanism.errors import MarketProofError


@dataclass(frozen=True)
class Place:
    """Where a run computes and finds its data: decides how long it takes, not what comes out.

    ``seeded_noise``: noise from the seed instead of from secret keys, which gives no privacy; for tests.
    """

    backend: str = "auto"
    device: str = "auto"
    data_dir: Path | None = None
    seeded_noise: bool = False


@dataclass(frozen=True)
class Finished:
    """A complete run: its folder, report, summary and audit."""

    folder: Path
    report: Path
    summary: Mapping[str, Any]
    audit: Mapping[str, Any]


def plan_of(config: RunConfig, seed: int) -> Any:
    """Return the `LearningPlan` of a configuration under one seed."""
    from learning.plan import LearningPlan

    return LearningPlan(
        dataset=config.data.dataset,
        split=config.split.kind,
        split_beta=config.split.beta,
        clients=config.data.clients,
        model=config.model.name,
        steps=config.steps,
        batch=config.training.batch,
        lr=config.training.lr,
        momentum=config.training.momentum,
        weight_decay=config.training.weight_decay,
        lam=config.market.lam,
        eta=config.market.eta,
        optimizer=config.training.optimizer,
        lr_end=config.training.lr_end,
        rounds=config.rounds,
        test=config.data.test,
        shares=tuple((group, clients, samples) for group, clients, samples in config.split.shares),
        base_model=config.model.base,
        length=config.model.length,
        held_out=config.valuation != "size",
        conduct=people_of(config, seed).conduct,
        dp_noise=config.privacy.noise,
        dp_clip=config.privacy.clip,
        dp_delta=config.privacy.delta,
        dp_epsilon=config.privacy.epsilon,
    )


def trainers(config: RunConfig, place: Place, keyring: Keyring) -> MakeTrainer:
    """Return what makes the trainer of a unit."""
    # Raises on names and numbers that training does not know, before torch is loaded.
    plans = {seed: plan_of(config, seed) for seed in config.seed_list}

    def make(unit: Unit) -> Trains:
        from learning.trainer import Trainer

        with _ctrl_c_later():
            plan, algorithm = plans[unit.seed], unit.method.algorithm
            keys = keyring.keys(unit.key)
            return Trainer(plan, algorithm, place.backend, place.device, unit.seed, place.data_dir, keys=keys)

    return make


@contextlib.contextmanager
def _ctrl_c_later() -> Iterator[None]:
    """Hold an interruption back until the block is left; processes started in it never see one.

    Ctrl-C goes to the whole process group, and a worker that is still starting would answer with a traceback.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def run(
    config: RunConfig, folder: Path, place: Place, *, resume: bool, quiet: bool, make: MakeTrainer | None = None
) -> Finished:
    """Run to the end, or go on where a run stopped. ``make`` replaces the trainer (for tests).

    Raises
    ------
    MarketProofError
        If the settings, the folder or the data are wrong; nothing is left behind that was not there.
    Interrupted
        On Ctrl-C; the message says where it stands and how to go on.
    """
    methods = parse(config.methods, config.mechanism)
    units = units_of(config, methods)
    recorder: Recorder | None = Recorder.resume(folder, config) if resume else None
    keyring = Keyring(config, "" if recorder is None else recorder.progress.keys, seeded=place.seeded_noise)
    try:
        if recorder is None:
            refuse_occupied(folder)
        else:
            place = _same_place(recorder, place)
        make = trainers(config, place, keyring) if make is None else make
        remaining = [unit for unit in units if recorder is None or not recorder.is_finished(unit)]
        done = 0 if recorder is None else sum(recorder.rounds_done(unit) for unit in units)

        def opened(trainer: Trains) -> Recorder:
            nonlocal recorder
            if recorder is None:
                recorder = Recorder.start(folder, config)
            recorder.progress.backend, recorder.progress.device = trainer.backend, trainer.device
            if recorder.progress.keys != keyring.run:
                recorder.progress.keys = keyring.run
                recorder.write_progress()  # before the first round: a run stopped in it must find its keys again
            return recorder

        with Bar(config.rounds, len(units), done, quiet=quiet) as bar:
            try:
                run_units(opened, remaining, make, bar.round)
                if recorder is None:
                    raise InputError(f"{shown(folder)}: the run has nothing to do; give it a method and a round")
                bar.stage("auditing")
                finished = _finished(recorder, methods, units)
                keyring.destroy()
                return finished
            except MarketProofError:
                if recorder is not None and not resume and not recorder.progress.rounds:
                    recorder.abandon()
                    recorder = None
                raise
            except KeyboardInterrupt:
                raise Interrupted(_interruption(recorder, bar.where, folder)) from None
    finally:
        if recorder is not None:
            recorder.close()
        else:
            keyring.destroy()


def _finished(recorder: Recorder, methods: list[Method], units: list[Unit]) -> Finished:
    folder = recorder.folder
    if recorder.progress.complete:
        recorder.clear_away()
        summary, audit = (json.loads((folder / name).read_bytes()) for name in ("summary.json", "audit.json"))
    else:
        summary, audit = finish_run(recorder, methods, units)
    return Finished(folder, make_report(folder), summary, audit)


def _same_place(recorder: Recorder, place: Place) -> Place:
    """Return where a resumed run goes on: as before unless told otherwise; another device gives other numbers."""
    backend, device = recorder.progress.backend, recorder.progress.device
    if device and place.device not in ("auto", device):
        raise InputError(
            f"{shown(recorder.folder)} was run on device {device}, {place.device} gives other last bits; resume with "
            f"--device {device}"
        )
    chosen = backend if backend and place.backend == "auto" else place.backend
    return replace(place, backend=chosen, device=device or place.device)


def _interruption(recorder: Recorder | None, where: str, folder: Path) -> str:
    if recorder is None:
        return "interrupted before the first round; nothing was written"
    return f"interrupted {where}; resume with: marketproof run --resume --out {shlex.quote(str(folder))}"
