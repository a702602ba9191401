"""What a private run says at its end: epsilon, delta of the sizes, who stopped, what adds up."""

from types import SimpleNamespace

import numpy as np
import pytest

from marketproof.running.config import differences, load_task, resolve
from marketproof.running.methods import parse
from marketproof.running.privacy import delta_of, privacy_lines, privacy_statement
from marketproof.running.recorder import Unit

STOP = "client {} stops before round {}: another round would take its epsilon from 1 to 9, above the budget of 8"


def config(**privacy):
    given = {"seed": 0, "seeds": 1, "methods": ["local"], "mechanism": "ipfl-exact", "rounds": 3}
    made = resolve("digits-niid", load_task("digits-niid"), given)
    return made.model_copy(update={"privacy": made.privacy.model_copy(update=privacy)})


def record(epsilon, sizes=(100, 27_686)):
    return SimpleNamespace(epsilon=np.array(epsilon), types=SimpleNamespace(size=np.tile(sizes, (3, 1)).astype(float)))


def units(*records, methods=("local",)):
    made = parse(list(methods), "ipfl-exact")
    seeds = len(records) // len(made)
    return list(zip([Unit(method, seed) for method in made for seed in range(seeds)], records, strict=True))


def test_two_lines_with_the_delta_of_the_largest_client():
    told = privacy_statement(config(epsilon=8.0), units(record([7.25, 7.5])), [])
    assert told.delta == told.usual_delta == 1 / 276_860
    assert told.warning == ""
    lines = privacy_lines(told)
    assert lines[0] == (
        "Privacy: epsilon 7.25 to 7.5 of the budget of 8 (over clients) at delta 3.61e-06 after 3 rounds, of one "
        "training sample of one client, added or removed, in the models of one method under one seed; nobody stopped "
        "before the end."
    )
    assert lines[1].startswith("Not covered: clients' sizes")
    assert "adds up" not in lines[1]  # one training only
    assert len(lines) == 2


def test_a_delta_given_that_is_too_large_is_warned_of():
    told = privacy_statement(config(epsilon=8.0, delta=1e-5), units(record([7.25, 7.5])), [])
    assert (told.delta, told.usual_delta) == (1e-5, 1 / 276_860)
    lines = privacy_lines(told)
    assert len(lines) == 3
    assert lines[2].startswith("Warning: delta is 1e-05, above 3.61e-06")


def test_methods_and_seeds_add_up():
    records = [record([1.0, 2.0]), record([3.0, 0.5]), record([2.0, 4.0]), record([0.0, 1.0])]
    told = privacy_statement(config(epsilon=8.0), units(*records, methods=("local", "fedavg")), [])
    assert told.methods["local"].epsilon == [0.5, 3.0]
    assert told.methods["fedavg"].epsilon == [0.0, 4.0]
    assert told.together.model_dump() == {"epsilon": 10.0, "delta": pytest.approx(4 / 276_860), "trainings": 4}
    first, second = privacy_lines(told)
    assert "epsilon 0 to 4 " in first
    assert "The 4 trainings (methods and seeds)" in second
    assert "adds up to epsilon 10 at delta 1.44e-05" in second


@pytest.mark.parametrize(
    ("stopped", "expected"),
    [
        ([("local, seed 0", 3, 2)], "stopped early: client 3 before round 2."),
        (
            [("local, seed 0", 3, 2), ("local, seed 1", 1, 3)],
            "stopped early: client 3, seed 0, before round 2, client 1, seed 1, before round 3.",
        ),
        (
            [("local, seed 0", k, 3 - (k == 4)) for k in range(6)],
            "6 clients stopped early, the first before round 2 (names: notices in manifest.json).",
        ),
    ],
)
def test_who_stopped(stopped, expected):
    notices = [f"{unit}: {STOP.format(client, number)}" for unit, client, number in stopped]
    told = privacy_statement(
        config(epsilon=8.0), units(record([1.0]), record([1.0])), [*notices, "local, seed 0: hello"]
    )
    assert privacy_lines(told)[0].endswith(expected)


def test_delta_not_asked_for_is_no_difference_to_a_record_and_one_asked_for_is():
    old, new = config(epsilon=8.0, delta=1e-5), config(epsilon=8.0)
    assert differences(old, new) == []
    assert differences(new, old) == ["privacy.delta: 0.0 -> 1e-05"]
    assert differences(old, config(epsilon=4.0)) == ["privacy.epsilon: 8.0 -> 4.0"]
    assert delta_of(old, [record([1.0])]) == 1e-5
    assert delta_of(new, [record([1.0], (100, 200)), record([1.0])]) == 1e-5
