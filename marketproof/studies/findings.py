"""What a study found: measured in its runs, or read again from what was written of it, to the same page."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from marketproof.running.methods import uses_market
from marketproof.studies.study import Column, Recorded, Row, Seen, Study, who
from mechanism.errors import InputError

BY_SEED, APART = "by_seed", "apart"


def title(study: str, task: str, scale: str, seeds: Sequence[int]) -> str:
    """Return what a study is about, of which task, scale and seeds."""
    said = f"seed {seeds[0]}" if len(seeds) == 1 else f"seeds {seeds[0]} to {seeds[-1]}"
    return f"{study}: {task}, {scale}, {said}"


@dataclass(frozen=True, eq=False)
class Findings:
    """What a study found: ``every`` row with the hidden columns, in order; ``apart``: which of them are in no table.

    ``more``: what the JSON says beside.
    """

    study: Study
    every: Sequence[Row]
    apart: Sequence[bool]
    more: Mapping[str, Any]

    @property
    def columns(self) -> Sequence[Column]:
        """What stands in the table."""
        return self.study.columns

    @property
    def notes(self) -> Sequence[str]:
        """What the numbers do not say."""
        return self.study.notes

    @cached_property
    def rows(self) -> Sequence[Row]:
        """The lines of the table."""
        return [row for row, apart in zip(self.every, self.apart, strict=True) if not apart]

    @cached_property
    def words(self) -> Sequence[str]:
        """What to look at."""
        return self.study.words(self.rows)

    @cached_property
    def figures(self) -> Mapping[str, Figure]:
        """What is drawn of all rows, by the name of the file."""
        return self.study.figures(self.every)

    def to_json(self) -> dict[str, Any]:
        """Return the table with its words as it is written, and the numbers of each seed that `found` reads."""
        return {
            "columns": {column.key: column.meaning for column in self.columns},
            "rows": [row.to_json(self.columns) for row in self.rows],
            "words": self.words,
            "notes": self.notes,
            **self.more,
            BY_SEED: [
                {column.key: [_plain(value) for value in row.seeds[column]] for column in _recorded(self.study)}
                | ({APART: True} if apart else {})
                for row, apart in zip(self.every, self.apart, strict=True)
            ],
        }


def _recorded(study: Study) -> list[Column]:
    """Return the columns that are written: a hidden one without a key is of the records themselves."""
    return [column for column in (*study.columns, *study.hidden) if column.key]


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value


def found(study: Study, told: Mapping[str, Any]) -> Findings:
    """Return the findings of which ``told`` was written (`Findings.to_json`): with the same words and figures.

    `InputError` where it holds no numbers of each seed, or not of each column.
    """
    columns = _recorded(study)
    rows = told.get(BY_SEED, [])
    if not rows or any(column.key not in row for row in rows for column in columns):
        raise InputError(f"the record of study {told.get('study')} lacks numbers of each seed; run the study again")
    every = [Row({column: row[column.key] for column in columns}) for row in rows]
    return Findings(study, every, [row.get(APART, False) for row in rows], {})


def measured(study: Study, cases: Mapping[str, Recorded]) -> Findings:
    """Return what a study found in its finished runs."""
    columns = (*study.columns, *study.hidden)
    every = [(seen[0], Row({column: [column.of(one) for one in seen] for column in columns}))
             for seen in _subjects(study, cases)]  # fmt: skip
    if study.by_method:
        order = list(dict.fromkeys(one.method for one, _ in every))
        every.sort(key=lambda pair: order.index(pair[0].method))
    apart = [study.apart and one.name == study.beside for one, _ in every]
    rows = [row for _, row in every]
    more = study.more([row for row, out in zip(rows, apart, strict=True) if not out])
    return Findings(study, rows, apart, more)


def _subjects(study: Study, cases: Mapping[str, Recorded]) -> Iterator[list[Seen]]:
    """Yield what each row is about, as every seed shows it."""
    markets = {name: case.markets() for name, case in cases.items()}
    for name, case in cases.items():
        for method, records in markets[name].items():
            before = markets[study.beside or name].get(study.against or method, records)
            left_out = study.markets and not uses_market(method.partition("/")[0])
            for role in () if left_out else study.roles or ("",):
                clients = [who(record, role) if role else study.clients(record) for record in records]
                if not role or any(some.any() for some in clients):
                    together = zip(case.config.seed_list, records, clients, before, strict=True)
                    yield [Seen(case.config, name, method, *one, role) for one in together]
