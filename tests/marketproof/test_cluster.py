"""Studies and sweeps spread over a Dask cluster give what they give on one machine."""

import json

import pytest

from tests.marketproof.test_run import same_record

SMALL = (
    "mechanisms = ['ipfl', 'ipfl-exact']\nlam = [0.0, 1.0]\ncost_spread = [1.0]\nheterogeneity = [1.0]\nmarkets = 3\n"
)
STUDY = (
    "study",
    "performance",
    "--task",
    "digits-niid",
    "--scale",
    "smoke",
    "--methods",
    "local,ipfl",
    "--seeds",
    "2",
    "--quiet",
)


@pytest.mark.filterwarnings("ignore")
def test_a_study_and_a_sweep_on_two_workers_are_those_of_one_machine(cli, tmp_path):
    pytest.importorskip("distributed")
    for name, more in (("here", ()), ("there", ("--cluster", "local:2"))):
        answer = cli(*STUDY, "--out", tmp_path / name, *more)
        assert (answer.status, answer.err) == (0, "")
        (tmp_path / "sweep.toml").write_text(SMALL)
        swept = tmp_path / f"sweep-{name}"
        assert cli("frontier", tmp_path / "sweep.toml", "--out", swept, "--quiet", *more).status == 0
    for name in ("study.json", "study.csv"):
        assert (tmp_path / "here" / name).read_bytes() == (tmp_path / "there" / name).read_bytes()
    assert not (tmp_path / "there" / ".seeds").exists()
    (one,) = [path for path in (tmp_path / "here").iterdir() if path.is_dir()]
    same_record(one, tmp_path / "there" / one.name)
    rows = [(tmp_path / f"sweep-{name}" / "points.jsonl").read_text().splitlines() for name in ("here", "there")]
    assert rows[0] == rows[1]
    assert len([json.loads(row) for row in rows[0]]) == 5


@pytest.mark.parametrize("words", [(*STUDY, "--cluster", "nonsense"), ("frontier", "--cluster", "nonsense")])
def test_a_cluster_that_is_none_is_refused_in_one_line(cli, tmp_path, words):
    assert "--cluster" in cli(*words, "--out", tmp_path / "out").line()
