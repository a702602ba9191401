"""Make the pages of results again from the committed records, to the byte: python -m docs.pages [--check] [FOLDER].

Writes, for each study's ``NAME.json`` in docs/results that holds the numbers of each seed, ``NAME.md`` with its
figures, ``NAME.csv`` and ``NAME.tex``; and ``paper.md`` (`docs/paper.py`). With ``--check`` nothing is written: status
1 where a file would be another.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from analysis.page.export import Table, inline_svg
from docs.paper import page, table, verdicts
from marketproof.studies.carried_out import markdown, numbers
from marketproof.studies.comparison import comparison_files
from marketproof.studies.findings import BY_SEED, found, title
from marketproof.studies.plan import STUDIES
from marketproof.studies.privacy import STUDY as PRIVACY
from mechanism.writing import write_all

RESULTS = Path(__file__).parent / "results"


def study_files(name: str, told: Mapping[str, Any]) -> dict[str, bytes]:
    """Return the files of one study's page, by name."""
    of = found({**STUDIES, "privacy": PRIVACY}[told["study"]], told)
    head = title(told["title"], told["task"], told["scale"], told["seeds"])
    text = markdown(of, head)
    for figure in of.figures:
        text = text.replace(f"]({figure}.png)", f"]({name}-{figure}.svg)")
    if made := told.get("made"):
        first, _, rest = text.partition("\n\n")
        text = f"{first}\n\nMade by `{made['command']}`, code {made['commit']}, on {made['machine']}, in " \
               f"{made['minutes']} minutes of one core; page: `python -m docs.pages`.\n\n{rest}"  # fmt: skip
    rows = tuple(tuple(row[column] for column in of.columns) for row in of.rows)
    lines = Table(head, tuple(column.key for column in of.columns), rows)
    drawn = {f"{name}-{figure}.svg": inline_svg(one, figure, figure).encode() for figure, one in of.figures.items()}
    return {f"{name}.md": text.encode(), f"{name}.csv": numbers(of, head).to_csv().encode(),
            f"{name}.tex": lines.to_latex().encode(), **drawn}  # fmt: skip


def pages(folder: Path) -> dict[str, bytes]:
    """Return every file that is made of the records in a folder, by name."""
    made: dict[str, bytes] = {}
    for path in sorted(folder.glob("*.json")):
        told = json.loads(path.read_text())
        if isinstance(told, dict) and told.get("study") == "performance" and "units" in told:
            made |= comparison_files(told)
        elif isinstance(told, dict) and BY_SEED in told:
            made |= study_files(path.stem, told)
    claims = verdicts(folder)
    return made | {"paper.md": page(claims, folder).encode(), "paper.csv": table(claims).to_csv().encode(),
                   "paper.tex": table(claims).to_latex().encode()}  # fmt: skip


def main(arguments: list[str]) -> int:
    """Write the pages, or compare them with what lies there."""
    check = "--check" in arguments
    folder = next((Path(word) for word in arguments if not word.startswith("--")), RESULTS)
    made = pages(folder)
    if not check:
        write_all({folder / name: content for name, content in made.items()})
    other = [name for name, content in made.items()
             if not (folder / name).is_file() or (folder / name).read_bytes() != content]  # fmt: skip
    print(
        "\n".join(f"{name}: is not what its record gives" for name in other)
        or f"{len(made)} files are as their records"
    )
    return int(bool(other))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
