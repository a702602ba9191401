"""Who has which sample of a data set of ours, as a file says: trained so, named so, and refused in one line."""

import json

import numpy as np
import pytest

from learning.data.sets.digits import digits
from learning.plan import LearningPlan
from learning.trainer import Trainer
from marketproof.running.config import load_run

ROWS = {"ann": range(40), "bob": range(40, 47), "cat": range(60, 200)}
TEXT = "row,client\n" + "".join(f"{row},{name}\n" for name, rows in ROWS.items() for row in rows)
RUN = ("--scale", "smoke", "--methods", "local,ipfl", "--quiet")


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "split.csv").write_text(TEXT)
    return tmp_path / "split.csv"


@pytest.mark.usefixtures("undrawn")
def test_clients_hold_what_the_file_says_and_the_record_names_it(cli, file):
    answer = cli("run", "digits-niid", "--split", "split.csv", *RUN, "--out", "run")
    assert answer.status == 0, answer.err
    config, manifest = (
        load_run(file.parent / "run" / "config.toml"),
        json.loads((file.parent / "run/manifest.json").read_text()),
    )
    assert (config.data.split_file, config.split.kind, config.data.names) == ("split.csv", "owners", [*ROWS])
    assert len(config.code["split.csv"]) == 64
    assert manifest["names"] == [*ROWS]
    assert any("the split's file does not name" in line for line in manifest["left_out"])
    sizes = json.loads((file.parent / "run/summary.json").read_text())
    assert sizes["names"] == [*ROWS]
    assert cli("run", "digits-niid", "--split", "split.csv", *RUN, "--out", "run", "--resume").status == 0
    file.write_text(TEXT.replace("ann", "bob", 1))
    assert (
        "code.split.csv" in cli("run", "digits-niid", "--split", "split.csv", *RUN, "--out", "run", "--resume").line()
    )


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("names", [["ann", "bob", "cat"], ["0", "1", "2"]])
def test_a_task_names_it_as_table_or_arrays_and_both_are_the_same(cli, file, names):
    rows = np.concatenate([list(rows) for rows in ROWS.values()])
    whose = np.repeat(names, [len(rows) for rows in ROWS.values()])
    np.savez(file.parent / "split.npz", row=rows, client=whose.astype(int) if names[0] == "0" else whose)
    plan = LearningPlan(clients=3, split="owners", split_file="split.npz")
    with Trainer(plan, "local", backend="rows") as trainer:
        assert trainer.sizes.tolist() == [40, 7, 140]
        assert trainer.names == (() if names[0] == "0" else tuple(names))
        tensors = trainer._backend.work.tensors
        for k, own in enumerate(ROWS.values()):
            assert trainer._backend.work.members(k).tolist() == list(own)
        assert len(tensors["train_y"]) == len(digits().train_y)
    task = file.parent / "mine.toml"
    task.write_text('split = "split.npz"\n[data]\ndataset = "digits"\n[model]\nname = "mlp"\n[market]\nlam = 1.0\n'
                    "eta = 5.0\n"
                    "cost = 0.5\ngain = 2e3\n[scale.smoke]\nrounds = 1\nsteps = 2\n")  # fmt: skip
    assert cli("run", task, *RUN, "--out", "run").status == 0
    assert load_run(file.parent / "run" / "config.toml").data.clients == 3


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("row,owner\n1,a\n2,b\n", "columns 'row', 'owner'; expected row and client"),
        ("row,client\n1,a\n1,b\n", "split.csv, row 3, column 'row': 1 stands twice; a sample has one client"),
        ("row,client\n1,a\n2,\n", "split.csv, row 3, column 'client': is empty; say whose sample 2 is"),
        ("row,client\n1,a\n-2,b\n", "column 'row': '-2'; expected the number of a sample, from 0"),
        ("row,client\n1,a\n1.5,b\n", "column 'row': '1.5'; expected the number of a sample, from 0"),
        ("row,client\n1,a\n99999,b\n", "split.csv names row 99999; digits has rows 0 to"),
        ("row,client\n1,a\n2,a\n", "'split.csv' divides among 1 client; expected 2 to 1000"),
        ("row,client\n1,a\n", "split.csv holds 1 row and 1 client; expected as many, 2 to"),
        ("row,client\n1,a\n2,\x1b[2J\n", "cannot be printed"),
        ("\x00\x00", "split.csv"),
    ],
)
def test_a_hostile_file_is_one_line_and_leaves_nothing(cli, file, text, told):
    file.write_text(text)
    assert told in cli("run", "digits-niid", "--split", "split.csv", *RUN, "--out", "run").line()
    assert not (file.parent / "run").exists()


def test_other_ways_to_say_it_wrongly_are_one_line(cli, file):
    run = ("run", "digits-niid", *RUN, "--out", "run")
    assert "expected 5 of --clients: drop that" in cli(*run, "--split", "split.csv", "--clients", "5").line()
    assert "a --split that is no file belong to --data" in cli(*run, "--split", "niid").line()
    assert "cannot read 'absent.csv'" in cli(*run, "--split", "absent.csv").line()
    np.savez(file.parent / "split.npz", row=np.arange(4.0), client=np.arange(4))
    assert "'row' is 4 of float64; expected N of whole numbers" in cli(*run, "--split", "split.npz").line()
    assert not (file.parent / "run").exists()
