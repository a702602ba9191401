"""Every claim of speed and memory, speed beside a named other side in the same run; exit status 1 if one is missed.

A line for each says "holds" or "MISSED", the claim, what was measured, the target, and both sides; the end counts them
and repeats those that were missed. The figures of README and the guides are those of this script on an idle machine.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from figure import HOLDS, MISSED

SCRIPTS = (
    "start.py", "clearing.py", "large.py", "certificates.py", "difference_matrix.py", "methods.py", "memory.py",
    "federation.py", "verification.py", "crowd.py",
)  # fmt: skip


def main() -> int:
    """Run the scripts one after another, each in a process of its own; return 1 if a claim or a script failed."""
    claims, failed = [], False
    for script in SCRIPTS:
        print(f"\n{script}", flush=True)
        command = [sys.executable, str(Path(__file__).resolve().parent / script)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            for line in process.stdout or ():
                print(line, end="", flush=True)
                claims += [line] if line.startswith((HOLDS, MISSED)) else []
        failed |= process.returncode != 0
    missed = [line for line in claims if line.startswith(MISSED)]
    print(f"\n{len(claims)} claims, {len(missed)} missed", *missed, sep="\n", end="")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
