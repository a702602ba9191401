"""Tables as offices write them: semicolons, decimal commas, more columns, blank rows, workbooks; hostile ones too."""

import csv
import io
import json
import zipfile

import pytest

from analysis.playground.state import PlayState, clients_text
from mechanism.errors import InputError
from mechanism.spreadsheets import read_sheet, sheets

ROWS = [("buyer", "100", "0", "3600"), ("dear", "300", "1.1", "0"), ("cheap", "300", "1.0", "0")]
COLUMNS = ("client", "size", "cost", "gain")


def result(cli, file, *arguments):
    told = file.with_suffix(".json")
    answer = cli("clear", file, *arguments, "--json", told)
    assert answer.status == 0, answer.err
    return json.loads(told.read_text())


@pytest.fixture
def plain(cli, table):
    return result(cli, table(*map(",".join, ROWS)))


@pytest.mark.parametrize("separator", [";", "\t", "|"])
@pytest.mark.parametrize("comma", [False, True])
def test_other_separators_and_decimal_commas_are_seen(cli, tmp_path, plain, separator, comma):
    file, d = tmp_path / "a.csv", tmp_path / "d.csv"
    text = "\n".join(separator.join(row) for row in [COLUMNS, *ROWS])
    file.write_text(text.replace(".", ",") if comma else text)
    assert result(cli, file) == plain
    rows = [("client", "buyer", "dear", "cheap"), ("buyer", "0", "0.5", "1"), ("dear", "0.5", "0", "1"),
            ("cheap", "1", "1", "0")]  # fmt: skip
    d.write_text("\n".join(map(",".join, rows)))
    told = result(cli, file, "--differences", d)
    text = "\n".join(separator.join(row) for row in rows)
    d.write_text(text.replace(".", ",") if comma else text)
    assert result(cli, file, "--differences", d) == told != plain


def test_blank_rows_are_skipped_and_other_columns_kept(cli, tmp_path, plain):
    file = tmp_path / "a.csv"
    lines = ["client,city,size,cost,gain,paid,,", *(f"{n},ul. {n},{s},{c},{g},-,," for n, s, c, g in ROWS)]
    file.write_text("\n".join([lines[0], ",,,,,,,", lines[1], "  ", *lines[2:], ",,,,,,,", ""]))
    told = result(cli, file, "--out", tmp_path / "out")
    assert told.pop("extra") == {"city": ["ul. buyer", "ul. dear", "ul. cheap"], "paid": ["-"] * 3}
    assert told == plain
    accounts = list(csv.DictReader(io.StringIO((tmp_path / "out/accounts.csv").read_text())))
    assert [row["city"] for row in accounts] == ["ul. buyer", "ul. dear", "ul. cheap"]
    assert [(float(row["paid"]), row["paid (given)"]) for row in accounts] == [(1.1, "-"), (0, "-"), (0, "-")]


def test_the_playgrounds_own_table_is_read(cli, tmp_path):
    file = tmp_path / "a.csv"
    file.write_text(clients_text(PlayState()))
    assert list(result(cli, file)["extra"]) == ["angle"]


def test_a_workbook_is_not_read_without_openpyxl(cli, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "openpyxl", None)
    file = tmp_path / "a.xlsx"
    file.write_bytes(b"PK")
    assert 'pip install "marketproof[xlsx]"' in cli("clear", file).line()


@pytest.fixture
def workbook(tmp_path):
    pytest.importorskip("openpyxl")

    def write(*rows, name="a.xlsx"):
        path = tmp_path / name
        path.write_bytes(sheets({"clients": rows, "other": [("x",)]}))
        return path

    return write


def test_a_workbook_in_and_out(cli, workbook, tmp_path, plain):
    rows = [(name, int(size), float(cost), int(gain), "=1+1") for name, size, cost, gain in ROWS]
    file = workbook((*COLUMNS, "note"), (), rows[0], (None, None), *rows[1:])
    told = result(cli, file, "--xlsx", tmp_path / "out.xlsx")
    assert told.pop("extra") == {"note": ["=1+1"] * 3}  # a text in the one and in the other
    assert told == plain
    accounts = list(read_sheet(tmp_path / "out.xlsx"))
    assert accounts[0] == ["client", "gain", "cost", "paid", "received", "utility", "note"]
    assert [row[-1] for row in accounts[1:]] == ["=1+1"] * 3
    assert float(accounts[1][3]) == 1.1


def edited(content: bytes, part: str, edit) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as before, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as after:
        for entry in before.infolist():
            text = before.read(entry)
            after.writestr(entry.filename, edit(text) if entry.filename == part else text)
    return file.getvalue()


SHEET = "xl/worksheets/sheet1.xml"
LAUGH = b'<!DOCTYPE x [<!ENTITY a "ha">' + b"".join(
    b'<!ENTITY %c "%s">' % (98 + k, b"&%c;" % (97 + k) * 20) for k in range(8)
) + b"]>"  # fmt: skip
HOSTILE = {
    "no archive": (lambda content: b"client,size", "cannot be read as a workbook"),
    "empty": (lambda content: b"", "cannot be read as a workbook"),
    "cut off": (lambda content: content[:-200], "cannot be read as a workbook"),
    "no sheet": (lambda content: edited(content, SHEET, lambda text: b"<x"), "cannot be read as a workbook"),
    "a bomb": (lambda content: edited(content, SHEET, lambda text: text + b" " * (5 << 20)), "expected at most"),
    "laughs": (
        lambda content: edited(content, SHEET, lambda text: LAUGH + text.replace(b"gain", b"&i;")),
        "cannot be read as a workbook",
    ),
    "a far cell": (
        lambda content: edited(content, SHEET, lambda text: text.replace(b'<row r="2"', b'<row r="999999999999"')),
        "holds no client",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_workbooks_are_one_line(cli, workbook, tmp_path, monkeypatch, name):
    monkeypatch.setattr("mechanism.spreadsheets.LARGEST_WORKBOOK", 1 << 20)
    file = workbook(COLUMNS, ("a", 1, 1, 1))
    change, expected = HOSTILE[name]
    file.write_bytes(change(file.read_bytes()))
    line = cli("clear", file, "--out", tmp_path / "out").line()
    assert expected in line, line
    assert line.isprintable()
    assert not (tmp_path / "out").exists()


def test_rows_that_a_sheet_only_declares_are_not_made(workbook, tmp_path):
    file = workbook(COLUMNS, ("a", 1, 1, 1))
    huge = b'<dimension ref="A1:XFD1048576"/><sheetData>'
    file.write_bytes(edited(file.read_bytes(), SHEET, lambda text: text.replace(b"<sheetData>", huge)))
    assert len(list(read_sheet(file))) == 2


def test_workbooks_are_bounded_in_bytes(workbook, monkeypatch):
    file = workbook(COLUMNS)
    monkeypatch.setattr("mechanism.spreadsheets.LARGEST_WORKBOOK", 100)
    with pytest.raises(InputError, match="larger than"):
        list(read_sheet(file))
