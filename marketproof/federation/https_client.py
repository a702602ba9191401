"""A client's side of a federation over HTTPS: fetch a request, answer it, until the server says that it is over."""

from __future__ import annotations

import contextlib
import http.client
import secrets
import ssl
import threading
import time
from collections.abc import Callable
from pathlib import Path

from marketproof.federation.keys import Identity
from mechanism.errors import InputError, MarketProofError, one_line, shown

NEXT, ALIVE = "/v1/next", "/v1/alive"

SIGN = 5.0
"""Seconds between signs of life while a client works."""
_WAIT = 60.0
_TRIES, _CUT = 4, 2
"""Times that a call may fail: in any way, and by a server that hangs up on a reply, before that is given up."""
_LARGEST = 2**34
"""Bytes of a request at most, unless said."""


class Refused(MarketProofError):
    """The server does not let this client in (any more)."""


class _HungUp(OSError):
    """The server took the call, and hung up without a word: so it does where it does not know a certificate."""


class _Line:
    """A connection that is made again when it breaks."""

    def __init__(self, host: str, port: int, context: ssl.SSLContext) -> None:
        self._new = lambda: http.client.HTTPSConnection(host, port, timeout=_WAIT, context=context)
        self._connection = self._new()

    def post(
        self, path: str, headers: dict[str, str], body: bytes = b"", most: int = 2**16
    ) -> tuple[int, dict[str, str], bytes]:
        """Return status, headers and body of the answer; `OSError` where there is none.

        No more than ``most`` bytes are read; of a longer body nothing is returned.
        """
        try:
            self._connection.request("POST", path, body, headers)
            answer = self._connection.getresponse()
            told = {name.lower(): value for name, value in answer.getheaders()}
            content = answer.read(most + 1)
            if len(content) > most:  # the rest is left unread
                content = b""
                self.close()
            if answer.status >= 500:
                raise OSError(f"the server answers with status {answer.status}")
            return answer.status, told, content
        except ssl.SSLCertVerificationError:
            raise
        except (ConnectionResetError, ssl.SSLError) as failed:
            self.close()
            raise _HungUp("the server hangs up") from failed
        except http.client.HTTPException as failed:
            self.close()
            raise OSError(f"the server's answer is no HTTP ({one_line(failed)[:100]})") from None
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Hang up; the next `post` connects anew."""
        self._connection.close()
        self._connection = self._new()


def attend(
    host: str,
    port: int,
    server: Path,
    identity: Identity,
    answer: Callable[[bytes, int], bytes],
    patience: float,
    tell: Callable[[str], None] = lambda line: None,
    most: Callable[[], int] = lambda: _LARGEST,
) -> None:
    """Answer the server's requests until it says that it is over.

    ``server``: its certificate, the only one that is trusted; ``answer`` is given a request and how long its reply may
    be. ``most`` says how many bytes the next request may have; what is longer is not read, and answered as if it were
    empty. `Refused` if the server does not let this key in; `InputError` if it is another server, or cannot be reached
    for ``patience`` seconds.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    try:
        context.load_verify_locations(server)
        context.load_cert_chain(identity.certificate, identity.key)
    except (OSError, ssl.SSLError) as failed:
        raise InputError(f"{shown(server)} is no certificate of a server ({one_line(failed)[:80]})") from None
    with contextlib.closing(_Line(host, port, context)) as line:
        _attend(line, host, port, server, answer, patience, tell, context, most)


def _attend(
    line: _Line,
    host: str,
    port: int,
    server: Path,
    answer: Callable[[bytes, int], bytes],
    patience: float,
    tell: Callable[[str], None],
    context: ssl.SSLContext,
    most: Callable[[], int],
) -> None:
    session = secrets.token_hex(16)
    base, told, first, lost = {"session": session}, "", True, time.monotonic()
    reply, answered, pause, tries, shut = b"", "", 0.25, 0, 0
    while True:
        headers = base | ({"first": "1"} if first else {}) | ({"answers": answered} if answered else {})
        try:
            status, said, body = line.post(NEXT, headers, reply, most())
        except ssl.SSLCertVerificationError as failed:
            raise InputError(
                f"{host}:{port} is not the server of {shown(server)} ({one_line(failed.verify_message)}); check "
                "--server and --certificate"
            ) from None
        except OSError as failed:
            shut = shut + 1 if isinstance(failed, _HungUp) else 0
            if shut == _TRIES:
                raise Refused(REFUSED) from None
            if time.monotonic() - lost > patience:
                raise InputError(f"{host}:{port} cannot be reached: {one_line(failed)[:100]}") from None
            if told != (told := f"waiting for {host}:{port} ({one_line(failed)[:80]})"):
                tell(told)
            time.sleep(pause)
            pause, tries = min(2 * pause, 15.0), tries + 1
            if tries == _TRIES or shut == _CUT:  # the server may hang up on the reply: it is too long
                reply, answered = b"", ""
            continue
        lost, pause, first, reply, answered, tries, shut = time.monotonic(), 0.25, False, b"", "", 0, 0
        if told != (told := f"connected to {host}:{port}"):
            tell(told)
        if status == 200 and said.get("request", "").isalnum() and said.get("most", "").isdecimal():
            with _Signs(host, port, context, base, ALIVE):
                reply = answer(body, int(said["most"]))
            answered = said["request"]
        elif status == 410:
            return
        elif status == 403:
            raise Refused(UNNAMED if said.get("why") == "names" else REFUSED)
        elif status == 409:
            raise Refused("another process joined with the same key; one is enough")
        elif status not in (204, 413):
            raise InputError(f"{host}:{port} answers with status {status}; is it a server of marketproof?")


REFUSED = "the server does not know this key, or has revoked it; ask its owner to register your certificate"
UNNAMED = (
    "your key is registered, but the run began without your name, and its names are fixed when it begins; ask the "
    "server's owner for a new run, or to name you beforehand (marketproof serve --expect NAME)"
)


class _Signs:
    """Signs of life beside a client's work, from a thread of their own."""

    def __init__(self, host: str, port: int, context: ssl.SSLContext, headers: dict[str, str], path: str) -> None:
        self._line, self._headers, self._path = _Line(host, port, context), headers, path
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)

    def _work(self) -> None:
        while not self._over.wait(SIGN):
            try:
                self._line.post(self._path, self._headers)
            except OSError:
                continue  # the answer to the request will tell
        self._line.close()

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *error: object) -> None:
        self._over.set()
