"""A table of one's own: whose row is whose, what is standardised, what is tested on, and some thirty hostile files."""

import io

import numpy as np
import polars as pl
import pytest

from learning.data import OwnTable
from learning.data.own.samples import Owners
from learning.data.sets.own import own, owners
from learning.data.splits import split
from learning.errors import DataError

ROWS = [
    ("b", 1.0, "red", "ill"), ("b", 2.0, "red", "ill"), ("b", 3.0, "blue", "well"), ("b", 4.0, "blue", "well"),
    ("a", 5.0, "red", "ill"), ("a", 6.0, "blue", "ill"), ("c", 7.0, "blue", "well"),
]  # fmt: skip
TEXT = "site,age,colour,outcome\n" + "".join(f"{a},{b},{c},{d}\n" for a, b, c, d in ROWS)


@pytest.fixture
def table(tmp_path):
    def make(content: str | bytes = TEXT, name: str = "t.csv", **columns) -> OwnTable:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return OwnTable(str(path), **{"owner": "site", "target": "outcome", **columns})

    return make


def test_owners_are_counted_in_order_of_their_names(table):
    assert owners(table()) == Owners({"a": 2, "b": 4, "c": 1}, {}, 7)
    few = {"c": "1 sample, fewer than 2"}
    assert owners(table(least=2)) == Owners({"a": 2, "b": 4}, few, 6)
    assert own(table(least=2)).groups.tolist() == [1, 1, 0]


def test_rows_are_their_owners_and_what_is_tested_on_is_apart(table):
    data = own(table())
    # a and b have one row of each of their classes for training, one for testing; c's only row is trained on
    assert data.groups.tolist() == [1, 1, 0, 2]
    assert data.classes == 2
    assert data.train_y.tolist() == [0, 1, 0, 1]
    # tested on: a's and b's own cells, and b's row of class well again for c, who has none
    assert sorted(zip(data.test_strata.tolist(), data.test_y.tolist(), strict=True)) == [(0, 0), (1, 0), (2, 1), (3, 1)]
    assert np.array_equal(data.test_x[2], data.test_x[3])
    assert data.train_strata.tolist() == [1, 2, 0, 3]


def test_numbers_are_standardised_over_training_rows_and_words_become_features(table):
    data = own(table())
    assert data.train_x.shape == (4, 3)  # age, blue, red
    assert data.train_x[:, 0].mean() == pytest.approx(0, abs=1e-6)
    assert data.train_x[:, 0].std() == pytest.approx(1, abs=1e-6)
    assert (data.train_x[:, 1:].sum(1) == 1).all()
    alone = own(table(ignored=("colour",)))
    assert np.array_equal(alone.train_x, data.train_x[:, :1])


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (TEXT.replace(",", ";"), "semicolons.csv"),
        (TEXT.replace(",", ";").replace(".0", ",0"), "decimal_commas.csv"),
        (TEXT.replace(",", "\t"), "tabs.csv"),
        (TEXT.replace(",", "\t").replace(".0", ",0"), "tabs_and_commas.csv"),
        ("\ufeff" + TEXT.replace("\n", "\r\n"), "from_windows.csv"),
        (TEXT.replace("a,5", " a , 5"), "spaces.csv"),
        (TEXT + "\n,,,\n", "blank_rows.csv"),
        (TEXT.replace("\n", "\r"), "from_an_old_mac.csv"),
        (TEXT.replace("red", '"red"'), "quoted.csv"),
    ],
)
def test_the_same_table_written_otherwise(table, content, name):
    assert own(table(content, name)).digest() == own(table()).digest()


def test_parquet_is_the_same(table):
    body = io.BytesIO()
    pl.DataFrame(ROWS, schema=["site", "age", "colour", "outcome"], orient="row").write_parquet(body)
    assert own(table(body.getvalue(), "t.parquet")).digest() == own(table()).digest()
    body = io.BytesIO()
    frame = pl.DataFrame(ROWS, schema=["site", "age", "colour", "outcome"], orient="row")
    frame.with_columns(pl.col("site", "colour").cast(pl.Categorical)).write_parquet(body)  # as pandas' categories
    assert own(table(body.getvalue(), "t.parquet")).digest() == own(table()).digest()


def test_classes_that_are_numbers_are_in_their_order(table):
    text = TEXT.replace("ill", "10").replace("well", "9")
    assert own(table(text)).train_y.tolist() == [1, 0, 1, 0]


def test_each_owner_is_a_client_however_small(table):
    data = own(table())
    members = split("owners", data.train_y, 3, 2, np.random.default_rng(0), groups=data.groups)
    assert [m.tolist() for m in members] == [[2], [0, 1], [3]]
    with pytest.raises(DataError, match="3 owners for 4 clients; take 3"):
        split("owners", data.train_y, 4, 2, np.random.default_rng(0), groups=data.groups)


HOSTILE: list[tuple[str | bytes, dict[str, object], str]] = [
    ("", {}, "cannot be read"),
    ("site,age,colour,outcome\n", {}, "0 rows"),
    (TEXT, {"owner": "sit"}, r"no column 'sit' \(owner\).*'site'"),
    (TEXT, {"target": "x"}, r"no column 'x' \(target\)"),
    (TEXT, {"ignored": ("x",)}, r"no column 'x' \(ignored\)"),
    (TEXT, {"target": "site"}, "expected different columns"),
    (TEXT, {"ignored": ("age", "colour")}, "at least one more as a feature"),
    (TEXT.replace("c,7", ",7"), {}, "row 8, column 'site': is empty"),
    (TEXT.replace("6.0", ""), {}, "row 7, column 'age': is empty"),
    (TEXT.replace("6.0", "nan"), {}, "row 7, column 'age': 'nan' is not finite"),
    (TEXT.replace("6.0", "-inf"), {}, "row 7, column 'age': '-inf' is not finite"),
    (TEXT.replace("6.0", "1e300"), {}, "'1e300' is not finite, or beyond 1e[+]30"),
    (TEXT.replace(",", ";").replace("6.0", "6,0"), {}, "column 'age' has numbers with a decimal comma and others"),
    (TEXT.replace("6.0", "six"), {}, "row 7, column 'age': 'six' is not a number, as most"),
    (TEXT.replace("\nb", "\n\nb", 1).replace("6.0", "six"), {}, "row 8, column 'age'"),
    (TEXT.replace("well", "ill"), {}, "1 different value as target; expected 2 to 100 classes"),
    (TEXT, {"target": "age", "ignored": ("outcome",)}, "so it cannot be tested"),
    (TEXT.replace("b,", "a,").replace("c,", "a,"), {}, "names one owner"),
    (TEXT.replace("age,colour", "age,age"), {}, "'age' stands twice"),
    (TEXT.replace("age,colour", "age,"), {}, "column number 3 has no name"),
    (TEXT.replace("6.0", "6.0,7"), {}, "cannot be read"),
    (TEXT.replace("6.0,blue", "6.0"), {}, "is empty|cannot be read"),
    (TEXT.replace("red", '"red'), {}, "cannot be read|is empty|1 row"),
    (b"PK\x03\x04" + b"\0" * 200, {}, "row 1: holds a byte of value 0"),
    (b"\xff\xfe" + TEXT.encode("utf-16-le"), {}, "row 1: is not UTF-8"),
    (TEXT.encode().replace(b"red", b"r\xe9d"), {}, "row 2: is not UTF-8"),
    (b"\0" * 1000, {}, "row 1: holds a byte of value 0"),
    (TEXT.replace("c,7", "c\0,7"), {}, "row 8: holds a byte of value 0"),
    (TEXT.replace("site", "si\rte", 1), {}, "row 1: new-line character seen in unquoted field"),
    ("s" * 200_000 + TEXT, {}, "row 1: field larger than field limit"),
    ("site,outcome\na,1\nb,2\n", {}, "2 columns; expected"),
    ("site outcome\na 1\n", {}, "it has 'site outcome'"),
    ("site,a,outcome\n" + "".join(f"s{k % 2},w{k},{k % 3}\n" for k in range(60)), {}, "60 different words"),
    ("site,a,outcome\n" + "".join(f"s{k % 2},{k},c{k}\n" for k in range(101)), {}, "101 different values"),
    (b"PAR1" + b"\0" * 100 + b"PAR1", {"name": "t.parquet"}, "cannot be read as a table"),
    ("not parquet", {"name": "t.parquet"}, "cannot be read as a table"),
]


@pytest.mark.parametrize(("content", "how", "expected"), HOSTILE)
def test_what_is_wrong_is_one_line(table, content, how, expected):
    with pytest.raises(DataError, match=expected) as told:
        own(table(content, **how))
    assert "\n" not in str(told.value)


def test_lists_in_parquet_are_refused(table):
    body = io.BytesIO()
    pl.DataFrame({"site": list("aabb"), "x": [[1]] * 4, "outcome": list("uuvv")}).write_parquet(body)
    with pytest.raises(DataError, match=r"column 'x' holds List.*ignore it"):
        own(table(body.getvalue(), "t.parquet", ignored=()))


def test_a_small_parquet_file_of_very_many_cells_is_not_unpacked(table):
    body = io.BytesIO()
    pl.DataFrame({"site": ["a"]}).select(pl.col("site").repeat_by(40_000_000).explode()).with_columns(
        pl.lit(1).alias("x"), pl.lit("u").alias("outcome")
    ).write_parquet(body)
    assert len(body.getvalue()) < 1_000_000
    with pytest.raises(DataError, match="declares 120000000 cells"):
        own(table(body.getvalue(), "t.parquet"))


def test_places_that_are_no_files(tmp_path):
    for path in (tmp_path / "absent.csv", "/dev/null"):
        with pytest.raises(DataError, match=r"cannot (be )?read|no column"):
            own(OwnTable(str(path), "a", "b"))


def test_a_workbook_is_the_same(table):
    pytest.importorskip("openpyxl")
    from mechanism.spreadsheets import sheets

    head = ("site", "age", "colour", "outcome")
    told = table(sheets({"rows": [head, *ROWS[:3], (), *ROWS[3:]]}), "t.xlsx")
    assert own(told).digest() == own(table()).digest()
    with pytest.raises(DataError, match="row 3: has a cell beyond the last column"):
        own(table(sheets({"rows": [head, ROWS[0], (*ROWS[1], 7)]}), "t.xlsx"))
