"""How many of our Python files a command passes: `clear`, and a round of `run` with its report; exit 1 above a target.

A file is passed where one of its functions runs; what importing runs is left out. A change of room is a pair of
functions in two files of which one calls the other (what lies between them in a library is skipped).

    python benchmarks/rooms.py [--files]      # --files lists the files too
"""

from __future__ import annotations

import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from marketproof import cli

ROOT = Path(cli.__file__).resolve().parents[1]
PACKAGES = tuple(f"{ROOT / name}/" for name in ("mechanism", "learning", "proofs_checks", "analysis", "marketproof"))
MARKET = "client,size,cost,gain\nann,100,0,3600\nbob,300,1.1,0\ncat,300,1.0,0\n"
ROUND = ("--scale", "smoke", "--methods", "ipfl", "--rounds", "1")
CASES = {
    "clear": (20, ["clear", "{folder}/clients.csv", "--quiet"]),
    "one round of run, with its report": (90, ["run", *ROUND, "--backend", "rows", "--quiet", "--out", "{folder}/run"]),
}


def _ours(file: str) -> bool:
    return file.startswith(PACKAGES) and file.endswith(".py")  # compiled templates are pages, not code


class Walk:
    """The files that calls enter, and the pairs of functions between which they change file."""

    def __init__(self) -> None:
        self.files: set[str] = set()
        self.changes: set[tuple[str, str, str, str]] = set()
        self._importing: dict[int, int] = {}

    def __call__(self, frame: FrameType, event: str, argument: Any) -> None:
        """Take note of one event of `sys.setprofile`."""
        code, thread = frame.f_code, threading.get_ident()
        if code.co_name == "<module>":
            step = {"call": 1, "return": -1}.get(event, 0)
            self._importing[thread] = self._importing.get(thread, 0) + step
        elif event == "call" and not self._importing.get(thread) and _ours(code.co_filename):
            self.files.add(code.co_filename)
            caller = frame.f_back
            while caller is not None and not _ours(caller.f_code.co_filename):
                caller = caller.f_back
            if caller is not None and caller.f_code.co_filename != code.co_filename:
                self.changes.add((caller.f_code.co_filename, caller.f_code.co_name, code.co_filename, code.co_name))

    def through(self, arguments: Sequence[str]) -> int:
        """Run one command line and return its exit status."""
        threading.setprofile(self)
        sys.setprofile(self)
        try:
            return cli.execute(arguments)
        finally:
            sys.setprofile(None)
            threading.setprofile(None)


def main(*options: str) -> int:
    """Print what each command passes; return how many pass more than their target, or fail."""
    missed = 0
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "clients.csv").write_text(MARKET)
        for name, (most, arguments) in CASES.items():
            walk = Walk()
            status = walk.through([argument.format(folder=folder) for argument in arguments])
            good = status == 0 and len(walk.files) <= most
            missed += not good
            print(
                f"{name}: {len(walk.files)} files (at most {most}), {len(walk.changes)} changes of room"
                f"{'' if good else '   MISSED'}"
            )
            if "--files" in options:
                print("\n".join(f"    {Path(file).relative_to(ROOT)}" for file in sorted(walk.files)))
    return missed


if __name__ == "__main__":
    sys.exit(min(1, main(*sys.argv[1:])))
