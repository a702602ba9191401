"""Who does well, and who stays: what the clients of each role end with, and how many take part in each round."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from analysis.findings.base import Drawing, Drawings, Finding, measured
from analysis.findings.grouped import ComparedScores, beside_by_group, scores_rows, side_by_side
from analysis.findings.rounds import RoundCurves, round_curves, rounds_table
from analysis.findings.scores import client_utility, leading
from analysis.page import theme
from analysis.run.ledger import best_of_clients, mean_where
from analysis.run.records import Run, Trace
from mechanism.space import Floats
from mechanism.wording import listed, typeset


def roles(run: Run) -> tuple[str, ...]:
    """Return the roles that occur in the run, in alphabetical order."""
    return tuple(sorted({str(role) for trace in run.traces.values() for role in np.unique(trace.roles)}))


def by_role(run: Run, name: str, unit: str, of: Callable[[str, Trace], Floats]) -> ComparedScores:
    """Return a number of every client ``[seeds, m]`` as means over each role, NaN where it is empty.

    ``of``: method and its trace to the number of every client.
    """
    groups: dict[str, dict[str, list[float]]] = {}
    for role in roles(run):
        groups[role] = {}
        for method, trace in run.traces.items():
            there = trace.roles == role
            means = mean_where(of(method, trace), there).tolist()
            groups[role][method] = means if there.any(axis=1).all() else []
    return side_by_side(name, unit, groups)


def accuracy_by_role(run: Run) -> ComparedScores:
    """Best personal accuracy of each role, percent."""
    return by_role(run, "Best personal accuracy", "%", lambda _, trace: 100.0 * best_of_clients(trace))


def utility_by_role(run: Run) -> ComparedScores:
    """Utility over the run of each role, money."""
    return by_role(run, "Mean utility over the run", "money", lambda method, _: client_utility(run, method))


def everybody_stays(run: Run) -> bool:
    """Return whether all clients took part in all rounds of all methods."""
    return all(bool(trace.present.all()) for trace in run.traces.values())


def attendance(run: Run) -> RoundCurves:
    """Number of clients that take part per round."""
    values = np.stack([run.traces[m].present.sum(axis=2).astype(np.float64) for m in run.methods])
    return RoundCurves("Clients that take part", "clients", run.methods, values)


@dataclass(frozen=True, eq=False)
class Participants:
    """What each role achieves, if there are several; how many take part per round, if not always all."""

    accuracy: ComparedScores | None
    utility: ComparedScores | None
    attendance: RoundCurves | None


def participants(run: Run) -> Participants | None:
    """Return what there is to say of roles and attendance; None where all are alike and stay."""
    several, leave = len(roles(run)) > 1, not everybody_stays(run)
    if not several and not leave:
        return None
    return Participants(
        accuracy_by_role(run) if several else None,
        utility_by_role(run) if several else None,
        attendance(run) if leave else None,
    )


def answer(run: Run, found: Participants) -> str:
    """Answer: which roles there are, and how the leading method treats them; how many stay to the end."""
    name, said = leading(run), []
    if found.utility is not None:
        mean = found.utility.mean[:, run.methods.index(name)]
        parts = [f"{role} {typeset(float(value))}" for role, value in zip(found.utility.groups, mean, strict=True)]
        said.append(f"Under {name} the mean client of each role ends with: {listed(parts)}.")
    if found.attendance is not None:
        last = found.attendance.mean[:, -1]
        parts = [f"{m} {float(value):.3g}" for m, value in zip(run.methods, last, strict=True)]
        said.append(f"In the last round so many of {run.clients} clients take part: {listed(parts)}.")
    return " ".join(said)


def draw_roles(accuracy: ComparedScores, utility: ComparedScores) -> Drawing:
    """Accuracy and utility of each role."""
    whole, scale = beside_by_group(accuracy, utility)
    return Drawing(
        f"Accuracy and utility per method and role. {accuracy.told(utility, '')}.",
        "Each band is a method, each mark in it a role: what a client came for. A market treats its people well if "
        "honest roles are right of zero; attackers and free-riders should earn less than those who do the work. A "
        "seller here is a client that wants no model; the selling side of an account is something else, which every "
        "client has." + scale,
        whole,
        scores_rows("role", accuracy, utility),
    )


def draw_attendance(run: Run, curves: RoundCurves) -> Drawing:
    """How many clients take part in each round."""
    said = [
        f"{name}: {float(curves.mean[k, 0]):.3g} to {float(curves.mean[k, -1]):.3g}"
        for k, name in enumerate(run.methods)
    ]
    return Drawing(
        f"Clients that take part, of {run.clients}, over {run.rounds} rounds. " + "; ".join(said) + ".",
        "A line that falls is a method whom its clients leave; what is left of its accuracy and utility is that of "
        "those who stay.",
        theme.figure_of(round_curves(curves)),
        rounds_table(curves),
        rounds_table(curves, bands=True),
    )


def drawings(run: Run, found: Participants) -> Drawings:
    """Return what there is to draw: roles, attendance, or both."""
    drawn: dict[str, Callable[[], Drawing]] = {}
    if found.accuracy is not None and found.utility is not None:
        drawn["roles"] = partial(draw_roles, found.accuracy, found.utility)
    if found.attendance is not None:
        drawn["attendance"] = partial(draw_attendance, run, found.attendance)
    return drawn


ROLES = Finding("people", "Who does well, and who stays?", participants, answer, drawings, measured)
