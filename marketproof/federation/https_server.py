"""The server's side of a federation over HTTPS with mutual TLS.

Clients fetch requests by long polls, so that they may sit behind any firewall. Whoever's certificate is not registered
gets no further than the handshake. A reply is taken only for the request that its client was handed, and never longer
than that allows; names of requests are drawn, so a reply that comes late, twice, or was meant for a server that has
since been started again is dropped.
"""

from __future__ import annotations

import asyncio
import hmac
import re
import secrets
import ssl
import threading
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from learning.federation.transport import Absence, Request
from marketproof.federation.https_client import ALIVE, NEXT
from marketproof.federation.keys import Identity, Register, digest_of_der
from marketproof.federation.listening import Listener, Receive, Send, tls
from mechanism.errors import MarketProofError
from mechanism.wording import number

POLL = 10.0
"""Seconds that a poll is held open where there is nothing to do."""
SILENT = 30.0
"""Seconds without a sign of life after which a client is held to be gone."""
_WATCH = 0.5
_SLOWEST = 600.0
"""Seconds that the upload of one reply may take, and as many the download of one request."""
_PIECE = 2**20
"""Bytes of a request that wait at once for a client to take them."""
_SESSION = re.compile("[0-9a-zA-Z]{16,64}")


@dataclass(eq=False)
class _Errand:
    """One request on its way: its name, which no other has, and its reply or why there is none."""

    request: Request
    name: str = field(default_factory=lambda: secrets.token_hex(8))
    reply: bytes | Absence | None = None
    arriving: bool = False


@dataclass(eq=False)
class _Box:
    """What the server knows of one client: its newest process, its last sign of life, what it has still to do."""

    session: str = ""
    seen: float = float("-inf")
    errands: deque[_Errand] = field(default_factory=deque)
    most: int = 0
    wake: asyncio.Event = field(default_factory=asyncio.Event)


class HttpsTransport:
    """A `learning.federation.transport.Transport` over HTTPS; it listens until `close`.

    ``deadline``: seconds that clients have for one exchange. ``names`` of the run's clients: nobody else is let in,
    registered or not; empty: who is registered. `InputError` if the port cannot be used.
    """

    within = False

    def __init__(
        self, host: str, port: int, identity: Identity, register: Register, deadline: float, names: Sequence[str] = ()
    ) -> None:
        self.names = tuple(names)
        self._register, self._deadline = register, deadline
        self._boxes: dict[str, _Box] = {}
        self._changed = threading.Condition()
        self._context = tls(identity.certificate, identity.key)
        self._context.verify_mode = ssl.CERT_REQUIRED
        self._known: dict[str, str] = {}
        self._state: object = None
        self._closing = False
        self._look()
        self._listener = Listener(self._answer, host, port, self._context)
        self.port = self._listener.port
        self._watching = asyncio.run_coroutine_threadsafe(self._watch(), self._listener.loop)

    def _look(self) -> None:
        """Learn who was registered or revoked since the last look."""
        state = self._register.state()
        if state == self._state:
            return
        there = set(self._register.certificates())  # who was revoked is out even if some other file cannot be read
        self._known = {key: name for key, name in self._known.items() if name in there}
        self._known, self._state = self._register.names(), state
        for path in self._register.certificates().values():
            self._context.load_verify_locations(path)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(_WATCH)
            with suppress(OSError, MarketProofError):  # a file that just moved, or is damaged: looked at again
                self._look()
            for name, box in self._boxes.items():
                if name not in self._known.values():
                    box.wake.set()  # who was shut out is told

    def online(self) -> list[str]:
        """Return the names of the clients that gave a sign of life of late."""
        now = time.monotonic()
        return sorted(name for name, box in list(self._boxes.items()) if now - box.seen < SILENT)

    def exchange(self, requests: Sequence[Request]) -> list[bytes | Absence]:
        """Send requests, return replies or absences: see the protocol."""
        errands = [_Errand(request) for request in requests]
        end = time.monotonic() + self._deadline
        with self._changed:
            for errand in errands:
                box = self._boxes.setdefault(self.names[errand.request.client], _Box())
                box.errands.append(errand)
                box.most = max(box.most, errand.request.most)
                self._listener.loop.call_soon_threadsafe(box.wake.set)
            while (now := time.monotonic()) < end and any(errand.reply is None for errand in errands):
                self._give_up(errands, now)
                self._changed.wait(min(1.0, end - now))
            for errand in errands:
                if errand.reply is None:
                    errand.reply = Absence(f"no answer within {number(self._deadline)} s", late=True)
                box = self._boxes[self.names[errand.request.client]]
                if errand in box.errands:
                    box.errands.remove(errand)
        return [errand.reply for errand in errands if errand.reply is not None]

    def _give_up(self, errands: Sequence[_Errand], now: float) -> None:
        """Wait no longer for who was shut out, or went silent."""
        known = set(self._known.values())
        for errand in errands:
            name = self.names[errand.request.client]
            if errand.reply is None and name not in known:
                errand.reply = Absence(self._register.why_out(name))
            elif errand.reply is None and now - self._boxes[name].seen > SILENT:
                errand.reply = Absence(f"no sign of life for {number(SILENT)} s")

    def close(self) -> None:
        """Tell clients that it is over, and stop listening."""
        if self._closing:
            return
        self._closing = True
        for box in list(self._boxes.values()):
            self._listener.loop.call_soon_threadsafe(box.wake.set)
        time.sleep(0.2 if self._boxes else 0.0)  # those who poll are told; the others when they come again
        self._watching.cancel()
        self._listener.close()

    async def _answer(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Answer one HTTP request (an ASGI application)."""
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        name, path = self._known.get(digest_of_der(scope["state"]["peer"])), scope["path"]
        if name is None:
            return await _say(send, 403)
        if self.names and name not in self.names:
            return await _say(send, 403, headers=[(b"why", b"names")])
        session = headers.get("session", "")
        if scope["method"] != "POST" or path not in (NEXT, ALIVE) or not _SESSION.fullmatch(session):
            return await _say(send, 404)
        box = self._boxes.setdefault(name, _Box())
        if not box.session or (headers.get("first") == "1" and box.session != session):
            box.session = session  # the newest process with a key is its client; an older one is told to go
            box.wake.set()
        if not hmac.compare_digest(box.session, session):
            return await _say(send, 409)
        box.seen = time.monotonic()
        if path == ALIVE:
            return await _say(send, 204)
        if "answers" in headers and not await self._take(box, headers, receive):
            return await _say(send, 413)
        return await self._hand_out(name, box, session, receive, send)

    async def _take(self, box: _Box, headers: dict[str, str], receive: Receive) -> bool:
        """Store a reply; False if it is too long. One that nobody waits for is read, up to a bound, and dropped."""
        with self._changed:
            errand = next((one for one in box.errands if one.name == headers["answers"] and not one.arriving), None)
            most = box.most if errand is None else errand.request.most
            if errand is not None:
                errand.arriving = True
        whole, size, fits = bytearray(), 0, _length(headers) <= most
        try:
            async with asyncio.timeout(_SLOWEST):
                more = fits
                while more:
                    event = await receive()
                    if event["type"] != "http.request":
                        return True  # it hung up in the middle, and may try again
                    size += len(event.get("body", b""))
                    whole += b"" if errand is None else event.get("body", b"")
                    fits = size <= most
                    more = fits and event.get("more_body", False)
                    box.seen = time.monotonic()
        except TimeoutError:
            return False
        finally:
            if errand is not None:
                errand.arriving = False
        if errand is not None:
            with self._changed:
                if errand in box.errands:
                    box.errands.remove(errand)
                    errand.reply = bytes(whole) if fits else Absence(f"its answer was longer than {most} bytes")
                self._changed.notify_all()
        return fits

    async def _hand_out(self, name: str, box: _Box, session: str, receive: Receive, send: Send) -> None:
        """Send the next request, or after a while that there is none."""
        end = time.monotonic() + POLL
        while not box.errands and time.monotonic() < end and not self._closing and box.session == session:
            if name not in self._known.values():
                break
            box.wake.clear()
            try:
                async with asyncio.timeout(end - time.monotonic()):
                    await box.wake.wait()
            except TimeoutError:
                break
        if name not in self._known.values():
            return await _say(send, 403)
        if box.session != session:
            return await _say(send, 409)
        with self._changed:
            errand = box.errands[0] if box.errands else None
        if errand is not None:
            headers = [(b"request", errand.name.encode()), (b"most", str(errand.request.most).encode())]
            return await _say(send, 200, errand.request.payload, headers)
        return await _say(send, 410 if self._closing else 204)


def _length(headers: dict[str, str]) -> int:
    """Return how long a body says it is; a body in chunks does not say."""
    said = headers.get("content-length", "0")
    return int(said) if said.isdecimal() and len(said) < 16 else 2**62


async def _say(send: Send, status: int, body: bytes = b"", headers: Sequence[tuple[bytes, bytes]] = ()) -> None:
    length = [] if status == 204 else [(b"content-length", str(len(body)).encode())]
    end = [(b"connection", b"close")] if status >= 400 else []  # what is left of a body is not read
    await send({"type": "http.response.start", "status": status, "headers": [*headers, *length, *end]})
    with suppress(TimeoutError):  # who takes it no faster is hung up on
        async with asyncio.timeout(_SLOWEST):
            for at in range(0, len(body), _PIECE):
                await send({"type": "http.response.body", "body": body[at : at + _PIECE], "more_body": True})
            await send({"type": "http.response.body", "body": b""})
