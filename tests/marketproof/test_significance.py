"""What study performance says of noise: ranks, differences task by task, and no claim where an interval holds zero."""

import pytest

from marketproof.studies.performance import BEST, UTILITY
from marketproof.studies.significance import compared, crossed, differences_table, figures, ranks, section, sentences
from marketproof.studies.study import METHOD, Row


def rows(**utility):
    """A task with a row for each method: three seeds of utility, and of accuracy that is the same for all."""
    return [Row({METHOD: [name] * 3, BEST: [0.5, 0.6, 0.55], UTILITY: seeds}) for name, seeds in utility.items()]


TABLES = {
    "clear": rows(**{"local": [0.0, 0.0, 0.0], "fedavg": [1.0, 1.2, 1.1], "ipfl/ipfl": [3.0, 3.1, 3.2]}),
    "noisy": rows(**{"local": [0.0, 0.0, 0.0], "fedavg": [1.0, 9.0, 2.0], "ipfl/ipfl": [3.0, 3.1, 3.2]}),
}


def test_nothing_is_claimed_within_noise_and_what_is_beyond_it_is():
    assert sentences(TABLES, UTILITY) == [
        "clear: more than `local` and `fedavg`.",
        "noisy: more than `local`; no difference seen from `fedavg`.",
    ]
    assert sentences(TABLES, BEST)[0] == "clear: no difference seen from `local` and `fedavg`."
    heads, cells = crossed(TABLES, UTILITY)
    assert heads == ["ipfl/ipfl minus", "clear", "noisy"]
    assert cells[1] == ["fedavg", "**+2 (1.75 to 2.25)**", "-0.9 (-11.7 to 9.9)"]


def test_of_many_comparisons_what_only_one_interval_says_is_told_apart():
    two = {"two": rows(**{"a": [1.0, 1.4, 1.3], "b": [9.0, 0.0, 1.0], "ipfl/ipfl": [2.0, 2.1, 2.6]})}
    (one, p), *_ = [(one, p) for _, name, one, p in compared(two, UTILITY) if name == "a"]
    assert one.seen
    assert p > 0.05 > one.p
    assert sentences(two, UTILITY) == ["two: by its own interval alone more than `a`; no difference seen from `b`."]
    assert crossed(two, UTILITY)[1][0][1].startswith("+1 (")


def test_of_two_seeds_nothing_is_claimed_however_close_they_are():
    two = {"two": [Row({c: values[:2] for c, values in row.seeds.items()}) for row in TABLES["clear"]]}
    (one, p), *_ = [(one, p) for _, name, one, p in compared(two, UTILITY) if name == "fedavg"]
    assert one.seen
    assert not one.kept(p)
    assert "two: by its own interval alone more than `local` and `fedavg`." in sentences(two, UTILITY)


def test_money_by_measured_worth_is_not_compared_with_money_by_sizes():
    other = {task: [*each, *rows(**{"ipfl-effective/ipfl-exact": [9.0, 9.1, 9.2]})] for task, each in TABLES.items()}
    assert sentences(other, UTILITY) == sentences(TABLES, UTILITY)
    assert ranks(other, UTILITY).methods == ranks(TABLES, UTILITY).methods
    assert "ipfl-effective/ipfl-exact" in ranks(other, BEST).methods


def test_of_one_seed_no_difference_is_claimed():
    one = {"once": [Row({c: values[:1] for c, values in row.seeds.items()}) for row in TABLES["clear"]]}
    assert sentences(one, UTILITY) == ["once: one seed, no difference is claimed."]
    assert crossed(one, UTILITY)[1][0] == ["local", "+3"]


def test_p_values_are_corrected_over_all_comparisons_of_a_figure():
    told = list(compared(TABLES, UTILITY))
    assert [(task, name) for task, name, _, _ in told] == [(t, n) for t in TABLES for n in ("local", "fedavg")]
    smallest = min((one.p, p) for _, _, one, p in told)
    assert smallest[1] == pytest.approx(4 * smallest[0])
    table = differences_table(TABLES)
    assert len(table.rows) == 8
    assert table.rows[4][:4] == ("utility_mean", "clear", "local", pytest.approx(3.1))


def test_ranks_are_of_means_over_seeds_a_block_a_task():
    one = ranks(TABLES, UTILITY)
    assert (one.methods, one.blocks) == (("local", "fedavg", "ipfl/ipfl"), 2)
    assert one.ranks.tolist() == [3.0, 1.5, 1.5]
    assert ranks({"clear": TABLES["clear"]}, UTILITY) is None


def test_the_page_has_a_figure_for_each_ranking_and_one_task_has_none():
    assert set(figures(TABLES)) == {"ranks-accuracy", "ranks-utility"}
    text = "\n".join(section(TABLES, "performance-{}.svg"))
    assert "](performance-ranks-utility.svg)" in text
    assert figures({"clear": TABLES["clear"]}) == {}
    assert "](" not in "\n".join(section({"clear": TABLES["clear"]}))
