"""What clients are called, where their data are somebody's by nature, and which owners are left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from learning.data.dataset import Dataset
from learning.data.splits import LEAST
from mechanism.wording import plural

_MOST_NAMED = 5


def client_names(dataset: Dataset, members: Sequence[NDArray[np.int64]]) -> tuple[str, ...]:
    """Return each client's name, its owner's, numbered where several clients share one.

    None at all where the data know no owners, or samples of several lie with one client.
    """
    if dataset.groups is None or not dataset.owners:
        return ()
    whose = [np.unique(dataset.groups[own]) for own in members]
    if any(len(groups) != 1 or int(groups[0]) not in dataset.owners for groups in whose):
        return ()
    names = [dataset.owners[int(groups[0])] for groups in whose]
    count, seen = Counter(names), Counter[str]()
    for k, name in enumerate(names):
        seen[name] += 1
        names[k] = f"{name} {seen[name]}" if count[name] > 1 else name
    return tuple(names)


def left_out(dataset: Dataset, split: str, clients: int) -> str:
    """Return in words who takes no part and why: of the split "natural", owners with few samples, or not drawn.

    Of the split "owners", samples that are nobody's.
    """
    nobodys = 0 if dataset.groups is None else int((dataset.groups < 0).sum())
    if split == "owners" and nobodys:
        return f"{plural(nobodys, 'training sample')} of {len(dataset.train_y)} that the split's file does not name"
    if split != "natural" or dataset.groups is None:
        return ""
    groups, counts = np.unique(dataset.groups[dataset.groups >= 0], return_counts=True)
    few = [dataset.owners.get(int(group), str(group)) for group in groups[counts < LEAST]]
    drawn = plural(clients, "client")
    undrawn = len(groups) - len(few) - clients
    named = f" ({', '.join(few[:_MOST_NAMED])}{', …' if len(few) > _MOST_NAMED else ''})" if few else ""
    said = [f"{plural(len(few), 'owner')} with fewer than {LEAST} training samples{named}"] if few else []
    said += [f"{plural(undrawn, 'owner')} that the seed did not draw for {drawn}"] if undrawn else []
    return " and ".join(said)
