"""A table of one's own as a task: its owners are the clients, trained with the settings of the digits tasks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from marketproof.running.sections import Task
from mechanism.errors import InputError, shown
from mechanism.reading import validated

GAIN_A_ROW = 100.0
"""Gain parameter K for each sample that a client holds on average, about as in the paper."""

MOST_OWNERS = 1000
"""Clients of a run."""

OWN: dict[str, Any] = {
    "title": "A table of one's own",
    "split": {"kind": "owners"},
    "model": {"name": "mlp"},
    "training": {"batch": 32},
    "market": {"lam": 1.0, "eta": 5.0, "cost": [0.5, 1.0], "gain": 0.0},
    "scale": {
        "smoke": {"rounds": 2, "steps": 5},
        "reduced": {"rounds": 10, "steps": 40},
        "paper": {"rounds": 50, "steps": 200},
    },
}
"""What a table of one's own is trained with, unless a task file says otherwise: as the digits tasks.

A gain of 0 stands for `GAIN_A_ROW` times the mean number of rows.
"""


def own_table(
    task: str | None, data: Path | None, owner: str | None, target: str | None, ignored: list[str]
) -> dict[str, Any] | None:
    """Return the data section of a table of one's own, None if none is given; `InputError` if a part is missing."""
    if data is None:
        if owner or target or ignored:
            raise InputError("--owner, --target and --ignore are columns of --data FILE; name that, too")
        return None
    if task is not None:
        raise InputError(f"expected a task or --data FILE, not both; drop {shown(task)}, or put the file into it")
    if not owner or not target:
        raise InputError("--data FILE needs --owner COLUMN (whose a row is) and --target COLUMN (the class to predict)")
    return {"file": str(data), "owner": owner, "target": target, "ignored": ignored}


def own_task(table: Mapping[str, Any]) -> tuple[str, Task]:
    """Return the task of a table, whose data section is given, and its name: the file's."""
    return Path(table["file"]).name, validated(Task, {**OWN, "data": table}, "options")


def owned(values: dict[str, Any]) -> dict[str, Any]:
    """Return a task's values with the owners of its own table as clients; `MarketProofError` if it cannot be read."""
    from learning.data import OwnTable
    from learning.data.sets.own import owners
    from marketproof.files.csv_input import client_name

    data = values["data"]
    table = OwnTable(data["file"], data["owner"], data["target"], tuple(data["ignored"]))
    rows = owners(table)
    names = [client_name(name, f"{data['file']}, column {shown(data['owner'])}") for name in rows]
    if not 2 <= len(names) <= MOST_OWNERS:
        raise InputError(f"{data['file']} has {len(names)} owners; expected 2 to {MOST_OWNERS}, each becomes a client")
    told = {"dataset": "own", "clients": len(names), "names": names}
    market = values["market"]
    if market["gain"] == (0.0, 0.0):  # not said: as in the paper, about a hundred for each sample
        market = {**market, "gain": (GAIN_A_ROW * sum(rows.values()) / len(rows),) * 2}
    return {**values, "data": {**data, **told}, "split": {**values["split"], "kind": "owners"}, "market": market}
