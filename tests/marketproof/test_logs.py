"""Rounds are logged as they come, and a run that goes on has whole logs; by the libraries where they are installed."""

import csv

import numpy as np
import pytest

from analysis.run.records import read_run
from marketproof.exits import Interrupted
from marketproof.running.config import load_task, resolve
from marketproof.running.execution import Place, run
from tests.marketproof.conftest import dying
from tests.marketproof.fake_trainer import FakeTrainer

pytestmark = pytest.mark.usefixtures("quick")


def config():
    options = {"seed": 0, "seeds": 1, "methods": ["local", "ipfl"], "mechanism": "ipfl-exact", "rounds": 3}
    options |= {"clients": FakeTrainer.clients}
    return resolve("digits-niid", load_task("digits-niid"), options)


@pytest.fixture
def logged(tmp_path, monkeypatch):
    """Run with a log, interrupted in the second method's second round, and gone on with."""

    def make(kind):
        pytest.importorskip(kind)
        folder = tmp_path / "run"
        with monkeypatch.context() as patch:
            dying(patch, FakeTrainer, "train", 5, error=KeyboardInterrupt)
            with pytest.raises(Interrupted):
                run(config(), folder, Place(log=(kind,)), resume=False, quiet=True, make=FakeTrainer)
        run(config(), folder, Place(log=(kind,)), resume=True, quiet=True, make=FakeTrainer)
        trace = read_run(folder).traces["ipfl"]
        return folder, trace.utility[0].sum(axis=-1), trace.accuracy[0].mean(axis=-1)

    return make


def test_csv(logged):
    folder, welfare, accuracy = logged("csv")
    with (folder / "logs" / "ipfl-0.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["round"]) for row in rows] == [1, 2, 3]
    assert np.allclose([float(row["welfare"]) for row in rows], welfare)
    assert np.allclose([float(row["accuracy"]) for row in rows], accuracy)
    assert (folder / "logs" / "local-0.csv").is_file()


@pytest.mark.filterwarnings("ignore")
def test_tensorboard(logged):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    folder, welfare, _ = logged("tensorboard")
    events = EventAccumulator(str(folder / "logs" / "tensorboard" / "ipfl-0"))
    events.Reload()
    found = events.Scalars("welfare")
    assert [event.step for event in found] == [1, 2, 3]
    assert np.allclose([event.value for event in found], welfare, rtol=1e-6)


@pytest.mark.filterwarnings("ignore")
def test_mlflow(logged, monkeypatch):
    tracking = pytest.importorskip("mlflow.tracking")
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    folder, welfare, _ = logged("mlflow")
    client = tracking.MlflowClient(tracking_uri=(folder / "logs" / "mlflow").as_uri())
    experiment = client.get_experiment_by_name("digits-niid")
    runs = {run.info.run_name: run for run in client.search_runs([experiment.experiment_id])}
    assert set(runs) == {"local-0", "ipfl-0"}
    assert {run.info.status for run in runs.values()} == {"FINISHED"}
    assert runs["ipfl-0"].data.params == {"method": "ipfl", "seed": "0"}
    history = sorted(client.get_metric_history(runs["ipfl-0"].info.run_id, "welfare"), key=lambda metric: metric.step)
    assert [metric.step for metric in history] == [1, 2, 3]
    assert np.allclose([metric.value for metric in history], welfare)


def test_what_cannot_be_logged_to_is_said_before_anything_is_done(cli, tmp_path, monkeypatch):
    out = ("--scale", "smoke", "--out", tmp_path / "run")
    assert "expected csv, tensorboard, mlflow" in cli("run", *out, "--log", "csv,excel").line()
    monkeypatch.setattr("marketproof.records.logs.importlib.util.find_spec", lambda name: None)
    assert "pip install 'marketproof[log]'" in cli("run", *out, "--log", "tensorboard").line()
    assert list(tmp_path.iterdir()) == []


def test_a_log_that_fails_leaves_a_run_that_goes_on(tmp_path, monkeypatch):
    from mechanism.errors import InputError
    from tests.checks import refused

    with monkeypatch.context() as patch:
        patch.setattr("marketproof.records.logs._Csv.write", lambda *given: 1 / 0)
        with refused(InputError, "round 1 could not be logged: division by zero"):
            run(config(), tmp_path / "run", Place(log=("csv",)), resume=False, quiet=True, make=FakeTrainer)
    run(config(), tmp_path / "run", Place(), resume=True, quiet=True, make=FakeTrainer)
    assert read_run(tmp_path / "run").rounds == 3
