"""``marketproof new``: a commented, running skeleton of a part of one's own, and its test."""

import keyword
import re
import sys
from pathlib import Path
from string import Template
from typing import Annotated

from marketproof.commands.options import FixedSeed, Json, Quiet, argument, option
from marketproof.files.own_packages import PACKAGES
from marketproof.terminal.console import stdout
from mechanism.errors import InputError, did_you_mean, shown
from mechanism.writing import write_all, write_json

HELP = """Write a commented, running skeleton of a part of your own, and its test, beside each other.

KIND is method, rule, network, mechanism, property or task; NAME is yours, such as half-way. The file is small and does
something sensible; change it until it does what you want, and keep its test passing."""

EPILOG = """Example: "marketproof new method half-way" writes half_way.py and test_half_way.py; then
"marketproof run --scale smoke --methods local,half_way.py:HALF_WAY" trains by it, "python -m pytest test_half_way.py"
tests it, and docs/guide/own-parts.md says what every part gets and gives."""

USES = {
    "method": "marketproof run --scale smoke --methods local,$module.py:$NAME",
    "rule": "marketproof run --scale smoke --methods ipfl/ipfl-exact,ipfl/$module.py:clear",
    "network": 'marketproof run $module.toml --scale smoke   # a task whose [model] has name = "$module.py:$Name"',
    "mechanism": "marketproof verify $module.py:$module --budget 5",
    "property": "marketproof verify agv --property $module.py:$NAME --budget 5",
    "task": "marketproof run $module.toml --scale smoke",
}
"""How each kind is used, shown after it was written."""

SKELETONS = Path(__file__).parent


def new(
    kind: Annotated[str, argument("KIND", f"{', '.join(USES)}.")],
    name: Annotated[str, argument("NAME", "Small letters, digits and dashes, a letter first.")],
    out: Annotated[Path, option("DIR", "Folder to write into; default here.")] = Path(),
    json: Json = None,
    seed: FixedSeed = 0,
    quiet: Quiet = False,
) -> None:
    """Fill in the skeleton, write it, show how it is used."""
    if kind not in USES:
        raise InputError(f"unknown kind {shown(kind)}{did_you_mean(kind, USES)}; expected one of {', '.join(USES)}")
    words = _words(name)
    suffix = "toml" if kind == "task" else "py"
    files = {f"{words['module']}.{suffix}": f"{kind}.txt", f"test_{words['module']}.py": f"test_{kind}.txt"}
    if there := [file for file in files if (out / file).exists()]:
        raise InputError(f"{shown(out / there[0])} is there already; take another name or --out DIR")
    filled = {
        out / file: Template((SKELETONS / skeleton).read_text(encoding="utf-8")).substitute(words).encode()
        for file, skeleton in files.items()
    }
    write_all(filled)
    write_json(json, {"kind": kind, "files": [str(file) for file in filled]})
    console = stdout(quiet=quiet)
    where = "" if out == Path() else f"; in {out}:"
    console.print(f"Written: {' and '.join(map(str, filled))}{where}", markup=False, highlight=False, soft_wrap=True)
    for line in (Template(USES[kind]).substitute(words), f"python -m pytest test_{words['module']}.py"):
        console.print(f"  {line}", markup=False, highlight=False, soft_wrap=True)


def _words(name: str) -> dict[str, str]:
    """Return a name as the skeletons write it: half-way, half_way, HALF_WAY, HalfWay.

    `InputError` if it cannot be the name of a Python file of one's own: others are imported in its place.
    """
    module = name.replace("-", "_")
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", module):
        raise InputError(f"{shown(name)} is no name; expected small letters, digits and dashes, such as half-way")
    taken = {*sys.stdlib_module_names, *PACKAGES, "marketproof", "numpy", "torch", "pytest", "conftest"}
    if module in taken or keyword.iskeyword(module):
        raise InputError(f"{shown(name)} is a word or a package of Python's or of ours; take another name")
    camel = "".join(part.title() for part in module.split("_"))
    return {"name": name, "module": module, "NAME": module.upper(), "Name": camel}
