"""Tables that strangers wrote: one line that names file, row, column, value and remedy; never a traceback."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketproof.files import csv_input
from marketproof.files.market_tables import read_clients
from mechanism.errors import InputError
from tests.marketproof.conftest import command

HEADER = b"client,size,cost,gain\n"

WRONG = {
    "empty": (b"", "is empty"),
    "blank": (b"\n \n\n", "is empty"),
    "no rows": (HEADER, "holds no client"),
    "binary": (HEADER + b"a,\x00,1,1\n", "row 2: holds a NUL byte"),
    "utf-16": ("client,size,cost,gain\na,1,1,1\n".encode("utf-16"), "NUL byte"),
    "latin-1": (HEADER + b"\xe9t\xe9,1,1,1\n", "row 2: byte 0xe9 is not UTF-8"),
    "missing column": (b"client,size,cost\na,1,1\n", "column 'gain' is missing"),
    "misspelt column": (b"client,size,cost,gian\na,1,1,1\n", "column 'gain' is missing; did you mean 'gian'?"),
    "extra column without a name": (HEADER[:-1] + b",\na,1,1,1,x\n", "row 1, column 5: the column has no name"),
    "extra column twice": (HEADER[:-1] + b",x,x\na,1,1,1,1,1\n", "column 'x' stands twice"),
    "escape in a column": (HEADER[:-1] + b",\x1b[2J\na,1,1,1,1\n", "cannot be printed"),
    "double column": (b"client,size,size,gain\na,1,1,1\n", "column 'size' stands twice"),
    "double in capitals": (b"client,size,Size,gain\na,1,1,1\n", "column 'Size' stands twice"),
    "comma and point": (
        b"client;size;cost;gain\na;1.5;1,5;1\n",
        "row 2: '1,5' has a decimal comma, and '1.5' in row 2",
    ),
    "thousands": (b"client;size;cost;gain\na;1.234,5;1;1\n", "column 'size': '1.234,5' is not a number"),
    "two separators": (b"client;size,cost;gain\na;1,1;1\n", "column 'size' is missing"),
    "other rows": (b"client;size;cost;gain\na,1,1,1\n", "row 2: has 1 cells, too short"),
    "unequal tabs": (b"client\tsize\tcost\tgain\na\t1\t1\n", "row 2: has 3 cells, too short"),
    "one more wrong": (HEADER + b"a,1,x,1\nb,1,1,y\n", "row 2, column 'cost': 'x' is not a number; write"),
    "short row": (HEADER + b"a,1,1,1\nb,1,1\n", "row 3: has 3 cells, too short"),
    "long row": (HEADER + b"a,1,1,1,1\n", "row 2: has 5 cells, too long"),
    "twice": (HEADER + b"a,1,1,1\nb,1,1,1\na,1,1,1\n", "row 4, column 'client': 'a' stands already in row 2"),
    "no name": (HEADER + b",1,1,1\n", "row 2, column 'client': the client has no name"),
    "escape in name": (HEADER + b"\x1b[31mred,1,1,1\n", "cannot be printed"),
    "newline in name": (HEADER + b'"a\nb",1,1,1\n', "cannot be printed"),
    "long name": (HEADER + b"x" * 101 + b",1,1,1\n", "101 characters long"),
    "text": (HEADER + b"a,1,one,1\n", "row 2, column 'cost': 'one' is not a number"),
    "empty cell": (HEADER + b"a,,1,1\n", "row 2, column 'size': is empty"),
    "nan": (HEADER + b"a,1,NaN,1\n", "'NaN' is not a finite number"),
    "inf": (HEADER + b"a,1,1,-Infinity\n", "'-Infinity' is not a finite number"),
    "negative": (HEADER + b"a,1,-0.5,1\n", "row 2, column 'cost': '-0.5' is negative"),
    "zero size": (HEADER + b"a,0,1,1\n", "row 2, column 'size': '0' is too small"),
    "tiny size": (HEADER + b"a,1e-300,1,1\n", "too small"),
    "huge": (HEADER + b"a,1,1,1e16\n", "row 2, column 'gain': '1e16' is too large"),
    "overflow": (HEADER + b"a,1e999,1,1\n", "'1e999' is too large"),
    "underscore": (HEADER + b"a,1_000,1,1\n", "'1_000' is not a number"),
    "decimal comma": (HEADER + b'a,1,"1,5",1\n', "with a point instead of the comma"),
    "other digits": (HEADER + "a,١,1,1\n".encode(), "is not a number"),
    "hexadecimal": (HEADER + b"a,0x10,1,1\n", "is not a number"),
    "open quote": (HEADER + b'a,"1,1,1\n', "is no CSV"),
    "long value": (HEADER + b"a," + b"9" * 5000 + b",1,1\n", "…' is too large"),
    "endless field": (HEADER + b"a," + b"x" * 200_000 + b",1,1\n", "is no CSV"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_client_table(cli, tmp_path, name):
    content, expected = WRONG[name]
    file = tmp_path / "clients.csv"
    file.write_bytes(content)
    line = cli("clear", file, "--out", tmp_path / "out").line()
    assert expected in line
    assert "clients.csv" in line
    assert line.isprintable()
    assert not (tmp_path / "out").exists()


GOOD_CLIENTS = b"client,size,cost,gain\na,100,1,5000\nb,200,1,5000\nc,300,1,0\n"

WRONG_DIFFERENCES = {
    "first column": (b"name,a,b,c\na,0,1,1\nb,1,0,1\nc,1,1,0\n", "the first column is 'name'"),
    "unknown column": (b"client,a,b,x\na,0,1,1\nb,1,0,1\nc,1,1,0\n", "'x' is no client"),
    "missing column": (b"client,a,b\na,0,1\nb,1,0\nc,1,1\n", "no column for 'c'"),
    "double column": (b"client,a,b,b\na,0,1,1\nb,1,0,1\nc,1,1,0\n", "'b' has two columns"),
    "unknown row": (b"client,a,b,c\na,0,1,1\nx,1,0,1\nc,1,1,0\n", "row 3, column 'client': 'x' is no client"),
    "missing row": (b"client,a,b,c\na,0,1,1\nb,1,0,1\n", "no row for 'c'"),
    "double row": (b"client,a,b,c\na,0,1,1\na,0,1,1\nc,1,1,0\n", "'a' stands already in row 2"),
    "short row": (b"client,a,b,c\na,0,1,1\nb,1,0\nc,1,1,0\n", "row 3: has 3 cells, too short"),
    "above two": (b"client,a,b,c\na,0,2.1,1\nb,1,0,1\nc,1,1,0\n", "row 2, column 'b': '2.1' is too large"),
    "negative": (b"client,a,b,c\na,0,-1e-6,1\nb,1,0,1\nc,1,1,0\n", "row 2, column 'b': '-1e-6' is negative"),
    "comma and point": (b"client;a;b;c\na;0;.5;1\nb;0,5;0;1\nc;1;1;0\n", "row 3: '0,5' has a decimal comma, and '.5'"),
    "diagonal": (b"client,a,b,c\na,0,1,1\nb,1,.5,1\nc,1,1,0\n", "row 3, column 'b': '.5' on the diagonal"),
    "nan": (b"client,a,b,c\na,0,nan,1\nb,1,0,1\nc,1,1,0\n", "not a finite number"),
}


@pytest.mark.parametrize("name", WRONG_DIFFERENCES)
def test_wrong_table_of_differences(cli, tmp_path, name):
    content, expected = WRONG_DIFFERENCES[name]
    clients, file = tmp_path / "clients.csv", tmp_path / "d.csv"
    clients.write_bytes(GOOD_CLIENTS)
    file.write_bytes(content)
    line = cli("clear", clients, "--differences", file).line()
    assert expected in line
    assert "d.csv" in line


@pytest.mark.parametrize(
    ("rows", "end"),
    [
        (b"a,1,x,1\nb,1,1,1\n", "(money per exported model)"),
        (b"a,1,x,1\nb,1,-1,1\n", "; and 1 more cell is wrong"),
        (b"a,1,x,1\na,1,-1,nan\n", "; and 3 more cells are wrong"),
        (b"a,1,x,y\n" + b"".join(b"b%d,z,1,1\n" % k for k in range(2000)), "; and at least 1000 more cells are wrong"),
    ],
)
def test_the_first_wrong_cell_is_named_and_the_others_counted(cli, tmp_path, rows, end):
    file = tmp_path / "clients.csv"
    file.write_bytes(HEADER + rows)
    line = cli("clear", file).line()
    assert "row 2, column 'cost': 'x' is not a number" in line
    assert line.endswith(end)


def test_wrong_cells_of_a_table_of_differences_are_counted_in_the_order_of_reading(cli, tmp_path):
    clients, file = tmp_path / "clients.csv", tmp_path / "d.csv"
    clients.write_bytes(GOOD_CLIENTS)
    file.write_bytes(b"client,a,b,c\na,0,3,1\nx,9,9,9\nc,1,,1\n")
    line = cli("clear", clients, "--differences", file).line()
    assert "row 2, column 'b': '3' is too large" in line
    assert line.endswith("; and 3 more cells are wrong")  # the name x, the empty cell, the diagonal


def test_rounding_of_differences_is_clipped(cli, tmp_path):
    clients, file = tmp_path / "clients.csv", tmp_path / "d.csv"
    clients.write_bytes(GOOD_CLIENTS)
    file.write_bytes(b"client,a,b,c\na,1e-10,2.0000000005,-1e-10\nb,1,0,1\nc,1,1,-1e-10\n")
    assert cli("clear", clients, "--differences", file).status == 0


def test_missing_files_and_folders(cli, tmp_path):
    assert "cannot read" in cli("clear", tmp_path / "none.csv").line()
    assert "cannot read" in cli("clear", tmp_path).line()


def test_bounds_on_bytes_and_rows(cli, tmp_path, monkeypatch):
    file = tmp_path / "clients.csv"
    file.write_bytes(HEADER + b"".join(b"c%d,1,1,1\n" % k for k in range(6)))
    between = tmp_path / "d.csv"
    between.write_bytes(b"client,c0,c1,c2,c3,c4,c5\n" + b"".join(b"c%d,0,0,0,0,0,0\n" % k for k in range(6)))
    monkeypatch.setattr(csv_input, "MOST_CLIENTS", 5)
    assert cli("clear", file).status == 0
    assert "row 7: more than 5 clients" in cli("clear", file, "--differences", between).line()
    with pytest.raises(InputError, match="larger than 0 MiB"):
        csv_input.read_text(file, largest=10)


def test_an_endless_file_is_not_read_to_its_end(cli):
    assert "larger than 64 MiB" in cli("clear", "/dev/zero").line()


def answers(content: bytes, differences: bytes | None = None) -> None:
    """Clear hostile bytes: status 0 or 2, exactly one line on 2, nothing written on 2."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "c.csv").write_bytes(content)
        arguments = ["clear", folder / "c.csv", "--json", folder / "o.json", "--out", folder / "o"]
        if differences is not None:
            (folder / "d.csv").write_bytes(differences)
            arguments += ["--differences", folder / "d.csv"]
        answer = command(*arguments)
        assert answer.status in (0, 2), (answer.out, answer.err)
        assert "Traceback" not in answer.err
        if answer.status == 2:
            assert answer.line().isprintable()
            assert not (folder / "o.json").exists()
            assert not (folder / "o").exists()
        else:
            assert answer.err == ""
            assert (folder / "o.json").exists()


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300), st.booleans())
def test_random_bytes(content, with_header):
    answers(HEADER + content if with_header else content)


CELL = st.one_of(
    st.sampled_from(["0", "1", "1e15", "1e-9", "-0", "-1", "nan", "", " 2 ", "1e-320", "0.1", "1e16", '"', "a", "\t"]),
    st.floats(0, 1e15).map(repr),
    st.text(max_size=4),
)
ROW = st.one_of(
    st.tuples(st.sampled_from("abcdef"), CELL, CELL, CELL).map(",".join), st.lists(CELL, max_size=6).map(",".join)
)
NUMERIC_ROW = st.tuples(
    st.floats(1e-9, 1e15), st.one_of(st.just(0.0), st.floats(0, 1e15)), st.one_of(st.just(0.0), st.floats(0, 1e15))
)


@settings(max_examples=150, deadline=None)
@given(st.lists(ROW, max_size=6))
def test_random_tables(rows):
    answers(("client,size,cost,gain\n" + "\n".join(rows)).encode("utf-8", "surrogatepass"))


@settings(max_examples=60, deadline=None)
@given(st.lists(NUMERIC_ROW, min_size=1, max_size=4), st.integers(0, 2**32), st.booleans())
def test_every_table_inside_the_bounds_is_cleared(rows, key, with_differences):
    """No number that is accepted brings a warning or an infinity out of the arithmetic."""
    names = "abcd"[: len(rows)]
    lines = [f"{name},{a!r},{b!r},{c!r}" for name, (a, b, c) in zip(names, rows, strict=True)]
    content = "\n".join(["client,size,cost,gain", *lines])
    draw = random.Random(key)
    lines = [f"{i}," + ",".join("0" if i == j else repr(2 * draw.random()) for j in names) for i in names]
    d = "\n".join([f"client,{','.join(names)}", *lines]).encode() if with_differences else None
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "c.csv").write_text(content)
        (folder / "d.csv").write_bytes(d or b"")
        extra = ["--differences", folder / "d.csv"] if with_differences else []
        answer = command("clear", folder / "c.csv", "--json", folder / "o.json", *extra)
        assert (answer.status, answer.err) == (0, "")
        assert read_clients(folder / "c.csv").size.tolist() == [row[0] for row in rows]


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_random_bytes_as_differences(content):
    answers(GOOD_CLIENTS, b"client,a,b,c\n" + content)
