"""Samples of one's own as a data set: whose they are, what is trained and what tested on, who is too small."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learning.data.dataset import Dataset
from learning.data.splits import holdout
from learning.errors import DataError
from mechanism.errors import one_line, shown
from mechanism.wording import plural

MOST_CLASSES = 100

TRAINED = 0.8
"""Share of each owner's samples of a class that is trained on, where no samples are given to be tested on."""


@dataclass(frozen=True, eq=False)
class Samples:
    """What a source of one's own holds, before it is divided: N samples in the order of the source.

    ``owners`` str [N]: whose each is, "" among what is tested on for everybody's; None: the samples are divided by a
    rule. ``targets`` str [N]: their classes. ``features(train)`` gives [N, *shape], from what training samples may
    tell; a network sees them times ``scale``. ``tested`` bool [N]: what is only tested on; None: a share is held out.
    ``place(k)`` names sample k in messages.
    """

    source: str
    owners: NDArray[np.str_] | None
    targets: NDArray[np.str_]
    features: Callable[[NDArray[np.int64]], NDArray[Any]]
    tested: NDArray[np.bool_] | None
    scale: float
    place: Callable[[int], str]

    @property
    def trained(self) -> NDArray[np.bool_]:
        """What may be trained on, bool [N]."""
        return np.ones(len(self.targets), dtype=bool) if self.tested is None else ~self.tested


@dataclass(frozen=True)
class Owners:
    """How many samples each owner has that is a client, in the order of the clients, and why others are left out.

    ``total``: the samples of them all, or of nobody where a rule divides.
    """

    samples: dict[str, int]
    left_out: dict[str, str]
    total: int


def owners_of(samples: Samples, least: int) -> Owners:
    """Return who has at least ``least`` samples to train on, sorted by name; nobody where a rule divides."""
    if samples.owners is None:
        return Owners({}, {}, int(samples.trained.sum()))
    return sized(dict(sorted(Counter(samples.owners[samples.trained].tolist()).items())), least)


def sized(counts: dict[str, int], least: int, what: str = "sample") -> Owners:
    """Return those of the owners as clients who have at least ``least`` of ``what``."""
    few = {name: f"{plural(count, what)}, fewer than {least}" for name, count in counts.items() if count < least}
    kept = {name: count for name, count in counts.items() if name not in few}
    return Owners(kept, few, sum(kept.values()))


def divided(samples: Samples, least: int) -> Dataset:
    """Return the samples as a data set, its ``groups`` the owners that have at least ``least`` samples, by number.

    Without samples that are given to be tested on, four fifths of each owner's samples of a class are for training, the
    same whatever the seed; of a single one, that one. A client's accuracy is counted over its own test samples, class
    by class as it trains; where it has none of a class, over everybody's. Where a rule divides, over everybody's.
    `DataError`: fewer than two owners or classes, a class that cannot be tested.
    """
    source = one_line(samples.source)
    classes = classes_of(samples)
    y = np.array([classes.index(text) for text in samples.targets.tolist()], dtype=np.int64)
    owner, names = np.zeros(len(y), dtype=np.int64), [""]
    if samples.owners is not None:
        names = list(owners_of(samples, least).samples)
        if len(names) < 2:
            told = f"{'one owner' if names else 'no owner'}{f' with {least} samples' if least > 1 else ''}"
            raise DataError(f"{source} names {told}; expected at least two")
        number = {name: k for k, name in enumerate(names)}
        owner = np.array([number.get(name, -1) for name in samples.owners.tolist()])
    kept = np.ones(len(y), dtype=bool) if samples.owners is None else (owner >= 0) | ~samples.trained
    cells = np.where(owner >= 0, owner * len(classes) + y, -1)
    if samples.tested is None:
        chosen = np.flatnonzero(kept)
        train, test = (chosen[part] for part in holdout(cells[chosen], "own test set", TRAINED))
    else:
        train, test = np.flatnonzero(kept & ~samples.tested), np.flatnonzero(kept & samples.tested)
    # A cell without a test sample borrows those of its class, as a cell of its own.
    lone = ~np.isin(cells[train], cells[test])
    borrowed = [(label, test[y[test] == label]) for label in np.unique(y[train][lone])]
    for label, of_class in borrowed:
        if not len(of_class):
            told = f"nobody has two samples of class {shown(classes[label])}"
            if samples.tested is not None:
                told = f"nothing of class {shown(classes[label])} is there to be tested on"
            raise DataError(f"{source}: {told}, so it cannot be tested; add some, or leave the class out")
    common = len(names) * len(classes)  # the first number after all cells
    train_cells = np.where(lone, common + y[train], cells[train])
    own = cells[test] >= 0
    test_cells = np.concatenate([cells[test][own], *(common + y[of_class] for _, of_class in borrowed)])
    test = np.concatenate([test[own], *(of_class for _, of_class in borrowed)])
    used, cell = np.unique(np.concatenate([train_cells, test_cells]), return_inverse=True)
    x = samples.features(train)
    return Dataset(
        "own", samples.source, x[train], y[train], x[test], y[test], len(classes), samples.scale, 0.0,
        train_strata=cell[: len(train)], test_strata=cell[len(train) :], strata=len(used),
        groups=None if samples.owners is None else owner[train],
    )  # fmt: skip


def classes_of(samples: Samples) -> list[str]:
    """Return the classes, by number where all are numbers; `DataError` unless there are 2 to `MOST_CLASSES`."""
    found = sorted(set(samples.targets.tolist()))
    if not 2 <= len(found) <= MOST_CLASSES:
        raise DataError(
            f"{one_line(samples.source)} has {plural(len(found), 'different value')} as target; expected 2 to "
            f"{MOST_CLASSES} classes (numbers are predicted as classes only): take another target"
        )
    try:
        return sorted(found, key=float)
    except ValueError:
        return found
