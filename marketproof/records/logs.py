"""Rounds as they come, for those who watch them elsewhere: as CSV, in TensorBoard, in MLflow."""

from __future__ import annotations

import csv
import importlib.util
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from mechanism.errors import InputError, one_line, shown

if TYPE_CHECKING:
    from analysis.run.market import MarketRecord
    from marketproof.running.recorder import Unit

NEEDED = {"csv": "csv", "tensorboard": "tensorboard", "mlflow": "mlflow"}
"""What rounds can be logged to, and the package that it needs."""


class Writer(Protocol):
    """Where the numbers of one unit's rounds go."""

    def write(self, number: int, values: Mapping[str, float]) -> None:
        """Write those of a round, counted from 1."""

    def close(self) -> None:
        """Write what is left."""


def numbers(record: MarketRecord) -> dict[str, float]:
    """Return what is logged of a round: means over the clients that took part, money; ``paid`` is what all paid."""
    money, here = record.accounts, record.present
    told = {"accuracy": record.accuracy, "loss": record.loss, "training_loss": record.training_loss}
    found = {name: float(values[here].mean()) if here.any() else 0.0 for name, values in told.items()}
    return found | {
        "utility": float(money.utility.mean()),
        "lowest_utility": float(money.utility.min()),
        "welfare": float(money.utility.sum()),
        "paid": float(money.paid.sum()),
        "imports": float(record.imports.sum()),
        "present": float(here.sum()),
    }


def refuse_unknown(kinds: Sequence[str]) -> None:
    """Raise `InputError` if rounds cannot be logged to one of these, or its package is not installed."""
    for kind in kinds:
        if kind not in NEEDED:
            raise InputError(f"rounds cannot be logged to {shown(kind)}; expected {', '.join(NEEDED)}")
        if importlib.util.find_spec(NEEDED[kind]) is None:
            raise InputError(f"--log {kind} needs the package {NEEDED[kind]}: pip install 'marketproof[log]'")


class Log:
    """The logs of a run, in its folder under ``logs`` (MLflow: where ``MLFLOW_TRACKING_URI`` says, if it says so).

    ``earlier`` gives a recorded round of a unit: where a run goes on, its logs are written again from the first.
    """

    def __init__(
        self, kinds: Sequence[str], folder: Path, task: str, earlier: Callable[[Unit, int], MarketRecord]
    ) -> None:
        self._kinds, self._folder, self._task, self._earlier = kinds, folder, task, earlier
        self._unit: Unit | None = None
        self._writers: list[Writer] = []
        self._open = ExitStack()

    def round(self, unit: Unit, number: int, record: MarketRecord) -> None:
        """Write a round that is complete. `InputError` if a library fails; the run can be gone on with."""
        try:
            if unit != self._unit:
                self.close()
                self._unit = unit
                self._writers = [_WRITERS[kind](self._folder, self._task, unit) for kind in self._kinds]
                for writer in self._writers:
                    self._open.callback(writer.close)
                    for before in range(1, number):
                        writer.write(before, numbers(self._earlier(unit, before)))
            for writer in self._writers:
                writer.write(number, numbers(record))
        except Exception as error:  # other people's code, files and servers
            raise InputError(f"round {number} could not be logged: {one_line(error)[:200]}") from error

    def close(self) -> None:
        """Close what is open."""
        self._open.close()


class _Csv:
    def __init__(self, folder: Path, task: str, unit: Unit) -> None:
        path = folder / "logs" / f"{unit.key}.csv"
        path.parent.mkdir(exist_ok=True)
        self._file = path.open("w", newline="", encoding="utf-8")
        self._rows: Any = csv.writer(self._file)
        self._begun = False

    def write(self, number: int, values: Mapping[str, float]) -> None:
        if not self._begun:
            self._rows.writerow(["round", *values])
        self._begun = True
        self._rows.writerow([number, *values.values()])
        self._file.flush()

    def close(self) -> None:
        self._file.close()


class _Tensorboard:
    def __init__(self, folder: Path, task: str, unit: Unit) -> None:
        from torch.utils.tensorboard import SummaryWriter

        place = folder / "logs" / "tensorboard" / unit.key
        shutil.rmtree(place, ignore_errors=True)
        self._writer: Any = SummaryWriter(str(place))

    def write(self, number: int, values: Mapping[str, float]) -> None:
        for name, value in values.items():
            self._writer.add_scalar(name, value, number)
        self._writer.flush()

    def close(self) -> None:
        self._writer.close()


class _Mlflow:
    def __init__(self, folder: Path, task: str, unit: Unit) -> None:
        from mlflow.tracking import MlflowClient

        os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")  # a folder needs no server
        where = os.environ.get("MLFLOW_TRACKING_URI") or (folder / "logs" / "mlflow").resolve().as_uri()
        self._client: Any = MlflowClient(tracking_uri=where)
        experiment = self._client.get_experiment_by_name(task)
        number = self._client.create_experiment(task) if experiment is None else experiment.experiment_id
        tag = f"{folder.resolve()} {unit.key}"
        for run in self._client.search_runs([number]):
            if run.data.tags.get("marketproof") == tag:  # of the attempt before
                self._client.delete_run(run.info.run_id)
        run = self._client.create_run(number, tags={"marketproof": tag}, run_name=unit.key)
        self._run = run.info.run_id
        self._client.log_param(self._run, "method", unit.method.name)
        self._client.log_param(self._run, "seed", unit.seed)

    def write(self, number: int, values: Mapping[str, float]) -> None:
        for name, value in values.items():
            self._client.log_metric(self._run, name, value, step=number)

    def close(self) -> None:
        self._client.set_terminated(self._run)


_WRITERS: dict[str, Callable[[Path, str, Unit], Writer]] = {"csv": _Csv, "tensorboard": _Tensorboard, "mlflow": _Mlflow}
