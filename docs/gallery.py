"""Draw the gallery, every figure of a recorded run with its question and answer: python docs/gallery.py runs/NAME."""

from __future__ import annotations

import io
import re
import sys
from pathlib import Path

from PIL import Image

from analysis.findings.base import find
from analysis.findings.catalogue import OF_A_RUN
from analysis.page.export import png
from analysis.run.records import read_run
from mechanism.writing import write_all

DOCS = Path(__file__).parent
HEAD = """# Gallery

What `make run` draws: ten clients with half of the handwritten digits' classes each, two of whom upload junk; five
methods, one seed. Made by `python docs/gallery.py RUN` from the run's record, as `marketproof report RUN --export DIR
--figure NAME` makes each for a paper. The name is under each figure; [plots](guide/plots.md) says which stands for
which figure of the paper.
"""


def main(folder: Path) -> None:
    """Write the page and its pictures."""
    page, pictures = [HEAD], {}
    for section in find(OF_A_RUN, read_run(folder)):
        if not section.drawings:
            continue
        page.append(f"## {section.question}\n\n{_plain(section.answer)}\n")
        for name, draw in section.drawings.items():
            drawn, small = draw(), io.BytesIO()
            picture = Image.open(io.BytesIO(png(drawn.figure, 100))).convert("RGB")
            picture.quantize(64, dither=Image.Dither.NONE).save(small, "PNG", optimize=True)
            pictures[DOCS / "gallery" / f"{name}.png"] = small.getvalue()
            page.append(f"![{_plain(drawn.alt)}](gallery/{name}.png)\n\n*`{name}`: {_plain(drawn.look)}*\n")
    write_all({**pictures, DOCS / "gallery.md": "\n".join(page).encode()})


def _plain(text: str) -> str:
    return re.sub(r"([<>*_\[\]])", r"\\\1", " ".join(text.split()))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
