"""Who has which samples of a data set, as a file of one's own says: a table or .npz of ``row`` and ``client``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from learning.data.dataset import Dataset
from learning.data.files.archive import WHOLE, Member, read_npz
from learning.data.files.frames import frame_of
from learning.errors import DataError
from mechanism.errors import one_line, shown
from mechanism.wording import plural

_MOST = 5_000_000


@dataclass(frozen=True, eq=False)
class Division:
    """``rows`` int64 [n], each training sample once, counted from 0; ``whose`` int64 [n], the place of its client.

    ``names`` of the clients, by place: in the order in which they first stand, or by number if they are 0, 1, 2, ….
    """

    rows: NDArray[np.int64]
    whose: NDArray[np.int64]
    names: tuple[str, ...]

    @property
    def numbered(self) -> bool:
        """Whether clients have numbers for names."""
        return list(self.names) == [str(k) for k in range(len(self.names))]

    def applied(self, dataset: Dataset, file: str) -> Dataset:
        """Return the data set with the samples of each client as the file says; those that it leaves out are nobody's.

        `DataError` if it names a sample that is not there.
        """
        samples, last = len(dataset.train_y), int(self.rows.max())
        if last >= samples:
            raise DataError(
                f"{one_line(file)} names row {last}; {dataset.name} has rows 0 to {samples - 1} to train on"
            )
        groups = np.full(samples, -1, dtype=np.int64)
        groups[self.rows] = self.whose
        owners = {} if self.numbered else dict(enumerate(self.names))
        return replace(dataset, groups=groups, owners=owners)


def division(file: str) -> Division:
    """Read who has which training sample; `DataError` in one line that names row and column if it cannot be used."""
    path = Path(file)
    name = one_line(path)
    if path.suffix.lower() == ".npz":
        arrays = read_npz(path, {"row": Member(WHOLE, (None,)), "client": Member((*WHOLE, "text"), (None,))})
        lines = np.arange(len(arrays["row"]))
        told = {column: [str(value).strip() for value in array.tolist()] for column, array in arrays.items()}
    else:
        frame, lines = frame_of(path)
        if sorted(frame.columns) != ["client", "row"]:
            raise DataError(f"{name} has columns {', '.join(map(shown, frame.columns[:20]))}; expected row and client")
        told = {
            column: ["" if cell is None else str(cell).strip() for cell in frame[column].to_list()]
            for column in ("row", "client")
        }
    if len(told["row"]) != len(told["client"]) or not 2 <= len(told["row"]) <= _MOST:
        counts = " and ".join(plural(len(told[column]), column) for column in ("row", "client"))
        raise DataError(f"{name} holds {counts}; expected as many, 2 to {_MOST}")
    seen: set[str] = set()
    for line, row, client in zip(lines.tolist(), told["row"], told["client"], strict=True):
        if not (row.isascii() and row.isdigit() and len(row) < 10) or (row != "0" and row[0] == "0"):
            raise DataError(f"{name}, row {line}, column 'row': {shown(row)}; expected the number of a sample, from 0")
        if row in seen:
            raise DataError(f"{name}, row {line}, column 'row': {row} stands twice; a sample has one client")
        if not client:
            raise DataError(f"{name}, row {line}, column 'client': is empty; say whose sample {row} is")
        seen.add(row)
    names = list(dict.fromkeys(told["client"]))
    if set(names) == {str(k) for k in range(len(names))}:
        names.sort(key=int)
    place = {client: k for k, client in enumerate(names)}
    return Division(
        np.array([int(row) for row in told["row"]], dtype=np.int64),
        np.array([place[client] for client in told["client"]], dtype=np.int64),
        tuple(names),
    )
