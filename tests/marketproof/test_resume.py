"""A run that is killed at any moment and resumed equals the run that never stopped, bit by bit."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from learning.privacy import keys as key_files
from learning.trainer import Trainer
from marketproof.exits import Interrupted
from marketproof.running.config import load_task, resolve
from marketproof.running.execution import Place, run
from marketproof.running.finish import audit_method
from marketproof.running.recorder import Recorder, read_progress
from mechanism import writing
from mechanism.errors import InputError
from mechanism.writing import refuse_unwritable, refuse_unwritable_file
from tests.marketproof.conftest import Killed, dying
from tests.marketproof.fake_trainer import FakeTrainer

pytestmark = pytest.mark.usefixtures("quick")

FOLDERS = ("models", "markets")
TABLES = ("rounds.parquet", "ledger.parquet", "config.toml")


def config(**options):
    given = {"seed": 0, "seeds": 2, "methods": ["local", "ipfl/ipfl-exact"], "mechanism": "ipfl-exact", "rounds": 3}
    return resolve("digits-niid", load_task("digits-niid"), {**given, **options})


def bits(folder: Path) -> dict[str, bytes]:
    files = [path for name in FOLDERS for path in sorted((folder / name).iterdir())]
    files += [folder / name for name in TABLES]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> dict[str, bytes]:
    """A run that never stopped."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    run(config(), folder, Place(), resume=False, quiet=True, make=FakeTrainer)
    found = bits(folder)
    assert len(found) == 2 * 4 + 3
    assert sorted(p.name for p in folder.iterdir()) == [
        "audit.json", "config.toml", "ledger.parquet", "manifest.json", "markets", "models", "progress.json",
        "rounds.parquet", "summary.json",
    ]  # fmt: skip
    return found


def start(folder: Path, make=FakeTrainer, *, resume: bool = False):
    return run(config(), folder, Place(), resume=resume, quiet=True, make=make)


def resume_or_restart(folder: Path) -> None:
    """Resume where something was recorded; before that there is nothing to resume and the folder is free."""
    start(folder, resume=(folder / "config.toml").is_file())


@pytest.mark.parametrize("when", ["before", "after", "half written"])
def test_killed_at_every_rename(whole, tmp_path, monkeypatch, when):
    """In turn before every rename of a run, after every rename, and with every file half written.

    Lies are looked for in no clearing, as with --no-audit: a third of the time, and nothing that is compared.
    """
    monkeypatch.setattr(
        "marketproof.running.finish.audit_method",
        lambda *given, searched, real=audit_method: real(*given, searched=False),
    )
    replace, write = os.replace, writing._write_synced
    count = 0

    def due(moment):
        nonlocal count
        count += moment == when
        return moment == when and count == fatal

    def dying_replace(source, target):
        if due("before"):
            raise Killed
        replace(source, target)
        if due("after"):
            raise Killed

    def dying_write(path, content):
        if due("half written"):
            path.write_bytes(content[: len(content) // 2])
            raise Killed
        write(path, content)

    fatal = 0
    while True:
        fatal, count = fatal + 1, 0
        folder = tmp_path / str(fatal)
        with monkeypatch.context() as patch:
            patch.setattr(os, "replace", dying_replace)
            patch.setattr(writing, "_write_synced", dying_write)
            try:
                start(folder)
                if count < fatal:
                    break  # there are no more renames
                continue  # this one is not of a file written by us: it cannot be half written
            except Killed:
                pass
        resume_or_restart(folder)
        assert bits(folder) == whole, fatal
        assert not list(folder.rglob(".*")), fatal
    assert fatal > (36 if when == "half written" else 50)


@pytest.mark.parametrize("moment", ["train", "evaluate"])
def test_killed_in_the_middle_of_a_round(whole, tmp_path, moment):
    for fatal in range(1, 13):
        folder = tmp_path / str(fatal)
        with pytest.MonkeyPatch.context() as patch:
            dying(patch, FakeTrainer, moment, fatal)
            with pytest.raises(Killed):
                start(folder)
        resume_or_restart(folder)
        assert bits(folder) == whole, fatal


def test_a_run_may_be_killed_many_times(whole, tmp_path, monkeypatch):
    folder = tmp_path / "run"
    for _ in range(30):
        with monkeypatch.context() as patch, contextlib.suppress(Killed):
            dying(patch, os, "replace", 12)
            resume_or_restart(folder)
            break
    assert bits(folder) == whole


SCRIPT = """
import os, signal, sys, warnings
from pathlib import Path
warnings.simplefilter("ignore")
from marketproof.running import execution as running
from marketproof.cli import execute
from marketproof.running.loop import run_units
sys.path.insert(0, sys.argv[1])
from tests.marketproof.fake_trainer import FakeTrainer
running.trainers = lambda *given: FakeTrainer
running.make_report = lambda folder: folder / "report.html"
fatal, count, replace = int(sys.argv[2]), 0, os.replace
def dying(source, target):
    global count
    count += 1
    if count == fatal:
        os.kill(os.getpid(), int(sys.argv[3]))
    replace(source, target)
os.replace = dying
sys.exit(execute(sys.argv[4:]))
"""


def in_a_process(fatal: int, number: int, *arguments: object) -> subprocess.CompletedProcess:
    root = str(Path(__file__).resolve().parents[2])
    words = [sys.executable, "-c", SCRIPT, root, str(fatal), str(int(number)), *map(str, arguments)]
    return subprocess.run(words, capture_output=True, text=True, timeout=120)


OPTIONS = ["digits-niid", "--methods", "local,ipfl/ipfl-exact", "--rounds", 3, "--seeds", 2, "--quiet"]


@pytest.mark.parametrize("fatal", [7, 25, 46])
def test_sigkill_of_the_command(whole, tmp_path, fatal):
    """Early in the first unit, in a later one, and while the tables are written: the real signal, the real command."""
    folder = tmp_path / "run"
    died = in_a_process(fatal, signal.SIGKILL, "run", *OPTIONS, "--out", folder)
    assert died.returncode == -signal.SIGKILL, died.stderr
    done = in_a_process(0, 0, "run", "--resume", "--out", folder, "--quiet")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert bits(folder) == whole


@pytest.mark.parametrize("answered", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_and_sigterm_say_how_to_go_on_and_have_status_130(whole, tmp_path, answered):
    folder = tmp_path / "a run"
    died = in_a_process(12, answered, "run", *OPTIONS, "--out", folder)
    assert died.returncode == 130
    assert died.stderr.count("\n") == 1
    assert "after round" in died.stderr
    assert f"marketproof run --resume --out '{folder}'" in died.stderr
    assert in_a_process(0, 0, "run", "--resume", "--out", folder, "--quiet").returncode == 0
    assert bits(folder) == whole


def test_interrupted_before_the_first_round_writes_nothing(tmp_path):
    def never(unit):
        raise KeyboardInterrupt

    with pytest.raises(Interrupted, match="nothing was written"):
        start(tmp_path / "run", never)
    assert not (tmp_path / "run").exists()


def test_resuming_a_complete_run_changes_nothing(whole, tmp_path):
    folder = tmp_path / "run"
    first = start(folder)
    again = start(folder, FakeTrainer, resume=True)
    assert bits(folder) == whole
    assert again.summary == first.summary
    assert again.audit == first.audit


def test_resuming_with_other_settings_names_the_difference(cli, tmp_path):
    folder = tmp_path / "run"
    start(folder)
    line = cli("run", "--resume", "--out", folder, "--rounds", "9").line()
    assert "rounds: 3 -> 9" in line
    line = cli("run", "fashion-niid", "--resume", "--out", folder).line()
    assert "data.dataset: digits -> fashion" in line


def test_resuming_on_another_device_is_refused(tmp_path):
    folder = tmp_path / "run"
    start(folder)
    with pytest.raises(InputError, match="was run on device cpu"):
        run(config(), folder, Place(device="cuda"), resume=True, quiet=True, make=FakeTrainer)


def stopped(folder: Path, backend: str, round_index: int = 2, **options) -> None:
    """Leave a real run of one method behind that was interrupted after its first rounds."""
    given = {"methods": ["fedavg"], "seeds": 1, "rounds": 4, "steps": 2, **options}
    with pytest.MonkeyPatch.context() as patch:
        # two calls a round: of the models trained, and of those aggregated
        dying(patch, Trainer, "evaluate", 2 * round_index + 1, error=KeyboardInterrupt)
        with pytest.raises(Interrupted):
            run(config(**given), folder, Place(backend), resume=False, quiet=True)


@pytest.mark.usefixtures("forked_workers")
@pytest.mark.parametrize(("before", "after"), [("rows", "stacked"), ("pool", "stacked"), ("stacked", "rows")])
def test_a_backend_that_gives_other_bits_is_refused(cli, tmp_path, before, after):
    folder = tmp_path / "run"
    stopped(folder, before)
    progress = (folder / "progress.json").read_bytes()
    line = cli("run", "--resume", "--out", folder, "--backend", after, "--device", "cpu").line()
    assert f"was run on backend {before}, {after} gives other last bits; resume with --backend {before}" in line
    assert (folder / "progress.json").read_bytes() == progress
    if before != "pool":
        assert cli("run", "--resume", "--out", folder, "--quiet").status == 0  # on what it was begun
        manifest = json.loads((folder / "manifest.json").read_text())
        assert manifest["backend"] == before
        assert manifest["backend_used"] == {"fedavg-0": before}
        assert manifest["backend_reason"]["fedavg-0"].startswith(f"{before}: ")


@pytest.mark.usefixtures("forked_workers")
def test_plain_loop_and_worker_processes_may_follow_each_other(tmp_path):
    folders = {"rows": tmp_path / "rows", "pool": tmp_path / "pool"}
    options = {"methods": ["fedavg"], "seeds": 1, "rounds": 4, "steps": 2}
    for backend, folder in folders.items():
        stopped(folder, "rows")
        run(config(**options), folder, Place(backend), resume=True, quiet=True)
    assert bits(folders["rows"]) == bits(folders["pool"])


def test_what_auto_measured_and_took_is_recorded_for_every_unit(tmp_path):
    folder = tmp_path / "run"
    run(config(rounds=1, steps=1, methods=["local", "fedavg"]), folder, Place(), resume=False, quiet=True)
    manifest = json.loads((folder / "manifest.json").read_text())
    units = {"local-0", "local-1", "fedavg-0", "fedavg-1"}
    assert set(manifest["backend_used"]) == set(manifest["backend_reason"]) == units
    for unit in units:
        assert manifest["backend_reason"][unit].startswith(f"{manifest['backend_used'][unit]}: ")
        assert "asked for" not in manifest["backend_reason"][unit]


def test_nothing_to_resume(cli, tmp_path):
    assert "--resume needs --out" in cli("run", "--resume").line()
    assert "no run was recorded" in cli("run", "--resume", "--out", tmp_path / "none").line()
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    "entry",
    [
        {"rounds": {"a": "many"}}, {"rounds": {"a": True}}, {"rounds": {"a": -1}}, {"rounds": 3}, {"seconds": "x"},
        {"seconds": {"a": "x"}}, {"seconds": {"a": float("nan")}}, {"seconds": {"a": 10**400}}, {"finished": "a"},
        {"finished": [1]}, {"backend": 1}, {"device": None}, {"used": {"a": 1}}, {"reasons": []}, {"keys": ["k"]},
        {"notices": "all"}, {"complete": 1}, {"more": 1}, [], "rounds", None,
    ],
)  # fmt: skip
def test_a_damaged_progress_file_is_told(cli, tmp_path, entry):
    folder = tmp_path / "run"
    start(folder)
    (folder / "progress.json").write_text(json.dumps(entry))
    with pytest.raises(InputError, match=r"progress.json' is damaged; put the original back, or run again into a new"):
        read_progress(folder)
    assert "is damaged" in cli("run", "--resume", "--out", folder).line()


def test_a_progress_file_that_is_no_json_or_endless_is_told(tmp_path):
    for content in (b"", b"[" * 100_000, b"\xff", b" " * (2**26 + 1)):
        (tmp_path / "progress.json").write_bytes(content)
        with pytest.raises(InputError, match="is damaged"):
            read_progress(tmp_path)


@pytest.mark.parametrize(
    ("lost", "line"),
    [
        (".rounds/fedavg-0/state-000002.safetensors", "state-000002.safetensors' is missing, and the run cannot go on"),
        (".rounds/fedavg-0/round-000001.safetensors", "round-000001.safetensors' is missing, and the run cannot go on"),
        ("progress.json", "progress.json' is missing, which says how many of the recorded rounds are complete"),
    ],
)
@pytest.mark.parametrize("private", [{}, {"dp_epsilon": 8.0, "dp_noise": 2.0}], ids=["", "private"])
def test_lost_files_of_a_stopped_run_are_named_with_what_to_do(cli, tmp_path, monkeypatch, lost, line, private):
    monkeypatch.setenv("MARKETPROOF_KEYS", str(tmp_path / "keys"))
    folder = tmp_path / "run"
    stopped(folder, "rows", **private)
    (folder / lost).rename(tmp_path / "kept")
    told = cli("run", "--resume", "--out", folder).line()
    assert line in told
    assert "put it back, or run again into a new folder" in told
    assert len(list((tmp_path / "keys").glob("*"))) == bool(private)
    (tmp_path / "kept").rename(folder / lost)
    assert cli("run", "--resume", "--out", folder, "--quiet").status == 0


def test_lost_files_of_finished_units_and_of_the_end(cli, tmp_path):
    folder = tmp_path / "run"
    start(folder)
    summary = (folder / "summary.json").read_bytes()
    (folder / "summary.json").unlink()
    start(folder, resume=True)
    assert (folder / "summary.json").read_bytes() == summary
    (folder / "audit.json").write_text("{")
    assert "audit.json' is damaged; delete it" in cli("run", "--resume", "--out", folder).line()
    (folder / "markets" / "local-1.safetensors").unlink()
    assert "local-1.safetensors' is missing" in cli("run", "--resume", "--out", folder).line()


def test_who_calls_keeps_the_answer_to_sigterm(tmp_path):
    seen = []

    class Asking(FakeTrainer):
        def evaluate(self):
            seen.append(signal.getsignal(signal.SIGTERM))
            return super().evaluate()

    start(tmp_path / "one", Asking)
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    assert set(seen) == {signal.getsignal(signal.SIGINT)}
    mine = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        seen.clear()
        start(tmp_path / "two", Asking)
        assert set(seen) == {signal.SIG_IGN}
    finally:
        signal.signal(signal.SIGTERM, mine)


@pytest.mark.parametrize("moment", ["before the keys", "with the keys", "after the keys"])
@pytest.mark.parametrize("how", [KeyboardInterrupt, OSError("no"), InputError("no"), Killed])
def test_no_keys_are_left_that_no_folder_names(tmp_path, monkeypatch, moment, how):
    """However a private run ends before its first round; after a kill it goes on, with keys."""
    keys, folder = tmp_path / "keys", tmp_path / "run"
    monkeypatch.setenv("MARKETPROOF_KEYS", str(keys))
    settings = config(methods=["local"], seeds=1, rounds=1, steps=1, dp_epsilon=8.0, dp_noise=2.0)
    real = key_files.create_keys

    def create(run: str, clients: int) -> list[bytes]:
        if moment == "before the keys":
            raise how
        made = real(run, clients)
        if moment == "with the keys":
            raise how
        return made

    def broken(*given, **named):
        raise how

    with monkeypatch.context() as patch:
        patch.setattr(key_files, "create_keys", create)
        patch.setattr("learning.trainer.Trainer", broken)
        with pytest.raises(Interrupted if how is KeyboardInterrupt else how if isinstance(how, type) else type(how)):
            run(settings, folder, Place("rows"), resume=False, quiet=True)
    left = [path.name for path in keys.glob("*")]
    if how is not Killed:
        assert not left
        assert not folder.exists()
        return
    assert set(left) <= {read_progress(folder).keys}
    run(settings, folder, Place("rows"), resume=True, quiet=True)
    assert not list(keys.iterdir())


@pytest.mark.parametrize("place", ["file/run", "/proc/nowhere/run"])
def test_a_place_that_cannot_be_written_is_told_before_anything_is_done(tmp_path, place):
    (tmp_path / "file").write_text("mine")

    def never(unit):
        raise AssertionError("nothing may be trained")

    with pytest.raises(InputError, match="name a place that can be written"):
        start(tmp_path / place, never)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_trying_to_write_leaves_nothing_behind(tmp_path):
    refuse_unwritable(tmp_path / "a" / "b", "run.json")
    (tmp_path / "kept.json").write_text("kept")
    refuse_unwritable(tmp_path, "kept.json")
    assert [path.name for path in tmp_path.iterdir()] == ["kept.json"]
    assert (tmp_path / "kept.json").read_text() == "kept"
    with pytest.raises(InputError, match="cannot write"):
        refuse_unwritable_file(tmp_path / "kept.json" / "run.json")
    with pytest.raises(InputError, match="is a folder"):
        refuse_unwritable_file(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    for fine in (None, tmp_path / "pipe", tmp_path / "a" / "run.json", Path("/dev/stdout")):
        refuse_unwritable_file(fine)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kept.json", "pipe"]


def test_an_occupied_folder_is_left_alone(cli, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("x")
    assert "is not empty" in cli("run", "--out", tmp_path / "mine").line()
    assert "is no folder" in cli("run", "--out", tmp_path / "mine" / "thesis.tex").line()
    assert [p.name for p in (tmp_path / "mine").iterdir()] == ["thesis.tex"]


def test_two_runs_do_not_write_to_one_folder(tmp_path):
    recorder = Recorder.start(tmp_path / "run", config())
    try:
        with pytest.raises(InputError, match="another run is writing"):
            Recorder.resume(tmp_path / "run", config())
    finally:
        recorder.close()
    Recorder.resume(tmp_path / "run", config()).close()
