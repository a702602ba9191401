"""Everything that is drawn of runs, by the names of the files, drawn when it is asked for; and its export."""

from collections.abc import Sequence
from pathlib import Path

from analysis.findings.achieved import methods_table
from analysis.findings.base import Drawings, Section, find
from analysis.findings.catalogue import OF_A_RUN, OF_SEVERAL
from analysis.findings.provenance import theory_table
from analysis.findings.several.compared import compared_table, differing
from analysis.page.export import Table, encoded, export
from analysis.run.files import RecordError
from analysis.run.records import Run
from mechanism.writing import write_all


def drawings(sections: Sequence[Section]) -> Drawings:
    """Return the drawings of sections by the names of their files; each is drawn when called."""
    return {name: draw for section in sections for name, draw in section.drawings.items()}


def gallery(run: Run) -> Drawings:
    """Return the drawings of a run by the names of their files; each is drawn when called."""
    return drawings(find(OF_A_RUN, run))


def export_runs(runs: Sequence[Run], folder: Path, names: Sequence[str] = ()) -> tuple[Path, ...]:
    """Write the figures of runs as SVG, PNG, CSV and LaTeX, and their tables as CSV and LaTeX; returns the paths.

    A figure's CSV holds every number that is drawn, its LaTeX the table that stands under it in the report. With
    several runs each has a folder of its own, ``1-NAME``, ``2-NAME``, …, and the comparison is beside them. ``names``:
    only these figures (default: all, and the tables). `RecordError` if a name is none of a figure, or the folder cannot
    be written.
    """
    several = len(runs) > 1
    places: list[tuple[Path, Drawings, dict[str, Table | None]]] = [
        (
            folder / f"{k}-{run.path.resolve().name}" if several else folder,
            gallery(run),
            {"methods": methods_table(run), "theory": theory_table(run)},
        )
        for k, run in enumerate(runs, start=1)
    ]
    if several:
        tables: dict[str, Table | None] = {"differing": differing(runs), "runs": compared_table(runs)}
        places.append((folder, drawings(find(OF_SEVERAL, runs)), tables))
    known = dict.fromkeys(name for _, every, _ in places for name in every)
    for name in names:
        if name not in known:
            raise RecordError(f"there is no figure {name!r:.60} of these runs; expected one of {', '.join(known)}")
    written: list[Path] = []
    for place, every, tables in places:
        for name, draw in every.items():
            if not names or name in names:
                drawn = draw()
                written += export(drawn.figure, drawn.table, place / name, drawn=drawn.numbers)
        kept = {name: table for name, table in tables.items() if table is not None and not names}
        files = {place / f"{name}.csv": encoded(table.to_csv()) for name, table in kept.items()}
        files |= {place / f"{name}.tex": encoded(table.to_latex()) for name, table in kept.items()}
        write_all(files)
        written += files
    return tuple(written)
