"""What the owners of a federation agree on before anybody's data are read: classes, columns and their scale."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from learning.errors import DataError
from mechanism.errors import shown


@dataclass(frozen=True)
class Agreed:
    """How the owners of a federation read their own data, so that all mean the same by a number and by a class.

    ``classes`` in the order of their numbers; of tables the column of classes, ``target``, and ``columns``: each a name
    with either two numbers, low and high, by which a cell becomes (cell − low)/(high − low), or the words that it may
    hold, each a feature of 0 or 1. Of images ``size`` pixels a side and ``channels``, 1 or 3. It is made without
    looking at anybody's data. `DataError` if it is none.
    """

    classes: tuple[str, ...]
    target: str = ""
    columns: tuple[tuple[str | float, ...], ...] = ()
    size: int = 0
    channels: int = 0

    def __post_init__(self) -> None:
        if not 2 <= len(set(self.classes)) == len(self.classes) <= 1000 or not all(map(_is_text, self.classes)):
            raise DataError("classes are no list of 2 to 1000 different texts, each up to 100 letters")
        if not _is_text(self.target or "-") or bool(self.target) != bool(self.columns):
            raise DataError("columns belong to a target, the column of classes; name both, or none")
        names = [column[0] for column in self.columns if column and _is_text(column[0])]
        if len(names) != len(self.columns) or len({self.target, *names}) != len(names) + 1:
            raise DataError("columns are each a name, once, with [low, high] or the words that it may hold")
        for name, *terms in self.columns:
            numbers = len(terms) == 2 and all(isinstance(term, float) for term in terms)
            words = 2 <= len(set(terms)) == len(terms) <= 1000 and all(map(_is_text, terms))
            span = float(terms[1]) - float(terms[0]) if numbers else 1.0
            if not (numbers or words) or not 0.0 < span < float("inf"):
                raise DataError(f"column {shown(name)} has neither [low, high] with low < high nor different words")
        if not 0 <= self.size <= 512 or self.channels not in (0, 1, 3) or len(self.columns) > 2000:
            raise DataError("expected a size from 0 to 512 pixels, 1 or 3 channels, and up to 2000 columns")

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Agreed:
        """Return it from plain values; `DataError` if they are none."""
        try:
            columns = tuple(tuple(float(t) if type(t) is int else t for t in column) for column in told["columns"])
            values = {**told, "classes": tuple(told["classes"]), "columns": columns}
        except (TypeError, KeyError, OverflowError):
            values = {}
        if set(values) != {"classes", "target", "columns", "size", "channels"} or not _whole(values):
            raise DataError("how data are read is not said as this version says it; run the same everywhere")
        return cls(**values)


def _whole(values: Mapping[str, Any]) -> bool:
    return type(values["size"]) is type(values["channels"]) is int and isinstance(values["target"], str)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 100
