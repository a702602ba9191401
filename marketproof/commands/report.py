"""``marketproof report``: one page from recorded runs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from marketproof.commands.options import FixedSeed, Json, Quiet, argument, flag, option
from marketproof.terminal.console import stdout
from mechanism.errors import InputError, shown
from mechanism.writing import refuse_overwriting, write_json

HELP = """Make a report from recorded runs: one page that needs nothing else, for a browser.

--export DIR writes every figure as SVG and PNG, every number drawn as CSV, and its table as LaTeX instead;
--figure NAME only that one. "marketproof report RUN --figures" lists the names that these runs have, and writes
nothing."""

EPILOG = """Example: "marketproof report runs/digits-niid-* --out comparison.html" puts several runs on one page.
A single run has its report.html in its own folder already.
"marketproof report runs/NAME --export figures --figure waterline" writes one figure for a paper."""

PAGES = (".html", ".htm")
"""What a file must end in to be written over."""


def report(
    runs: Annotated[list[Path], argument("RUN…", "Run folders.")],
    out: Annotated[Path | None, option("FILE.html", "The page to write; default report.html.", "--out")] = None,
    export: Annotated[Path | None, option("DIR", "Write figures and tables into DIR instead.", "--export")] = None,
    figure: Annotated[
        list[str] | None, option("NAME", "With --export: only this figure; repeatable.", "--figure")
    ] = None,
    figures: Annotated[bool, flag("List the names that --figure takes, and write nothing.", "--figures")] = False,
    rule: Annotated[
        list[str] | None, option("FILE.py:NAME", "A rule of your own that cleared a run; it is EXECUTED.", "--rule")
    ] = None,
    json: Json = None,
    seed: FixedSeed = 0,
    quiet: Quiet = False,
) -> None:
    """Read, write, show."""
    from analysis import export_runs, read_run
    from analysis.page.report import write_report
    from analysis.run.files import record_files
    from marketproof.records.rules import use_recorded_rules

    page = Path("report.html") if out is None else out
    if export is None and not figures and page.is_dir():
        raise InputError(f"{shown(page)} is a folder; expected the name of a file to write, such as report.html")
    for run in runs:
        use_recorded_rules(run, rule or ())
    refuse_overwriting([out, json, export], [file for run in runs for file in record_files(run)])
    result: dict[str, object] = {"runs": [str(run) for run in runs]}
    if figures:
        if export is not None or out is not None or figure:
            raise InputError("--figures lists names and writes nothing; leave --export, --figure and --out away")
        names = _names(runs)
        said = "\n".join(f"{name}  {told}".rstrip() for name, told in names.items())
        result |= {"figures": list(names)}
    elif export is not None:
        if out is not None:
            raise InputError("--export writes figures and --out the page; give one of them")
        written = export_runs([read_run(run) for run in runs], export, figure or ())
        said = f"{len(written)} files in {shown(export)}"
        result |= {"export": str(export), "files": [str(path.relative_to(export)) for path in written]}
    else:
        if figure:
            raise InputError("--figure chooses what --export writes; give --export DIR as well")
        if page.exists() and page.suffix.lower() not in PAGES:
            raise InputError(f"{shown(page)} is there already and no page; name a file that ends in .html")
        if json is not None and json.resolve() == page.resolve():
            raise InputError(f"--out and --json both name {shown(page)}; name two files")
        said = f"Report: {shown(write_report(runs, page))}"
        result = {"report": str(page), **result}
    write_json(json, result)
    stdout(quiet=quiet).print(said)


def _names(runs: Sequence[Path]) -> dict[str, str]:
    """Return the names of the figures that these runs have (`analysis.page.gallery`), with a word on some."""
    from analysis import read_run
    from analysis.page.gallery import gallery

    found: dict[str, str] = {}
    for run in map(read_run, runs):
        money = {f"money-{k}": name for k, name in enumerate(run.methods)}
        found |= {name: money.get(name, "") for name in gallery(run)}
    return found | ({"compared": "the runs side by side"} if len(runs) > 1 else {})
