"""Clients read data of their own as was agreed on before: all mean the same by a number, no server learns a cell."""

import json
from dataclasses import replace

import numpy as np
import pytest

from learning.data.agreed import Agreed
from learning.data.own.one_owner import one_owner
from learning.errors import DataError, LearningError
from learning.federation.client import Client
from learning.federation.loading import Wishes, _trusted, own_file
from learning.federation.messages import SLACK, Hello, Refused, Start, decode, encode
from learning.federation.share import layout_digest
from learning.models.network import Layout
from learning.plan import LearningPlan

TABLE = Agreed.of(
    {
        "classes": ["no", "yes"], "target": "bought", "columns": [["age", 0, 100], ["sex", "f", "m"]], "size": 0,
        "channels": 0,
    }
)  # fmt: skip
PLAN = LearningPlan(dataset="own", split="owners", clients=2, model="mlp", steps=2, batch=8, agreed=TABLE)
ROWS = ["name,age,sex,bought", *(f"n{k},{20 + k},{'fm'[k % 2]},{'no' if k % 3 else 'yes'}" for k in range(30))]
IMAGES = replace(TABLE, target="", columns=(), size=8, channels=1)


@pytest.fixture
def table(tmp_path):
    def write(rows=ROWS, name="mine.csv"):
        (tmp_path / name).write_text("\n".join(rows) + "\n")
        return tmp_path / name

    return write


def start(plan=PLAN):
    return Start("r", 1, 2, "bob", "ipfl", 0, json.loads(json.dumps(plan.to_dict())))


def greeted(client, plan=PLAN):
    return decode(client.answer(encode(start(plan))), SLACK, Hello, Refused)[0]


def test_an_agreement_travels_in_the_plan_and_comes_back_as_it_was():
    assert LearningPlan(**start().plan) == PLAN
    assert "agreed" not in replace(PLAN, agreed=None).to_dict()


def test_columns_are_read_by_constants_and_others_play_no_part(table):
    """The same cell is the same number whoever holds it, whatever else its table has."""
    found = one_owner(str(table()), TABLE)
    whole = np.concatenate([found.train_x, found.test_x])
    assert found.shape == (3,)
    assert sorted(whole[:, 0].tolist()) == pytest.approx([(20 + k) / 100 for k in range(30)])
    assert (whole[:, 1:].sum(axis=1) == 1).all()
    alone = one_owner(str(table([ROWS[0], "x,90,m,yes", "y,90,m,yes", "z,10,f,no", "z,10,f,no"], "other.csv")), TABLE)
    assert {tuple(row) for row in alone.train_x.tolist()} == {
        (np.float32(0.9).item(), 0.0, 1.0), (np.float32(0.1).item(), 1.0, 0.0),
    }  # fmt: skip
    assert set(zip((alone.train_x[:, 0] * 10).round().tolist(), alone.train_y.tolist(), strict=True)) == {
        (9.0, 1),
        (1.0, 0),
    }


def test_parquet_says_the_same_as_csv(table, tmp_path):
    import polars as pl

    path = table()
    pl.read_csv(path).write_parquet(tmp_path / "mine.parquet")
    one, other = one_owner(str(path), TABLE), one_owner(str(tmp_path / "mine.parquet"), TABLE)
    assert np.array_equal(one.train_x, other.train_x)
    assert np.array_equal(one.test_y, other.test_y)


def test_arrays_name_their_classes_and_may_bring_a_test_set(tmp_path):
    y = np.array(["no", "yes"] * 6)
    np.savez(tmp_path / "mine.npz", x=np.eye(12), y=y, x_test=np.eye(12)[:2], y_test=y[:2])
    found = one_owner(str(tmp_path / "mine.npz"), replace(TABLE, target="", columns=()))
    assert len(found.train_y) == 12
    assert found.test_y.tolist() == [0, 1]
    numbers = replace(TABLE, classes=("0", "1"), target="", columns=())
    np.savez(tmp_path / "floats.npz", x=np.eye(12), y=np.arange(12) % 2)
    assert set(one_owner(str(tmp_path / "floats.npz"), numbers).train_y.tolist()) == {0, 1}


def test_a_folder_of_images_has_the_size_and_channels_that_were_agreed_on(tmp_path):
    from PIL import Image

    for label in ("no", "yes"):
        (tmp_path / "mine" / label).mkdir(parents=True)
        for k in range(5):
            Image.new("RGB", (20, 10), (k * 40, 0, 0)).save(tmp_path / "mine" / label / f"{k}.png")
    grey, colour = (one_owner(str(tmp_path / "mine"), replace(IMAGES, channels=n)) for n in (1, 3))
    assert (grey.shape, colour.shape) == ((1, 8, 8), (3, 8, 8))
    assert grey.scale == 1 / 255
    assert len(grey.train_y) == 8
    with pytest.raises(DataError, match="of how many channels"):
        one_owner(str(tmp_path / "mine"), replace(IMAGES, channels=0))


def test_texts_and_ones_own_function_are_read(tmp_path):
    for label in ("no", "yes"):
        (tmp_path / "texts" / label).mkdir(parents=True)
        for k in range(4):
            (tmp_path / "texts" / label / f"{k}.txt").write_text(f"{label} word{k}")
    plain = replace(TABLE, target="", columns=())
    assert one_owner(str(tmp_path / "texts"), plain).shape == (1024,)
    (tmp_path / "mine.py").write_text(
        "import numpy as np\ndef data():\n    return np.eye(8), np.array(['no', 'yes'] * 4)\n"
    )
    assert one_owner(f"{tmp_path}/mine.py:data", plain).shape == (8,)


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda rows: [*rows, "z,30,x,yes"], "row 32, column 'sex': 'x' is none of the words agreed on"),
        (lambda rows: [*rows, "z,30,f,perhaps"], "row 32: 'perhaps' is none of the classes agreed on: 'no', 'yes'"),
        (lambda rows: [*rows, "z,old,f,yes"], "row 32, column 'age': 'old' is not a number"),
        (lambda rows: [*rows, "z,,f,yes"], "is empty"),
        (lambda rows: [row.replace("age", "years") for row in rows], "has no column 'age'"),
        (lambda rows: [row.replace("bought", "sold") for row in rows], "has no column 'bought'"),
        (lambda rows: [rows[0], "a,1,f,no", "a,2,f,no", "a,3,f,yes"], "class 'yes' has one sample only"),
    ],
)
def test_what_is_not_as_agreed_is_told_here_and_not_to_the_server(table, change, line):
    client = Client(own_file(table(change(ROWS))))
    refused = greeted(client)
    assert isinstance(refused, Refused)
    assert refused.reason == "its own data are not as the task says that they are read"
    assert line in client.refused
    assert "\n" not in client.refused


def test_clients_of_one_agreement_fit_each_other(table, tmp_path):
    few = [ROWS[0], *(f"x,{k},f,{'yes' if k % 2 else 'no'}" for k in range(10))]  # nobody of sex m
    one, other = (greeted(Client(own_file(path))) for path in (table(), table(few, "few.csv")))
    for name in ("layout", "parameters", "shape", "classes", "scale", "shift"):
        assert getattr(one, name) == getattr(other, name)


def test_a_task_that_says_nothing_takes_files_that_do(table):
    refused = greeted(Client(own_file(table())), replace(PLAN, agreed=None))
    assert "expected [data] classes in it" in refused.reason


@pytest.mark.parametrize(
    "told",
    [
        {"classes": ["a"]}, {"classes": ["a", "a"]}, {"classes": ["a", 3]}, {"classes": 3},
        {"columns": [["x", 1, 0]]},
        {"columns": [["x", 0, float("inf")]]}, {"columns": [["x", 0, float("nan")]]}, {"columns": [[]]},
        {"columns": [["x", 0, 1], ["x", 0, 1]]}, {"columns": [["x", "w"]]}, {"columns": [["x", "w", 1]]},
        {"target": ""},
        {"columns": []},
        {"size": 10**6}, {"channels": 2}, {"size": "8"}, {"more": 1}, {"columns": [["bought", 0, 1]]},
        {"columns": [["x", 10**400, 1]]}, {"columns": [[["x"], 0, 1]]}, {"target": ["a"]},
        {"classes": ["a" * 200, "b"]},
    ],
)  # fmt: skip
def test_what_is_no_agreement_is_refused_in_a_line(told):
    whole = {"classes": ["no", "yes"], "target": "bought", "columns": [["age", 0, 100]], "size": 0, "channels": 0}
    with pytest.raises(DataError) as refused:
        Agreed.of(whole | told)
    assert "\n" not in str(refused.value)


def test_a_language_models_folder_is_the_clients_own_copy(tmp_path):
    """A server's path is not opened; whether the copies are the same is in the digest that all must agree on."""
    plan = LearningPlan(dataset="finance", model="lora", base_model="/srv/model", split="mixed", clients=2)
    told = Start("r", 0, 2, "a", "ipfl", 0, plan.to_dict())
    with pytest.raises(LearningError, match="name your own copy: join --base-model DIR"):
        own_file(tmp_path / "x.csv", Wishes())(told)
    assert _trusted(told, Wishes(base_model="mine")).base_model == "mine"
    row = Layout(("w",), ((3, 2),))
    tiny = replace(plan, base_model="tiny")
    assert layout_digest(row, tiny) != layout_digest(row, PLAN)


def test_a_servers_list_of_rows_is_not_opened(table):
    plan = replace(PLAN, dataset="digits", split_file="/etc/passwd", agreed=None)
    assert "names a file of this machine" in greeted(Client(own_file(table())), plan).reason
