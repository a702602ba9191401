"""Data of one's own that are no single table: arrays, folders, a function; costs, tests, who joins; hostile ones."""

import io
import json
import os
import struct
import zipfile
import zlib

import numpy as np
import pytest
from PIL import Image

from analysis.run.files import market_file
from analysis.run.records import read_market
from learning.data import OwnTable
from learning.data.sets.own import own, owners
from learning.data.sets.shakespeare import LEAST
from learning.errors import DataError
from marketproof.running.config import load_run
from marketproof.running.populations import Attendance

pytestmark = pytest.mark.usefixtures("quick")
DRAW = np.random.default_rng(0)
OWNERS = ("ann", "bob", "cat")


def arrays(each: int = 12, shape: tuple[int, ...] = (4,), images: bool = False) -> dict[str, np.ndarray]:
    """Three owners of samples of two classes, told apart by their first number."""
    n = len(OWNERS) * each
    y = np.arange(n) % 2
    x = DRAW.normal(size=(n, *shape))
    x.reshape(n, -1)[:, 0] += 4 * y
    x = (x * 20 + 100).clip(0, 255).astype(np.uint8) if images else x
    return {"x": x, "y": np.where(y == 1, "ill", "well"), "owner": np.repeat(OWNERS, each)}


def picture(size: tuple[int, int] = (9, 7), mode: str = "RGB", value: int = 0) -> bytes:
    body = io.BytesIO()
    Image.new(mode, size, value if mode in ("1", "L", "LA", "I;16") else (value, 0, 0)).save(body, "PNG")
    return body.getvalue()


def put(path, content: bytes | str):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def npz(path, **told):
    np.savez_compressed(path, **told)
    return path


def pictures(root, **given):
    for owner in OWNERS:
        for label, value in (("cat", 0), ("dog", 200)):
            for k in range(3):
                put(root / owner / label / f"{k}.png", picture(value=value + k, **given))
    return root


def run(cli, *arguments, out, methods="local,fedavg"):
    return cli("run", "--scale", "smoke", "--rounds", "1", "--methods", methods, "--quiet", "--out", out, *arguments)


def recorded(out):
    return json.loads((out / "manifest.json").read_text())


def test_arrays_of_a_file_and_of_a_function_are_the_same(cli, tmp_path):
    told = arrays()
    npz(tmp_path / "d.npz", **told)
    np.savez(tmp_path / "plain.npz", **told)
    put(tmp_path / "mine.py", "import numpy as np\ndef dataset():\n    return dict(np.load(__file__[:-7] + 'd.npz'))\n"
        "def three():\n    d = dataset()\n    return d['x'], d['y'], d['owner']\n")  # fmt: skip
    digests = {
        own(OwnTable(str(tmp_path / name))).digest()
        for name in ("d.npz", "plain.npz", "mine.py:dataset", "mine.py:three")
    }
    assert len(digests) == 1
    out = tmp_path / "run"
    assert run(cli, "--data", f"{tmp_path}/mine.py:dataset", out=out).status == 0
    assert recorded(out)["names"] == list(OWNERS)
    assert list(load_run(out / "config.toml").code) == [f"{tmp_path}/mine.py"]
    answer = run(cli, "--data", tmp_path / "d.npz", "--least", "13", out=tmp_path / "few")
    assert "has 0 owners with 13 samples; expected 2" in answer.line()


def test_images_of_arrays_are_scaled_and_floats_are_as_they_are(tmp_path):
    grey = own(OwnTable(str(npz(tmp_path / "a.npz", **arrays(shape=(6, 5), images=True)))))
    assert (grey.shape, grey.train_x.dtype, grey.scale) == ((1, 6, 5), np.uint8, 1 / 255)
    told = arrays(shape=(3, 2))
    plain = own(OwnTable(str(npz(tmp_path / "b.npz", **told))))
    assert (plain.shape, plain.train_x.dtype, plain.scale) == ((3, 2), np.float32, 1.0)
    seen = np.concatenate([plain.train_x, plain.test_x])
    assert sorted(seen[:, 0, 0].tolist()) == sorted(told["x"].astype(np.float32)[:, 0, 0].tolist())


def test_a_rule_divides_whoever_the_owners_are(cli, tmp_path):
    told = arrays(40)
    del told["owner"]
    out = tmp_path / "run"
    path = npz(tmp_path / "d.npz", **told)
    assert run(cli, "--data", path, "--split", "niid", "--clients", "4", out=out).status == 0
    assert (recorded(out)["clients"], recorded(out)["names"]) == (4, [])
    assert "whose each sample is" in run(cli, "--data", path, out=tmp_path / "other").line()
    csv = put(tmp_path / "t.csv", "who,x,y\n" + "".join(f"p{k},{k},{k % 2}\n" for k in range(90)))
    rule = ("--data", csv, "--target", "y", "--split", "skew", "--clients", "3", "--owner", "who")
    assert run(cli, *rule, out=tmp_path / "table").status == 0
    assert own(OwnTable(str(csv), "", "y", ("who",), by_rule=True)).shape == (1,)


def test_a_table_says_whose_each_sample_is(cli, tmp_path):
    told = arrays()
    whole = npz(tmp_path / "whole.npz", **told)
    owner = told.pop("owner")
    path, out = npz(tmp_path / "d.npz", **told), tmp_path / "run"
    split = put(tmp_path / "split.csv", "row;owner\n" + "".join(f"{k};{who}\n" for k, who in enumerate(owner)))
    assert own(OwnTable(str(path), split=str(split))).digest() == own(OwnTable(str(whole))).digest()
    assert run(cli, "--data", path, "--split", split, out=out).status == 0
    assert recorded(out)["names"] == list(OWNERS)
    for text, expected in (
        ("owner,x\nann,1\n", "has 1 row; expected 36"),
        ("who,x\nann,1\n", "has no column 'owner' but 'who'"),
        ("owner,x\nann,1\n,1\n", "row 3, column 'owner': is empty"),
    ):
        put(split, text)
        assert expected in run(cli, "--data", path, "--split", split, out=tmp_path / "no").line()
    assert "cannot read" in run(cli, "--data", path, "--split", "absent.csv", out=tmp_path / "no").line()
    folder = ("--data", pictures(tmp_path / "photos"), "--split", split)
    assert "says whose each sample is" in run(cli, *folder, out=tmp_path / "no").line()


def test_images_of_a_folder_become_a_network_s_samples(cli, tmp_path):
    root = pictures(tmp_path / "photos")
    put(root / "ann" / "cat" / ".DS_Store", "x")
    data = own(OwnTable(str(root)))
    assert data.shape == (3, 32, 32)
    assert {int(v) // 200 for v in data.train_x[data.train_y == 1, 0, 5, 5]} == {1}
    assert owners(OwnTable(str(root))).samples == dict.fromkeys(OWNERS, 6)
    assert own(OwnTable(str(pictures(tmp_path / "grey", mode="L")))).shape == (1, 28, 28)
    assert own(OwnTable(str(pictures(tmp_path / "clear", mode="LA")))).shape == (1, 28, 28)
    assert own(OwnTable(str(root), size=12)).shape == (3, 12, 12)
    out = tmp_path / "run"
    assert run(cli, "--data", root, "--test", pictures(tmp_path / "tests"), out=out, methods="fedavg").status == 0
    assert recorded(out)["names"] == list(OWNERS)


def test_texts_by_class_and_by_owner(cli, tmp_path):
    for owner in OWNERS:
        for label, words in (("spam", "buy now cheap"), ("ham", "see you tomorrow")):
            for k in range(3):
                put(tmp_path / "mail" / owner / label / f"{k}.txt", f"{words} Grüße {k}")
    data = own(OwnTable(str(tmp_path / "mail")))
    assert data.shape == (1024,)
    np.testing.assert_allclose(np.linalg.norm(data.train_x, axis=1), 1, atol=1e-6)
    for owner, text in (("ann", "to be or not "), ("bob", "all the world "), ("cat", "brief ")):
        put(tmp_path / "plays" / owner / "a.txt", text * (10 if owner == "cat" else 1 + LEAST // len(text)))
    out = tmp_path / "run"
    answer = cli("run", "--data", tmp_path / "plays", "--scale", "smoke", "--steps", "1", "--rounds", "1", "--methods",
                 "local", "--out", out)  # fmt: skip
    assert answer.status == 0, answer.err
    assert "note: left out cat: 59 characters, fewer than 2000" in answer.err
    assert recorded(out)["names"] == ["ann", "bob"]
    assert recorded(out)["data"]["left_out"] == ["cat: 59 characters, fewer than 2000"]


HEADER = "x,y\n"


def test_a_folder_of_tables_is_an_owner_a_file(tmp_path):
    for k, owner in enumerate(OWNERS):
        put(tmp_path / "t" / f"{owner}.csv", HEADER + f"{k},a\n{k + 5},b\n,\n{k},a\n{k + 5},b\n")
    put(tmp_path / "test.csv", "y,x\na,1\nb,6\n")
    told = OwnTable(str(tmp_path / "t"), "", "y")
    assert owners(told).samples == dict.fromkeys(OWNERS, 4)
    tested = own(OwnTable(str(tmp_path / "t"), "", "y", test=str(tmp_path / "test.csv")))
    assert (len(tested.train_y), len(tested.test_y)) == (12, 2)
    assert tested.train_strata.tolist() == tested.train_y.tolist()
    put(tmp_path / "t" / "dan.csv", "x,z\n1,a\n")
    with pytest.raises(DataError, match=r"dan.csv' has no column 'y'|dan.csv has no column 'y'"):
        own(told)


def test_each_owner_is_tested_on_its_own_rows_of_the_test_table_and_else_on_everybodys(tmp_path):
    put(tmp_path / "d.csv", "who,x,y\n" + "".join(f"{who},{k},{k % 2}\n" for who in OWNERS for k in range(4)))
    put(tmp_path / "t.csv", "who,x,y\nann,1,0\nann,2,1\nnew,3,1\nbob,7,0\n")
    data = own(OwnTable(str(tmp_path / "d.csv"), "who", "y", test=str(tmp_path / "t.csv")))
    cells = {
        (int(g), int(c)): sorted(data.test_x[data.test_strata == s][:, 0].tolist())
        for g, c, s in zip(data.groups, data.train_y, data.train_strata, strict=True)
    }
    mean, deviation = 1.5, np.std([0, 1, 2, 3])
    scaled = {k: [round(v * deviation + mean, 4) for v in values] for k, values in cells.items()}
    assert scaled == {(0, 0): [1], (0, 1): [2], (1, 0): [7], (1, 1): [2, 3], (2, 0): [1, 7], (2, 1): [2, 3]}


def test_costs_of_each_client_and_their_weights_of_differences(cli, tmp_path):
    path = npz(tmp_path / "d.npz", **arrays())
    costs = put(tmp_path / "costs.csv", "client;cost;gain;lam\nbob;0,5;10;2\nann;0;2000;1\ncat;1,5;0;0\n")
    out = tmp_path / "run"
    assert run(cli, "--data", path, "--costs", costs, out=out, methods="ipfl").status == 0

    record = read_market(market_file(out, "ipfl", 0))
    np.testing.assert_array_equal(record.types.cost[0], [0, 0.5, 1.5])
    np.testing.assert_array_equal(record.types.gain[0], [2000, 10, 0])
    assert float(record.lam) == 2.0
    assert not record.differences[0, 2].any()
    costs.unlink()
    assert cli("run", "--resume", "--out", out, "--quiet").status == 0  # what they were is recorded


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("client,price\nann,1\n", "column 'price' is unknown"),
        ("cost,gain\n1,1\n", "column 'client' is missing"),
        ("client,cost,cost\nann,1,1\n", "column 'cost' stands twice"),
        ("client,cost\nann,1\nbob,1\n", "no row for client 'cat'"),
        ("client,cost\nann,1\nann,1\n", "row 3, column 'client': 'ann' stands twice"),
        ("client,cost\nann,1\nbob,1\ncat,1\ndan,1\n", "row 5, column 'client': 'dan' is no client"),
        ("client,cost\nann,-1\nbob,1\ncat,1\n", "row 2, column 'cost': '-1' is negative"),
        ("client,lam\nann,nan\nbob,1\ncat,1\n", "'nan' is not a finite number"),
        ("client\nann\nbob\ncat\n", "expected client and some of cost, gain, lam"),
    ],
)
def test_wrong_costs_are_one_line(cli, tmp_path, text, expected):
    path, out = npz(tmp_path / "d.npz", **arrays()), tmp_path / "run"
    assert expected in run(cli, "--data", path, "--costs", put(tmp_path / "c.csv", text), out=out).line()
    assert not out.exists()


def test_a_share_of_those_who_are_there_joins_and_the_seed_says_who():
    def seen(seed, join=0.5, schedule=()):
        who = Attendance("", 0.5, schedule, 10, seed, join)
        return [who.present(number).tolist() for number in range(1, 21)]

    drawn = seen(0)
    assert {sum(row) for row in drawn} == {5}
    assert np.array(drawn).any(0).all()
    assert drawn == seen(0) != seen(1)
    assert {sum(row) for row in seen(0, 0.01)} == {2}
    absent = seen(0, 0.5, [(3, 11, 0)])
    assert not any(row[3] for row in absent[:10])
    assert {sum(row) for row in absent[:10]} == {4, 5}  # who is called and not there is not replaced
    assert seen(0, 1.0) == [[True] * 10] * 20


def test_join_ratio_and_a_schedule_by_name_are_a_run_s(cli, tmp_path):
    npz(tmp_path / "d.npz", **arrays())
    task = put(tmp_path / "mine.toml",
        '[data]\nfile = "d.npz"\n[split]\nkind = "owners"\n[model]\nname = "logistic"\n'
        "[market]\nlam = 0.0\neta = 5.0\ncost = 0.1\ngain = 10.0\n[scale.smoke]\nrounds = 3\nsteps = 1\n"
        '[population]\nschedule = [["bob", 2, 0]]\n')  # fmt: skip
    out = tmp_path / "run"
    options = ("--join-ratio", "0.67", "--epochs", "2")
    answer = cli("run", task, "--methods", "fedavg", "--quiet", "--out", out, *options)
    assert answer.status == 0, answer.err
    present = read_market(market_file(out, "fedavg", 0)).present
    assert not present[0, 1]
    assert load_run(out / "config.toml").training.epochs == 2
    assert set(present.sum(1).tolist()) == {1, 2}
    assert present[1:, 1].any()
    task.write_text(task.read_text().replace('"bob"', '"bert"'))
    assert "schedule [bert, 2, 0] is no interval" in cli("run", task, "--out", tmp_path / "no").line()


def declared(path, size: str, **told):
    """An .npz whose array x declares a size that its few bytes do not have."""
    with zipfile.ZipFile(npz(path, **told)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    head = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {size}, }}".ljust(117) + "\n"
    parts["x.npy"] = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


def bomb(path):
    """An .npz of a few kB that unpacks to 2 GB of zeros."""
    head = "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 1000000000), }".ljust(117) + "\n"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        with archive.open("x.npy", "w", force_zip64=True) as file:
            file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode())
            for _ in range(64):
                file.write(bytes(1 << 20))
        for name in ("y", "owner"):
            body = io.BytesIO()
            np.save(body, np.array([0, 1]))
            archive.writestr(f"{name}.npy", body.getvalue())
    return path


def huge_png() -> bytes:
    """A PNG of a few hundred bytes that declares 60,000 x 60,000 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(bytes(100_000)))
        + chunk(b"IEND", b"")
    )


def changed(**new):
    return lambda path: npz(path / "d.npz", **{**arrays(), **new})


def without(name):
    return lambda path: npz(path / "d.npz", **{key: value for key, value in arrays().items() if key != name})


def with_picture(name, content):
    def make(path):
        put(pictures(path / "d") / name, content)
        return path / "d"

    return make


def linked(where):
    def make(path):
        root = pictures(path / "d")
        target = put(path / "secret.png", picture())
        (root / where).symlink_to(target if where.endswith("png") else path)
        return root

    return make


def piped(path):
    os.mkfifo(pictures(path / "d") / "ann" / "cat" / "p.png")
    return path / "d"


def code(text):
    return lambda path: f"{put(path / 'd.py', text)}:dataset"


def texts(content, name="ann/a.txt"):
    def make(path):
        for owner in OWNERS:
            put(path / "d" / owner / "b.txt", "to be or not " * 200)
        put(path / "d" / name, content)
        return path / "d"

    return make


NAN = arrays()["x"].copy()
NAN[7, 1] = np.nan
FAR = arrays()["x"].copy()
FAR[7, 1] = 1e300
BAD_NAME = os.fsdecode(b"\xff\xfe")

HOSTILE = {
    "a zip bomb": (lambda path: bomb(path / "d.npz"), "declares 2000000000 bytes"),
    "more than it holds": (
        lambda path: declared(path / "d.npz", "(100, 50)", **arrays()),
        "declares 40000 bytes but 0 follow",
    ),
    "without end": (
        lambda path: declared(path / "d.npz", "(10**9, 10**9)", **arrays()),
        "is not a plain array|declares",
    ),
    "negative": (lambda path: declared(path / "d.npz", "(-1, 4)", **arrays()), "is not a plain array"),
    "no archive": (lambda path: put(path / "d.npz", b"PK\x03\x04" + bytes(99)), "cannot be read as an .npz file"),
    "empty": (lambda path: put(path / "d.npz", b""), "cannot be read as an .npz file"),
    "pickles": (changed(y=np.array([{}, 1] * 18, dtype=object)), "'y' is not a plain array"),
    "nan": (changed(x=NAN), "sample 7 of x is not finite"),
    "far": (changed(x=FAR), "beyond 1e[+]30"),
    "one class": (changed(y=np.zeros(36, dtype=int)), "1 different value as target"),
    "one owner": (changed(owner=np.zeros(36, dtype=int)), "1 owner; expected 2"),
    "too many classes": (changed(y=np.arange(36 * 3)[:36], x=arrays()["x"]), "so it cannot be tested"),
    "fewer labels": (changed(y=np.zeros(35, dtype=int)), "x has 36 samples, y 35"),
    "fewer owners": (changed(owner=np.zeros(35, dtype=int)), "x has 36 samples, owner 35"),
    "labels of numbers": (changed(y=np.linspace(0, 1, 36)), "'y' is 36 of float64; expected N of whole numbers"),
    "owners in columns": (changed(owner=np.zeros((36, 2), dtype=int)), "'owner' is 36 x 2"),
    "flat": (changed(x=np.zeros(36)), "'x' is 36 of float64"),
    "no numbers": (changed(x=np.zeros((36, 0))), "expected 1 to 5000000 samples of at least one number"),
    "texts as numbers": (changed(x=np.full((36, 2), "a")), "expected N x N x"),
    "no x": (without("x"), "holds no array 'x'"),
    "no owner": (without("owner"), "no 'owner', whose each sample is"),
    "half a test": (changed(x_test=np.zeros((3, 4))), "has no 'y_test'"),
    "another test": (changed(x_test=np.zeros((3, 5)), y_test=np.zeros(3, dtype=int)), "x_test is"),
    "an owner that cannot be printed": (changed(owner=np.repeat(["a\x1b[2J", "b", "c"], 12)), "cannot be printed"),
    "no image": (with_picture("ann/cat/x.png", b"no image"), "x.png' cannot be decoded (not an image); take it out"),
    "a damaged image": (with_picture("ann/cat/x.png", picture((50, 50))[:-30]), "x.png' cannot be decoded"),
    "a decompression bomb": (with_picture("ann/cat/x.png", huge_png()), "x.png'"),
    "a wide image": (with_picture("ann/cat/x.png", picture((5000, 2))), "is 5000x2 pixels; expected at most 4096x4096"),
    "16 bits": (with_picture("ann/cat/x.png", picture(mode="I;16")), "has pixels 'I;16'; expected 8 bits"),
    "an empty image": (with_picture("ann/cat/x.png", b""), "has 0 bytes"),
    "another file": (with_picture("ann/cat/notes.doc", b"x"), "is no file that ends in .png, .jpg, .jpeg"),
    "a file too high": (with_picture("ann/x.png", picture()), "holds files and folders"),
    "a file at the top": (with_picture("x.png", picture()), "holds files and folders"),
    "a class of one": (with_picture("ann/emu/x.png", picture()), "nobody has two samples of class 'emu'"),
    "a name that is not UTF-8": (with_picture(f"{BAD_NAME}/cat/x.png", picture()), "cannot be printed"),
    "a class that is not UTF-8": (with_picture(f"ann/{BAD_NAME}/x.png", picture()), "cannot be tested"),
    "a linked image": (linked("ann/cat/l.png"), "is a symbolic link"),
    "a linked folder": (linked("ann/loop"), "is a symbolic link"),
    "a linked owner": (linked("loop"), "is a symbolic link"),
    "a pipe": (piped, "is no ordinary file"),
    "latin-1 texts": (texts("caf\xe9".encode("latin-1")), "is not UTF-8 text"),
    "utf-16 texts": (texts("\ufeffcaf".encode("utf-16-le")), "is not UTF-8 text"),
    "NUL in texts": (texts(b"a\0b"), "a byte of value 0"),
    "a long text": (texts(b"x" * ((1 << 20) + 1)), "has more than 1048576 bytes"),
    "texts and others": (texts(b"x", "ann/a.pdf"), "is no file that ends in .txt"),
    "only short texts": (lambda path: put(path / "d" / "ann" / "a.txt", "short").parents[1], "has 0 owners"),
    "an empty folder": (lambda path: (path / "d").mkdir() or path / "d", "holds nothing; expected OWNER/CLASS/"),
    "code that fails": (
        code("def dataset():\n    return 1 / 0\n"),
        "d.py:dataset returns no data, line 2: ZeroDivisionError",
    ),
    "code that exits": (code("def dataset():\n    raise SystemExit(0)\n"), "returns no data, line 2: SystemExit"),
    "code without it": (code("def data():\n    pass\n"), "holds no 'dataset'; did you mean 'data'?"),
    "code that is none": (code("dataset = 3\n"), "is 'int'; expected a function"),
    "code of another table": (code("def dataset():\n    return {'z': [1]}\n"), "returns 'z'; expected x, y, owner"),
    "code of ragged rows": (code("def dataset():\n    return [[1], [1, 2]], [0, 1], [0, 1]\n"), "returns no data"),
    "code of four": (code("def dataset():\n    return [[1]] * 4, [0, 1] * 2, [0] * 4, 1\n"), "returns a tuple of 4"),
    "a pipe for a table": (lambda path: os.mkfifo(path / "d.csv") or path / "d.csv", "is a pipe, and data are read"),
    "a pipe for arrays": (lambda path: os.mkfifo(path / "d.npz") or path / "d.npz", "is a pipe, and data are read"),
    "code of objects": (code("def dataset():\n    return [[None]], [0], [0]\n"), "'x' is 1 x 1 of object"),
    "nothing there": (lambda path: path / "absent.npz", "cannot be read"),
    "no code there": (lambda path: f"{path}/absent.py:dataset", "there is no file"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_data_are_one_line_and_leave_nothing(cli, tmp_path, monkeypatch, name):
    monkeypatch.setenv("MARKETPROOF_CACHE", str(tmp_path / "cache"))
    make, expected = HOSTILE[name]
    source, out = make(tmp_path), tmp_path / "run"
    line = run(cli, "--data", source, out=out).line()
    assert any(words in line for words in expected.replace("[+]", "+").split("|")), line
    assert line.isprintable()
    assert not out.exists()
    assert not (tmp_path / "cache").exists()


def test_columns_belong_to_tables_and_a_test_to_its_kind(cli, tmp_path):
    path = npz(tmp_path / "d.npz", **arrays())
    assert "has no columns" in run(cli, "--data", path, "--target", "y", out=tmp_path / "r").line()
    assert "cannot be read" in run(cli, "--data", path, "--test", tmp_path / "no.npz", out=tmp_path / "r").line()
    assert (
        "does not divide data of one's own" in run(cli, "--data", path, "--split", "natural", out=tmp_path / "r").line()
    )
    assert "belong to --data" in cli("run", "--split", "niid").line()
    assert "--join-ratio" in cli("run", "--help").out
    assert "join_ratio" in cli("run", "--join-ratio", "0", "--out", tmp_path / "r").line()
