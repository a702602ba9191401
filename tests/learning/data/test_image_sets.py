"""CIFAR-10, FEMNIST, PACS and Fashion-MNIST from small files in the formats of the large ones."""

import numpy as np
import pytest

from learning.data import load
from learning.data.files import images
from learning.errors import DataError
from tests.checks import refused


@pytest.fixture(autouse=True)
def no_folder_is_named(monkeypatch):
    monkeypatch.delenv("MARKETPROOF_DATA", raising=False)


def hub_cifar10(make, root, **changes):
    y = np.arange(20) % 10
    for part in ("train", "test"):
        blobs = [make.encoded(10 * k) for k in range(20)]
        path = root / "uoft-cs/cifar10/plain_text" / f"{part}-00000-of-00001.parquet"
        make.parquet(path, "img", blobs, **({"label": y} | changes))
    return root / "uoft-cs/cifar10/plain_text/train-00000-of-00001.parquet"


def hub_femnist(make, root, writers=40, each=124):
    """Writers w00, w01, ... in turn, so that nobody's samples lie together; in two files."""
    n = writers * each
    who = np.arange(n) % writers
    character = 20 * ((np.arange(n) // writers) % 4)
    blobs = {w: make.encoded(255 - w, 28, "L") for w in range(writers)}
    for k, part in enumerate(np.array_split(np.arange(n), 2)):
        path = root / "flwrlabs/femnist/data" / f"train-{k:05}-of-00002.parquet"
        columns = {"writer_id": [f"w{w:02}" for w in who[part]], "character": character[part], "hsf_id": part * 0}
        make.parquet(path, "image", [blobs[w] for w in who[part]], **columns)


def hub_pacs(make, root, size=227, each=3):
    cells = np.repeat(np.arange(28), each)
    names = ["photo", "art_painting", "cartoon", "sketch"]
    blobs = [make.encoded(int(50 * (c // 7) + c % 7), size) for c in cells]
    columns = {"domain": [names[c // 7] for c in cells], "label": cells % 7}
    path = root / "flwrlabs/pacs/data/train-00000-of-00001.parquet"
    make.parquet(path, "image", blobs, **columns)
    return path


def test_cifar10_of_both_layouts(tmp_path, make):
    make.cifar10(tmp_path)
    lossy = load("cifar10", tmp_path)
    assert lossy.train_x.shape == lossy.test_x.shape == (20, 3, 32, 32)
    assert lossy.train_y.tolist() == [*range(10)] * 2
    assert abs(lossy.train_x[:, 0].mean((1, 2)) - 10 * np.arange(20)).max() < 3
    assert lossy.source == str(tmp_path)
    hub_cifar10(make, tmp_path)
    exact = load("cifar10", tmp_path)  # preferred where both are there
    assert exact.source == str(tmp_path / "uoft-cs/cifar10")
    np.testing.assert_array_equal(exact.train_x[7, :, 3, 4], [70, 35, 185])
    assert exact.test_y.tolist() == sorted(exact.test_y.tolist())
    np.testing.assert_array_equal(exact.test_x[:, 0, 0, 0] // 10 % 10, exact.test_y)  # sorted together


def test_decoded_images_come_from_the_cache_until_the_file_changes(tmp_path, make, own_cache, monkeypatch):
    path = make.cifar10(tmp_path)
    first = load("cifar10", tmp_path).digest()
    assert len(list(own_cache.iterdir())) == 2

    def never(*args, **more):
        raise AssertionError("decoded again")

    monkeypatch.setattr(images, "decode", never)
    assert load("cifar10", tmp_path).digest() == first
    make.jpeg_npz(path, [make.encoded(9 * k, kind="JPEG") for k in range(20)], y=np.arange(20) % 10)
    with pytest.raises(AssertionError, match="decoded again"):
        load("cifar10", tmp_path)


def test_femnist_keeps_the_test_samples_of_writers_who_train(tmp_path, make):
    make.femnist(tmp_path)
    data = load("femnist", tmp_path)
    assert (data.train_x.shape, data.test_x.shape) == ((124, 1, 28, 28), (124, 1, 28, 28))  # writer 2 trains nothing
    assert data.groups.tolist() == [0] * 62 + [1] * 62
    assert data.classes == data.strata == 62
    np.testing.assert_array_equal(data.train_x[:62, 0, 12, 12], np.arange(62))
    samples = np.concatenate([np.arange(62, 124), np.arange(186, 248)])  # the test samples of writers 0 and 1
    order = np.argsort(samples % 62, kind="stable")
    np.testing.assert_array_equal(data.test_x[:, 0, 12, 12], samples[order] % 200)
    np.testing.assert_array_equal(data.test_y, samples[order] % 62)


def test_ink_is_bright_to_the_network(tmp_path, make):
    make.femnist(tmp_path)
    data = load("femnist", tmp_path)
    paper, ink = (v * data.scale + data.shift for v in (255, 0))
    assert -0.5 < paper < 0 < 5 < ink


def test_femnist_of_the_hub_takes_every_twentieth_writer_and_nine_tenths_for_training(tmp_path, make):
    hub_femnist(make, tmp_path)
    data = load("femnist", tmp_path)
    assert len(data.train_y) == 2 * round(0.9 * 124)
    assert len(data.test_y) == 2 * (124 - round(0.9 * 124))
    assert np.unique(data.groups).tolist() == [0, 1]
    # the shade tells whose image it is: writers 0 and 20; dark paper would have been inverted
    np.testing.assert_array_equal(data.train_x[:, 0, 5, 5], 255 - 20 * data.groups)


def test_hub_images_with_dark_paper_are_inverted(tmp_path, make):
    n = 200
    blobs = [make.encoded(3, 28, "L")] * n
    columns = {"writer_id": ["a"] * n, "character": np.arange(n) % 4}
    make.parquet(tmp_path / "flwrlabs/femnist/data/train-0.parquet", "image", blobs, **columns)
    assert (load("femnist", tmp_path).train_x == 252).all()


@pytest.mark.parametrize("layout", ["npz", "hub"])
def test_pacs_is_divided_and_judged_by_domain_and_class(tmp_path, make, layout):
    if layout == "npz":
        make.pacs(tmp_path, each=5)
    else:
        hub_pacs(make, tmp_path, each=5)
    data = load("pacs", tmp_path)
    assert data.train_x.shape[1:] == (3, 64, 64)
    assert (data.classes, data.strata) == (7, 28)
    assert np.bincount(data.train_strata).tolist() == [4] * 28  # four fifths of each class in each domain
    assert data.test_strata.tolist() == list(range(28))
    np.testing.assert_array_equal(data.train_strata, data.groups * 7 + data.train_y)
    np.testing.assert_array_equal(data.test_y, data.test_strata % 7)
    shades = data.train_x[:, 0].mean((1, 2))
    assert abs(shades - (50 * data.groups + data.train_y)).max() < 4
    assert load("pacs", tmp_path).digest() == data.digest()


def test_fashion_from_a_copy_of_the_hub(tmp_path, make):
    for part in ("train", "test"):
        path = tmp_path / "zalando-datasets/fashion_mnist/fashion_mnist" / f"{part}-00000-of-00001.parquet"
        make.parquet(path, "image", [make.encoded(20 * k, 28, "L") for k in range(10)], label=np.arange(10))
    data = load("fashion", tmp_path)
    assert data.train_x.shape == (10, 1, 28, 28)
    assert data.train_x[:, 0, 5, 5].tolist() == list(range(0, 200, 20))


@pytest.mark.parametrize("name", ["cifar10", "femnist", "pacs", "fashion"])
def test_a_folder_without_the_data_names_the_command(tmp_path, name):
    owner = {"cifar10": "uoft-cs/cifar10", "fashion": "zalando-datasets/fashion_mnist"}.get(name, f"flwrlabs/{name}")
    with refused(DataError, "", f"hf download {owner} --repo-type dataset --local-dir {tmp_path}/{owner}"):
        load(name, tmp_path)


def unread(name, root, message):
    with refused(DataError, message, "fetch", str(root)):
        load(name, root)


Y = np.arange(20, dtype=np.uint8) % 10


HOSTILE = {
    "cifar10": [
        ({"y": Y + 1}, "holds label 10; expected labels from 0 to 9"),
        ({"y": Y.astype(np.int8) - 1}, "holds label -1"),
        ({"y": Y[:19]}, "21 offsets for 19 images"),
        ({"y": Y.astype(float)}, "'y' is 20 of float64"),
        ({"y": Y[:, None]}, "'y' is 20 x 1"),
        ({"y": Y[:0]}, "21 offsets for 0 images"),
        ({"off": np.arange(21)[::-1]}, "offset 1 does not lie behind offset 0"),
        ({"off": np.arange(21) * 10**6}, "expected 0 to"),
        ({"off": np.arange(21) / 2}, "'off' is 21 of float64"),
        ({"off": np.array([None] * 21)}, "'off' is not a plain array"),
        ({"jpeg": np.zeros(21, np.uint8), "off": np.arange(22)[:21]}, "expected 0 to 21"),
        ({"jpeg": np.zeros(20, np.uint8), "off": np.arange(21)}, "image 0 cannot be decoded .not an image"),
        ({"jpeg": np.zeros(20, np.int8)}, "'jpeg' is 20 of int8"),
    ],
    "femnist": [
        ({"x": None}, "holds no array 'x' but y, writer"),
        ({"writer": None}, "holds no array 'writer'"),
        ({"x": np.zeros((310, 28, 27), np.uint8)}, "expected N x 28 x 28 of uint8"),
        ({"x": np.zeros((310, 28, 28), np.float32)}, "of float32"),
        ({"x": np.zeros((309, 28, 28), np.uint8)}, "309 x, 310 y"),
        ({"y": np.full(310, 62)}, "holds label 62"),
        ({"writer": np.full(310, -1)}, "holds writer -1"),
        ({"split": np.full(310, 2)}, "holds split 2"),
        ({"split": np.full(310, 1)}, "no training sample"),
    ],
    "pacs": [
        ({"domain": np.full(140, 4)}, "holds domain 4"),
        ({"domain": np.zeros(139, np.uint8)}, "140 labels and 139 domains"),
        ({"y": np.full(140, 7)}, "holds label 7"),
    ],
}


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [(name, *case) for name, cases in HOSTILE.items() for case in cases],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_hostile_archives_are_refused(tmp_path, make, name, changes, message):
    getattr(make, name)(tmp_path, **changes)
    unread(name, tmp_path, message)


def test_images_of_another_size_are_refused(tmp_path, make):
    make.pacs(tmp_path, each=1, size=32)
    unread("pacs", tmp_path, "pacs64_jpeg.npz: image 0 is 32x32 pixels; expected 64x64")
    hub_pacs(make, tmp_path, size=100)
    unread("pacs", tmp_path, "image 0 is 100x100 pixels; expected 64x64 or 227x227")


def test_femnist_without_a_test_sample_of_a_class_is_refused(tmp_path, make):
    make.femnist(tmp_path, split=np.zeros(310, np.uint8))
    with pytest.raises(DataError, match="holds no test samples"):
        load("femnist", tmp_path)


def test_hostile_parquet_is_refused(tmp_path, make):
    path = hub_cifar10(make, tmp_path, label=[None, *range(19)])
    unread("cifar10", tmp_path, "column 'label' has gaps")
    hub_cifar10(make, tmp_path, label=[10] * 20)
    unread("cifar10", tmp_path, "holds label 10")
    hub_cifar10(make, tmp_path, label=["a"] * 20)
    unread("cifar10", tmp_path, r"columns img .*label \(String\); expected img \(bytes\), label \(integer\)")
    make.parquet(path, "image", [b""] * 20, label=Y)
    unread("cifar10", tmp_path, r"columns image .*; expected img \(bytes\)")
    make.parquet(path, "img", [b"no image"] * 20, label=Y)
    unread("cifar10", tmp_path, "image 0 cannot be decoded")
    make.parquet(path, "img", [None] * 20, label=Y)
    unread("cifar10", tmp_path, "has gaps")
    make.parquet(path, "img", [], label=Y[:0])
    unread("cifar10", tmp_path, "holds 0 rows")
    whole = hub_cifar10(make, tmp_path).read_bytes()
    for data in (b"", b"version https://git-lfs.github.com/spec/v1\n", whole[:-20], whole[:100]):
        path.write_bytes(data)
        unread("cifar10", tmp_path, "cannot be read as a parquet file")


def test_a_hub_folder_with_files_missing_is_refused(tmp_path, make):
    path = hub_cifar10(make, tmp_path)
    path.rename(path.with_name("train-00000-of-00003.parquet"))
    unread("cifar10", tmp_path, "holds 1 files like train-00000-of-00003.parquet; expected 3")


def test_an_unknown_domain_is_named(tmp_path, make):
    n = 28
    columns = {"domain": ["photo"] * (n - 1) + ["clipart"], "label": np.arange(n) % 7}
    path = tmp_path / "flwrlabs/pacs/data/train-0.parquet"
    make.parquet(path, "image", [make.encoded(0, 64)] * n, **columns)
    with pytest.raises(DataError, match="holds domain 'clipart'; expected one of photo"):
        load("pacs", tmp_path)
    make.parquet(path, "image", [make.encoded(0, 64)] * n, **(columns | {"domain": ["x" * 10_000] * n}))
    unread("pacs", tmp_path, "'domain' holds a text above 200 bytes")
