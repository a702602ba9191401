"""The fence around Flower's server: from outside only its fleet interface can be reached, and nothing without bounds.

Flower serves fleet, control and runtime on one port, and its control interface asks nobody who he is: who knows no more
than the server's certificate could register a key of his own and submit code that is run on the server and on every
client, with node authentication on. Here the public TLS port answers `/v1/fleet/…` alone; the other interfaces are on a
loopback port, which whoever has an account on the server's machine can reach.
"""

from __future__ import annotations

import asyncio
import importlib.metadata
import logging
import os
from collections import Counter
from typing import Any

from marketproof.federation.keys import Identity
from marketproof.federation.listening import Application, Listener, Receive, Send, tls
from mechanism.errors import InputError

VERSION = "1.42.0"
FLEET = "/v1/fleet/"
PIECE = 8 * 2**20
"""Bytes of one request at most; Flower sends arrays in pieces of 5 MB."""
_SLOWEST = 120.0
"""Seconds that one request may take to arrive."""
_SMALL = 2**20
"""Bytes beside its replies that a client may send between two exchanges: its questions whether there is work."""

_QUIET = {
    "FLWR_TELEMETRY_ENABLED": "0",
    "FLWR_DISABLE_UPDATE_CHECK": "1",
    "FLWR_DISABLE_RUNTIME_DEPENDENCY_INSTALLATION": "1",
}


_BACK_OFF = 0.02
"""Seconds before an object that is not there yet is asked for again. Flower's own, 1, made up most of a round."""


def ready() -> None:
    """Make Flower ready: it sends nothing to its makers, installs nothing, and writes no log into the terminal.

    `InputError` unless exactly the version that is here is the one whose private parts we use.
    """
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    try:
        found = importlib.metadata.version("flwr")
    except importlib.metadata.PackageNotFoundError:
        found = "none"
    if found != VERSION:
        raise InputError(f"--via flower needs flwr {VERSION}, found {found}; say: pip install 'marketproof[flower]'")
    from flwr.supercore.inflatable.inflatable_utils import pull_objects

    pull_objects.__kwdefaults__["initial_backoff"] = _BACK_OFF
    logging.getLogger("flwr").setLevel(logging.CRITICAL)


class Fence:
    """An application that hands on requests to the fleet interface of ``inner`` and refuses all else.

    A request has at most `PIECE` bytes, whatever it says of its length, and one address under one key at most as many
    between two calls of `allow` as that says. ``known``: the keys of registered clients, as Flower's requests carry
    them: of nobody else is a body read.
    """

    def __init__(self, inner: Application) -> None:
        self._inner, self._most, self._sent = inner, _SMALL, Counter[tuple[str, bytes]]()
        self.known: dict[str, bytes] = {}

    def allow(self, most: int) -> None:
        """Begin to count anew, up to ``most`` bytes of replies from each client."""
        self._most = 2 * most + _SMALL  # what is sent again after a broken connection counts twice
        self._sent.clear()

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        headers = dict(scope["headers"])
        sender = (str((scope.get("client") or [""])[0]), headers.get(b"flwr-public-key", b""))
        status, whole = 404, bytearray()  # at 401 Flower's client interrupts its own process
        if scope["path"].startswith(FLEET) and sender[1] in self.known.values():
            status = await self._read(sender, whole, receive)
        if status:
            closing = [(b"content-length", b"0"), (b"connection", b"close")]
            await send({"type": "http.response.start", "status": status, "headers": closing})
            await send({"type": "http.response.body", "body": b""})
            return
        body = iter([{"type": "http.request", "body": bytes(whole), "more_body": False}])

        async def again() -> dict[str, Any]:
            return next(body, None) or await receive()

        await self._inner({**scope, "state": {}}, again, send)

    async def _read(self, sender: tuple[str, bytes], whole: bytearray, receive: Receive) -> int:
        """Read a body; return 0, or the status with which it is refused."""
        more = True
        try:
            async with asyncio.timeout(_SLOWEST):
                while more:
                    event = await receive()
                    whole += event.get("body", b"")
                    self._sent[sender] += len(event.get("body", b""))
                    if event["type"] != "http.request" or len(whole) > PIECE or self._sent[sender] > self._most:
                        return 413
                    more = event.get("more_body", False)
        except TimeoutError:
            return 408
        return 0


class FencedLink:
    """Flower's server (`flwr.superlink`) with node authentication in this process, its state in memory.

    ``private`` is the port of the loopback interfaces, without TLS. From outside nothing answers before `listen`: a
    client that comes back before its key is registered again would take it that it is not known.
    """

    def __init__(self) -> None:
        ready()
        from flwr.superlink.cli.flower_superlink import SuperLinkLifespan
        from flwr.superlink.config_loader import SuperLinkLifespanConfig, load_control_authn_plugin
        from flwr.superlink.main import create_app

        told: dict[str, Any] = dict.fromkeys(SuperLinkLifespanConfig.__dataclass_fields__)
        told |= {
            "control_address": "127.0.0.1:0", "host": "127.0.0.1", "port": 0, "insecure": True, "simulation": False,
            "authn_plugin": load_control_authn_plugin(), "enable_event_log": False, "enable_supernode_auth": True,
            "fleet_api_type": "grpc-rere", "database": ":flwr-in-memory:", "isolation": "process",
            "runtime_dependency_install": False,
        }  # fmt: skip
        inner = create_app(SuperLinkLifespanConfig(**told), SuperLinkLifespan)
        self.fence = Fence(inner)
        self._private = Listener(inner, "127.0.0.1", 0, None, lifespan=True)
        self.private = self._private.port
        self._public: Listener | None = None

    def listen(self, host: str, port: int, identity: Identity) -> int:
        """Answer clients on a public port; return it."""
        self._public = Listener(self.fence, host, port, tls(identity.certificate, identity.key))
        return self._public.port

    def close(self) -> None:
        """Stop listening; harmless when done twice."""
        if self._public is not None:
            self._public.close()
        self._private.close()
