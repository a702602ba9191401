"""Data of one's own as a task: its owners are the clients, trained with the settings of the digits tasks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from marketproof.running.sections import Data, Task, is_division
from mechanism.errors import InputError, did_you_mean, shown
from mechanism.market.clients import LARGEST
from mechanism.reading import validated
from mechanism.wording import plural

if TYPE_CHECKING:
    from learning.data import OwnTable
    from learning.data.agreed import Agreed

GAIN_A_ROW = 100.0
"""Gain parameter K for each sample that a client holds on average, about as in the paper."""

MOST_OWNERS = 1000
"""Clients of a run."""

EACH = ("cost", "gain", "lam")
"""What a table of costs may say of each client."""

RULES = ("niid", "cluster", "skew")
"""Rules that divide samples whoever their owners are."""

NETWORKS = {"images": "cnn", "speech": "lstm"}
"""What is trained where nothing is said, by the kind of data; else a perceptron."""

OWN: dict[str, Any] = {
    "title": "Data of one's own",
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
"""What data of one's own are trained with, unless a task file says otherwise: as the digits tasks.

A gain of 0 stands for `GAIN_A_ROW` times the mean number of rows.
"""


def own_data(task: str | None, data: Path | None, split: str | None, **given: Any) -> dict[str, Any] | None:
    """Return what the command line says of data of one's own: sections data and split, None if there are none.

    ``given``: keys of the section of data, without those that are None. `InputError` if a part is missing.
    """
    told = {key: value for key, value in given.items() if value}
    if data is None:
        if told or (split and not is_division(split)):
            raise InputError(
                "--owner, --target, --ignore, --test, --least and a --split that is no file belong to --data; name "
                "that, too"
            )
        return None
    if task is not None:
        raise InputError(f"expected a task or --data, not both; drop {shown(task)}, or put the file into it")
    if is_division(split):
        told, split = {**told, "split_file": split}, None
    return {"data": {"file": str(data), **told}, "split": {"kind": split or "owners"}}


def own_task(told: Mapping[str, Any]) -> tuple[str, Task]:
    """Return the task of data of one's own, by what `own_data` told, and its name: the file's."""
    from learning.data.sets.own import own_kind

    file = told["data"]["file"]
    model = {"name": NETWORKS.get(own_kind(file), "mlp")}
    return Path(file).name, validated(Task, {**OWN, "model": model, **told}, "options")


def source_of(data: Mapping[str, Any], split: str) -> OwnTable:
    """Return where the data of a section lie and how they are taken."""
    from learning.data import OwnTable

    by_rule, ignored = split in RULES, list(data["ignored"])
    owner = "" if by_rule else data["owner"]
    ignored += [data["owner"]] if by_rule and data["owner"] else []
    return OwnTable(
        data["file"],
        owner,
        data["target"],
        tuple(ignored),
        data["test_file"],
        data["least"],
        by_rule,
        data["size"],
        data["split_file"],
    )


def agreed_of(data: Data) -> Agreed | None:
    """Return how clients of a federation read data of their own, None where a task does not say it."""
    from learning.data.agreed import Agreed

    told = {name: getattr(data, name) for name in ("classes", "target", "columns", "size", "channels")}
    return Agreed.of(told) if data.classes else None


def owned(values: dict[str, Any]) -> dict[str, Any]:
    """Return a task's values with the owners of its own data as clients; `MarketProofError` if they cannot be read.

    Where a rule divides, the clients are as many as the values say, and have no names.
    """
    from learning.data.sets.own import owners
    from marketproof.files.csv_input import client_name

    data, kind = values["data"], values["split"]["kind"]
    if kind not in ("owners", *RULES):
        near = did_you_mean(kind, ("owners", *RULES))
        raise InputError(
            f"split {shown(kind)} does not divide data of one's own{near}; expected owners, {', '.join(RULES)}"
        )
    found = owners(source_of(data, kind))
    told: dict[str, Any] = {"dataset": "own"}
    if kind == "owners":
        names = [client_name(name, f"{shown(data['file'])}, owners", "owner") for name in found.samples]
        if not 2 <= len(names) <= MOST_OWNERS:
            few = f" with {data['least']} samples" if found.left_out else ""
            raise InputError(
                f"{shown(data['file'])} has {plural(len(names), 'owner')}{few}; "
                f"expected 2 to {MOST_OWNERS}, each a client"
            )
        left_out = [f"{client_name(who, 'left out', 'owner')}: {why}" for who, why in found.left_out.items()]
        told |= {"clients": len(names), "names": names, "left_out": left_out}
    market = values["market"]
    if market["gain"] == (0.0, 0.0):  # not said: as in the paper, about a hundred for each sample
        market = {**market, "gain": (GAIN_A_ROW * found.total / (told.get("clients") or data["clients"]),) * 2}
    return {**values, "data": {**data, **told}, "market": market}


def apportioned(values: dict[str, Any], file: str, clients: int | None) -> dict[str, Any]:
    """Return a task's values with the clients among whom a file divides a data set of ours; ``clients``: wanted.

    `MarketProofError` if the file cannot be read or has another number of clients.
    """
    from learning.data.division import division
    from marketproof.files.csv_input import client_name

    found = division(file)
    names = [client_name(name, f"{shown(file)}, clients", "client") for name in found.names]
    if not 2 <= len(names) <= MOST_OWNERS or clients not in (None, len(names)):
        wanted = f"2 to {MOST_OWNERS}" if clients in (None, len(names)) else f"{clients} of --clients: drop that"
        raise InputError(f"{shown(file)} divides among {plural(len(names), 'client')}; expected {wanted}")
    told = {"split_file": file, "clients": len(names), "names": [] if found.numbered else names}
    return {**values, "data": {**values["data"], **told}, "split": {**values["split"], "kind": "owners"}}


def costs_of(file: str, data: Mapping[str, Any]) -> dict[str, list[float]]:
    """Return the columns of a table of clients as each_cost, each_gain and each_lam, in the order of the clients.

    Clients stand by their names or, where they have none, by their numbers from 0. `InputError` that names the cell if
    one is missing, unknown, named twice or has a number out of range.
    """
    from marketproof.files.csv_input import number, pointed, read_table

    names = data["names"] or [str(k) for k in range(data["clients"])]
    table = read_table(Path(file))
    heads = ["lam" if head.lower() == "lambda" else head.lower() for head in table.columns]
    place = table.place(table.header_line)
    known = ("client", *EACH)
    wrong = next((head for k, head in enumerate(heads) if head not in known or head in heads[:k]), None)
    if wrong is not None or "client" not in heads or len(heads) < 2:
        told = "is missing" if wrong is None else "stands twice" if heads.count(wrong) > 1 else "is unknown"
        raise InputError(
            f"{place}: column {shown(wrong or 'client')} {told}; expected client and some of cost, gain, lambda"
        )
    pointed(table, [k for k, head in enumerate(heads) if head != "client"])
    who = heads.index("client")
    rows: dict[str, list[str]] = {}
    for row in table.rows:
        name, where = row.cells[who], table.place(row.line, "client")
        if name in rows:
            raise InputError(f"{where}: {shown(name)} stands twice; name each client once")
        if name not in names and not any(text.startswith(f"{name}: ") for text in data.get("left_out", [])):
            raise InputError(
                f"{where}: {shown(name)} is no client{did_you_mean(name, names)}; expected one row for each"
            )
        rows[name] = [str(row.line), *row.cells]
    missing = next((name for name in names if name not in rows), None)
    if missing is not None:
        raise InputError(f"{table.file}: no row for client {shown(missing)}; expected one for each")
    return {
        f"each_{head}": [
            number(rows[name][k + 1], table.place(int(rows[name][0]), head), low=0.0, high=LARGEST,
                   expected=f"from 0 to {LARGEST:g}")
            for name in names
        ]
        for k, head in enumerate(heads) if head != "client"
    }  # fmt: skip
