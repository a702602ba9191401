"""A table of one's own on the command line: every owner takes part by name, or one line says what is missing."""

import json

import polars
import pytest
from polars.testing import assert_frame_equal

from marketproof.running.config import load_run

TEXT = "site,age,outcome\n" + "".join(
    f"{site},{k + 3 * (k % 2)},{'ill' if k % 2 else 'well'}\n"
    for site, rows in (("north", 30), ("east", 16), ("hill", 1), ("west", 20))
    for k in range(rows)
)
COLUMNS = ("--owner", "site", "--target", "outcome")


@pytest.fixture
def csv(tmp_path):
    path = tmp_path / "clinic.csv"
    path.write_text(TEXT)
    return path


def test_owners_train_trade_and_are_named(cli, csv, tmp_path):
    out, told = tmp_path / "run", tmp_path / "told.json"
    answer = cli(
        "run", "--data", csv, *COLUMNS, "--scale", "smoke", "--methods", "local,ipfl,ipfl-effective", "--out", out,
        "--json", told,
    )  # fmt: skip
    assert answer.status == 0, answer.err
    assert "Clients: 0 east, 1 hill, 2 north, 3 west" in answer.out
    assert json.loads((out / "manifest.json").read_text())["names"] == ["east", "hill", "north", "west"]
    summary = json.loads(told.read_text())
    assert summary["names"] == ["east", "hill", "north", "west"]
    page = (out / "report.html").read_text()
    assert "The clients are 0 east, 1 hill, 2 north, 3 west" in page
    assert any(f"{name} ends with" in page for name in summary["names"])
    assert not any(f"client {k} ends with" in page for k in range(4))
    words = [line for method in summary["audit"]["methods"].values() for line in method["words"]]
    paying = [sentence for sentence in words if sentence.startswith("A lie pays")]
    assert paying
    assert all(any(f"pays: {name}, whose" in sentence for name in summary["names"]) for sentence in paying)


@pytest.mark.usefixtures("undrawn")
def test_a_stopped_run_goes_on_with_the_same_table_only(cli, csv, tmp_path):
    out = tmp_path / "run"
    command = ("run", "--data", csv, *COLUMNS, "--scale", "smoke", "--methods", "local", "--out", out)
    assert cli(*command).status == 0
    assert cli(*command, "--resume").status == 0
    assert cli("run", "--out", out, "--resume").status == 0
    csv.write_text(TEXT.replace("hill", "dale"))
    assert "data.names" in cli(*command, "--resume").line()


@pytest.mark.usefixtures("undrawn")
def test_a_task_file_names_the_table_beside_it(cli, csv, tmp_path):
    task = tmp_path / "mine.toml"
    task.write_text(
        '[data]\nfile = "clinic.csv"\nowner = "site"\ntarget = "outcome"\n[split]\nkind = "owners"\n'
        '[model]\nname = "logistic"\n[market]\nlam = 0.1\neta = 5.0\ncost = 0.5\ngain = 2e3\n'
        "[scale.smoke]\nrounds = 1\nsteps = 2\n"
    )
    out = tmp_path / "run"
    answer = cli("run", task, "--scale", "smoke", "--methods", "fedavg", "--out", out)
    assert answer.status == 0, answer.err
    assert json.loads((out / "manifest.json").read_text())["data"]["clients"] == 4


def lambda_task(folder, said):
    """Write a task on the digits with three clients whose market says this."""
    (folder / "mine.toml").write_text(
        '[data]\ndataset = "digits"\nclients = 3\n[split]\nkind = "niid"\n[model]\nname = "mlp"\n'
        f"[market]\n{said}\neta = 5.0\ncost = 0.5\ngain = 2e3\n[scale.smoke]\nrounds = 2\nsteps = 2\n"
    )
    return folder / "mine.toml"


RULES = "ipfl/ipfl,ipfl/ipfl-exact,ipfl-effective/clock-price"


@pytest.mark.usefixtures("undrawn")
def test_lambda_of_each_client_stands_in_the_market_and_in_training_by_list_or_by_column(cli, tmp_path):
    (tmp_path / "costs.csv").write_text("client,lambda\n2,0\n0,2\n1,0.5\n")
    for name, said in (("one", "lam = 2.0"), ("same", "lambda = [2, 2, 2]"), ("own", "lambda = [2.0, 0.5, 0.0]"),
                       ("table", 'lam = 7.0\ncosts = "costs.csv"')):  # fmt: skip
        task = lambda_task(tmp_path, said)
        answer = cli("run", task, "--scale", "smoke", "--methods", RULES, "--out", tmp_path / name, "--quiet")
        assert answer.status == 0, answer.err

    def ledger(name):
        return polars.read_parquet(tmp_path / name / "ledger.parquet").drop("payment")

    assert_frame_equal(ledger("same"), ledger("one"))
    assert_frame_equal(ledger("own"), ledger("table"))
    own = ledger("own")
    assert set(own.filter(polars.col("importer") == 2)["penalty"]) <= {0.0}
    assert load_run(tmp_path / "own" / "config.toml").market.each_lam == [2.0, 0.5, 0.0]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("lambda = [1.0, 2.0]", "market.each_lam has 2 entries; expected 3, one for each client"),
        ("lambda = [1.0, 2.0, -3.0]", "each_lam"),
        ('lambda = [1.0, 2.0, "x"]', "each_lam"),
        ("lambda = 1.0\nlam = 1.0", "lam and lambda are one; expected either"),
        ("lam = [1.0, 1.0, 1.0]\neach_lam = [1.0, 1.0, 1.0]", "lam is a list, and so is each_lam"),
    ],
)
def test_a_lambda_that_is_none_of_each_client_is_one_line(cli, tmp_path, said, expected):
    out = tmp_path / "run"
    assert expected in cli("run", lambda_task(tmp_path, said), "--scale", "smoke", "--out", out).line()
    assert not out.exists()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--owner", "site"], "name that, too"),
        (["--data", "CSV"], "name it: target (--target COLUMN)"),
        (["--data", "CSV", "--target", "outcome"], "name the column: owner (--owner COLUMN)"),
        (["digits-niid", "--data", "CSV", *COLUMNS], "expected a task or --data, not both; drop 'digits-niid'"),
        (["--data", "CSV", *COLUMNS, "--clients", "3"], "has 4 owners, each a client; drop --clients"),
        (["--data", "CSV", "--owner", "sight", "--target", "outcome"], "no column 'sight' (owner)"),
        (["--data", "CSV", *COLUMNS, "--ignore", "ages"], "no column 'ages' (ignored)"),
        (["--data", "absent.csv", *COLUMNS], "cannot read 'absent.csv'"),
        (["--data", ".", *COLUMNS], "'.' holds files and folders; expected OWNER/CLASS/"),
    ],
)
def test_what_is_wrong_is_one_line_and_leaves_nothing(cli, csv, tmp_path, arguments, expected):
    out = tmp_path / "run"
    line = cli("run", *(str(csv) if a == "CSV" else a for a in arguments), "--out", out).line()
    assert expected in line
    assert not out.exists()


def test_names_that_cannot_be_shown_are_refused(cli, csv, tmp_path):
    csv.write_text(TEXT.replace("hill", "hi\x1b[2Jll"))
    assert "cannot be printed" in cli("run", "--data", csv, *COLUMNS, "--out", tmp_path / "run").line()


def test_a_class_that_cannot_be_tested_leaves_no_folder(cli, csv, tmp_path):
    csv.write_text(TEXT + "hill,3,unsure\n")
    line = cli("run", "--data", csv, *COLUMNS, "--scale", "smoke", "--out", tmp_path / "run").line()
    assert "nobody has two samples of class 'unsure'" in line
    assert not (tmp_path / "run").exists()


@pytest.mark.usefixtures("undrawn")
def test_any_name_that_can_be_printed_is_recorded(cli, csv, tmp_path):
    csv.write_text(TEXT.replace("hill", "😀 \\ Zürich"))
    out = tmp_path / "run"
    answer = cli("run", "--data", csv, *COLUMNS, "--scale", "smoke", "--methods", "local", "--no-audit", "--out", out)
    assert answer.status == 0, answer.err
    assert "😀 \\ Zürich" in load_run(out / "config.toml").data.names
