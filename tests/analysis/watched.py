"""What the tests in a browser share: a server started by the command, and a page that remembers what went wrong."""

import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

PATIENCE = 120_000
"""Milliseconds for the page to answer, on a busy machine."""


def served(*arguments: str) -> Iterator[str]:
    """Start ``marketproof play`` and yield the address that it says; end it, and see that its server ends with it."""
    command = [sys.executable, "-m", "marketproof", "play", *arguments, "--no-browser", "--port", "0"]
    started = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert started.stdout is not None
        found = re.search(r"http://127\.0\.0\.1:\d+/\?access_token=\S+", started.stdout.readline())
        assert found is not None
        yield found[0]
        started.send_signal(signal.SIGINT)
        assert started.wait(120) == 0
        host, port = re.findall(r"127\.0\.0\.1|(?<=:)\d+", found[0])[:2]
        with socket.socket() as probe:
            assert probe.connect_ex((host, int(port))) != 0
    finally:
        started.terminate()  # and not kill: it has to end its server
        started.communicate(timeout=120)


class Watched:
    """A page that remembers what it logged and whom it asked. ``context``: a browser's, which keeps what it loaded."""

    def __init__(self, context: Any, address: str) -> None:
        self.wrong: list[str] = []
        self.page = context.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.page.on("console", lambda m: self.wrong.append(m.text) if m.type == "error" else None)
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.home = address.split("?")[0]
        inside = (self.home, self.home.replace("http", "ws"), "data:", "blob:")
        self.page.on("request", lambda r: None if r.url.startswith(inside) else self.wrong.append(r.url))
        self.page.on("websocket", lambda w: None if w.url.startswith(inside) else self.wrong.append(w.url))
        self.page.goto(address)

    def text(self, name: str) -> str:
        """Return what the element shows."""
        return str(self.page.inner_text(f"#{name}"))

    def until(self, name: str, part: str) -> None:
        """Wait until the element shows that."""
        self.page.wait_for_function(
            "([name, part]) => document.getElementById(name)?.innerText.includes(part)", arg=[name, part]
        )

    def drag(self, slider: Any, key: str = "ArrowRight", times: int = 1) -> None:
        """Move a slider by its keys, as a person without a mouse does."""
        slider.focus()
        for _ in range(times):
            self.page.keyboard.press(key)

    def close(self) -> None:
        """Close it; nothing must have gone wrong."""
        self.page.close()
        assert self.wrong == []
