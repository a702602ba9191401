"""Guides as Jupyter notebooks, and notebooks run: what a cell shows is what the guide says that it shows.

    python docs/site/notebooks.py GUIDE.md …    # status 1, and a line for each cell that shows something else

A guide's Python blocks are doctests. Each piece up to an expected output becomes a cell; the output itself is not
copied but kept as the cell's ``expected``, with which a run is compared.
"""

from __future__ import annotations

import doctest
import json
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

BLOCK = re.compile(r"^```python\n(>>>.*?)^```\n", re.MULTILINE | re.DOTALL)
FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


def notebook(text: str) -> dict[str, Any]:
    """Return the notebook (nbformat 4) of a guide in Markdown; links to other pages lead to the site's."""
    cells: list[dict[str, Any]] = []

    def add(kind: str, source: str, **more: Any) -> None:
        if source.strip():
            place = {"id": f"cell-{len(cells)}", "cell_type": kind, "metadata": {}, "source": source.strip("\n")}
            cells.append(place | more)

    for k, part in enumerate(BLOCK.split(text)):
        if k % 2 == 0:
            add("markdown", re.sub(r"(\]\((?!http)[^)#]*)\.md\b", r"\1.html", part))
            continue
        source = ""
        for example in doctest.DocTestParser().get_examples(part):
            source += example.source
            if example.want:
                told: dict[str, Any] = {"expected": example.want}
                if example.exc_msg is not None:  # without the module, as a notebook names exceptions
                    raised = re.sub(r"^(\w+\.)+(?=\w+:)", "", example.exc_msg)
                    told = {"expected": raised, "tags": ["raises-exception"]}
                add("code", source, metadata=told, execution_count=None, outputs=[])
                source = ""
        add("code", source, execution_count=None, outputs=[])
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": kernel}, "cells": cells}


def differing(text: str) -> list[str]:
    """Run a guide as a notebook and return a line for each cell that shows something else than the guide says."""
    import nbformat
    from nbclient import NotebookClient

    made = nbformat.reads(json.dumps(notebook(text)), as_version=4)
    nbformat.validate(made)
    with tempfile.TemporaryDirectory() as folder:
        resources = {"metadata": {"path": folder}}
        done = NotebookClient(made, timeout=900, kernel_name="python3", resources=resources).execute()
    faults = []
    for cell in done.cells:
        if cell.cell_type == "code" and "expected" in cell.metadata:
            shown = "".join(_shown(output) for output in cell.outputs)
            if not doctest.OutputChecker().check_output(cell.metadata["expected"], shown, FLAGS):
                faults.append(f"{cell.source.splitlines()[-1]}: expected {cell.metadata['expected']!r}, got {shown!r}")
    return faults


def _shown(output: Any) -> str:
    """Return what an output of a cell shows, as a doctest would print it; nothing of stderr."""
    if output.output_type == "error":
        return f"{output.ename}: {output.evalue}\n"
    if output.output_type == "stream":
        return output.text if output.name == "stdout" else ""
    return f"{output.data['text/plain']}\n"


if __name__ == "__main__":
    wrong = [f"{guide}: {fault}" for guide in sys.argv[1:] for fault in differing(Path(guide).read_text())]
    print("\n".join(wrong) or f"{len(sys.argv) - 1} notebooks ran as their guides say")
    sys.exit(bool(wrong))
