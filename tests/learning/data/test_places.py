"""Where data are looked for, and what is said where they are not."""

import pytest

from learning.data.files.places import Layout, find, hub
from learning.errors import DataError
from tests.checks import fresh, refused

LAYOUTS = (
    Layout("hub", ("data/train-*.parquet", "data/test.parquet"), ("owner/name",)),
    Layout("flat", ("one.npz",), ("", "sub")),
)


@pytest.fixture(autouse=True)
def no_folder_is_named(monkeypatch):
    monkeypatch.delenv("MARKETPROOF_DATA", raising=False)


def look(data_dir=None, **more):
    return find("Toys", data_dir, LAYOUTS, hub("owner/name"), **more)


def put(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    return path


def test_layouts_and_their_folders_are_tried_in_order(tmp_path):
    put(tmp_path / "sub" / "one.npz")
    assert look(tmp_path).folder == tmp_path / "sub"
    put(tmp_path / "one.npz")
    assert (look(tmp_path).folder, look(tmp_path).layout) == (tmp_path, "flat")
    shards = [put(tmp_path / "owner/name/data" / f"train-{k}.parquet") for k in (1, 0)]
    assert look(tmp_path).layout == "flat"  # the test file of the other layout is missing
    test = put(tmp_path / "owner/name/data/test.parquet")
    found = look(tmp_path)
    assert (found.folder, found.layout) == (tmp_path / "owner/name", "hub")
    assert found.files == ((shards[1], shards[0]), (test,))


def test_a_folder_that_is_named_is_the_only_one_looked_into(tmp_path, monkeypatch):
    """A wrong --data-dir is an error: other data than those asked for are never taken instead."""
    system, named, given = tmp_path / "system", tmp_path / "named", tmp_path / "given"
    put(system / "one.npz")
    given.mkdir()
    assert look(system=[system]).folder == system
    monkeypatch.setenv("MARKETPROOF_DATA", str(named))
    assert look(system=[system]).folder == system
    put(named / "one.npz")
    assert look(system=[system]).folder == named
    with pytest.raises(DataError, match="does not hold Toys"):
        look(given, system=[system])
    put(given / "one.npz")
    assert look(given, system=[system]).folder == given


def test_the_exact_command_is_named_in_one_line(tmp_path, monkeypatch):
    spaced = tmp_path / "my data"
    command = f"hf download owner/name --repo-type dataset --local-dir '{spaced}/owner/name'"
    with refused(DataError, "", f"{spaced} does not exist", command):
        look(spaced)
    words = ("nowhere (does not exist)", "apt-get install toys", "--local-dir data/owner/name", "--data-dir data")
    with refused(DataError, "", *words):
        look(system=[tmp_path / "nowhere"], package="apt-get install toys")
    monkeypatch.setenv("MARKETPROOF_DATA", str(tmp_path))
    with refused(DataError, "", f"--local-dir {tmp_path}/owner/name"):
        look()


def test_of_a_part_of_the_files_the_missing_ones_are_named(tmp_path, monkeypatch):
    put(tmp_path / "owner/name/data/test.parquet")
    with pytest.raises(DataError, match=r"only a part of Toys: \S+owner/name lacks data/train-\*\.parquet; fetch"):
        look(tmp_path)
    monkeypatch.setenv("MARKETPROOF_DATA", str(tmp_path))
    with pytest.raises(DataError, match=r"not on this machine \(\S+owner/name lacks data/train-\*\.parquet\); fetch"):
        look()


def test_a_file_in_the_place_of_a_folder_is_not_data(tmp_path):
    put(tmp_path / "file")
    with pytest.raises(DataError, match="does not exist"):
        look(tmp_path / "file")


def test_names_and_places_come_without_torch():
    fresh("import learning.data.files.places, sys; assert not {'torch', 'polars', 'PIL'} & set(sys.modules)")
