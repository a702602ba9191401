"""A data set by its name."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from learning.data import DATASETS
from learning.data.dataset import Dataset
from learning.errors import DataError


def load(name: str, data_dir: Path | None = None, base_model: str = "", length: int = 512) -> Dataset:
    """Return the data set called ``name``, looked for by `learning.data.files.places.find` where it is not embedded.

    The function of that name in `learning.data.sets` makes it; it is imported only when it is used. ``base_model``
    names the language model whose tokens the texts of finance and cofinance become, ``length`` of them at most.
    `DataError` in one line if the data are missing, damaged or unknown.
    """
    if name not in DATASETS:
        raise DataError(f"there is no data set {name!r}; expected one of {', '.join(DATASETS)}")
    of_text = name in ("finance", "cofinance")
    module = import_module(f"learning.data.sets.{'finance' if of_text else name}")
    make: Callable[..., Dataset] = getattr(module, name)
    return make(data_dir, base_model, length) if of_text else make(data_dir)
