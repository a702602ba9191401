"""Roles, attendance and who learns from whom: read where they are recorded, counted as the paper counts."""

from pathlib import Path

import numpy as np
import pytest

from analysis import write_report
from analysis.findings.imports import IMPORTS, import_shares
from analysis.findings.roles import ROLES, attendance, everybody_stays, roles, utility_by_role
from analysis.findings.rounds import accuracy_rounds
from analysis.findings.scores import best_accuracy, client_utility, final_accuracy, mean_utility, welfare
from analysis.page.gallery import gallery
from analysis.run.files import RecordError
from analysis.run.market import ROLES as CODES
from analysis.run.records import Run, read_run
from tests.analysis.synthetic import METHODS, edit_market, section

WHO = ("attacker", "honest", "honest", "liar", "free-rider", "honest")


@pytest.fixture
def mixed(copy: Path) -> Path:
    """The run with an attacker (0), a free-rider (4), a liar (3), and client 5 gone after the first round."""
    there = np.ones((3, 6), np.uint8)
    there[1:, 5] = 0
    roles = np.tile(np.array([CODES.index(role) for role in WHO], np.uint8), (3, 1))
    for method in METHODS:
        for seed in (0, 1):
            edit_market(copy, method, seed, present=there, roles=roles)
    return copy


def test_without_a_record_everybody_is_honest_and_there(run: Run):
    assert roles(run) == ("honest",)
    assert everybody_stays(run)
    assert {"roles", "attendance"} & set(gallery(run)) == set()


def test_accuracy_and_utility_are_those_of_benign_clients_while_they_take_part(mixed: Path, run: Run):
    read = read_run(mixed)
    trace, benign = read.traces["fedavg"], [1, 2, 3, 5]
    best = trace.accuracy.max(axis=1)
    best[:, 5] = trace.accuracy[:, 0, 5]
    np.testing.assert_allclose(best_accuracy(read).values[1], 100 * best[:, benign].mean(axis=1))
    last = trace.accuracy[:, -1].copy()
    last[:, 5] = trace.accuracy[:, 0, 5]
    np.testing.assert_allclose(final_accuracy(read).values[1], 100 * last[:, benign].mean(axis=1))
    utility = trace.utility.sum(axis=1)[:, benign].mean(axis=1)
    np.testing.assert_allclose(mean_utility(read).values[1], utility)
    np.testing.assert_allclose(
        accuracy_rounds(read).values[1][:, 1], 100 * trace.accuracy[:, 1, [1, 2, 3]].mean(axis=1)
    )
    # Welfare is everybody's.
    np.testing.assert_allclose(welfare(read).values, welfare(run).values)


def test_every_role_has_its_mean(mixed: Path):
    read = read_run(mixed)
    found = utility_by_role(read)
    assert found.groups == ("attacker", "free-rider", "honest", "liar")
    for j, method in enumerate(read.methods):
        utility = client_utility(read, method)
        np.testing.assert_allclose(found.mean[0, j], utility[:, 0].mean())
        np.testing.assert_allclose(found.mean[2, j], utility[:, [1, 2, 5]].mean())
        np.testing.assert_allclose(found.spread[3, j], utility[:, 3].std(ddof=1), atol=1e-12)
    drawn = section(ROLES, read).drawings["roles"]()
    assert len(drawn.table.rows) == 16
    assert "attacker: local" in drawn.alt


def test_attendance_is_the_number_that_takes_part(mixed: Path):
    read = read_run(mixed)
    np.testing.assert_array_equal(attendance(read).mean, np.tile([6.0, 5.0, 5.0], (4, 1)))
    assert "fedavg: 6 to 5" in section(ROLES, read).drawings["attendance"]().alt


def test_import_shares_are_the_recorded_graphs(run: Run):
    for method in run.methods:
        found = import_shares(run, method, seed=1)
        graphs = [run.market_round(method, 1, r + 1).imports for r in range(run.rounds)]
        np.testing.assert_allclose(found.share, np.mean(graphs, axis=0))
    everybody = import_shares(run, "fedavg").share
    np.testing.assert_allclose(everybody, 1.0 - np.eye(6))
    drawn = section(IMPORTS, run).drawings["imports"]()
    assert "fedavg: 30 pairs trade" in drawn.alt
    assert len(drawn.figure.axes) == 4


def test_the_report_says_it(mixed: Path, tmp_path: Path):
    text = write_report([mixed], tmp_path / "report.html").read_text()
    assert "Who does well, and who stays?" in text
    assert "2 attackers or free-riders are not counted" in text
    assert "In the last round so many of 6 clients take part: local 5, fedavg 5" in text


def test_a_role_that_changes_is_a_damaged_record(copy: Path):
    edit_market(copy, "fedavg", 0, roles=np.tile(np.arange(3, dtype=np.uint8)[:, None], (1, 6)))
    with pytest.raises(RecordError, match="role changes from one round to another"):
        read_run(copy)
    edit_market(copy, "fedavg", 0, roles=np.full((3, 6), 99, np.uint8))
    with pytest.raises(RecordError, match="a role has no name"):
        read_run(copy)
