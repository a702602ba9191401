"""Clients from Parquet, listed pairs and vectors: the same market as in tables, and one line for what is wrong."""

import json

import numpy as np
import polars as pl
import pytest

from marketproof.files import long_tables
from marketproof.files.long_tables import DIFFERENCE, SAMPLES, listed_pairs, parquet_clients
from marketproof.files.market_tables import read_clients

CLIENTS = {"client": ["a", "b", "c"], "size": [100, 300, 300], "cost": [0.0, 1.1, 1.0], "gain": [3600, 0, 0]}


@pytest.fixture
def written(tmp_path):
    def write(columns, name="clients.parquet"):
        path = tmp_path / name
        frame = pl.DataFrame(columns, strict=False)
        if name.endswith("csv"):
            frame.write_csv(path)
        else:
            frame.write_parquet(path)
        return path

    return write


def test_parquet_holds_what_a_table_holds(written):
    others = {"gain": CLIENTS["gain"], "Size": CLIENTS["size"], "cost": CLIENTS["cost"], "CLIENT": [7, 8, 9]}
    found = parquet_clients(written({**others, "more": [1, 2, 3]}))
    assert found.names == ("7", "8", "9")
    table = read_clients(written(CLIENTS, "clients.csv"))
    for one in (found, table):
        for column in ("size", "cost", "gain"):
            assert getattr(one, column).tolist() == CLIENTS[column]


@pytest.mark.parametrize(
    ("column", "values", "words"),
    [
        ("size", [100, 0, 300], "row 2, column 'size': 0 does not fit; write a number above 0"),
        ("cost", [0.0, float("nan"), 1.0], "row 2, column 'cost': nan does not fit"),
        ("gain", [1, 2, None], "row 3, column 'gain': is empty"),
        ("gain", ["1", "2", "3"], "column gain holds String; expected numbers"),
        ("client", ["a", "b", "a"], "row 3, column 'client': 'a' stands already in row 1"),
        ("client", ["a", "", "c"], "row 2, column 'client': the client has no name"),
        ("client", ["a", "b\x1b[2J", "c"], "holds characters that cannot be printed"),
        ("client", ["a", "b" * 101, "c"], "is 101 characters long"),
        ("client", ["a", "b" * 10_000, "c"], "a client's name is longer than 100 characters"),
        ("client", [1.5, 2.5, 3.5], "column client holds Float64; expected names or whole numbers"),
        ("size", None, "column size is missing; expected client, size, cost, gain"),
    ],
)
def test_wrong_parquet_is_told_in_one_line(written, cli, column, values, words):
    columns = {name: values if name == column else given for name, given in CLIENTS.items()}
    assert words in cli("clear", written({name: given for name, given in columns.items() if given is not None})).line()


def test_damaged_parquet_and_too_many_clients(written, cli, tmp_path, monkeypatch):
    path = written(CLIENTS)
    monkeypatch.setattr(long_tables, "BYTES_A_CLIENT", 2**50)
    assert "need" in (line := cli("clear", path).line())
    assert "GiB of memory" in line
    path.write_bytes(path.read_bytes()[:-20])
    assert "clients.parquet cannot be read" in cli("clear", path).line()


@pytest.mark.parametrize("form", ["pairs.csv", "pairs.parquet"])
def test_listed_pairs_are_the_matrix_that_they_list(written, cli, tmp_path, form):
    table = written(CLIENTS, "clients.csv")
    pairs = written({"exporter": ["b", "c", "a"], "importer": ["a", "b", "b"], "difference": [0.25, 2.0, 0.0]}, form)
    samples = written({"importer": ["a", "a"], "exporter": ["b", "c"], "samples": [200, 0.5]}, f"e-{form}")
    found = listed_pairs(pairs, ("a", "b", "c"), DIFFERENCE, 0.5)
    np.testing.assert_array_equal(found.rows(0, 3), [[0, 0.25, 0.5], [0, 0, 2.0], [0.5, 0.5, 0]])
    np.testing.assert_array_equal(listed_pairs(samples, ("a", "b", "c"), SAMPLES).rows(0, 1), [[0, 200, 0.5]])
    (tmp_path / "d.csv").write_text("client,a,b,c\na,0,0.25,0.5\nb,0,0,2\nc,0.5,0.5,0\n")
    (tmp_path / "e.csv").write_text("client,a,b,c\na,0,200,0.5\nb,0,0,0\nc,0,0,0\n")
    answers = []
    for d, e, more in ((pairs, samples, ("--unlisted", "0.5")), (tmp_path / "d.csv", tmp_path / "e.csv", ())):
        given = ("--differences", d, "--effective", e, "--json", tmp_path / "told.json", *more)
        assert cli("clear", table, *given, "--lam", "0.1").status == 0
        answers.append(json.loads((tmp_path / "told.json").read_text()))
    assert answers[0] == answers[1]
    assert "the effective sizes and the model differences given" in answers[0]["audit"]["scope"]


@pytest.mark.parametrize("form", ["pairs.csv", "pairs.parquet"])
@pytest.mark.parametrize(
    ("importer", "exporter", "difference", "words"),
    [
        (["a", "b"], ["b", "x"], [1.0, 1.0], "'x' is no client of the client table"),
        (["a", "a"], ["b", "b"], [1.0, 1.0], "'a' and 'b' are listed twice"),
        (["a", "b"], ["b", "b"], [1.0, 1.0], "'b' is listed with itself"),
        (["a", "b"], ["b", "a"], [1.0, 2.5], "2.5"),
    ],
)
def test_wrong_pairs_are_told_in_one_line(written, cli, form, importer, exporter, difference, words):
    pairs = written({"importer": importer, "exporter": exporter, "difference": difference}, form)
    assert words in cli("clear", written(CLIENTS), "--differences", pairs).line()


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.ones((2, 4)), "holds 2 rows of 4 numbers; expected one row for each of the 3 clients"),
        (np.ones(3), "holds no numbers [clients, dimensions]"),
        (np.array([["a"], ["b"], ["c"]]), "holds no numbers [clients, dimensions]"),
        (np.array([{}, {}, {}]), "expected a .npy file as numpy.save writes it"),
        (np.array([[1.0], [0.0], [1.0]]), "the vector of client 1 is zero or not finite"),
    ],
)
def test_wrong_vectors_are_told_in_one_line(written, cli, tmp_path, array, words):
    np.save(tmp_path / "v.npy", array)
    assert words in cli("clear", written(CLIENTS), "--vectors", tmp_path / "v.npy").line()


def test_vectors_and_differences_contradict(written, cli, tmp_path):
    line = cli("clear", written(CLIENTS), "--vectors", "v.npy", "--differences", "d.csv").line()
    assert "leave one out" in line
    assert "--unlisted is for" in cli("clear", written(CLIENTS), "--unlisted", "0.5").line()
    assert "cannot read" in cli("clear", written(CLIENTS), "--vectors", tmp_path / "none.npy").line()
