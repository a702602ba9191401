"""A sweep of the frontier: its settings, and its record that grows line by line and can be taken up again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from marketproof.errors import InputError, Interrupted, one_line, shown
from marketproof.progress import Tell
from marketproof.toml_files import read_toml
from mechanism.market.entries import MARKET_ENTRIES

RECORD = "points.jsonl"
_MOST_POINTS, _MOST_VALUES = 20_000, 1000


@dataclass(frozen=True)
class Sweep:
    """What is swept: every mechanism at every λ, cost spread and heterogeneity; ``markets`` of ``clients`` at each."""

    mechanisms: tuple[str, ...] = (
        "ipfl",
        "exact-marginal",
        "ipfl-exact",
        "posted-price",
        "pooled-price",
        "vcg-two-sided",
    )
    lam: tuple[float, ...] = (0.0, 0.1, 0.3, 1.0)
    cost_spread: tuple[float, ...] = (0.0, 0.25, 0.5, 1.0)
    heterogeneity: tuple[float, ...] = (0.2, 1.0)
    clients: int = 6
    markets: int = 40
    seed: int = 0


_BOUNDS: Mapping[str, tuple[float, float]] = {
    "lam": (0.0, 1e6), "cost_spread": (0.0, 1.0), "heterogeneity": (0.0, 1.0),
    "clients": (3, 40), "markets": (1, 10_000), "seed": (0, 2**63 - 1),
}  # fmt: skip


def read_sweep(path: Path | None, seed: int | None = None) -> Sweep:
    """Return the settings in a TOML file, the defaults for what it leaves out.

    Raises
    ------
    InputError
        If a key is unknown or a value is out of bounds.
    """
    told = {} if path is None else read_toml(path)
    where = "the sweep" if path is None else one_line(path)
    known = {f.name for f in fields(Sweep)}
    for key in told:
        if key not in known:
            raise InputError(f"{where}: unknown key {shown(key)}; expected {', '.join(sorted(known))}")
    values: dict[str, Any] = {key: _value(where, key, value) for key, value in told.items()}
    if seed is not None:
        values["seed"] = seed
    sweep = Sweep(**values)
    count = len(sweep.mechanisms) * len(sweep.lam) * len(sweep.cost_spread) * len(sweep.heterogeneity)
    if count > _MOST_POINTS:
        raise InputError(f"{where}: {count} points; expected at most {_MOST_POINTS}")
    return sweep


def _value(where: str, key: str, value: Any) -> Any:
    if key == "mechanisms":
        if not isinstance(value, list) or not value or not all(v in MARKET_ENTRIES for v in map(str, value)):
            raise InputError(f"{where}: mechanisms must be a list of {', '.join(MARKET_ENTRIES)}")
        return tuple(dict.fromkeys(value))
    low, high = _BOUNDS[key]
    one = key in ("clients", "markets", "seed")
    numbers = [value] if one else value
    kinds = int if one else (int, float)
    right = isinstance(numbers, list) and 0 < len(numbers) <= _MOST_VALUES
    if not right or not all(isinstance(v, kinds) and not isinstance(v, bool) and low <= v <= high for v in numbers):
        what = "a whole number" if one else "a list of numbers"
        raise InputError(f"{where}: {key} must be {what} from {low:g} to {high:g}")
    return value if one else tuple(float(v) for v in dict.fromkeys(value))


def swept(sweep: Sweep, folder: Path, *, resume: bool, progress: Tell | None = None) -> list[dict[str, Any]]:
    """Measure every point, one line of the record each, and return the rows in the order of the grid.

    Raises
    ------
    InputError
        If the folder holds a record and ``resume`` is not set, or the record is of other settings.
    Interrupted
        On Ctrl-C: what was measured is kept.
    """
    from proofs_checks.frontier import grid, measure, record

    points = grid(sweep.mechanisms, sweep.lam, sweep.cost_spread, sweep.heterogeneity)
    path = folder / RECORD
    head = json.loads(json.dumps(asdict(sweep)))
    done = _taken_up(path, head, len(points), resume=resume)
    folder.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        path.write_text(json.dumps(head) + "\n", encoding="utf-8")
    rows = []
    try:
        with open(path, "a", encoding="utf-8") as file:
            for k, point in enumerate(points):
                if k >= len(done):
                    row = record(point, measure(point, sweep.clients, sweep.markets, sweep.seed))
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


def _taken_up(path: Path, head: dict[str, Any], count: int, *, resume: bool) -> list[dict[str, Any]]:
    """Return the points that a record holds; a last line that was cut short is removed from it."""
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").split("\n")
    whole = lines[:-1]  # what follows the last line end was not finished
    try:
        rows = [json.loads(line) for line in whole]
        other = [key for key, value in head.items() if rows and rows[0].get(key) != value]
    except (ValueError, AttributeError):
        raise InputError(f"{shown(path)} is damaged; name another --out") from None
    if not resume:
        raise InputError(_standing(path.parent, len(rows) - 1, count, other=bool(other)))
    if not rows:
        path.unlink()
        return []
    for key in other:
        raise InputError(f"{shown(path)} was swept with {key} {rows[0].get(key)!r:.80}; this is {head[key]!r:.80}")
    if lines[-1]:
        path.write_text("".join(line + "\n" for line in whole), encoding="utf-8")
    return rows[1:]


def _standing(folder: Path, done: int, count: int, *, other: bool) -> str:
    """Say how far the sweep in a folder is, and what to do."""
    if other:
        return f"{shown(folder)} holds a sweep with other settings; name another --out"
    if done >= count:
        return (
            f"{shown(folder)} holds this sweep, complete with {count} points; add --resume to see its table again, or "
            "name another --out"
        )
    return (
        f"{shown(folder)} holds a sweep, {max(done, 0)} of {count} points; add --resume to go on, or name another --out"
    )
