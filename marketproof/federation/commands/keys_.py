"""``marketproof keys``: who may take part in a federation."""

from pathlib import Path
from typing import Annotated

import typer

from marketproof.commands.options import FixedSeed, Json, Quiet
from marketproof.terminal.console import stdout
from mechanism.errors import InputError, shown
from mechanism.writing import write_json

HELP = """Make, register and revoke the keys of a federation.

The server's owner: "keys server HOST,HOST…" makes its key and certificate in the folder; "keys register NAME.crt" lets
a client in, under that name or --name; "keys revoke NAME" shuts it out from the next request on; "keys list".
A client: "keys new NAME" makes NAME.key, which stays secret, and NAME.crt, which goes to the server's owner."""

EPILOG = """Example: "marketproof keys server markets.example.org", then give federation/server.crt to everybody, and
"marketproof keys register alice.crt" with what alice sent. Guide: docs/guide/federation.md."""

ACTIONS = ("server", "new", "register", "revoke", "list")


def keys_(
    action: Annotated[str, typer.Argument(metavar="|".join(ACTIONS), help="What to do.")],
    what: Annotated[str | None, typer.Argument(help="Hosts, a name or a file, as the action wants it.")] = None,
    folder: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where keys lie; default federation, for new the working folder.")
    ] = None,
    name: Annotated[str | None, typer.Option(metavar="NAME", help="With register: the client's name.")] = None,
    json: Json = None,
    seed: FixedSeed = 0,
    quiet: Quiet = False,
) -> None:
    """Do one of the actions and say what was done."""
    from marketproof.federation.keys import Register, make_identity

    if action not in ACTIONS:
        raise InputError(f"there is no action {shown(action)}; expected one of {', '.join(ACTIONS)}")
    if name is not None and action != "register":
        raise InputError(f"--name goes with register only; leave it away for {action}")
    if (what is None) != (action == "list"):
        needs = {"server": "the server's hosts", "register": "a certificate", "list": "nothing more"}
        raise InputError(f"keys {action} takes {needs.get(action, 'a name')}; see: marketproof keys --help")
    register = Register(folder or Path("federation"))
    told: dict[str, object] = {"action": action}
    if action in ("server", "new"):
        place = (folder or Path()) if action == "new" else register.folder
        hosts = [host.strip() for host in str(what).split(",") if host.strip()] if action == "server" else []
        if action == "server" and not hosts:
            raise InputError("keys server takes the hosts under which clients reach it, separated by commas")
        made = make_identity(place, "server" if hosts else str(what), hosts)
        told |= {"key": str(made.key), "certificate": str(made.certificate)}
        whom = "every client" if hosts else "the server's owner"
        said = f"{shown(made.key)} stays secret; give {shown(made.certificate)} to {whom}"
    elif action == "register":
        told["client"] = client = register.add(Path(str(what)), name or "")
        said = f"{client} may join"
    elif action == "revoke":
        register.revoke(str(what))
        told["client"] = what
        said = f"{what} is shut out"
    else:
        known = register.names()
        told["clients"] = {client: key for key, client in sorted(known.items(), key=lambda pair: pair[1])}
        said = "\n".join(f"{client}  {key[:16]}" for client, key in sorted((c, k) for k, c in known.items()))
        said = said or f"nobody is registered in {shown(register.folder)}"
    write_json(json, told)
    stdout(quiet=quiet).print(said, soft_wrap=True)
