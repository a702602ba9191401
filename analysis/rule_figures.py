"""The report's figures about rules rather than runs: verdicts, what is bought at which costs, where a lie pays."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from analysis import plots
from analysis.drawn import Drawn, grid, note
from analysis.regions import BOTH, FIRST, NEITHER, SECOND, AllocationRegions, grid_table, regions_table
from analysis.regret import RegretMap, map_table, regret_table
from analysis.verdict_matrix import draw_columns
from analysis.verdicts import RuleVerdict, verdict_matrix, verdict_table
from mechanism.wording import typeset, typeset_percent


def verdict_marks(found: Sequence[RuleVerdict]) -> Drawn:
    """Verdicts of the run's rules on every property."""
    rules = dict.fromkeys(v.mechanism for v in found)
    parts = []
    for rule in rules:
        own = [v for v in found if v.mechanism == rule]
        grades = {g: [v.property for v in own if v.grade == g] for g in dict.fromkeys(v.grade for v in own)}
        parts.append(f"{rule}: " + "; ".join(f"{g} {', '.join(names)}" for g, names in grades.items()))
    return Drawn(
        "verdicts",
        "Verdicts by rule and property. " + ". ".join(parts) + ".",
        "A filled disc is a proof for every market, a circle a search that found nothing, a cross a counterexample. A "
        "cross is no scandal by itself: look whether the property is one that your market needs, and at its example in "
        "the table. What each property says stands below.",
        draw_columns(verdict_matrix(found)),
        verdict_table(found),
    )


def region_panels(regions: Sequence[AllocationRegions]) -> Drawn:
    """Allocation regions, one panel per rule."""
    # Low enough that its height bounds the square panels: where the width did, the layout would let labels overlap.
    whole, panels = grid(len(regions), 2, 4.1)
    for k, (one, panel) in enumerate(zip(regions, panels, strict=True)):
        plots.allocation_regions(one, panel, key=False)
        if k % 2:
            panel.set_ylabel("")
    plots.regions_key(whole, regions)
    first = regions[0]
    left, right = first.sellers
    if first.where:
        note(whole, f"client {first.buyer} buys; types and models of {first.where}")
    parts = [
        f"{r.rule}: neither on {typeset_percent(r.share(NEITHER))} of the square, seller {r.sellers[0]} alone on "
        f"{typeset_percent(r.share(FIRST))}, seller {r.sellers[1]} alone on {typeset_percent(r.share(SECOND))}, "
        f"both on {typeset_percent(r.share(BOTH))}"
        for r in regions
    ]
    return Drawn(
        "regions",
        f"What buyer {first.buyer} imports from sellers {first.sellers[0]} and {first.sellers[1]}, alone with them. "
        + "; ".join(parts) + ".",
        f"Light blue: bought from seller {left}; orange: from seller {right}; dark blue: from both; grey: neither. "
        "The dot is at the true costs. Go from it along one axis, which is one seller changing its report: a truthful "
        "rule pays that seller the cost at which the colour changes, and its own report cannot move that border. Where "
        "one seller takes the other's place the border should run at 45°, a coin more here for a coin more there; "
        "where it does not, the rule gives up some of the objective: it takes the model that is worth less after its "
        "cost. The axes reach to a few times the true costs.",
        whole,
        regions_table(tuple(regions)),
        grid_table(tuple(regions)),
    )  # fmt: skip


def regret_panels(maps: Sequence[RegretMap]) -> Drawn:
    """Regret heat maps, one panel per method with a market, on one scale."""
    whole, panels = grid(len(maps), 2, 3.7)
    largest = max(float(np.abs(one.won).max()) for one in maps) or 1.0
    for one, panel in zip(maps, panels, strict=True):
        plots.regret_heat(one, panel, largest=largest)
    parts = [
        f"{m.method}, client {m.client}: "
        + (
            f"{typeset_percent(m.paying)} of all pairs of true and reported cost pay, the best {typeset(m.most)}"
            if m.most > 0
            else "no pair pays"
        )
        for m in maps
    ]
    return Drawn(
        "regret",
        "What a client wins by reporting one cost when another is true. " + "; ".join(parts) + ".",
        "The lie curve for every true cost at once. On the dashed line the client tells the truth; vermilion to its "
        "left is an understated cost that pays, to its right an overstated one. Under a truthful rule nothing is "
        "vermilion, whatever the true cost.",
        whole,
        regret_table(tuple(maps)),
        map_table(tuple(maps)),
    )
