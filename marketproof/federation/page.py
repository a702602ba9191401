"""A federation's rounds as a page: who is in, who is away and why, how much money moved. It reads, and does nothing."""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import json
import re
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from marketproof.federation.listening import Listener, Receive, Send

if TYPE_CHECKING:
    from analysis.run.market import MarketRecord

_ROUNDS = 400
"""Rounds that the page is told of at most: the last ones."""
_HTML = Path(__file__).with_suffix(".html")


def _hashed(part: str, text: str) -> str:
    """Return the sources of a policy that allows the one part of a page called so, and nothing else."""
    (content,) = re.findall(rf"<{part}>(.*?)</{part}>", text, re.DOTALL)
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"


class Page:
    """Serves the page on ``host:port`` (0: any port) until `close`: ``/`` and ``/state.json``, to GET only.

    What it tells of a client is its name, whether it is in, why not, and how many models it bought and sold; of a round
    sums. No report and no bill is in it. Whoever asks by a name of this machine that is not its own is
    refused, so that no page of another site can read it (DNS rebinding). `InputError` if the port cannot be used.
    """

    def __init__(self, host: str, port: int, task: str, names: Sequence[str], rounds: int) -> None:
        self._names, self._host, self._lock = names, host, threading.Lock()
        self._state: dict[str, Any] = {"task": task, "said": "", "of": rounds, "rounds": []}
        self._state["clients"] = [
            {"name": name, "now": "awaited", "why": "", "bought": 0, "sold": 0, "rounds": 0} for name in names
        ]
        self._text = _HTML.read_text(encoding="utf-8")
        policy = {
            "default-src": "'none'", "script-src": _hashed("script", self._text),
            "style-src": _hashed("style", self._text), "connect-src": "'self'", "img-src": "data:",
            "base-uri": "'none'", "form-action": "'none'", "frame-ancestors": "'none'",
        }  # fmt: skip
        self._headers = {
            "content-security-policy": "; ".join(f"{name} {sources}" for name, sources in policy.items()),
            "x-content-type-options": "nosniff",
            "referrer-policy": "no-referrer",
            "cross-origin-resource-policy": "same-origin",
            "cache-control": "no-store",
        }
        self._listener = Listener(self._answer, host, port, None)
        self.port = self._listener.port

    def say(self, line: str) -> None:
        """Tell what the server is doing."""
        with self._lock:
            self._state["said"] = line

    def round(self, training: str, number: int, record: MarketRecord, away: dict[int, str]) -> None:
        """Tell of a round; ``away``: what is said of who is away, by number."""
        there = record.present
        bought, sold = record.imports.sum(axis=1), record.imports.sum(axis=0)
        with self._lock:
            for k, client in enumerate(self._state["clients"]):
                why = away.get(k, "").partition(" is ")[2] or client["why"]  # whose it is stands there
                client |= {"now": "in" if there[k] else "away", "why": "" if there[k] else why}
                client["bought"] += int(bought[k])
                client["sold"] += int(sold[k])
                client["rounds"] += int(there[k])
            told = {
                "training": training,
                "round": number,
                "there": int(there.sum()),
                "trades": int(record.imports.sum()),
                "moved": float(np.where(record.imports, record.prices, 0.0).sum()),
                "welfare": float(record.accounts.welfare),
                "accuracy": float(record.accuracy[there].mean()) if there.any() else 0.0,
            }
            self._state["rounds"] = [*self._state["rounds"], told][-_ROUNDS:]
            self._state["said"] = f"{training}, round {number} is over"

    def close(self) -> None:
        """Stop serving."""
        self._listener.close()

    def _ours(self, host: str) -> bool:
        """Say whether a Host header names this machine by an address, as localhost, or as it listens."""
        name = re.sub(r":[0-9]{1,5}$", "", host)
        if name in ("localhost", self._host):
            return True
        try:
            ipaddress.ip_address(name.removeprefix("[").removesuffix("]"))
        except ValueError:
            return False
        return True

    async def _answer(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Answer one HTTP request (an ASGI application)."""
        hosts = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
        status, kind, body = 200, "text/html; charset=utf-8", self._text.encode()
        if len(hosts) != 1 or not self._ours(hosts[0]):
            status, kind, body = 421, "text/plain", b"This page is asked for by the address of its server only.\n"
        elif scope["method"] != "GET":
            status, kind, body = 405, "text/plain", b"This page can be read only.\n"
        elif scope["path"] == "/state.json":
            with self._lock:
                kind, body = "application/json", json.dumps(self._state, allow_nan=False).encode()
        elif scope["path"] != "/":
            status, kind, body = 404, "text/plain", b"There is nothing here.\n"
        headers = self._headers | {"content-type": kind, "content-length": str(len(body))}
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": raw})
        await send({"type": "http.response.body", "body": body})
