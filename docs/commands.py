"""Run every command of every page as a new user would: from a fresh clone, each page in a folder of its own.

    python docs/commands.py [--quick] [--list] [--with KIND…] [PAGE…]

Commands are the lines of shell blocks, and what stands in backticks and begins with a program. A page's come in the
order in which they are read, the same command once; pages with Python that is to be typed in are run as doctests, too.
What is not run is named with its reason: nothing is skipped silently. Status 1 where a command failed.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def pages(root: Path) -> list[Path]:
    """Return the pages of a clone."""
    return [root / "README.md", root / "CONTRIBUTING.md", *sorted((root / "docs").rglob("*.md"))]


PROGRAMS = r"(?:marketproof|python3?|make|pip|hf|apt-get|printf|sed|\.|\.venv/bin/pip) "
IN_CLONE = r"make |python (?:-m docs\.|(?:docs|benchmarks|proofs_checks)/)"
"""What is run in the clone itself; all else in the page's folder."""

QUICK, LONG, SERVES, HOURS = "quick", "long", "serves", "hours"
NETWORK, DATA, MACHINE, OWN = "network", "data", "machine", "own"

KINDS: tuple[tuple[str, str, str], ...] = (
    (r"pip install|venv/bin/|-m venv|hf download|apt-get|^make (?:install|run)$", NETWORK,
     "installs: packages come over the network"),
    (r"^make site", NETWORK, "installs its generator over the network; .ci/run builds the site"),
    (r"^make kernel|kernel/(?:compare|mutants)\.py|check --kernel", MACHINE,
     "needs Debian's coq, and up to half an hour; .ci/run has it"),
    (r"^make gpu", MACHINE, "needs an NVIDIA GPU"),
    (r"^make (?:test|bench|matrix|needles|smoke)|^python benchmarks/", HOURS,
     "many minutes to an hour: the whole suite, every measurement; .ci/run has the tests"),
    (r"docs/commands\.py", HOURS, "is this script: an hour for all pages"),
    (r"docs[/.](?:fashion|studies|performance|effective\.\w+)\b|^marketproof study(?!.*smoke)", HOURS,
     "trains for hours"),
    (r"marketproof join|marketproof serve --resume", MACHINE,
     "needs a second machine; tests/marketproof/federation runs both ends in processes"),
    (r"marketproof (?:play(?! \w+ --export)|serve )", SERVES, "serves until Ctrl-C"),
    (r"runs/ours|runs/.*alice", MACHINE, "of a federation that ran on several machines"),
    (r"run finance --base-model", DATA, "needs the sets of finance and SmolLM2"),
    (r"run fashion-niid", DATA, "needs Fashion-MNIST"),
    (r"^make lint|^marketproof (?:frontier|study|claims$|check .* --repeat|run(?!.*smoke))", LONG,
     "half a minute or more"),
    (r"clear .*--resume", OWN, "goes on only after an interruption; tests/marketproof/large kills it and goes on"),
    (r"clear clients\.parquet", LONG, "a market of thousands: half a minute or more"),
    (r"-m doctest", LONG, "Python to type in; tests/docs/test_guides.py runs it"),
)  # fmt: skip
"""What is not quick, by what a command looks like: kind, and why. The first that fits counts."""

TEMPLATE = re.compile(
    r"\b(?:RUN|TASK|DIR|SPEC|KIND|NAME|RULE)\b|[A-Z]\.csv|…|\w\||mine\.toml|\bfact$"
    r"|^marketproof (?:clear|check|strategic|replay)$"
)
"""A command in which something is left to fill in."""

CLIENTS = r"printf 'client,size,cost,gain\nann,100,1.0,3600\nbob,300,1.1,0\ncat,300,1.0,0\n' > clients.csv"
CLINIC = """python -c "
for k in range(-1, 30):
    for site in 'ab' if k >= 0 else 'x':
        print('site,marker,outcome' if k < 0 else f'{site},{7 * k % 11},{(7 * k % 11 > 5) * 1}')
" > clinic.csv"""
PARQUET = """python -c "
import numpy as np, polars as pl
d, n = np.random.default_rng(0), 6000
pl.DataFrame({'client': [f'c{k}' for k in range(n)], 'size': d.integers(50, 500, n), 'cost': d.uniform(.5, 1, n),
              'gain': d.uniform(0, 5e4, n)}).write_parquet('clients.parquet')
np.save('v.npy', d.normal(size=(n, 8)))
pairs = {'importer': [f'c{k}' for k in range(n)], 'exporter': [f'c{(k + 1) % n}' for k in range(n)]}
pl.DataFrame(pairs | {'difference': d.uniform(0, 1, n)}).write_parquet('pairs.parquet')
pl.DataFrame(pairs | {'samples': d.uniform(50, 500, n)}).write_parquet('worth.parquet')
" """
SMOKE = "marketproof run --scale smoke --quiet --out "

GIVEN: dict[str, tuple[str, ...]] = {
    "README.md": (CLINIC,),
    "docs/architecture.md": (CLIENTS,),
    "docs/guide/federation.md": (
        *(f"marketproof keys new {name} --quiet" for name in ("bob", "carol", "dora", "emil")),
        "marketproof keys register dora.crt --quiet",
        "marketproof keys register emil.crt --quiet",
        r"sed -n '/^\[data\]/,/^```/p' $CLONE/docs/guide/federation.md | sed '$d' > ours.toml",
    ),
    "docs/guide/large-markets.md": (PARQUET,),
    "docs/guide/own-data.md": (CLINIC,),
    "docs/guide/verify.md": (
        "sed -n '/^printf .from mechanism/p' $CLONE/docs/journeys/verify.md | sh",
        SMOKE + "runs/digits-niid-20260101-120000",
    ),
    "docs/journeys/teach.md": (SMOKE + "runs/first",),
    "docs/journeys/train.md": (CLINIC,),
}
"""What a page takes for given, such as a table that its reader has."""


@dataclass(frozen=True)
class Command:
    """One command of a page; ``kind`` says whether and how it is run, ``why`` the reason where it is not quick."""

    page: str
    line: str
    kind: str
    why: str


def blocks(page: str, *languages: str) -> list[list[str]]:
    """Return the lines of every block of a page in these languages (none: sh), joined where they go on, no comments."""
    every = re.findall(r"^```(\w*)\n(.*?)^```$", re.sub(r" *\\\n *", " ", page), re.MULTILINE | re.DOTALL)
    found = [block for language, block in every if language in (languages or ("sh",))]
    bare = ([re.sub(r" +# .*|^ *# .*", "", line) for line in block.splitlines()] for block in found)
    return [[line for line in block if line] for block in bare]


def commands(path: Path, root: Path = ROOT) -> list[Command]:
    """Return the commands of a page in the order in which they are read; those of a block again as often as there."""
    text, name = path.read_text(), path.relative_to(root).as_posix()
    found: list[Command] = []
    parts = re.split(r"(^```\w*\n.*?^```$)", text, flags=re.MULTILINE | re.DOTALL)
    for part in parts:
        if part.startswith("```"):
            lines = [line for block in blocks(part, "sh", "text", "") for line in block if re.match(PROGRAMS, line)]
        else:
            said = (" ".join(span.split()) for span in re.findall(r"`([^`]+)`", part))
            seen = {one.line for one in found}
            lines = [line for line in dict.fromkeys(said) if re.match(PROGRAMS, line) and line not in seen]
        found += [Command(name, line, *_kind(line)) for line in lines]
    if ">>> " in text:
        found.append(Command(name, f"python -m doctest -o NORMALIZE_WHITESPACE {path.name}", *_kind("-m doctest")))
    return found


def _kind(line: str) -> tuple[str, str]:
    if TEMPLATE.search(line):
        return OWN, "something is to be filled in; tests/docs/test_guides.py holds that its options exist"
    return next(((kind, why) for pattern, kind, why in KINDS if re.search(pattern, line)), (QUICK, ""))


def run(command: Command, clone: Path, folder: Path) -> str:
    """Run a command in the page's folder or in the clone, and return what went wrong: nothing if all was well."""
    binary = Path(sys.executable).parent
    env = {**os.environ, "PATH": f"{binary}:{os.environ['PATH']}", "PYTHONPATH": str(clone), "CLONE": str(clone),
           "BROWSER": "true", "COLUMNS": "120"}  # fmt: skip
    line = re.sub(r"^marketproof ", f"{shlex.quote(sys.executable)} -m marketproof ", command.line)
    where = clone if re.match(IN_CLONE, line) else folder
    if line.startswith("make "):
        venv = str(binary.parent)  # as it is: -o, nothing is to be installed into it
        line += f" VENV={shlex.quote(venv)} -o {shlex.quote(venv)}/.installed -o {shlex.quote(venv)}/.runs"
    if "-m doctest" in line:
        line = line.replace(line.split()[-1], str(clone / command.page))
    log = folder / "output.txt"
    with log.open("wb") as out:
        started = subprocess.Popen(line, shell=True, cwd=where, env=env, stdout=out, stderr=subprocess.STDOUT,
                                   start_new_session=True)  # fmt: skip
        try:
            if command.kind == SERVES:
                return _served(started, log)
            status = started.wait(timeout=3600)
        except subprocess.TimeoutExpired:
            return f"had not ended after an hour: {log.read_text(errors='replace')[-2000:]}"
        finally:
            if started.poll() is None:
                os.killpg(started.pid, signal.SIGKILL)
    return "" if status == 0 else f"status {status}: {log.read_text(errors='replace')[-2000:]}"


def _served(started: subprocess.Popen[bytes], log: Path) -> str:
    """Wait until a server says where it listens, and end it as a reader would; return what went wrong."""
    for _ in range(1200):
        said = log.read_text(errors="replace")
        if started.poll() is not None:
            return f"ended by itself with status {started.returncode}: {said[-2000:]}"
        if re.search(r"https?://|listen", said):
            os.killpg(started.pid, signal.SIGINT)
            try:
                status: int | str = started.wait(timeout=120)
            except subprocess.TimeoutExpired:
                status = "none in two minutes"
            return "" if status in (0, 130, -signal.SIGINT) else f"status {status} after Ctrl-C: {said[-2000:]}"
        time.sleep(0.1)
    return f"said nothing of where it listens in two minutes: {log.read_text(errors='replace')[-2000:]}"


def main() -> int:
    """Clone, run, and tell of each command how it went."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pages", nargs="*", metavar="PAGE", help="such as docs/guide/verify.md; default all")
    parser.add_argument("--quick", action="store_true", help="only what takes seconds")
    parser.add_argument("--list", action="store_true", help="only say what would be run, and what not, and why")
    parser.add_argument("--with", nargs="+", default=[], dest="more", choices=[HOURS, NETWORK, DATA, MACHINE],
                        metavar="KIND", help="also what takes hours, installs, needs a data set or another machine: "
                        "hours, network, data, machine")  # fmt: skip
    asked = parser.parse_args()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # in the background it is ignored, by children, too
    wanted = {QUICK} if asked.quick else {QUICK, LONG, SERVES, *asked.more}
    failed, done, told = 0, 0, 0
    before: set[str] = set()
    with tempfile.TemporaryDirectory() as scratch:
        clone = Path(scratch) / "clone"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
        for path in pages(clone):
            name = path.relative_to(clone).as_posix()
            if asked.pages and name not in asked.pages:
                continue
            folder = Path(scratch) / name.replace("/", "-")
            folder.mkdir()
            given = [Command(name, line, QUICK, "given") for line in GIVEN.get(name, ())]
            for command in (*given, *commands(path, clone)):
                short = command.line.splitlines()[0]
                again = bool(re.match(IN_CLONE, command.line)) and command.line in before
                before.add(command.line)
                if again:
                    continue
                if command.kind not in wanted or asked.list:
                    told += 1
                    print(f"{name}: {command.kind:7} {short}" + f"   ({command.why})" * bool(command.why))
                    continue
                begun = time.monotonic()
                wrong = run(command, clone, folder)
                done, failed = done + 1, failed + bool(wrong)
                print(f"{name}: {'FAILED' if wrong else 'ok':7} {time.monotonic() - begun:6.1f} s  {short}"
                      + f"\n{wrong}" * bool(wrong), flush=True)  # fmt: skip
    print(f"{done} commands run, {failed} failed, {told} named and not run")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
