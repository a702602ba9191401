"""`replay` of code under another name, and of folders."""

import json

import pytest

from tests.marketproof.conftest import rules

RULES = (
    rules(third_price="wins * np.sort(bids, axis=1)[:, [0]]", pay_nothing="0 * bids")
    + """
@single_parameter(agents=3)
def reserve(bids):
    wins = (np.arange(bids.shape[1]) == bids.argmax(axis=1)[:, None]) & (bids >= 0.5)
    return wins, wins * np.maximum(0.5, np.sort(bids, axis=1)[:, [-2]])
"""
)


@pytest.fixture(scope="module")
def found(cli, tmp_path_factory):
    """A folder with rules.py, its copy renamed.py, third.json, and the witnesses in folder/."""
    folder = tmp_path_factory.mktemp("found")
    for name in ("rules.py", "renamed.py"):
        (folder / name).write_text(RULES)
    asked = ("--property", "dsic", "--property", "budget-balance", "--budget", 4)
    told = ("--json", folder / "third.json", "--witnesses", folder / "folder", "--quiet")
    assert cli("verify", f"{folder / 'rules.py'}:third_price", *asked, *told).status == 0
    return folder


def test_another_rule_than_the_witness_names_is_said(cli, found):
    answer = cli("replay", found / "third.json", f"{found / 'rules.py'}:reserve", "--json", found / "out.json")
    shown = " ".join(answer.out.split())
    heading = "he witness is about 'rules.py:third_price'; replayed under 'rules.py:reserve' as asked"
    assert answer.status == 1
    assert shown.startswith(f"T{heading}.")
    assert "under rules.py:third_price" not in shown
    assert "dsic under rules.py:reserve: the witness says: " in shown
    assert answer.err.startswith(f"marketproof: t{heading}; not reproduced: ")
    told = json.loads((found / "out.json").read_text())
    assert {(w["mechanism"], w["replayed"]) for w in told["witnesses"]} == {
        ("rules.py:third_price", "rules.py:reserve")
    }
    assert told["reproduced"] is False


def test_a_renamed_file_of_the_same_rule_replays_and_says_so(cli, found):
    answer = cli("replay", found / "third.json", f"{found / 'renamed.py'}:third_price")
    assert (answer.status, answer.err) == (0, "")
    assert "replayed under 'renamed.py:third_price' as asked" in " ".join(answer.out.split())


def test_under_its_own_name_nothing_is_said(cli, found):
    answer = cli("replay", found / "third.json", f"{found / 'rules.py'}:third_price")
    assert answer.status == 0
    assert "as asked" not in answer.out


def test_a_witness_made_in_python_bears_the_rule_without_its_file(cli, found):
    told = json.loads((found / "folder" / "dsic.json").read_text())
    from proofs_checks import Witness

    plain = Witness.from_dict({**told, "mechanism": "third_price", "digest": ""})
    (found / "plain.json").write_text(json.dumps(plain.to_dict()))
    answer = cli("replay", found / "plain.json", f"{found / 'rules.py'}:third_price")
    assert answer.status == 0
    assert "as asked" not in answer.out


def test_a_folder_is_replayed_whole_and_in_order(cli, found):
    own = f"{found / 'rules.py'}:third_price"
    answer = cli("replay", found / "folder", own, "--json", found / "all.json")
    assert (answer.status, answer.err) == (0, "")
    witnesses = json.loads((found / "all.json").read_text())["witnesses"]
    assert [w["property"] for w in witnesses] == ["budget-balance", "dsic"]


def test_a_folder_with_one_that_does_not_reproduce_exits_1(cli, found, tmp_path):
    for name in ("budget-balance", "dsic"):
        told = json.loads((found / "folder" / f"{name}.json").read_text())
        if name == "dsic":
            told["violation"] += 1e-3
        (tmp_path / f"{name}.json").write_text(json.dumps(told))
    answer = cli("replay", tmp_path, f"{found / 'rules.py'}:third_price")
    assert answer.status == 1
    assert answer.err.count("not reproduced") == 1
    assert "dsic.json: the violation is" in answer.err
    assert answer.out.count("reproduced to the bit") == 1


def test_folders_that_hold_no_witness_are_one_line(cli, found, tmp_path):
    assert "holds no .json file" in cli("replay", tmp_path).line()
    (tmp_path / "other.json").write_text("[]")
    assert "witness" in cli("replay", tmp_path).line()
    witness = found / "folder" / "dsic.json"
    assert "would overwrite" in cli("replay", found / "folder", "--json", witness).line()


def test_the_folder_of_a_run_stands_for_its_audit(cli, tmp_path):
    (tmp_path / "audit.json").write_text('{"methods": {}}')
    (tmp_path / "other.json").write_text("no JSON")
    assert "no lie was found to pay in that run" in cli("replay", tmp_path).line()
