"""What a method is: what clients do between exchanges, and how the server combines what they upload.

No input or output, no device and no distribution over processes appears here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from learning.errors import LearningError
from learning.plan import LearningPlan
from mechanism.space import Floats

Graph = NDArray[np.bool_]

START = "start"
"""Slot that a method may declare: the models from which clients started the round, kept before they train."""

PROBE = "probe"
"""Slot of the models that never see the held-out samples, on which a method `measures` what others' are worth."""

JUDGED = 1000
"""Samples that a method which `measures` holds out of each client's at most."""

HELD = "held"
"""Slot of the models that clients keep who upload something else."""


@dataclass(frozen=True)
class LocalSpec:
    """What a client does in a round: ``steps`` of SGD, pulled with coefficient ``pull`` to slot ``target``.

    The pull adds ``pull`` · (θ − target) to the gradient; 0 means none. ``correction`` names the slot whose row is
    added to every gradient, a control variate; ``gradient`` the one that gets the mean of the round's gradients, taken
    before pull and correction. Empty: none. ``model`` names the slot whose row is trained, the client's own row if
    empty. ``then`` is further work of the same client in the same round. ``whole``: on held-out samples too.
    """

    steps: int
    pull: float = 0.0
    target: str = ""
    model: str = ""
    then: LocalSpec | None = None
    correction: str = ""
    gradient: str = ""
    whole: bool = False

    @property
    def all_steps(self) -> int:
        """Steps of this work and of what follows it."""
        return self.steps + (self.then.all_steps if self.then is not None else 0)


@dataclass(frozen=True, eq=False)
class Trials:
    """How models do on the samples that clients held out.

    ``before`` [m]: mean loss of the model from which client i started the round; ``losses`` [m, m]: of j's uploaded
    model on i's samples; ``distances`` [m, m]: ‖θ_j − start_i‖. What was not tried is NaN.
    """

    before: Floats
    losses: Floats
    distances: Floats


@dataclass(frozen=True, eq=False)
class Uploads:
    """What the server sees of a round.

    Only clients who take part in the round are in it, ``clients`` [m] says who they are in the whole run. ``imports``
    bool [m, m] is the graph (its diagonal plays no part); ``sizes`` [m] samples; ``cosines`` [m, m] and
    ``norms`` [m] of the updates, counted from the method's ``origin``; ``memory`` [m, m] what server steps left to
    remember about pairs of them, all 0 before the first, or with ``own_memory`` about each of them, a row as long as
    there are clients in the run; ``trials`` the trials that the method asked for; ``effective`` [m, m] what models were
    measured to be worth, in samples of the importer; ``parameters`` the names of a model's parameters in order, such as
    "output.weight".
    """

    plan: LearningPlan
    imports: Graph
    sizes: Floats
    cosines: Floats
    norms: Floats
    memory: Floats
    seed: int = 0
    round_index: int = 1
    trials: Trials | None = None
    effective: Floats | None = None
    clients: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    parameters: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not len(self.clients):
            object.__setattr__(self, "clients", np.arange(len(self.sizes)))


@dataclass(frozen=True, eq=False)
class Mix:
    """What the server makes of a slot of gradients: ``matrix`` · slot ``of``, written into slot ``into``.

    ``matrix`` float64 [m, m] is over all clients of the run: of who is away the server knows the slot as it was.
    """

    matrix: Floats
    of: str
    into: str


@dataclass(frozen=True, eq=False)
class Aggregation:
    """What the server writes: θ_0 + matrix (W − θ_0), into the rows if ``into`` is empty, else into that slot.

    ``matrix`` float64 [m, m]; row i makes what client i gets. Where its rows sum to one the result is matrix · W. Of
    the parameters only those named in ``only`` are written, all if None: the others stay each client's own. ``mixes``
    are done besides. With ``trim`` every parameter is by itself the mean of those values of the clients that are left
    when so many of the smallest and of the largest are left out; the matrix then says only whose values were looked
    at. ``memory``, like that of `Uploads`, is kept for the next round's server step.
    """

    matrix: Floats
    into: str = ""
    memory: Floats | None = None
    only: tuple[str, ...] | None = None
    mixes: tuple[Mix, ...] = ()
    trim: int | None = None

    @property
    def graph(self) -> Graph:
        """Whose model entered whose, bool [m, m]: the weights other than 0 off the diagonal."""
        return (self.matrix != 0) & ~np.eye(len(self.matrix), dtype=bool)


def complete(clients: int) -> Graph:
    """Return the complete graph: everybody's model may enter everybody's."""
    return ~np.eye(clients, dtype=bool)


def plain_sgd(plan: LearningPlan, first: bool) -> LocalSpec:
    """Return plain SGD from the model that a client has, without any pull."""
    return LocalSpec(plan.steps)


@dataclass(frozen=True)
class Algorithm:
    """A method by its name, with its source and the pure functions that define it.

    ``local_spec(plan, first)`` gives a client's work, ``first`` if nothing has been aggregated yet; plain SGD unless
    given. ``implied(m)`` gives the graph within which the method exchanges whatever anybody wants, bool [m, m] (row
    imports from column), or None if a market decides; recorded is the part of it whose weights are not 0 in a round.
    ``aggregate(uploads)`` gives the server's step, or None for nothing. ``tries(uploads)`` says which models clients
    must try on held-out samples before that, bool [m, m]; a method that has it trains on nine tenths of each client's
    samples. One that ``measures`` asks for ``effective`` data, mixes only where that helps, and has a slot `PROBE`; see
    `learning.valuation.effective`.

    ``deploys`` says by which models a round is judged: those that clients have when they have "trained", or those that
    the server has "aggregated"; ``shared`` if the server's step makes all rows one model, but for parameters that it
    leaves to each; ``own`` if clients go on from the models that they trained; ``deployed`` names the slot that holds
    what they use, the rows if empty (where they are judged by what was "aggregated", the rows until then). ``slots``
    are the matrices [m, P] besides the models that the method carries from round to round, models too, ``gradients``
    those that begin with 0, ``memory`` if it carries a matrix [m, m] too: about pairs of clients, or with
    ``own_memory`` row i about client i alone. ``origin`` names the slot from which updates are counted, θ_0 if empty.
    """

    name: str
    citation: str
    summary: str
    deploys: str
    aggregate: Callable[[Uploads], Aggregation | None]
    local_spec: Callable[[LearningPlan, bool], LocalSpec] = plain_sgd
    implied: Callable[[int], Graph | None] = complete
    slots: tuple[str, ...] = ()
    tries: Callable[[Uploads], Graph] | None = None
    gradients: tuple[str, ...] = ()
    shared: bool = False
    own: bool = False
    deployed: str = ""
    memory: bool = False
    own_memory: bool = False
    origin: str = ""
    measures: bool = False


def stable(plan: LearningPlan, pull: float, name: str, remedy: str) -> float:
    """Return ``pull``, or raise `LearningError` if that pull alone makes SGD with momentum diverge.

    A quadratic of curvature k diverges exactly when lr · k ≥ 2 (1 + momentum) (Polyak 1964, the heavy ball). ``name``
    is the pull in words, ``remedy`` what to change.
    """
    if plan.optimizer != "sgd":  # other optimisers take steps of bounded length
        return pull
    limit, reached = 2.0 * (1.0 + plan.momentum), plan.lr * (pull + plan.weight_decay)
    if reached >= limit:
        raise LearningError(
            f"lr * ({name} + weight_decay) is {reached:g}: SGD diverges from {limit:g} on with momentum "
            f"{plan.momentum:g}; take {remedy}"
        )
    return pull


def held_out(plan: LearningPlan, method: Algorithm) -> tuple[float, int]:
    """Return which share of each client's samples a method holds out of training, and how many at most.

    `LearningError` if effective data and a gain law are to be measured at once: both need samples of their own.
    """
    if method.measures and plan.held_out:
        raise LearningError(f"{method.name} measures what models are worth itself; leave the valuation at size")
    if method.measures:
        return 0.5, JUDGED
    return (0.1 if plan.held_out or method.tries is not None else 0.0), 10**9
