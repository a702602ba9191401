"""A client's own samples: from a file of its own, or its part of a public data set as the plan divides it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np
import torch
from numpy.typing import NDArray

from learning.algorithms import method_named
from learning.algorithms.algorithm import held_out
from learning.data.agreed import Agreed
from learning.data.dataset import Dataset
from learning.data.holdings import hold, hold_out
from learning.data.own.one_owner import one_owner
from learning.data.splits import holdout
from learning.errors import DataError, LearningError
from learning.federation.messages import Start
from learning.federation.share import OwnBench, Share
from learning.models.build import network
from learning.plan import LearningPlan
from learning.work import Facts
from mechanism.errors import MarketProofError, shown
from mechanism.own_code import is_file

if TYPE_CHECKING:
    from learning.privacy.guard import Guard

LARGEST = 2**33
"""Bytes of a file of samples."""
_TRAINED = 0.8
"""Of each class, where the file has no test samples of its own."""

Load = Callable[[Start], Share]


_BASES = ("", "tiny", "smollm2")
"""Language models that are no folder."""


class Unreadable(LearningError):
    """A client's own data are not as agreed; ``here`` says why on its machine: no server learns a cell by asking."""

    def __init__(self, error: Exception) -> None:
        super().__init__("its own data are not as the task says that they are read")
        self.here = str(error)


@dataclass(frozen=True)
class Wishes:
    """In which runs a client takes part.

    ``epsilon``: those that are private up to this only; None: any, and runs without privacy. ``rounds``: those of up to
    so many. ``base_model``: the client's own copy of the language model that a run adapts, "" where it has none.
    """

    epsilon: float | None = None
    rounds: int = 100_000
    base_model: str = ""


def own_part(data_dir: Path | None = None, wishes: Wishes = Wishes()) -> Load:
    """Return what loads client k's part of the plan's public data set, divided by its seed: for trials.

    Everybody could load everything; what is federated is the work, not a secret.
    """

    def load(start: Start) -> Share:
        plan = _trusted(start, wishes)
        holdings = hold(plan, start.seed, data_dir, *held_out(plan, method_named(start.method)))
        k = start.client
        held = holdings.held[k] if holdings.held else 0
        return _share(start, plan, holdings.dataset, holdings.members[k], held, holdings.weights[k])

    return load


def own_file(path: Path, wishes: Wishes = Wishes()) -> Load:
    """Return what loads samples of one's own: a table, an ``.npz`` file, a folder CLASS/, or ``FILE.py:NAME``.

    They are read as the run's task says that all read theirs (`learning.data.own.one_owner`). Where it says nothing,
    from a NumPy file with ``x`` [n, …] numbers, ``y`` [n] integers from 0 to ``classes`` − 1, ``classes``, and if there
    are any test samples of one's own ``test_x``, ``test_y``; else a fifth of each class is kept for testing. Nothing is
    scaled by what is found in the data. `DataError` in a line if they are none of these. A folder of public data sets
    is taken for one where a run is not of own data.
    """
    whole = _read(path) if path.suffix == ".npz" and _is_whole(path) else None
    known: dict[Agreed, Dataset] = {}

    def load(start: Start) -> Share:
        plan = _trusted(start, wishes)
        if plan.dataset != "own" and path.is_dir():
            return own_part(path, wishes)(start)
        own = whole
        if plan.agreed is not None:
            try:
                own = known.get(plan.agreed) or one_owner(str(path), plan.agreed)
            except MarketProofError as error:
                raise Unreadable(error) from None
            known.clear()
            known[plan.agreed] = own
        if own is None:
            raise LearningError(
                "the task does not say how a client's own data are read; expected [data] classes in it, or at the "
                "client a NumPy file .npz with x, y and classes"
            )
        share, most = held_out(plan, method_named(start.method))
        members = np.arange(len(own.train_y))
        (members,), (held,) = hold_out([members], start.seed, share, most) if share else ([members], [0])
        weights = np.bincount(own.train_y, minlength=own.classes) / len(own.train_y)
        return _share(start, plan, own, members, held, weights)

    return load


def _trusted(start: Start, wishes: Wishes) -> LearningPlan:
    """Return the plan of a run; `LearningError` if it names files of this machine, or code, or is not wished for."""
    plan, budget = LearningPlan(**start.plan), wishes.epsilon
    if not start.client < start.clients == plan.clients:  # so a number of clients is never more than a plan may have
        raise LearningError(f"it is client {start.client} of {start.clients}, and the plan has {plan.clients}")
    if plan.rounds > wishes.rounds:
        raise LearningError(
            f"the server plans {plan.rounds} rounds; this client takes part in up to {wishes.rounds} only"
        )
    if budget is not None and not 0 < plan.dp_epsilon <= budget:
        given = f"with epsilon {plan.dp_epsilon:g}" if plan.dp_epsilon else "without privacy"
        raise LearningError(f"the server trains {given}; this client takes part up to epsilon {budget:g} only")
    if is_file(plan.model) or is_file(start.method) or plan.own is not None or plan.split_file:
        raise LearningError(
            "the server names a file of this machine; a client takes no code and no paths from a server"
        )
    if plan.base_model.partition("@")[0] not in _BASES:
        if not wishes.base_model:
            raise LearningError(
                "the server names a file of this machine, a language model; name your own copy: join --base-model DIR"
            )
        plan = replace(plan, base_model=wishes.base_model)  # that it is the same is seen by its digest
    return plan


def _is_whole(path: Path) -> bool:
    """Say whether a NumPy file says itself how many classes there are, or cannot be read at all."""
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            return "y" not in file.files or "classes" in file.files or "x" not in file.files
    except Exception:  # many ways: told when it is read
        return True


def _read(path: Path) -> Dataset:
    wrong = f"{shown(path)} holds no samples; expected a NumPy file .npz with x [n, …], y [n] and classes"
    try:
        if path.stat().st_size > LARGEST:
            raise DataError(f"{shown(path)} is larger than {LARGEST // 2**30} GiB; take fewer samples")
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            arrays = {name: file[name] for name in ("x", "y", "classes", "test_x", "test_y") if name in file.files}
    except OSError as failed:
        raise DataError(f"cannot read {shown(path)}: {failed.strerror or 'it is damaged'}") from None
    except (ValueError, KeyError, EOFError, AttributeError, TypeError, BadZipFile) as failed:
        raise DataError(f"{wrong} ({failed.__class__.__name__})") from None
    if not {"x", "y", "classes"} <= set(arrays) or ("test_x" in arrays) != ("test_y" in arrays):
        raise DataError(wrong)
    if arrays["classes"].size != 1 or arrays["classes"].dtype.kind not in "iu":
        raise DataError(f"{shown(path)}: classes is no whole number; expected how many classes all clients have")
    x, y = _samples(path, arrays, "")
    if "test_x" in arrays:
        train = np.arange(len(y))
        test_x, test_y = _samples(path, arrays, "test_")
    else:
        train, test = holdout(y, "own test set", _TRAINED)
        test_x, test_y = x[test], y[test]
    return Dataset("own", str(path), x[train], y[train], test_x, test_y, int(arrays["classes"]), 1.0, 0.0)


def _samples(path: Path, arrays: dict[str, NDArray[Any]], part: str) -> tuple[NDArray[Any], NDArray[np.int64]]:
    x, y = arrays[f"{part}x"], arrays[f"{part}y"]
    if x.dtype.kind not in "iuf" or x.ndim < 2 or y.dtype.kind not in "iu" or y.ndim != 1 or not len(y):
        raise DataError(f"{shown(path)}: expected {part}x [n, …] numbers and {part}y [n] whole numbers, n at least 1")
    if len(x) != len(y) or y.min() < 0:
        raise DataError(f"{shown(path)}: {len(x)} samples in {part}x, {len(y)} classes in {part}y; expected as many")
    x = x.astype(np.float32)
    if not np.isfinite(x).all():
        raise DataError(f"{shown(path)}: {part}x holds a number that is not finite")
    return x, y.astype(np.int64)


def _share(
    start: Start,
    plan: LearningPlan,
    dataset: Dataset,
    members: NDArray[np.int64],
    held: int,
    weights: NDArray[np.float64],
) -> Share:
    net = network(plan.model, dataset.shape, dataset.classes, plan.base_model)
    cells = tuple(int(k) for k in np.searchsorted(dataset.test_strata, np.arange(dataset.strata + 1)))
    facts = Facts(plan, start.seed, dataset.shape, dataset.classes, dataset.scale, dataset.shift, (), cells)
    own = torch.from_numpy(members)
    tensors = {
        "train_x": net.prepare(torch.tensor(dataset.train_x)).contiguous()[own].clone(),
        "train_y": torch.tensor(dataset.train_y)[own].clone(),
        "test_x": net.prepare(torch.tensor(dataset.test_x)).contiguous(),
        "test_y": torch.tensor(dataset.test_y),
    }
    bench = OwnBench(facts, start.client, tensors, held)
    tests = np.bincount(dataset.test_strata, minlength=dataset.strata)
    return Share(bench, weights, tests, guard=_guard(start, plan, len(members), held) if plan.dp_epsilon else None)


def _guard(start: Start, plan: LearningPlan, samples: int, held: int) -> Callable[[float], Guard]:
    """Return what makes the guard of a private run: its noise key is drawn here, and stays on this machine."""
    from learning.privacy.guard import Guard
    from learning.privacy.keys import create_keys, keys_folder, load_keys

    spec = method_named(start.method).local_spec
    steps = max(spec(plan.of(samples), first).all_steps for first in (True, False))  # at most, as the plain loop counts
    run = f"{start.run}.{start.name}"
    if len(run) > 100:  # as long as a folder of keys may be called
        run = f"{blake2b(start.run.encode(), digest_size=16).hexdigest()}.{start.name}"
    keys = load_keys(run, 1) if keys_folder(run).exists() else create_keys(run, 1)
    return lambda delta: Guard(replace(plan, dp_delta=delta), [samples - held], steps, keys, [samples])
