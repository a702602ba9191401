"""Verify every mechanism of the catalogue and draw the verdict matrix: python docs/matrix.py [docs].

Writes docs/matrix.png and docs/results/matrix.json; exits 1 where evidence and theory disagree.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from analysis.findings.rules.verdicts import as_matrix, draw_matrix
from analysis.findings.rules.verdicts import main as package_verdicts
from analysis.page.export import png
from mechanism.writing import write_all
from proofs_checks.evidence.matrix import matrix, to_json


def main(folder: str = "docs") -> int:
    """Run the whole matrix, write it and say in a few lines what came out."""
    started = time.perf_counter()
    cells = matrix(progress=lambda name, done, of: print(f"{done:3d}/{of} {name}", file=sys.stderr))
    told = to_json(cells, started)
    out = Path(folder)
    (out / "results").mkdir(parents=True, exist_ok=True)
    lines = ",\n".join(json.dumps(cell, ensure_ascii=False) for cell in told["cells"])
    head = json.dumps({k: v for k, v in told.items() if k != "cells"}, ensure_ascii=False)
    write_all({out / "results" / "matrix.json": f'{head[:-1]}, "cells": [\n{lines}\n]}}\n'.encode()})
    if folder == "docs":
        package_verdicts(str(out / "results" / "matrix.json"))
    figure = draw_matrix(as_matrix(told["cells"])).figure
    write_all({out / "matrix.png": png(figure, 130)})
    known = [c for c in cells if c.agrees is not None]
    grades = {g: sum(c.verdict.grade == g for c in cells) for g in dict.fromkeys(str(c.verdict.grade) for c in cells)}
    print(
        f"{len(cells)} verdicts on {len(told['mechanisms'])} mechanisms in {told['seconds']} s: "
        + ", ".join(f"{count} {grade}" for grade, count in sorted(grades.items()))
        + f"; {sum(bool(c.agrees) for c in known)} of {len(known)} agree with theory"
    )
    for cell in cells:
        if cell.agrees is False:
            v = cell.verdict
            print(f"{cell.mechanism}, {v.property}: theory says {cell.truth!r}, evidence {v.grade} {v.evidence}")
    return 1 if told["disagreements"] else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
