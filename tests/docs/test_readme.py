"""The README and the journeys run as they are written, and what their lines write is kept out of the repository."""

import fnmatch
import re
import shlex
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from docs.commands import blocks
from marketproof.commands.run import DEFAULT_TASK
from marketproof.running.config import DEFAULT_METHODS
from mechanism.catalogue import CATALOGUE
from tests.marketproof.conftest import command

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
JOURNEYS = sorted((ROOT / "docs" / "journeys").glob("*.md"))


def shown(lines: list[str]) -> list[str]:
    """Run lines here, ours in this process; return what each of ours printed, in one line."""
    said = []
    for line in lines:
        if not line.startswith("marketproof "):
            subprocess.run(["sh", "-c", line], check=True)
            continue
        answer = command(*shlex.split(line)[1:])
        assert (answer.status, answer.err) == (0, ""), line
        said.append(" ".join(answer.out.split()))
    return said


def test_a_newcomer_reads_it_in_three_minutes():
    assert len(README.splitlines()) <= 120
    assert [len(block) for block in blocks(README)] == [2, 5, 5, 5, 5]


def test_a_run_is_installed_from_wheels_and_without_what_tests_need():
    told = subprocess.run(["make", "-n", "run", "VENV=absent"], cwd=ROOT, capture_output=True, text=True, check=True)
    (install,) = [line for line in told.stdout.splitlines() if "pip install" in line]
    assert "--only-binary :all:" in install
    assert "--editable ." in install
    assert "dev" not in install
    needed = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert not [name for name in needed["dependencies"] if name.startswith(("pygambit", "pytest"))]
    assert needed["optional-dependencies"]["gambit"]


def test_where_it_runs_is_said():
    paragraph = next(part for part in README.split("\n\n") if part.startswith("Tested on"))
    for word in ("Linux", "x86-64", "3.11", "3.13", "3.14", "pygambit", "macOS", "Windows", "AVX"):
        assert word in paragraph, word


def test_clear_your_own_market_says_what_its_comments_say(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lines = blocks(README)[1]
    assert lines == blocks((ROOT / "docs" / "journeys" / "clear.md").read_text())[0]
    exact, honest, lying = shown(lines)
    assert "│ ann │ cat │ 1.1 │" in exact
    assert "No lie about a cost was found to pay" in exact
    assert "A lie pays: cat, whose number of samples is 300" in exact
    assert "│ ann │ cat │ 3 │" in honest
    assert "bob, whose cost is 1.1, gains 1.9" in honest
    assert "│ ann │ bob │ 3 │" in lying
    assert "│ bob │ 0 │ 0.9 │ 0 │ 3 │ 2.1 │" in lying


def test_a_rule_that_is_made_wrong_is_refuted(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    written, refuted, again, proved = shown(blocks(README)[2])
    assert "half_bid.py" in written
    assert re.search(r"│ dsic │ refuted │ no │", refuted)
    assert "reproduced" in again
    assert re.search(r"│ dsic-cost │ proved │ yes │", proved)


def test_a_table_and_a_method_are_trained(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = [f"{site},{(7 * k) % 11},{'ill' if (7 * k) % 11 > 5 else 'well'}" for k in range(30) for site in "ab"]
    Path("clinic.csv").write_text("\n".join(["site,marker,outcome", *rows]))
    lines = blocks(README)[3]
    lines[0] += " --scale smoke --methods local,ipfl"  # as written it trains for half a minute
    assert len(shown(lines)) == 5
    assert Path("mine.html").stat().st_size > 10_000


@pytest.mark.slow
def test_what_teaches_runs_where_it_serves_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lines = [line for line in blocks(README)[4] if not line.startswith("marketproof play") or "--export" in line]
    assert len(shown(lines)) == 3


@pytest.mark.slow
@pytest.mark.parametrize("page", JOURNEYS, ids=lambda page: page.stem)
def test_every_block_of_a_journey_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for lines in blocks(page.read_text()):
        assert shown(lines)


def test_the_table_is_of_what_runs_where_no_task_is_named():
    table = README[README.index("`make run` prints") :].split("```\n")[1]
    assert table.startswith(f"{DEFAULT_TASK}, seed 0\n")
    assert re.findall(r"^│ (\S+)", table, re.MULTILINE) == DEFAULT_METHODS.split(",")
    paid = " ".join(table[table.index("Paid for their models") :].split())
    assert [part.split()[0] for part in paid.split(" under ")[1:]] == DEFAULT_METHODS.split(",")[2:]
    assert re.search(r"clock-price honest clients [\d.]+, attackers and free-riders 0,", paid)


def test_counts_are_those_of_the_catalogue():
    told = (ROOT / "CHANGELOG.md").read_text()
    assert f"Verdicts on {len(CATALOGUE)} mechanisms" in (ROOT / "docs" / "promises.md").read_text()
    assert f"`make matrix` ({len(CATALOGUE)} mechanisms" in told


def test_what_the_lines_write_is_ignored():
    ignored = [line for line in (ROOT / ".gitignore").read_text().splitlines() if line.startswith("/")]
    pages = [README, *(page.read_text() for page in JOURNEYS)]
    lines = "\n".join(line for page in pages for block in blocks(page) for line in block)
    written = set(re.findall(r"(?:> |--json |--out |--certificate |--export )([\w.]+)(?=\s|$)", lines))
    written |= {name for stem in re.findall(r" new \w+ ([\w-]+)", lines) for name in names(stem.replace("-", "_"))}
    assert {"clients.csv", "my_auction.py", "v.json", "mine.html", "test_half_way.py"} <= written
    for name in written:
        assert any(fnmatch.fnmatch(f"/{name}", pattern) for pattern in ignored), name


def names(module: str) -> tuple[str, str]:
    return f"{module}.py", f"test_{module}.py"


def test_no_tracked_file_is_ignored():
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("no clone")
    question = [git, "ls-files", "--cached", "--ignored", "--exclude-standard"]
    listed = subprocess.run(question, cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip(f"git does not answer here: {listed.stderr}")
    assert listed.stdout == ""
