"""The needles tell the truth about themselves, and a few of each kind are found."""

import importlib
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks" / "needles"
SEEDS = (1, 2)


@pytest.fixture(scope="module")
def parts():
    """Load the benchmark's files, which are scripts and no package, by their folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        yield {name: importlib.import_module(name) for name in ("needles", "needle_cases", "needle_rules")}


@pytest.fixture(scope="module")
def drawn(parts: dict[str, ModuleType]) -> list:
    return [needle for seed in SEEDS for needle in parts["needles"].needles(seed, 108)]


def test_there_are_two_hundred_and_a_third_is_sound(drawn):
    assert len(drawn) >= 200
    sound = sum(needle.sound for needle in drawn)
    assert len(drawn) / 4 < sound < len(drawn) / 2
    assert len({needle.kind for needle in drawn if not needle.sound}) >= 18


def test_every_defect_carries_a_case_that_breaks_its_property(drawn, parts):
    for needle in drawn:
        if needle.sound:
            continue
        found, size = parts["needle_cases"].violation(needle.mechanism, needle.property, needle.case)
        assert found > 1e-6, needle
        assert found > 1e-7 * size, needle
        space = needle.mechanism.space
        for profile in (needle.case.types, needle.case.reports):
            assert profile is None or ((profile >= space.low) & (profile <= space.high)).all()


def test_the_same_seed_draws_the_same_needles_and_another_seed_others(parts):
    one, again, other = (parts["needles"].needles(seed, 12) for seed in (3, 3, 4))
    assert [n.description for n in one] == [n.description for n in again]
    assert [n.description for n in one] != [n.description for n in other]


def test_sound_rules_survive_the_checks_of_the_benchmark_itself(drawn, parts):
    """Random cases, not the engine: a sound rule that is none would make the benchmark lie."""
    cases, rng = parts["needle_cases"], np.random.default_rng(0)
    for needle in drawn:
        if not needle.sound:
            continue
        space = needle.mechanism.space
        for name in set(needle.holds) - {"non-bossiness", "group-dsic"}:
            for _ in range(20):
                types = rng.uniform(space.low, space.high)
                said, agent = types.copy(), int(rng.integers(space.agents))
                said[agent] = rng.uniform(space.low[agent], space.high[agent])
                case = cases.Planted(types, said, agent, tuple(rng.permutation(space.agents)))
                found, size = cases.violation(needle.mechanism, name, case)
                assert found <= 1e-9 * max(1.0, size), (needle.kind, name, needle.description, found)


EASY = ("corner, ir", "corner, budget-balance", "one agent, dsic", "price by report, dsic", "tie of two reports, dsic")


@pytest.mark.parametrize("kind", EASY)
def test_an_easy_defect_is_refuted_within_seconds(drawn, parts, kind):
    needle = next(n for n in drawn if n.kind == kind)
    result = parts["needles"].measured(needle, 1, budget=20.0)
    assert result.found, result.words


def test_a_sound_rule_of_each_family_is_not_accused(parts):
    families = parts["needle_rules"].FAMILIES
    few = [n for n in parts["needles"].needles(5, 3 * len(families)) if n.sound]
    assert len(few) == len(families)
    for needle in few:
        result = parts["needles"].measured(needle, 5, budget=0.4)
        assert not result.found, result.words


@pytest.mark.slow
def test_nineteen_of_twenty_defects_are_refuted_and_no_sound_rule_is_accused(parts):
    assert parts["needles"].main(["--count", "36"]) == 0
