"""The most important plots look as they did: small pictures without letters, compared with room for other renderers.

Letters are left out because fonts differ between machines; that the right words are there is tested on the text.

Draw the pictures anew, and look at them, after a change that is wanted:
MARKETPROOF_BASELINE=write python -m pytest tests/analysis/findings/test_images.py
"""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.legend import Legend
from matplotlib.testing.compare import compare_images
from matplotlib.text import Text

from analysis.findings.money import money_flow
from analysis.findings.optimum import optimum, optimum_bars
from analysis.findings.payments import money_graph, money_matrix
from analysis.findings.rounds import round_curves, utility_rounds
from analysis.findings.rules.lies import lie_curves, regret_map
from analysis.findings.rules.regions import all_regions, draw_regions
from analysis.findings.rules.truthfulness import draw_lie_curve, regret_heat
from analysis.findings.rules.verdicts import as_matrix, draw_matrix
from analysis.findings.scores import mean_utility, method_dots
from analysis.findings.spread import inequality, lorenz_curves
from analysis.findings.waterline import waterline, waterline_bars
from analysis.findings.welfare import welfare_bars, welfare_parts
from analysis.page import theme
from analysis.run.records import Run

BASELINE = Path(__file__).parent / "baseline"
DPI = 50
TOLERANCE = 5.0
"""Root mean square difference of 8-bit colours: other edges of the same shapes give 1 or 2, a moved curve 15."""

CELLS = [
    {"mechanism": rule, "property": name, "grade": grade, "agrees": agrees}
    for rule, name, grade, agrees in (
        ("ipfl", "ir", "proved", True), ("ipfl", "dsic-cost", "refuted", True),
        ("ipfl", "efficiency", "refuted", False), ("ipfl-exact", "ir", "proved", True),
        ("ipfl-exact", "dsic-cost", "proved", True),
        ("ipfl-exact", "efficiency", "exhausted", None), ("posted-price", "ir", "searched", True),
        ("posted-price", "dsic-cost", "unknown", None),
    )
]  # fmt: skip

DRAWN: dict[str, Callable[[Run], Axes]] = {
    "dots": lambda run: method_dots(mean_utility(run), from_zero=True),
    "waterline": lambda run: waterline_bars(waterline(run, "fedavg")),
    "welfare": lambda run: welfare_bars(welfare_parts(run)),
    "optimum": lambda run: optimum_bars(optimum(run)),
    "money_graph": lambda run: money_graph(money_flow(run, "ipfl/ipfl")),
    "money_matrix": lambda run: money_matrix(money_flow(run, "ipfl/ipfl")),
    "lie_curve": lambda run: draw_lie_curve(lie_curves(run)[0]),
    "lorenz": lambda run: lorenz_curves(inequality(run)),
    "rounds": lambda run: round_curves(utility_rounds(run), zero=True),
    "regions": lambda run: draw_regions(all_regions(run)[1]),
    "regret": lambda run: regret_heat(regret_map(run, lie_curves(run)[0])),
    "verdicts": lambda run: draw_matrix(as_matrix(CELLS)),
}


def difference(ax: Axes, name: str, folder: Path) -> float:
    """Return how far a plot is from its picture (root mean square of 8-bit colours); another size is infinitely far."""
    path, whole = folder / f"{name}.png", theme.figure_of(ax)
    for part in whole.findobj(lambda part: isinstance(part, Text | Legend)):
        part.set_visible(False)  # the layout leaves no room for what is not seen
    whole.savefig(path, dpi=DPI)
    if os.environ.get("MARKETPROOF_BASELINE") == "write":
        BASELINE.mkdir(exist_ok=True)
        (BASELINE / path.name).write_bytes(path.read_bytes())
    try:
        found = compare_images(str(BASELINE / path.name), str(path), tol=0.0, in_decorator=True)
    except Exception as error:  # matplotlib's own, for pictures of different sizes
        if "sizes do not match" not in str(error):
            raise
        return np.inf
    return 0.0 if found is None else float(found["rms"])


@pytest.mark.parametrize("name", DRAWN)
def test_a_plot_looks_as_it_did(run: Run, tmp_path: Path, name: str) -> None:
    assert difference(DRAWN[name](run), name, tmp_path) <= TOLERANCE


def test_a_bar_that_is_elsewhere_is_noticed(run: Run, tmp_path: Path) -> None:
    line = waterline(run, "fedavg")
    changed = waterline_bars(replace(line, utilities=line.utilities[::-1]))
    assert difference(changed, "waterline", tmp_path) > TOLERANCE
    curve = lie_curves(run)[0]
    changed = draw_lie_curve(replace(curve, utilities=curve.utilities[::-1].copy()))
    assert difference(changed, "lie_curve", tmp_path) > TOLERANCE


def test_other_letters_are_not_noticed(run: Run, tmp_path: Path) -> None:
    ax = optimum_bars(optimum(run))
    for text in (*ax.get_yticklabels(), *ax.get_xticklabels(), *ax.texts):
        text.set_fontfamily("DejaVu Serif")
    assert difference(ax, "optimum", tmp_path) == 0.0


def test_the_pictures_are_small_and_none_is_left_over() -> None:
    assert {path.stem for path in BASELINE.iterdir()} == set(DRAWN)
    assert sum(path.stat().st_size for path in BASELINE.iterdir()) < 150_000
