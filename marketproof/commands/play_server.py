"""Serves an app of ours with marimo, on this machine only and behind a secret of its own, until Ctrl-C."""

import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import webbrowser
from importlib.util import find_spec
from pathlib import Path

from marketproof.terminal.console import stdout
from mechanism.errors import InputError

HOST = "127.0.0.1"
PORT = 2718
_START_SECONDS = 60.0
_ENDS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))


ALL = "lessons"


def app_files(lesson: str | None) -> tuple[Path, ...]:
    """Return the file of the playground's app, or of a lesson's, or those of all lessons."""
    from analysis.lessons import LESSONS

    return tuple(app_file(name) for name in LESSONS) if lesson == ALL else (app_file(lesson),)


def app_file(lesson: str | None) -> Path:
    """Return the file of the playground's app, or of a lesson's."""
    from analysis import lessons

    if lesson is not None:
        return lessons.app_file(lesson)
    spec = find_spec("analysis.playground.app")
    if spec is None or spec.origin is None:
        raise InputError("the app of the playground is missing; reinstall marketproof")
    return Path(spec.origin)


def index_file() -> Path:
    """Return the file of the app that lists the lessons."""
    from analysis.lessons import INDEX

    return app_file(INDEX.removesuffix(".py"))


def free_port(wanted: int | None) -> int:
    """Return the port if nobody listens on it; any free one for 0, or where none was asked for and 2718 is taken.

    `InputError` if the port that was asked for is taken or not allowed.
    """
    for port in (PORT, 0) if wanted is None else (wanted,):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
                return int(probe.getsockname()[1])
            except OSError as error:
                reason = error.strerror
    raise InputError(f"--port {wanted} cannot be used ({reason}); name another, or 0 for any free one")


def serve(lesson: str | None, port: int | None, *, browser: bool, quiet: bool, run: Path | None = None) -> None:
    """Serve one app, or all lessons on a page to choose from, until Ctrl-C; say where, open a browser if asked to.

    ``run``: the run folder that the playground starts with.

    The address holds a secret, so that no other page in the browser and no other user of the machine can reach what
    executes the exercises. `InputError` if the port cannot be used or the server does not start.
    """
    chosen = free_port(port)
    apps = [*app_files(lesson), *([index_file()] if lesson == ALL else [])]
    secret = secrets.token_urlsafe(16)
    command = [
        sys.executable, "-P", "-m", "marimo", "--quiet", "run", *map(str, apps), "--host", HOST,
        "--port", str(chosen), "--headless", "--token", "--token-password-file", "-", "--no-check", "--no-sandbox",
    ]  # fmt: skip
    if run is not None:
        command += ["--", f"--run={run.resolve()}"]
    # A session of its own: Ctrl-C reaches us only, and we end it; so must a closed terminal and a plain kill.
    server = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, start_new_session=True
    )
    before = {name: signal.signal(name, _stop) for name in _ENDS}
    # Reading a run loads polars, whose own handler of Ctrl-C would let the wait below go on: ours is put back.
    signal.signal(signal.SIGINT, signal.getsignal(signal.SIGINT))
    try:
        assert server.stdin is not None
        server.stdin.write(secret + "\n")
        server.stdin.close()
        _wait(server, chosen)
        address = f"http://{HOST}:{chosen}/?access_token={secret}"
        if lesson == ALL:
            address += f"&file={index_file().name}"
        stdout(quiet=quiet).print(f"{lesson or 'Playground'}: {address} (Ctrl-C ends it)", soft_wrap=True)
        sys.stdout.flush()
        if browser:
            webbrowser.open(address)
        server.wait()
    except KeyboardInterrupt:
        pass
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)
        server.terminate()
        try:
            server.wait(5.0)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _stop(number: int, frame: object) -> None:
    raise SystemExit(128 + number)


def _wait(server: subprocess.Popen[str], port: int) -> None:
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end:
        if server.poll() is not None:
            raise InputError(f"marimo's server ended with status {server.returncode} instead of starting; see above")
        try:
            with urllib.request.urlopen(f"http://{HOST}:{port}/health", timeout=1.0):
                return
        except urllib.error.HTTPError:  # it answers
            return
        except OSError:
            time.sleep(0.05)
    raise InputError(f"marimo's server did not start within {_START_SECONDS:g} s")
