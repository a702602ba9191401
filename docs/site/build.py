"""Build the documentation site, offline: python docs/site/build.py [build/site].

Pages are those of ``docs``, with what is made here besides: the command line's reference, the packages' from their
docstrings, and a notebook of each guide. Warnings are errors, and every link inside the site is followed.
"""

from __future__ import annotations

import html
import json
import re
import shutil
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "docs" / "site")]

from notebooks import notebook  # noqa: E402 - beside this file
from sphinx.cmd.build import build_main  # noqa: E402

SECTIONS = {
    "Four journeys": ["journeys/clear", "journeys/verify", "journeys/train", "journeys/teach"],
    "Guides": sorted(f"guide/{path.stem}" for path in (ROOT / "docs" / "guide").glob("*.md")),
    "Theory and proofs": ["promises", "properties", "effective", "effective-training", "effective-money",
                          "kernel"],
    "Results": ["gallery", "tools",
                *sorted(f"results/{path.stem}" for path in (ROOT / "docs" / "results").glob("*.md"))],
    "Reference": ["reference/commands", "reference/mechanism", "reference/learning", "reference/proofs_checks",
                  "reference/analysis", "reference/marketproof"],
    "The house": ["architecture", "contributing", "changelog"],
}  # fmt: skip

MODULES = {
    "mechanism": ["market.clients", "market.accounting", "market.gains", "market.mechanisms", "market.rules.rule",
                  "market.settling", "market.large.clearing", "market.large.sparse", "market.large.books", "direct",
                  "space", "entry", "own_code", "errors"],
    "learning": ["plan", "trainer", "algorithms", "algorithms.algorithm", "algorithms.own_method",
                 "models.own_network", "data", "valuation.effective", "federation.messages", "federation.transport"],
    "proofs_checks": ["evidence.verify", "evidence.verdict", "evidence.witness", "properties.property",
                      "properties.registry", "search.lies", "proofs.kernel_record"],
    "analysis": ["run.records", "run.frames", "run.results", "run.market", "page.report", "page.gallery",
                 "findings.base"],
    "marketproof": ["clearing", "running.sections", "running.config", "running.methods"],
}  # fmt: skip
"""What the reference shows of each package: what somebody who uses it as a library meets."""


def stage(source: Path) -> None:
    """Lay out all pages: those of ``docs`` and those that are made."""
    docs = ROOT / "docs"
    shutil.copytree(docs, source, ignore=shutil.ignore_patterns("site", "*.py", "__pycache__"))
    for name in ("CONTRIBUTING.md", "CHANGELOG.md"):
        (source / name.lower()).write_text((ROOT / name).read_text().replace("](docs/", "]("))
    for guide in (source / "guide").glob("*.md"):
        link = f'<a href="{guide.stem}.ipynb" download>{guide.stem}.ipynb</a>'
        guide.write_text(f"{guide.read_text()}\n---\n\nThis page as a notebook: {link}\n")
    (source / "reference").mkdir()
    (source / "reference" / "commands.md").write_text(commands())
    for package, modules in MODULES.items():
        parts = [f"# {package}\n", _automodule(package, "")]
        parts += [f"## {package}.{module}\n\n{_automodule(f'{package}.{module}', ':members:')}" for module in modules]
        (source / "reference" / f"{package}.md").write_text("\n".join(parts))
    trees = "".join(
        f"\n```{{toctree}}\n:caption: {caption}\n:maxdepth: 1\n:hidden:\n\n" + "\n".join(pages) + "\n```\n"
        for caption, pages in SECTIONS.items()
    )
    (source / "index.md").write_text((source / "start.md").read_text() + trees)
    (source / "start.md").unlink()


def _automodule(name: str, options: str) -> str:
    return f"```{{eval-rst}}\n.. automodule:: {name}\n   {options}\n```\n"


def commands() -> str:
    """Return the reference of the command line, from its own help."""
    from marketproof.cli import whole_command

    page = ["# The command line\n\n`marketproof COMMAND --help` says the same. Errors are one line, with status 2.\n"]
    for name, command in sorted(whole_command().commands.items()):
        page += [f"## marketproof {name}", "", _plain(command.help), "", "| | |", "|---|---|"]
        for param in command.params:
            names = ", ".join(f"`{option}`" for option in param.opts) if param.param_type_name == "option" else ""
            shown = names or f"`{param.metavar or param.name}`"
            told = f" {param.metavar}" if names and param.metavar else ""
            page.append(f"| {shown}{_cell(told)} | {_cell(param.help or '')} |")
        page += ["", _plain(command.epilog), ""]
    return "\n".join(page)


def _plain(text: str | None) -> str:
    return re.sub(r"([<>*_|])", r"\\\1", (text or "").replace("\\[", "["))


def _cell(text: str) -> str:
    return _plain(" ".join(text.split()))


def broken(site: Path) -> list[str]:
    """Return every link in the site that leads nowhere: to no file of it, or to no place in the page."""
    pages = {path: path.read_text(encoding="utf-8") for path in site.rglob("*.html")}
    places = {path: set(re.findall(r'\sid="([^"]+)"', text)) for path, text in pages.items()}
    wrong = []
    for path, text in pages.items():
        for link in re.findall(r'\s(?:href|src)="([^"]*)"', text):
            parts = urlsplit(html.unescape(link))
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            place = unquote(parts.fragment)
            if not target.is_file() or (place and target in places and place not in places[target]):
                wrong.append(f"{path.relative_to(site)}: {link}")
    return sorted(set(wrong))


def main(target: Path) -> int:
    """Build into ``target``/html; returns 0 if nothing is wrong."""
    shutil.rmtree(target, ignore_errors=True)
    source, site = target / "source", target / "html"
    stage(source)
    settings = str(ROOT / "docs" / "site")
    status = build_main(["-b", "html", "-q", "-W", "--keep-going", "-c", settings, str(source), str(site)])
    if not (site / "guide").is_dir():
        return 1  # Sphinx has said why
    for guide in (ROOT / "docs" / "guide").glob("*.md"):
        (site / "guide" / f"{guide.stem}.ipynb").write_text(json.dumps(notebook(guide.read_text()), indent=1))
    wrong = broken(site)
    print("\n".join(f"leads nowhere: {link}" for link in wrong) or f"{site / 'index.html'}: every link leads somewhere")
    return int(status != 0 or bool(wrong))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build" / "site").resolve()))
