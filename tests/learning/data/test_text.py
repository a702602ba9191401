"""Records become tokens and targets; files of text are read in bounds or refused."""

import gzip
import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from learning.data.files import text as text_files
from learning.data.files.text import read_csv, read_json, read_jsonl, read_parquet, read_rows, read_text, texts
from learning.data.sets.instructions import IGNORED, Record, drawn, encode, prompt, tokens
from learning.errors import DataError
from learning.streams import stream
from tests.checks import memory_below, refused

REMEDY = "fetch it again"


class Bytes:
    """A token a byte."""

    pad, end, size = 256, 258, 259

    def encode(self, text):
        return list(text.encode())


class Words:
    """A token for each word and for each space or line end, numbered as they come."""

    pad, end, size = 0, 1, 1000

    def __init__(self):
        self.known = {}

    def encode(self, text):
        words = text.replace("\n", " \n ").split(" ")
        return [self.known.setdefault(word, len(self.known) + 2) for word in words if word]


PLAIN = Record("Add one to x.", "", "x + 1", 0)
PAIRED = Record("Add one to x.", "x = 1", "2", 0, True)


def answer_of(x, y):
    """Return the text that the targets spell, its end as a full stop, and check that each is the next token."""
    places = np.flatnonzero(y != IGNORED)
    np.testing.assert_array_equal(y[places], x[places + 1])
    assert (np.diff(places) == 1).all()
    return "".join("." if token == Bytes.end else chr(token) for token in y[places])


def test_the_template_has_a_form_with_and_one_without_input():
    assert prompt(PLAIN) == (
        "Below is an instruction that describes a task. Write a response that appropriately completes the request.\n\n"
        "### Instruction:\nAdd one to x.\n\n### Response:\n"
    )
    assert prompt(PAIRED) == (
        "Below is an instruction that describes a task, paired with an input that provides further context. "
        "Write a response that appropriately completes the request.\n\n"
        "### Instruction:\nAdd one to x.\n\n### Input:\nx = 1\n\n### Response:\n"
    )


def test_targets_are_the_next_tokens_of_the_answer_and_its_end_only():
    data = encode([PLAIN, PAIRED], Bytes(), 512)
    longest = len(prompt(PAIRED)) + 2
    assert data.train_x.shape == (1, longest)
    assert data.test_y.shape == (1, longest)
    assert answer_of(data.train_x[0], data.train_y[0]) == "x + 1."
    assert answer_of(data.test_x[0], data.test_y[0]) == "2."
    last = len(prompt(PLAIN)) - 1
    assert data.train_y[0][last] == ord("x")  # the last token of the prompt says the first of the answer
    used = len(prompt(PLAIN)) + 6
    assert bytes(data.train_x[0][: used - 1].tolist()).decode() == prompt(PLAIN) + "x + 1"
    assert (data.train_x[0][used:] == Bytes.pad).all()
    assert (data.train_y[0][used - 1 :] == IGNORED).all()
    assert (data.classes, data.strata) == (259, 1)
    assert data.shape == (longest,)


def test_sources_are_cells_and_groups():
    records = [replace(PLAIN, source=k % 2, test=k > 5) for k in range(10)]
    data = encode(records, Bytes(), 512)
    np.testing.assert_array_equal(data.groups, [0, 1, 0, 1, 0, 1])
    np.testing.assert_array_equal(data.train_strata, data.groups)
    np.testing.assert_array_equal(data.test_strata, [0, 0, 1, 1])
    with pytest.raises(DataError, match="expected both"):
        encode(records[:6], Bytes(), 512)
    with pytest.raises(DataError, match="no sample of"):
        encode([PLAIN, replace(PLAIN, test=True), replace(PLAIN, source=1)], Bytes(), 512)


@pytest.mark.parametrize("make", [Bytes, Words])
def test_what_is_too_long_loses_input_before_instruction_and_never_template_or_short_answer(make):
    coder = make()
    record = Record("Do this. " * 3, "given words " * 400, "neutral", 0)
    whole = tokens(record, coder, 100_000)
    cut, start = tokens(record, coder, 400)
    assert len(whole[0]) > 400
    assert 380 < len(cut) <= 400
    assert cut[start:] == [*coder.encode("neutral"), coder.end]
    close = coder.encode("\n\n### Response:\n")
    assert cut[start - len(close) : start] == close
    opening = coder.encode(prompt(record).split("given")[0].rstrip("\n"))
    assert cut[: len(opening)] == opening  # the instruction is whole

    long_instruction = Record("Do this now. " * 300, "", "neutral", 0)
    cut, start = tokens(long_instruction, coder, 400)
    assert 380 < len(cut) <= 400
    assert cut[start:] == [*coder.encode("neutral"), coder.end]


def test_a_long_answer_keeps_at_least_half_of_the_length():
    record = Record("Write a poem.", "", "line\n" * 500, 0)
    text, start = tokens(record, Bytes(), 512)
    assert len(text) == 512
    assert start == len(prompt(record))  # the prompt fits in its half: it stays whole
    assert bytes(text[start:]).decode() == record.output[: 512 - start]
    both = replace(record, input="given " * 500)
    text, start = tokens(both, Bytes(), 600)
    assert len(text) == 600
    assert 290 < start <= 300


def test_a_length_that_cannot_hold_the_template_is_refused():
    with refused(DataError, "cannot hold the template"):
        tokens(PAIRED, Bytes(), 120)


def test_texts_beyond_ascii_stay_whole_characters():
    text, start = tokens(Record("Say", "€" * 600, "é", 0), Bytes(), 512)
    assert bytes(text[start:-1]).decode() == "é"
    assert "€€€" in bytes(text[:start]).decode()


def test_a_draw_is_of_all_lengths_in_order_and_the_same_every_time():
    records = [replace(PLAIN, output="x" * (k + 1)) for k in range(1000)]
    some = drawn(records, 300, stream(1, "draw"))
    sizes = [len(record.output) for record in some]
    assert len(sizes) == 300
    assert sizes == sorted(sizes)
    assert abs(np.mean(sizes) - 500.5) < 4 * 289 / np.sqrt(300)  # not the short ones first
    assert some == drawn(records, 300, stream(1, "draw"))
    assert some != drawn(records, 300, stream(2, "draw"))
    assert drawn(records[:5], 300, stream(1, "draw")) == records[:5]


def unread(path, message):
    """What stands inside is refused in one line that names the file and what to do."""
    return refused(DataError, message, str(path), REMEDY)


@pytest.mark.parametrize(
    ("name", "data", "read", "message"),
    [
        ("a.json", b"{", read_json, "not JSON"),
        ("a.json", b"[" * 200_000, read_json, "nested too deeply"),
        ("a.json", b"\xff\xfe[]", read_json, "not UTF-8"),
        ("a.json", b"", read_json, "not JSON"),
        ("a.json.gz", gzip.compress(b"[1, 2, 3]" * 50, mtime=0)[:-9], read_json, "gzip"),
        ("a.json.gz", b"[1]", read_json, "gzip"),
        ("a.json.gz", gzip.compress(b"[1]" * 50, mtime=0)[:12] + b"\xff" * 20, read_json, "gzip"),
        ("a.jsonl", b'{"a": 1}\n{"a":\n', read_jsonl, "line 2 is not JSON"),
        ("a.json", b"[" + b"9" * 5000 + b"]", read_json, "not JSON"),
    ],
)  # fmt: skip
def test_damaged_json_is_refused_in_one_line(tmp_path, name, data, read, message):
    path = tmp_path / name
    path.write_bytes(data)
    with unread(path, message):
        read(path, REMEDY)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"text,other\nx,1\n", "no column 'label'"),
        (b"", "no column 'text' but none"),
        (b"text,label\nx\n", "line 2 has 1 values"),
        (b"text,label\nx,1,2\n", "line 2 has 3 values"),
        (b'text,label\n"x,1\n', "not CSV"),
        (b"text,label\n" + b"x" * 200_000 + b",1\n", "not CSV"),
        (b"text,label\nx\xe9,1\n", "not UTF-8"),
        (b"text,label\nx\0,1\n", r"not text \(a byte of value 0 at 12\)"),
    ],
    ids=["columns", "empty", "short", "long", "quote", "field", "latin", "nul"],
)
def test_damaged_csv_is_refused_in_one_line(tmp_path, data, message):
    path = tmp_path / "a.csv"
    path.write_bytes(data)
    with unread(path, message):
        read_csv(path, ("text", "label"), REMEDY)


def test_good_files_give_the_same_records_in_every_form(tmp_path):
    rows = [{"text": 'a "b",\nc', "label": "1"}, {"text": "é", "label": "2"}]
    frame = pl.DataFrame(rows)
    frame.write_csv(tmp_path / "a.csv")
    frame.with_columns(extra=1).write_parquet(tmp_path / "a.parquet")
    (tmp_path / "a.json").write_text(json.dumps(rows))
    (tmp_path / "a.json.gz").write_bytes(gzip.compress(json.dumps(rows).encode()))
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n\n")
    for name in ("a.csv", "a.parquet", "a.json", "a.json.gz", "a.jsonl"):
        assert read_rows(tmp_path / name, ("text", "label"), REMEDY) == rows, name


def test_damaged_parquet_is_refused_in_one_line(tmp_path, monkeypatch):
    path = tmp_path / "a.parquet"
    pl.DataFrame({"text": ["x" * 50] * 100, "label": ["1"] * 100}).write_parquet(path)
    good = path.read_bytes()
    for data in (b"", b"PAR1", good[: len(good) // 2], good[:40] + b"\xff" * 40 + good[80:], good[:-20] + b"\xff" * 20):
        path.write_bytes(data)
        with unread(path, "cannot be read as a parquet file"):
            read_parquet(path, ("text", "label"), REMEDY)
    path.write_bytes(good)
    with pytest.raises(DataError, match="no column 'news' but 'text', 'label'"):
        read_parquet(path, ("news",), REMEDY)
    for name, value, message in (
        ("MOST_ROWS", 99, "declares 100 rows"),
        ("MOST_CHARACTERS", 49, "text above 49"),
        ("MOST_BYTES", 10, "more than 10 bytes"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(text_files, name, value)
            with pytest.raises(DataError, match=message):
                read_parquet(path, ("text", "label"), REMEDY)


def test_records_that_are_none_are_refused(tmp_path):
    path = tmp_path / "a.json"
    for value, message in (
        ({}, "not a list of records"),
        ([1], "not a list of records"),
        ([{"a": 1}], "no column 'b'"),
    ):
        path.write_text(json.dumps(value))
        with unread(path, message):
            read_rows(path, ("b",), REMEDY)
    with pytest.raises(DataError, match="expected a text"):
        list(texts({"a": 3}, ("a",), "here", REMEDY))
    with pytest.raises(DataError, match="expected at most"):
        list(texts({"a": "x" * 100_001}, ("a",), "here", REMEDY))
    assert list(texts({"a": " x\ud800 "}, ("a",), "here", REMEDY)) == ["x?"]


def test_an_archive_that_would_unpack_to_much_more_is_not_unpacked(tmp_path):
    path = tmp_path / "bomb.json.gz"
    with gzip.open(path, "wb") as file:
        for _ in range(100):
            file.write(bytes(1 << 20))
    with memory_below(10 << 20), unread(path, "more than 1048576 bytes"):
        read_text(path, REMEDY, 1 << 20)


def test_a_missing_file_is_named(tmp_path):
    with unread(tmp_path / "absent.json", "cannot be read"):
        read_json(tmp_path / "absent.json", REMEDY)
