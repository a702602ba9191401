"""A sweep of the frontier: its settings, and its record that grows line by line and can be taken up again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, model_validator

from marketproof.cluster import spread
from marketproof.exits import Interrupted
from marketproof.terminal.console import Tell
from mechanism.errors import InputError, one_line, shown
from mechanism.market.mechanisms import MARKET_ENTRIES
from mechanism.reading import read_bytes, read_toml, validated
from mechanism.writing import write

if TYPE_CHECKING:
    from proofs_checks.evidence.tradeoffs import Point

RECORD = "points.jsonl"
_MOST_POINTS = 20_000
_LONGEST_LINE, _LONGEST_HEAD = 4096, 2**20
"""Bytes: of a point's line in the record, and of its first line with the settings."""
_LARGEST = 1e300


def _listed(value: Any) -> Any:
    """Read a list of TOML as a tuple without repetitions."""
    return tuple(dict.fromkeys(value)) if isinstance(value, list) and all(map(_plain, value)) else value


def _plain(value: Any) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)


def _known(names: tuple[str, ...]) -> tuple[str, ...]:
    if not set(names) <= set(MARKET_ENTRIES):
        raise ValueError(f"expected a list of {', '.join(MARKET_ENTRIES)}")
    return names


Listed = BeforeValidator(_listed)
Shares = Annotated[tuple[Annotated[float, Field(ge=0.0, le=1.0)], ...], Field(min_length=1, max_length=1000), Listed]
Weights = Annotated[tuple[Annotated[float, Field(ge=0.0, le=1e6)], ...], Field(min_length=1, max_length=1000), Listed]


class Sweep(BaseModel, frozen=True, strict=True, extra="forbid"):
    """What is swept: every mechanism at every λ, cost spread and heterogeneity; ``markets`` of ``clients`` at each."""

    mechanisms: Annotated[tuple[str, ...], Field(min_length=1), AfterValidator(_known), Listed] = (
        "ipfl", "exact-marginal", "ipfl-exact", "posted-price", "pooled-price", "vcg-two-sided",
    )  # fmt: skip
    lam: Weights = (0.0, 0.1, 0.3, 1.0)
    cost_spread: Shares = (0.0, 0.25, 0.5, 1.0)
    heterogeneity: Shares = (0.2, 1.0)
    clients: Annotated[int, Field(ge=3, le=40)] = 6
    markets: Annotated[int, Field(ge=1, le=10_000)] = 40
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0

    @model_validator(mode="after")
    def _few_points(self) -> Self:
        count = len(self.mechanisms) * len(self.lam) * len(self.cost_spread) * len(self.heterogeneity)
        if count > _MOST_POINTS:
            raise ValueError(f"{count} points; expected at most {_MOST_POINTS}")
        return self


def read_sweep(path: Path | None, seed: int | None = None) -> Sweep:
    """Return the settings in a TOML file, the defaults for what it leaves out.

    `InputError` if a key is unknown or a value is out of bounds.
    """
    told = {} if path is None else read_toml(path, "a sweep")
    return validated(Sweep, told | ({} if seed is None else {"seed": seed}), str(path or "the sweep"))


def _measured(sweep: Sweep, point: Point) -> dict[str, Any]:
    """Return the row of a point."""
    from proofs_checks.evidence.tradeoffs import measure, record

    return record(point, measure(point, sweep.clients, sweep.markets, sweep.seed))


def swept(
    sweep: Sweep, folder: Path, *, resume: bool, progress: Tell | None = None, cluster: str | None = None
) -> list[dict[str, Any]]:
    """Measure every point, one line of the record each, and return the rows in the order of the grid.

    ``cluster``: on a Dask cluster (`marketproof.cluster`), in the same order.
    `InputError` if the folder holds a record and ``resume`` is not set, or the record is damaged or of other settings:
    every line must be what is measured at its point of the grid; only the last may have been cut short. `Interrupted`
    on Ctrl-C: what was measured is kept.
    """
    from proofs_checks.evidence.tradeoffs import grid

    points = grid(sweep.mechanisms, sweep.lam, sweep.cost_spread, sweep.heterogeneity)
    path = folder / RECORD
    done = _taken_up(path, sweep, points, resume=resume)
    folder.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        path.write_text(json.dumps(_head(sweep)) + "\n", encoding="utf-8")
    rows, todo = [], points[len(done) :]
    made = (
        (_measured(sweep, point) for point in todo)
        if cluster is None
        else spread(_measured, ((point,) for point in todo), cluster, sweep)
    )
    try:
        with open(path, "a", encoding="utf-8") as file:
            for k, point in enumerate(points):
                if k >= len(done):
                    row = next(made)
                    file.write(json.dumps(row) + "\n")
                    file.flush()
                    done.append(row)
                rows.append(done[k])
                if progress is not None:
                    progress(point.mechanism, k + 1, len(points))
    except KeyboardInterrupt:
        raise Interrupted(
            f"stopped after {len(rows)} of {len(points)} points; go on with --out {one_line(folder)} --resume"
        ) from None
    return rows


def _taken_up(path: Path, sweep: Sweep, points: Sequence[Point], *, resume: bool) -> list[dict[str, Any]]:
    """Return the points that a record holds; a last line that was cut short is removed from it."""
    if not path.exists() and not path.is_symlink():
        return []
    head, written = _head(sweep), _bounded(path, len(points))
    *whole, rest = written.split(b"\n")  # what follows the last line end was not finished
    first = _line(path, 1, whole[0]) if whole else {}
    if whole and set(first) != set(head):
        raise _damaged(path, 1, "is not the settings of a sweep")
    other = [key for key in head if whole and first[key] != head[key]]
    if other and not resume:
        raise InputError(f"{shown(path.parent)} holds a sweep with other settings; name another --out")
    for key in other:
        raise InputError(f"{shown(path)} was swept with {key} {first[key]!r:.80}; this is {head[key]!r:.80}")
    rows = [
        _row(path, number, line, point, sweep.markets)
        for number, (line, point) in enumerate(zip(whole[1:], points, strict=False), start=2)
    ]
    if len(whole) - 1 > len(points):
        raise _damaged(path, len(points) + 2, f"is one too many: the sweep has {len(points)} points")
    if rest and not _cut_short(rest, json.dumps(head).encode(), len(whole), len(points)):
        raise _damaged(path, len(whole) + 1, "is no beginning of a line that a sweep writes")
    if not resume:
        raise InputError(_standing(path.parent, len(rows), len(points)))
    if not whole:
        path.unlink()
    elif rest:
        write(path, b"".join(line + b"\n" for line in whole))
    return rows


def _head(sweep: Sweep) -> dict[str, Any]:
    """Return the first line of a record: the settings."""
    return sweep.model_dump(mode="json")


def _bounded(path: Path, count: int) -> bytes:
    """Return what a record of so many points holds, if it is a file and no longer than such a record can be."""
    most = _LONGEST_LINE * (count + 1) + _LONGEST_HEAD
    if not path.is_file():
        raise InputError(f"{shown(path)} is no file; name another --out")
    if path.stat().st_size > most:
        raise InputError(f"{shown(path)} is longer than a record of {count} points can be; name another --out")
    return read_bytes(path, most, "the record of a sweep")


def _damaged(path: Path, number: int, what: str) -> InputError:
    return InputError(
        f"{shown(path)} is damaged: line {number} {what}; take out that line and all below it to go on with "
        "--resume, or name another --out"
    )


def _line(path: Path, number: int, line: bytes) -> dict[str, Any]:
    """Return the object in a line."""
    try:
        value = json.loads(line.decode())
    except (ValueError, RecursionError):
        raise _damaged(path, number, "is no JSON") from None
    if not isinstance(value, dict):
        raise _damaged(path, number, f"is a {type(value).__name__}, no object")
    return value


def _row(path: Path, number: int, line: bytes, point: Point, markets: int) -> dict[str, Any]:
    """Return the row in a line, if it is what was measured at that point of the grid."""
    from proofs_checks.evidence.tradeoffs import UNKNOWN, Measured

    row = _line(path, number, line)
    where = asdict(point)
    measured = [field.name for field in fields(Measured)]
    for key in (*where, *measured):
        if key not in row:
            raise _damaged(path, number, f"has no {key}, as versions before this one wrote it,")
    if len(row) > len(where) + len(measured):
        extra = next(key for key in row if key not in where and key not in measured)
        raise _damaged(path, number, f"has {shown(extra)}, which a sweep does not write,")
    for key, value in {**where, "markets": markets}.items():
        if isinstance(row[key], bool) or row[key] != value:
            raise _damaged(path, number, f"has {key} {row[key]!r:.40}; the grid has {value!r} there,")
    for key in measured:
        unknown = row[key] is None and key in UNKNOWN and markets == 1
        fits_number = isinstance(row[key], int | float) and not isinstance(row[key], bool)
        if not unknown and not (fits_number and abs(row[key]) <= _LARGEST):
            raise _damaged(path, number, f"has {key} {row[key]!r:.40}; expected a number")
    return row


def _cut_short(rest: bytes, head: bytes, lines: int, count: int) -> bool:
    """Say whether an unfinished last line can be what an interruption left: of the head, or of a point to come."""
    if lines == 0:
        return head.startswith(rest)
    begun = b'{"mechanism": "'
    return lines <= count and rest.isascii() and (rest.startswith(begun) or begun.startswith(rest))


def _standing(folder: Path, done: int, count: int) -> str:
    """Say how far the sweep in a folder is, and what to do."""
    how = f"this sweep, complete with {count} points" if done >= count else f"a sweep, {done} of {count} points"
    more = "see its table again" if done >= count else "go on"
    return f"{shown(folder)} holds {how}; add --resume to {more}, or name another --out"
