"""The server of a federation: it waits for its clients, drives the rounds, and sends each its own account."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from marketproof.federation.bills import bills_of, told_of
from marketproof.federation.keys import Identity, Register
from marketproof.running.config import RunConfig
from marketproof.running.execution import Finished, Place, plan_of
from marketproof.running.execution import run as run_all
from mechanism.errors import InputError, shown

if TYPE_CHECKING:
    from analysis.run.market import MarketRecord
    from learning.trainer import Trainer
    from marketproof.federation.served import Served
    from marketproof.running.recorder import Unit

LINKS = ("https", "flower")
_LOOK = 0.2
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Site:
    """Where a federation listens, by which link, where its keys lie, and how long clients have for one answer."""

    host: str
    port: int
    keys: Path
    link: str = "https"
    deadline: float = 600.0


def opened(site: Site) -> Any:
    """Return the transport of a site, listening; `InputError` in one line if it cannot."""
    if site.link not in LINKS:
        raise InputError(f"there is no link {shown(site.link)}; expected one of {', '.join(LINKS)}")
    if not (site.keys / "server.key").exists():
        raise InputError(
            f"{shown(site.keys)} has no key of a server; make one: marketproof keys server HOST --folder {site.keys}"
        )
    identity, register = Identity.at(site.keys / "server.key"), Register(site.keys)
    if site.link == "flower":
        from marketproof.federation.flower_link import FlowerTransport

        return FlowerTransport(site.host, site.port, identity, register, site.deadline)
    from marketproof.federation.https_server import HttpsTransport

    return HttpsTransport(site.host, site.port, identity, register, site.deadline)


def joined(config: RunConfig, keys: Path) -> RunConfig:
    """Return the configuration of a federation of all who are registered now, with a name for its run.

    `InputError` unless they are two or more, and the task is one that clients elsewhere can train.
    """
    names = sorted(Register(keys).names().values())
    if len(names) < 2:
        raise InputError(
            f"{len(names)} clients are registered in {shown(keys)}; expected two or more (marketproof keys)"
        )
    if config.data.file or config.population.name != "benign":
        raise InputError(
            "a federation has its clients' own samples and conduct; expected a task without [data] file, and "
            "population benign"
        )
    data = config.data.model_copy(update={"names": names, "clients": len(names)})
    return config.model_copy(update={"data": data, "federation": secrets.token_hex(8)})


def serve(
    config: RunConfig, folder: Path, site: Site, *, resume: bool, quiet: bool, tell: Tell = lambda line: None
) -> Finished:
    """Run a federation to its end, or go on with one; as `marketproof.running.execution.run` besides.

    ``config`` as `joined` returned it, or as it was recorded. ``tell`` is told who is there and what every round moved.
    """
    if not config.federation:
        raise InputError(f"{shown(folder)} is no federation's run; go on with it by: marketproof run --resume")
    transport = opened(site)
    transport.names = names = tuple(config.data.names)
    trainers: dict[str, Served] = {}

    def make(unit: Unit) -> Trainer:
        from marketproof.federation.served import Lent, Served, run_name

        _meet(transport, names, tell)
        plan, run = replace(plan_of(config, unit.seed), clients=len(names)), f"{config.federation}-{unit.key}"
        trainers[unit.key] = Served(plan, unit.method.algorithm, unit.seed, Lent(transport, run_name(run)))
        return trainers[unit.key]

    def watch(unit: Unit, number: int, record: MarketRecord, notices: Sequence[str]) -> None:
        trainers[unit.key].bill(bills_of(record, names))
        tell(f"{unit.method.name}, seed {unit.seed}, round {number}: {told_of(record, names)}")

    try:
        tell(f"listening on {site.host}:{transport.port} over {site.link} for {', '.join(names)}")
        return run_all(config, folder, Place("federated", "cpu"), resume=resume, quiet=quiet, make=make, watch=watch)
    finally:
        transport.close()


def _meet(transport: Any, names: Sequence[str], tell: Tell) -> None:
    """Wait until all clients are there; say who is missing when that changes."""
    said = ""
    while missing := sorted(set(names) - set(transport.online())):
        if said != (said := f"waiting for {', '.join(missing)}"):
            tell(said)
        time.sleep(_LOOK)
    tell(f"all are there: {', '.join(names)}")
