"""An ASGI application served by uvicorn from a thread of this process."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from mechanism.errors import InputError

Send = Callable[[dict[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Application = Callable[[dict[str, Any], Receive, Send], Awaitable[None]]

_CONNECTIONS = 2_000
_IDLE = 30
"""Seconds that a connection may be open without a whole head of a request."""
EACH = 16
"""Connections of one certificate at most; the oldest is hung up on."""
_EACH_ADDRESS = 256
"""Connections of one address at most, where certificates are not asked for: some of many clients are behind one."""
COMING = 400
"""Connections at most that have not shown who they are; the oldest is hung up on. Each costs one of the descriptors
that the server needs for its own files."""


def tls(certificate: Path, key: Path) -> ssl.SSLContext:
    """Return the context of a server that speaks TLS 1.3 only."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(certificate, key)
    return context


def _roomy() -> None:
    """Let this process have as many descriptors as connections may take, if the system gives them."""
    with suppress(ImportError, OSError, ValueError):
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = 2 * _CONNECTIONS if hard == resource.RLIM_INFINITY else min(2 * _CONNECTIONS, hard)
        if soft != resource.RLIM_INFINITY and soft < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


class _Door(socket.socket):
    """A listening socket; ``coming``: the connections, by descriptor, whose TLS is not agreed on yet, oldest first."""

    coming: dict[int, socket.socket]

    def accept(self) -> tuple[socket.socket, Any]:
        """Accept as ever, and hang up on the oldest of too many strangers."""
        made, address = super().accept()
        coming = {at: one for at, one in self.coming.items() if one.fileno() == at}
        if len(coming) >= COMING:
            with suppress(OSError):  # it went by itself
                coming.pop(next(iter(coming))).shutdown(socket.SHUT_RDWR)
        self.coming = coming | {made.fileno(): made}
        return made, address


class Listener:
    """Serves ``application`` on ``port`` (0: any) until `close`; over TLS with ``context``.

    ``lifespan``: whether the application wants to be told of start and end. Each request's ``state`` holds under "peer"
    the certificate (DER) of who calls, where ``context`` asks for one. `InputError` if the port cannot be used.
    """

    def __init__(
        self, application: Application, host: str, port: int, context: ssl.SSLContext | None, lifespan: bool = False
    ) -> None:
        import uvicorn
        from uvicorn.protocols.http.h11_impl import H11Protocol

        callers: dict[object, list[H11Protocol]] = {}

        class WithPeer(H11Protocol):
            """Tells the application whose certificate the connection has; hangs up on who calls and asks nothing."""

            late: asyncio.TimerHandle | None = None

            def connection_made(self, transport: Any) -> None:
                super().connection_made(transport)
                listening.coming.pop(transport.get_extra_info("socket").fileno(), None)
                secured = transport.get_extra_info("ssl_object")
                peer = None if secured is None else secured.getpeercert(binary_form=True)
                if secured is not None:
                    self.app_state = {**self.app_state, "peer": peer}
                self._count(peer or (self.client or ("",))[0], _EACH_ADDRESS if peer is None else EACH)
                self._watch()

            def _count(self, caller: object, most: int) -> None:
                self._caller = caller
                theirs = callers.setdefault(caller, [])
                theirs.append(self)
                if len(theirs) > most:
                    theirs.pop(0).transport.abort()

            def connection_lost(self, exc: Exception | None) -> None:
                super().connection_lost(exc)
                theirs = callers.get(getattr(self, "_caller", None), [])
                if self in theirs:
                    theirs.remove(self)
                if not theirs:
                    callers.pop(getattr(self, "_caller", None), None)
                if self.late is not None:
                    self.late.cancel()

            def handle_events(self) -> None:
                super().handle_events()
                self._watch()

            def _watch(self) -> None:
                """Count the seconds from when a request could begin until its head is whole."""
                waiting = self.cycle is None or self.cycle.response_complete
                if waiting and self.late is None:
                    self.late = self.loop.call_later(_IDLE, self.transport.close)
                elif not waiting and self.late is not None:
                    self.late.cancel()
                    self.late = None

        config = uvicorn.Config(
            application, host=host, port=port, http=WithPeer, interface="asgi3", lifespan="on" if lifespan else "off",
            ws="none", proxy_headers=False, log_config=None, access_log=False, server_header=False,
            limit_concurrency=_CONNECTIONS, timeout_keep_alive=_IDLE, timeout_graceful_shutdown=2,
        )  # fmt: skip
        _roomy()
        config.load()
        config.ssl = context
        try:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            listening = _Door(fileno=socket.create_server((host, port), family=family).detach())
            listening.coming = {}
        except OSError as failed:
            reason = failed.strerror or failed
            raise InputError(f"{host}:{port} cannot be listened on ({reason}); name another HOST:PORT") from None
        self.port = int(listening.getsockname()[1])
        self._server, started = uvicorn.Server(config), threading.Event()

        async def work() -> None:
            self.loop = asyncio.get_running_loop()
            started.set()
            await self._server.serve([listening])

        self._thread = threading.Thread(target=asyncio.run, args=(work(),), name="federation", daemon=True)
        self._thread.start()
        started.wait()

    def close(self) -> None:
        """Answer what was asked, for two seconds at most, and stop listening; harmless when done twice."""
        self._server.should_exit = True
        self._thread.join(10.0)
