"""The server of a federation: it waits for its clients, drives the rounds, and sends each its own account."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from marketproof.federation.bills import bills_of, run_name, told_of
from marketproof.federation.keys import NAME, Identity, Register
from marketproof.running.config import RunConfig
from marketproof.running.execution import Finished, Place, plan_of
from marketproof.running.execution import run as run_all
from marketproof.running.own_data import agreed_of
from mechanism.errors import InputError, one_line, shown

if TYPE_CHECKING:
    from analysis.run.market import MarketRecord
    from learning.trainer import Trainer
    from marketproof.federation.page import Page
    from marketproof.federation.served import Served
    from marketproof.running.recorder import Unit

LINKS = ("https", "flower")
_LOOK = 0.2
_AGAIN, _SELDOM = 5.0, 300.0
"""Seconds before clients are greeted again where too few could begin: at first, and at most."""
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Site:
    """Where a federation listens, by which link, where its keys lie, and how long clients have for one answer.

    It begins when all are there whose keys are registered, or without the others when ``least`` have been there for
    ``wait`` seconds. ``page``: host and port on which rounds can be looked at; None: nowhere.
    """

    host: str
    port: int
    keys: Path
    link: str = "https"
    deadline: float = 600.0
    least: int = 2
    wait: float = 600.0
    page: tuple[str, int] | None = None


def opened(site: Site, names: Sequence[str]) -> Any:
    """Return the transport of a site, listening for clients of these names; `InputError` in one line if it cannot."""
    if site.link not in LINKS:
        raise InputError(f"there is no link {shown(site.link)}; expected one of {', '.join(LINKS)}")
    if not (site.keys / "server.key").exists():
        raise InputError(
            f"{shown(site.keys)} has no key of a server; make one: marketproof keys server HOST --folder {site.keys}"
        )
    identity, register = Identity.at(site.keys / "server.key"), Register(site.keys)
    if site.link == "flower":
        from marketproof.federation.flower_link import FlowerTransport

        return FlowerTransport(site.host, site.port, identity, register, site.deadline, names)
    from marketproof.federation.https_server import HttpsTransport

    return HttpsTransport(site.host, site.port, identity, register, site.deadline, names)


def joined(config: RunConfig, keys: Path, expected: Sequence[str] = ()) -> RunConfig:
    """Return the configuration of a federation of all who are registered now, with a name for its run.

    Those who are ``expected`` need no key yet: who is registered under such a name while the run goes on takes part
    from the next round. `InputError` unless they are two or more, and the task is one that clients elsewhere can train.
    """
    if odd := next((name for name in expected if not NAME.fullmatch(name)), None):
        raise InputError(f"{shown(odd)} is no name; expected up to 64 letters, digits, '.', '_' or '-'")
    names = sorted({*Register(keys).names().values(), *expected})
    if len(names) < 2:
        raise InputError(
            f"{len(names)} clients are registered in {shown(keys)}; expected two or more (marketproof keys)"
        )
    if config.data.file or config.data.split_file or config.population.name != "benign":
        raise InputError(
            "a federation has its clients' own samples and conduct; expected a task without [data] file, and "
            "population benign"
        )
    if config.data.dataset == "own":
        agreed_of(config.data)  # what is no agreement is told before anybody waits
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
    names = tuple(config.data.names)
    if not 2 <= site.least <= len(names):
        raise InputError(f"--least is {site.least}; expected 2 to {len(names)}, as many as there are names")
    transport = opened(site, names)
    trainers: dict[str, Served] = {}
    page: Page | None = None

    def say(line: str) -> None:
        tell(line)
        if page is not None:
            page.say(line)

    def make(unit: Unit) -> Trainer:
        from learning.federation.reception import TooFew
        from marketproof.federation.served import Lent, Served

        plan, run = replace(plan_of(config, unit.seed), clients=len(names)), f"{config.federation}-{unit.key}"
        lent, pause, heard = Lent(transport, run_name(run), site.least, say), _AGAIN, set[str]()

        def once(line: str) -> None:
            if line not in heard:
                say(line)
            heard.add(line)

        while unit.key not in trainers:
            _meet(transport, names, site if not trainers else replace(site, wait=0.0), once)
            try:
                trainers[unit.key] = Served(plan, unit.method.algorithm, unit.seed, lent)
            except TooFew as few:  # who can mend it is elsewhere
                once(one_line(few))
                time.sleep(pause)
                pause = min(2 * pause, _SELDOM)
        return trainers[unit.key]

    def watch(unit: Unit, number: int, record: MarketRecord, notices: Sequence[str]) -> None:
        training = f"{unit.method.name}, seed {unit.seed}"
        if page is not None:
            page.round(training, number, record, trainers[unit.key].away)
        trainers[unit.key].bill(bills_of(record, names))
        for notice in notices:
            tell(notice)
        tell(f"{training}, round {number}: {told_of(record, names)}")

    try:
        if site.page is not None:
            from marketproof.federation.page import Page

            page = Page(*site.page, config.task, names, config.rounds)
            tell(f"rounds can be looked at on http://{site.page[0]}:{page.port}/")
        say(f"listening on {site.host}:{transport.port} over {site.link} for {', '.join(names)}")
        done = run_all(config, folder, Place("federated", "cpu"), resume=resume, quiet=quiet, make=make, watch=watch)
        _give_audits(transport, done, names, config.federation, say)
        return done
    finally:
        transport.close()
        if page is not None:
            page.close()


def _give_audits(transport: Any, done: Finished, names: Sequence[str], federation: str, tell: Tell) -> None:
    """Send every client its own audit of each training; say who has not taken it."""
    from learning.federation.messages import Done, MessageError, bytes_of, decode, encode
    from learning.federation.transport import Absence, Request
    from marketproof.federation.audits import audits_of

    missed: dict[str, str] = {}
    for parts in audits_of(done.folder, done.audit, names, federation):
        asked = [Request(audit.client, encode(audit, rounds), bytes_of({})) for audit, rounds in parts]
        for name, reply in zip(names, transport.exchange(asked), strict=True):
            try:
                if isinstance(reply, Absence):
                    raise MessageError(reply.reason)
                decode(reply, bytes_of({}), Done)
            except MessageError as error:
                missed[name] = one_line(error)
    for name, reason in missed.items():
        tell(f"{name} has not taken its audit: {reason}")


def _meet(transport: Any, names: Sequence[str], site: Site, tell: Tell) -> None:
    """Wait until a run can begin, as `Site` says; tell who is missing when that changes."""
    said, since, register = "", None, Register(site.keys)
    while True:
        there = set(names) & set(transport.online())
        awaited = set(names) & set(register.names().values())
        missing = ", ".join(sorted(awaited - there)) or f"{site.least - len(there)} more"
        since = None if len(there) < site.least else since or time.monotonic()
        if since is not None and (awaited <= there or time.monotonic() - since >= site.wait):
            break
        if said != (said := f"waiting for {missing}"):
            tell(said)
        time.sleep(_LOOK)
    late = ", ".join(sorted(set(names) - there))
    tell(f"beginning without {late}, who may come later" if late else f"all are there: {', '.join(names)}")
