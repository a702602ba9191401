"""A run in a few numbers per method: how each is computed, and ``summary.json``, written and read here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from analysis.run.files import RecordError, read_json, unit_key
from analysis.run.ledger import Trace, books
from analysis.run.manifest import Manifest
from analysis.run.market import MarketRecord
from mechanism.reading import validated

Real = NDArray[np.float64]
Figure = Annotated[float, Field(allow_inf_nan=False)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True)


class Stop(_Part):
    """A client that trained no more, under which seed, from which round on."""

    seed: int
    client: int
    before_round: int


class Spent(_Part):
    """The least and the most that a client spent in any seed of a method, and who stopped."""

    epsilon: list[Figure]
    stopped: list[Stop]


class Together(_Part):
    """What at most all trainings of a run spent of one sample, ε and δ added up."""

    epsilon: Figure
    delta: Figure
    trainings: int


class Privacy(_Part):
    """What a private run says of its privacy.

    ``protects`` what, within which ``budget`` ε at which ``delta``; ``usual_delta``: the largest that is advised for
    its sizes, with a ``warning`` where δ is above it ("" where not). ``not_covered``: what ε says nothing of.
    """

    protects: str
    budget: Figure
    delta: Figure
    usual_delta: Figure
    warning: str
    rounds: int
    clients: int
    methods: dict[str, Spent]
    together: Together
    not_covered: list[str]


class Summary(_Part):
    """``summary.json``: means over seeds by method; with more than one seed the sample deviation ``…_std`` beside them.

    ``judged`` says of each method whether accuracies are those of the "trained" or of the "aggregated" models.
    ``privacy`` is absent in runs without.
    """

    task: str
    seeds: list[int]
    methods: dict[str, dict[str, Figure]]
    judged: dict[str, str] = {}
    privacy: Privacy | None = None

    def as_json(self) -> dict[str, Any]:
        """Return it as it is written."""
        return self.model_dump(exclude=None if self.privacy else {"privacy"})


def read_summary(path: Path) -> Summary:
    """Return what is in a ``summary.json``; `RecordError` if it is damaged."""
    return validated(Summary, read_json(path), str(path), error=RecordError)


def mean_where(values: Real, counted: NDArray[np.bool_]) -> Real:
    """Return the mean over the last axis of the values that count, 0 where none does."""
    total = np.where(counted, values, 0.0).sum(axis=-1)
    return np.asarray(total / np.maximum(counted.sum(axis=-1), 1))


def best_of_clients(trace: Trace) -> Real:
    """Return every client's best personal accuracy while it took part, 0 if it never did, ``[seeds, m]``."""
    return np.asarray(np.where(trace.present, trace.accuracy, 0.0).max(axis=1))


def final_of_clients(trace: Trace) -> Real:
    """Return every client's personal accuracy when it last took part, ``[seeds, m]``."""
    last = trace.present.shape[1] - 1 - np.argmax(trace.present[:, ::-1], axis=1)
    return np.asarray(np.take_along_axis(trace.accuracy, last[:, None, :], axis=1)[:, 0])


def figures(trace: Trace) -> dict[str, Real]:
    """Return the figures of a method by name, ``[seeds]`` each.

    ``accuracy_best``: each client's best over the rounds in which it took part, averaged over clients (as the paper
    counts); ``accuracy_final``: mean over clients of what they had when they last took part; ``utility_total``: summed
    over clients and rounds; ``utility_mean``: per client and round; ``welfare``: the sum of everybody's utilities in
    all clearings. Utilities are true ones. All but welfare are of benign clients, who are not attackers or free-riders
    (paper, personal accuracy and utility); of others ``utility_others`` is the mean per client and round, and
    ``accuracy_others`` the best accuracy. ``epsilon``: the most that a client's training spent.
    """
    benign, there = trace.benign, trace.present.any(axis=1)
    utility, rounds = trace.utility.sum(axis=1), trace.utility.shape[1]
    found = {
        "accuracy_best": mean_where(best_of_clients(trace), benign & there),
        "accuracy_final": mean_where(final_of_clients(trace), benign & there),
        "utility_total": np.where(benign, utility, 0.0).sum(axis=-1),
        "utility_mean": mean_where(utility, benign) / rounds,
        "welfare": utility.sum(axis=-1),
    }
    if trace.epsilon.any():
        found["epsilon"] = trace.epsilon.max(axis=-1)
    if not benign.all():
        found["utility_others"] = mean_where(utility, ~benign) / rounds
        found["accuracy_others"] = mean_where(best_of_clients(trace), ~benign & there)
    return found


def unit_figures(record: MarketRecord) -> dict[str, float]:
    """Return the figures of one method under one seed."""
    trace, _ = books([[record]])
    return {name: float(values[0]) for name, values in figures(trace).items()}


def summarise(manifest: Manifest, traces: Mapping[str, Trace], seconds: Mapping[str, float]) -> Summary:
    """Return the summary of a run; ``seconds`` of work of each unit, by its name in files."""
    methods: dict[str, dict[str, float]] = {}
    for name, trace in traces.items():
        methods[name] = {}
        worked = np.array([seconds.get(unit_key(name, seed), 0.0) for seed in manifest.seeds])
        for key, values in {**figures(trace), "seconds": worked}.items():
            methods[name][key] = float(values.mean()) + 0.0
            if len(values) > 1:
                methods[name][f"{key}_std"] = float(values.std(ddof=1))
    return Summary(task=manifest.task, seeds=manifest.seeds, methods=methods, judged=manifest.judged)
