"""The price of privacy: the same run at several privacy budgets, and what each costs in accuracy and utility."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from analysis.findings.several.statistics import paired, told
from analysis.findings.several.studies import along
from analysis.run.ledger import unit_figures
from marketproof.running.config import RunConfig
from marketproof.running.execution import Place
from marketproof.running.loop import MakeTrainer
from marketproof.running.privacy import delta_of
from marketproof.studies.carried_out import Done, carried_out
from marketproof.studies.performance import BEST, UTILITY, WELFARE
from marketproof.studies.planned import Plan
from marketproof.studies.study import METHOD, ONE_BY_ONE, Column, Row, Study, text
from mechanism.errors import InputError
from mechanism.wording import number, percent

EPSILONS: tuple[float, ...] = (1.0, 2.0, 4.0, 8.0)
"""Budgets compared, from the strictest; a run without privacy always follows."""


def price_of_privacy(
    config: RunConfig,
    folder: Path,
    place: Place,
    again: str,
    *,
    quiet: bool,
    epsilons: Sequence[float] = EPSILONS,
    make: MakeTrainer | None = None,
) -> Done:
    """Run a configuration at each epsilon and without privacy, and write ``privacy.json``, .csv, .md, .png and .svg.

    Each run is an ordinary run folder ``epsilon-E`` or ``no-privacy`` under ``folder``; the same call goes on where it
    was stopped. ``again`` is the command line that does so; the configuration's own epsilon joins the others.
    `InputError` if an epsilon is not above 0, a noise multiplier is fixed, or the folder holds something else.
    `Interrupted` on Ctrl-C; the message says where it stands and how to go on.
    """
    if config.privacy.noise:
        raise InputError("the noise follows from each epsilon that is compared; leave out --dp-noise")
    wanted = {float(epsilon) for epsilon in (*epsilons, config.privacy.epsilon or math.inf)} - {math.inf}
    wrong = next((epsilon for epsilon in wanted if not epsilon > 0), None)
    if wrong is not None:
        raise InputError(f"epsilon is {wrong:g}; expected a number above 0")
    if not wanted:
        raise InputError("no epsilon is named to compare with a run without privacy; name some above 0")
    configs = {f"epsilon-{epsilon:g}": _at(config, epsilon) for epsilon in sorted(wanted)} | {
        "no-privacy": _at(config, 0.0)
    }
    plan = Plan("privacy", STUDY, configs, more={"epsilons": sorted(wanted)}, stem="privacy")
    return carried_out(plan, folder, place, again, quiet=quiet, make=make)


def _at(config: RunConfig, epsilon: float) -> RunConfig:
    return config.model_copy(update={"privacy": config.privacy.model_copy(update={"epsilon": epsilon})})


# fmt: off
EPSILON = text("epsilon", "budget of each client's training (none: trained without privacy)",
               lambda one: f"{one.config.privacy.epsilon:g}" if one.config.privacy.epsilon else "none")
SPENT = Column("spent", "spent", "the most that any client spent of it, in any seed",
               lambda one: float(one.record.epsilon.max(initial=0.0)) or None, max)
LOST = Column("accuracy_lost", "lost", "best accuracy without privacy less this",
              lambda one: unit_figures(one.before)["accuracy_best"] - BEST.of(one), kind="share")
SEEN = Column("", "", "what the seed recorded", lambda one: one)
# fmt: on


def _delta_and_clip(rows: Sequence[Row]) -> dict[str, float]:
    every = [one for row in rows for one in row.seeds[SEEN]]
    config = every[0].config
    return {"delta": delta_of(config, [one.record for one in every]), "clip": config.privacy.clip}


def _points(row: Row) -> str:
    """Return what a budget costs in accuracy, and whether that is within the noise of the seeds."""
    lost = paired(row.seeds[LOST], [0.0] * len(row.seeds[LOST]))
    noise = ", within noise," if lost.pairs > 1 and not lost.seen else ""
    return f"{100 * lost.mean:.1f} points{noise}"


def words(rows: Sequence[Row]) -> list[str]:
    """Say what the strictest and the loosest budget cost each method."""
    said = []
    for method in dict.fromkeys(row[METHOD] for row in rows):
        own = [row for row in rows if row[METHOD] == method]
        strict, loose, free = own[0], own[-2], own[-1]
        said.append(
            f"{method}: {percent(free[BEST])} and {number(free[UTILITY])} a round without privacy; epsilon "
            f"{loose[EPSILON]} costs {_points(loose)} of accuracy (utility {number(loose[UTILITY])}), "
            f"epsilon {strict[EPSILON]} costs {_points(strict)} (utility {number(strict[UTILITY])})."
        )
        if len(own) > 2:
            points = [[100.0 * value for value in row.seeds[BEST]] for row in (loose, strict)]
            mine, other = (f"epsilon {row[EPSILON]}" for row in (loose, strict))
            apart = told(paired(*points), mine, other, lambda amount: f"{amount:.1f}")
            said.append(f"{method}: points of best accuracy: {apart}.")
    return said


def _along_budgets(rows: Sequence[Row]) -> dict[str, Figure]:
    def lines(column: Column, factor: float) -> dict[str, NDArray[np.float64]]:
        own: dict[str, list[Sequence[float]]] = {}
        for row in rows:
            own.setdefault(row[METHOD], []).append(row.seeds[column])
        return {method: factor * np.array(values).T for method, values in own.items()}

    panels = {"best accuracy (%)": lines(BEST, 100.0), "utility per client and round (money)": lines(UTILITY, 1.0)}
    return {"privacy": along(list(dict.fromkeys(map(EPSILON, rows))), "epsilon: less is more private", panels)}


STUDY = Study(
    "The price of privacy",
    "what each privacy budget costs in accuracy and utility",
    (),
    (METHOD, EPSILON, SPENT, BEST, LOST, UTILITY, WELFARE),
    words,
    _along_budgets,
    (
        "Epsilon is of one training example of one client, in one method under one seed, at the delta recorded: "
        "neither the clients' sizes, nor their reports, nor anything measured on held-out data is covered. Who sees "
        "the models of several runs, methods or seeds adds their epsilons up.",
        "The noise comes from secret keys: in a new folder it is another, and the numbers differ by it.",
        ONE_BY_ONE,
    ),
    beside="no-privacy",
    by_method=True,
    hidden=(SEEN,),
    more=_delta_and_clip,
)
