"""One run from its configuration to its report: start or resume, the loop, the finish."""

from __future__ import annotations

import contextlib
import shlex
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from analysis.run.files import RecordError
from analysis.run.results import Audit, Summary, read_audit, read_summary
from marketproof.exits import Interrupted
from marketproof.records.logs import Log
from marketproof.records.warm import start_from
from marketproof.running.config import RunConfig
from marketproof.running.finish import finish_run, make_report
from marketproof.running.loop import MakeTrainer, Watch, participants_of, run_units, units_of
from marketproof.running.methods import Method, parse
from marketproof.running.privacy import Keyring
from marketproof.running.recorder import CONFIG, Recorder, Unit, refuse_occupied
from marketproof.terminal.run_view import Bar
from mechanism.errors import InputError, MarketProofError, shown
from mechanism.writing import partial, refuse_unwritable

if TYPE_CHECKING:
    from analysis.run.market import MarketRecord
    from learning.plan import LearningPlan
    from learning.trainer import Trainer

Kind = TypeVar("Kind", Summary, Audit)


@dataclass(frozen=True)
class Place:
    """Where a run computes and finds its data: decides how long it takes, and of what comes out the last bits at most.

    Not ``audited``: the finished run is not searched for lies, cleared again, or certified; not ``paged``: it gets no
    report.html (`marketproof report` makes it). ``log``: what rounds are logged to besides.
    ``seeded_noise``: noise from the seed instead of from secret keys, which gives no privacy; for tests.
    """

    backend: str = "auto"
    device: str = "auto"
    data_dir: Path | None = None
    seeded_noise: bool = False
    audited: bool = True
    paged: bool = True
    log: tuple[str, ...] = ()


@dataclass(frozen=True)
class Finished:
    """A complete run: its folder, report, summary and audit; which owners of data took no part, and why."""

    folder: Path
    report: Path
    summary: Summary
    audit: Audit
    left_out: tuple[str, ...] = ()


def plan_of(config: RunConfig, seed: int) -> LearningPlan:
    """Return the plan of training of a configuration under one seed."""
    from learning.plan import LearningPlan
    from marketproof.running.own_data import agreed_of, source_of

    data, split, model = config.data, config.split, config.model
    return LearningPlan(
        own=source_of(data.model_dump(), split.kind) if data.file else None, dataset=data.dataset,
        clients=data.clients, test=data.test, split=split.kind, split_beta=split.beta,
        shares=tuple((group, clients, samples) for group, clients, samples in split.shares),
        model=model.name, base_model=model.base, lora_targets=tuple(model.targets), length=model.length,
        lam=config.market.lam, lams=tuple(config.market.each_lam), eta=config.market.eta,
        rounds=config.rounds, steps=config.steps, conduct=participants_of(config, seed).conduct,
        agreed=agreed_of(data) if data.classes else None,
        held_out=config.valuation != "size", split_file="" if data.file else data.split_file,
        **config.training.model_dump(),
        **{f"dp_{name}": value for name, value in config.privacy.model_dump().items()},
    )  # fmt: skip


def trainers(config: RunConfig, place: Place, keyring: Keyring | None, recorded: Callable[[Unit], str]) -> MakeTrainer:
    """Return what makes the trainer of a unit; ``recorded`` names the backend that goes on where none is asked for."""
    # Raises on names and numbers that training does not know, before torch is loaded.
    plans = {seed: plan_of(config, seed) for seed in config.seed_list}

    def make(unit: Unit) -> Trainer:
        from learning.trainer import Trainer

        plan, algorithm = plans[unit.seed], unit.method.algorithm
        keys = [] if keyring is None else keyring.keys(unit.key)
        backend = (recorded(unit) if place.backend == "auto" else "") or place.backend
        trainer = Trainer(plan, algorithm, backend, place.device, unit.seed, place.data_dir, keys=keys)
        if config.start_from:
            try:
                start_from(Path(config.start_from), unit.method.name, unit.seed, trainer)
            except BaseException:
                trainer.close()
                raise
        return trainer

    return make


@contextlib.contextmanager
def terminable() -> Iterator[None]:
    """Answer SIGTERM as Ctrl-C is answered, inside: the run can be gone on with. Not where the caller answers it."""
    mine = threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    if not mine:
        yield
        return
    answer = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGTERM, answer if callable(answer) else signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def run(
    config: RunConfig,
    folder: Path,
    place: Place,
    *,
    resume: bool,
    quiet: bool,
    make: MakeTrainer | None = None,
    watch: Watch | None = None,
) -> Finished:
    """Run to the end, or go on where a run stopped. ``make`` replaces the trainer, ``watch`` hears of rounds, too.

    `MarketProofError` if the settings, the folder or the data are wrong; nothing is left behind that was not there.
    `Interrupted` on Ctrl-C or SIGTERM; the message says where it stands and how to go on.
    """
    methods = parse(config.methods, config.mechanism)
    units = units_of(config, methods)
    with terminable():
        attempt = _Attempt(config, folder, resume, watch)
        try:
            return attempt.run(units, methods, place, make, quiet=quiet)
        finally:
            attempt.close()


class _Attempt:
    """One try to bring a run to its end: who writes its folder, and its keys, from when on."""

    def __init__(self, config: RunConfig, folder: Path, resume: bool, watch: Watch | None) -> None:
        self.folder, self.resume, self._watch = folder, resume, watch
        self.recorder = Recorder.resume(folder, config) if resume else None
        self.config = config if self.recorder is None else self.recorder.config
        self.keyring: Keyring | None = None
        self._last = "" if self.recorder is None else self.recorder.progress.backend
        self.begun = resume

    def run(
        self, units: list[Unit], methods: list[Method], place: Place, make: MakeTrainer | None, *, quiet: bool
    ) -> Finished:
        """Do what is left to do."""
        if self.recorder is None:
            refuse_occupied(self.folder)
        else:
            self.recorder.refuse_gaps(units)
            place = _same_device(self.recorder, place)
        refuse_unwritable(self.folder, partial(self.folder / CONFIG).name)
        recorder = self.recorder
        if self.config.privacy.epsilon:
            self.keyring = Keyring(
                self.config,
                "" if recorder is None else recorder.progress.keys,
                seeded=place.seeded_noise,
                announce=self._name_keys,
                unused=recorder is not None and not recorder.has_trained,
            )
        making = trainers(self.config, place, self.keyring, self._recorded_backend) if make is None else make
        remaining = [unit for unit in units if recorder is None or not recorder.is_finished(unit)]
        done = 0 if recorder is None else sum(recorder.rounds_done(unit) for unit in units)
        log = None
        if place.log:
            log = Log(place.log, self.folder, self.config.task, lambda unit, k: self._record().recorded(unit, k))
        with (
            Bar(self.config.rounds, len(units), done, quiet=quiet) as bar,
            contextlib.closing(log) if log else contextlib.nullcontext(),
        ):

            def seen(unit: Unit, number: int, record: MarketRecord, notices: Sequence[str]) -> None:
                bar.round(unit, number, record, notices)
                if log is not None:
                    log.round(unit, number, record)
                if self._watch is not None:
                    self._watch(unit, number, record, notices)

            try:
                run_units(self._opened, remaining, making, seen)
                if self.recorder is None:
                    raise InputError(f"{shown(self.folder)}: the run has nothing to do; give it a method and a round")
                bar.stage("auditing")
                finished = _finished(self.recorder, methods, units, place)
                if self.keyring is not None:
                    self.keyring.destroy()
                return finished
            except KeyboardInterrupt:
                self._abandon_unless(self.begun)
                raise Interrupted(_interruption(self.recorder, bar.where, self.folder)) from None
            except MarketProofError:
                self._abandon_unless(self.recorder is not None and bool(self.recorder.progress.rounds))
                raise
            except Exception:
                self._abandon_unless(self.begun)
                raise

    def close(self) -> None:
        """Let go of the folder; keys that no folder names are destroyed."""
        if self.recorder is not None:
            self.recorder.close()
        elif self.keyring is not None:
            self.keyring.destroy()

    def _record(self) -> Recorder:
        if self.recorder is None:
            self.recorder = Recorder.start(self.folder, self.config)
        return self.recorder

    def _name_keys(self, run: str) -> None:
        """Write down which keys are the run's, before there are any."""
        recorder = self._record()
        recorder.progress.keys = run
        recorder.write_progress()

    def _opened(self, unit: Unit, trainer: Trainer) -> Recorder:
        """Return the recorder for a unit whose trainer is made, with where it trains written down."""
        recorder = self._record()
        before = self._recorded_backend(unit)
        if before and (before == "stacked") != (trainer.backend == "stacked"):
            raise InputError(
                f"{shown(self.folder)} was run on backend {before}, {trainer.backend} gives other last bits; resume "
                f"with --backend {before}"
            )
        progress = recorder.progress
        progress.backend, progress.device = trainer.backend, trainer.device
        progress.used[unit.key] = trainer.backend
        progress.reasons[unit.key] = str(getattr(getattr(trainer, "choice", None), "reason", ""))
        if names := getattr(trainer, "names", ()):
            progress.owners[str(unit.seed)] = list(names)
        if missing := getattr(trainer, "left_out", ""):
            progress.left_out[str(unit.seed)] = missing
        recorder.write_progress()
        self.begun = True
        return recorder

    def _recorded_backend(self, unit: Unit) -> str:
        """Return on which backend a run that goes on was: this unit of it, else its last one; "" for a new run."""
        recorder = self.recorder if self.resume else None
        return "" if recorder is None else recorder.progress.used.get(unit.key, self._last)

    def _abandon_unless(self, kept: bool) -> None:
        if self.recorder is not None and not self.resume and not kept:
            self.recorder.abandon()
            self.recorder = None


def _finished(recorder: Recorder, methods: list[Method], units: list[Unit], place: Place) -> Finished:
    folder = recorder.folder
    if recorder.progress.complete and all((folder / name).is_file() for name in ("summary.json", "audit.json")):
        recorder.clear_away()
        summary, audit = _recorded(folder / "summary.json", read_summary), _recorded(folder / "audit.json", read_audit)
    else:
        summary, audit = finish_run(recorder, methods, units, audited=place.audited)
    missing = tuple(dict.fromkeys(recorder.progress.left_out.values()))
    return Finished(folder, make_report(folder) if place.paged else folder / "report.html", summary, audit, missing)


def _recorded(path: Path, read: Callable[[Path], Kind]) -> Kind:
    try:
        return read(path)
    except RecordError:
        raise InputError(f"{shown(path)} is damaged; delete it, and --resume makes it again") from None


def _same_device(recorder: Recorder, place: Place) -> Place:
    """Return where a resumed run goes on: as before unless told otherwise; another device gives other numbers."""
    device = recorder.progress.device
    if device and place.device not in ("auto", device):
        raise InputError(
            f"{shown(recorder.folder)} was run on device {device}, {place.device} gives other last bits; resume with "
            f"--device {device}"
        )
    return replace(place, device=device or place.device)


def _interruption(recorder: Recorder | None, where: str, folder: Path) -> str:
    if recorder is None:
        return "interrupted before the first round; nothing was written"
    command = "serve" if recorder.config.federation else "run"
    return f"interrupted {where}; resume with: marketproof {command} --resume --out {shlex.quote(str(folder))}"
